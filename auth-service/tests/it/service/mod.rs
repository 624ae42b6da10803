//! Calls over gRPC, rule by rule.

mod access;
mod accounts;
mod audit;
mod keys;
mod passwords;
mod races;
mod sessions;
mod throttle;
mod trust;
mod users;
