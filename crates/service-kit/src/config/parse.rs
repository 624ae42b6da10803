//! Reading the command line so that a bad value is reported by its variable.

use std::ffi::OsString;

use clap::{
    Command, Parser,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::ConfigError;
use crate::process::CONFIG_EXIT;

/// Reads the process's command line and environment. Ends the process on `--help` and `--version` (0) and on whatever
/// cannot be used (64).
pub fn parse<C: Parser>() -> C {
    C::try_parse().unwrap_or_else(|error| {
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            error.exit();
        }
        match refusal(&C::command(), &error) {
            Some(refusal) => crate::process::complain(&refusal),
            // Nobody is left to tell when standard error is closed.
            None => drop(error.print()),
        }
        std::process::exit(CONFIG_EXIT.into())
    })
}

/// Reads a command line that is given, for tests: what `parse` would end the process with comes back as a text.
///
/// # Errors
/// The text that `parse` would print.
pub fn try_parse_from<C: Parser>(line: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<C, String> {
    C::try_parse_from(line).map_err(|error| match refusal(&C::command(), &error) {
        Some(refusal) => refusal.to_string(),
        None => error.to_string(),
    })
}

/// Clap's complaint about a value, in terms of the variable.
fn refusal(command: &Command, error: &clap::Error) -> Option<ConfigError> {
    if !matches!(
        error.kind(),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::InvalidUtf8
    ) {
        return None;
    }
    let ContextValue::String(flag) = error.get(ContextKind::InvalidArg)? else {
        return None;
    };
    let arg = find(command, flag.split([' ', '=']).next()?.trim_start_matches('-'))?;
    let variable = arg.get_env()?.to_string_lossy().into_owned();
    let wants = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) => format!("one of {}", values.join(", ")),
        _ => std::error::Error::source(error).map_or("a value of another form".into(), ToString::to_string),
    };
    let got = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) if !arg.is_hide_env_values_set() => Some(value.clone()),
        _ => None,
    };
    Some(ConfigError { variable, got, wants })
}

fn find<'a>(command: &'a Command, long: &str) -> Option<&'a clap::Arg> {
    let here = command.get_arguments().find(|arg| arg.get_long() == Some(long));
    here.or_else(|| command.get_subcommands().find_map(|command| find(command, long)))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use clap::Parser;

    use super::try_parse_from;

    #[derive(Debug, Parser)]
    struct Cli {
        #[arg(long, env = "KIT_TEST_LISTEN", value_parser = crate::config::listen_address, default_value = "127.0.0.1:1")]
        listen: SocketAddr,
        #[arg(long, env = "KIT_TEST_URL", hide_env_values = true, value_parser = crate::config::database_url, default_value = "sqlite://x")]
        url: crate::config::Secret,
    }

    #[test]
    fn a_bad_value_names_its_variable_what_it_got_and_what_it_wants() {
        let said = try_parse_from::<Cli>(["x", "--listen", "nowhere"]).unwrap_err();

        assert!(
            said.starts_with("KIT_TEST_LISTEN: got \"nowhere\", wants an address and a port"),
            "{said}"
        );
    }

    #[test]
    fn a_bad_secret_is_not_repeated() {
        let said = try_parse_from::<Cli>(["x", "--url", "mysql://root:hunter2@db"]).unwrap_err();

        assert!(said.starts_with("KIT_TEST_URL: wants"), "{said}");
        assert!(!said.contains("hunter2"));
    }

    #[test]
    fn a_good_line_is_read() {
        let cli = try_parse_from::<Cli>(["x", "--listen", "[::1]:0", "--url", "postgres://db/x"]).unwrap();

        assert!(cli.listen.is_ipv6());
        assert_eq!(cli.url.expose(), "postgres://db/x");
    }
}
