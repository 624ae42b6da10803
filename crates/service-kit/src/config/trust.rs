//! What every service that accepts tokens has to be told.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::{ConfigError, Secret, duration, non_empty, resolve};

const SHORTEST_SERVICE_TOKEN: usize = 32;
const SERVICE_TOKEN: &str = "SERVICE_TOKEN";

/// Settings that the auth service and every verifier share.
#[derive(Debug, Clone, Args)]
pub struct TrustArgs {
    /// Who issues tokens: their `iss`
    #[arg(id = "auth_issuer", long = "auth-issuer", env = "AUTH_ISSUER", value_name = "TEXT",
          default_value = "https://gatehouse.local", value_parser = non_empty)]
    pub issuer: String,

    /// Whom tokens are for: their `aud`
    #[arg(id = "auth_audience", long = "auth-audience", env = "AUTH_AUDIENCE", value_name = "TEXT",
          default_value = "gatehouse", value_parser = non_empty)]
    pub audience: String,

    /// What services show each other: 32 bytes or more; several, comma-separated, are accepted and the first is sent
    #[arg(
        id = "service_token",
        long = "service-token",
        env = "SERVICE_TOKEN",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub service_token: Option<Secret>,

    /// A file that holds SERVICE_TOKEN
    #[arg(
        id = "service_token_file",
        long = "service-token-file",
        env = "SERVICE_TOKEN_FILE",
        value_name = "FILE"
    )]
    pub service_token_file: Option<PathBuf>,

    /// How old the view of revocations may be that a request is decided by. 0s: no logged-out token is ever accepted.
    /// More keeps the house open while the auth service is gone
    #[arg(id = "trust_max_staleness", long = "trust-max-staleness", env = "TRUST_MAX_STALENESS",
          value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub max_staleness: Duration,
}

impl TrustArgs {
    /// The accepted service tokens; the first is the one to send. Empty when none is set.
    ///
    /// # Errors
    /// When one is shorter than 32 bytes, or the file cannot be used.
    pub fn service_tokens(&self) -> Result<Vec<Secret>, ConfigError> {
        let text = resolve(
            SERVICE_TOKEN,
            self.service_token.as_ref(),
            self.service_token_file.as_deref(),
        )?;
        let Some(text) = text else { return Ok(Vec::new()) };
        let tokens: Vec<Secret> = text
            .expose()
            .split(',')
            .map(|token| Secret::new(token.trim()))
            .collect();
        let fits = |token: &Secret| {
            token.expose().len() >= SHORTEST_SERVICE_TOKEN && token.expose().bytes().all(|byte| byte.is_ascii_graphic())
        };
        if tokens.iter().all(fits) {
            return Ok(tokens);
        }
        Err(ConfigError::new(
            SERVICE_TOKEN,
            "32 or more visible ASCII characters, such as `openssl rand -hex 32` prints; several are separated by commas",
        ))
    }

    /// The same, where a service cannot do without.
    ///
    /// # Errors
    /// As [`Self::service_tokens`], and when none is set.
    pub fn required_service_tokens(&self) -> Result<Vec<Secret>, ConfigError> {
        let tokens = self.service_tokens()?;
        if tokens.is_empty() { Err(missing()) } else { Ok(tokens) }
    }

    /// The service token to send.
    ///
    /// # Errors
    /// As [`Self::required_service_tokens`].
    pub fn sent_service_token(&self) -> Result<Secret, ConfigError> {
        self.service_tokens()?.into_iter().next().ok_or_else(missing)
    }
}

fn missing() -> ConfigError {
    ConfigError::new(
        SERVICE_TOKEN,
        "a secret that all services of the cluster share, 32 characters or more; SERVICE_TOKEN_FILE reads it from a file",
    )
}

impl Default for TrustArgs {
    /// The defaults of the command line, and no service token.
    fn default() -> Self {
        Self {
            issuer: "https://gatehouse.local".into(),
            audience: "gatehouse".into(),
            service_token: None,
            service_token_file: None,
            max_staleness: Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Secret, TrustArgs};

    fn with(token: &str) -> TrustArgs {
        TrustArgs {
            service_token: Some(Secret::new(token)),
            ..TrustArgs::default()
        }
    }

    #[test]
    fn several_service_tokens_are_read_in_order() {
        let (old, new) = ("o".repeat(32), "n".repeat(40));

        let tokens = with(&format!("{new}, {old}")).required_service_tokens().unwrap();

        assert_eq!(tokens, [Secret::new(&*new), Secret::new(&*old)]);
        assert_eq!(with(&format!("{new},{old}")).sent_service_token(), Ok(Secret::new(new)));
    }

    #[test]
    fn a_short_or_missing_service_token_is_refused() {
        for token in ["", "short", &format!("{},short", "x".repeat(32)), &"ü".repeat(32)] {
            assert!(with(token).service_tokens().is_err(), "{token}");
        }
        assert_eq!(TrustArgs::default().service_tokens(), Ok(vec![]));
        assert!(TrustArgs::default().required_service_tokens().is_err());
    }
}
