//! What an account is made of. A value of one of these types is a good one.

mod email;
mod password;
mod user;

pub use email::{Email, EmailProblem};
pub use password::{Password, PasswordPolicy, PasswordProblem};
pub use user::{UserId, UserRecord};
