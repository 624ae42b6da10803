//! The API: each call in four steps: who, parse, act, render.

mod accounts;
mod admin;
mod audit;
mod auth;
mod context;
mod keys;
mod login;
mod trust;

pub(crate) use auth::AuthApi;
pub(crate) use context::Context;
pub(crate) use trust::TrustApi;
