//! What production does not put up with: with `*_PRODUCTION=true` a role refuses to start with it.

use std::net::SocketAddr;

use super::ConfigError;

/// Everything that keeps roles from production: exit code 64.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not fit for production:{}", .0.iter().map(|fault| format!("\n  {fault}")).collect::<String>())]
pub struct Unfit(Vec<ConfigError>);

/// Refuses when there are faults, and tells all of them.
///
/// # Errors
/// When there is one.
pub fn judge(faults: Vec<ConfigError>) -> Result<(), Unfit> {
    if faults.is_empty() { Ok(()) } else { Err(Unfit(faults)) }
}

/// Looks at the settings of a role that is to be production.
#[derive(Debug)]
pub struct Production {
    role: &'static str,
    faults: Vec<ConfigError>,
}

impl Production {
    /// Of the role whose variables begin so: `AUTH`.
    pub fn of(role: &'static str) -> Self {
        Self {
            role,
            faults: Vec::new(),
        }
    }

    /// A listener that other machines can reach serves TLS, unless `*_ALLOW_PLAINTEXT` says that this is seen to.
    pub fn listener(mut self, listen: SocketAddr, is_tls: bool, allows_plaintext: bool) -> Self {
        let role = self.role;
        if !listen.ip().to_canonical().is_loopback() && !is_tls && !allows_plaintext {
            let wants = format!(
                "a loopback address, or TLS ({role}_TLS_CERT and {role}_TLS_KEY), or {role}_ALLOW_PLAINTEXT=true where \
                 only a network that is trusted or a proxy that ends TLS can reach it"
            );
            self.faults
                .push(ConfigError::new(format!("{role}_LISTEN"), wants).got(listen.to_string()));
        }
        self
    }

    /// Replicas share a database: `is_shared` says whether it can be.
    pub fn database(mut self, is_shared: Result<bool, ConfigError>, replicas: u32) -> Self {
        let role = self.role;
        match is_shared {
            Ok(false) if replicas > 1 => self.faults.push(ConfigError::new(
                format!("{role}_DATABASE_URL"),
                format!(
                    "postgres://USER:PASSWORD@HOST/DATABASE for {replicas} replicas ({role}_REPLICAS, or as many as the \
                     URLs of other roles name): SQLite serves one"
                ),
            )),
            outcome => return self.has(outcome),
        }
        self
    }

    /// A setting that is needed.
    pub fn has<T>(mut self, setting: Result<T, ConfigError>) -> Self {
        self.faults.extend(setting.err());
        self
    }

    /// What was found.
    pub fn faults(self) -> Vec<ConfigError> {
        self.faults
    }
}

/// A value parser for a number of replicas.
///
/// # Errors
/// What is wanted instead.
pub fn replicas(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "a whole number, 1 at least".into())
}

#[cfg(test)]
mod tests {
    use super::{ConfigError, Production, judge, replicas};

    fn listener_is_fit(listen: &str, is_tls: bool, allows_plaintext: bool) -> bool {
        let production = Production::of("X").listener(listen.parse().unwrap(), is_tls, allows_plaintext);
        production.faults().is_empty()
    }

    #[test]
    fn plain_listeners_are_for_loopback_unless_allowed() {
        for loopback in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(listener_is_fit(loopback, false, false), "{loopback}");
        }
        for reachable in ["0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[::ffff:10.0.0.1]:1"] {
            assert!(!listener_is_fit(reachable, false, false), "{reachable}");
            assert!(listener_is_fit(reachable, true, false), "{reachable}");
            assert!(listener_is_fit(reachable, false, true), "{reachable}");
        }
    }

    #[test]
    fn sqlite_is_for_one_replica() {
        let is_fit = |is_shared, replicas| {
            let production = Production::of("X").database(is_shared, replicas);
            production.faults().is_empty()
        };

        assert!(is_fit(Ok(false), 1) && is_fit(Ok(true), 2));
        assert!(!is_fit(Ok(false), 2));
        assert!(!is_fit(Err(ConfigError::new("X_DATABASE_URL", "a URL")), 1));
        assert_eq!(replicas("3"), Ok(3));
        assert!(replicas("0").is_err() && replicas("-1").is_err() && replicas("many").is_err());
    }

    #[test]
    fn all_faults_are_told_a_line_each() {
        let production = Production::of("X")
            .listener("0.0.0.0:1".parse().unwrap(), false, false)
            .has::<()>(Err(ConfigError::new("X_SECRET", "a secret")));

        let said = judge(production.faults()).unwrap_err().to_string();

        let lines: Vec<_> = said.lines().collect();
        assert_eq!(lines.len(), 3, "{said}");
        assert!(lines[1].starts_with("  X_LISTEN: got \"0.0.0.0:1\", wants a loopback address, or TLS (X_TLS_CERT"));
        assert_eq!(lines[2], "  X_SECRET: wants a secret");
        assert_eq!(judge(Vec::new()), Ok(()));
    }
}
