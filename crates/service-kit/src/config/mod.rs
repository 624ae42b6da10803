//! Configuration: flags with environment fallbacks, checked before any port opens.
//!
//! Every role's flags and clap ids begin with the role's name, so that the one-process house can flatten all of them
//! into one command line.

mod duration;
mod limits;
mod number;
mod parse;
pub mod production;
mod secret;
mod trust;
mod urls;

pub use duration::{duration, duration_between, limit, limit_or_none};
pub use number::number_between;
pub use parse::{parse, try_parse_from};
pub use secret::{Secret, resolve};
pub use trust::TrustArgs;
pub use urls::{HttpUrls, database_url, http_urls};

/// A setting that cannot be used. Its text names the variable, what it got and what it wants; the exit code is 64.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {}wants {wants}", .got.as_ref().map(|got| format!("got \"{}\", ", got.escape_debug())).unwrap_or_default())]
pub struct ConfigError {
    /// The environment variable.
    pub variable: String,
    /// What it was set to. `None` when it is not set, or is a secret.
    pub got: Option<String>,
    /// What would be right.
    pub wants: String,
}

impl ConfigError {
    /// A setting that is wrong or missing, without its value.
    pub fn new(variable: impl Into<String>, wants: impl Into<String>) -> Self {
        Self {
            variable: variable.into(),
            got: None,
            wants: wants.into(),
        }
    }

    /// The same, showing the value.
    pub fn got(mut self, value: impl Into<String>) -> Self {
        self.got = Some(value.into());
        self
    }
}

/// A value parser for text that must not be empty.
///
/// # Errors
/// When it is empty.
pub fn non_empty(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("a text that is not empty".into());
    }
    Ok(text.to_owned())
}

/// A value parser for a listen address.
///
/// # Errors
/// When it is no `address:port`.
pub fn listen_address(text: &str) -> Result<std::net::SocketAddr, String> {
    text.parse()
        .map_err(|_| "an address and a port, such as 127.0.0.1:8080 or [::]:8080; port 0 takes a free one".into())
}
