//! Asking an operator for a password.

use std::io::{IsTerminal, stdin};

use service_kit::process::StartError;
use zeroize::Zeroizing;

use crate::domain::{Email, Password, PasswordPolicy};

/// A new password: typed twice at a terminal, else the first line of standard input.
pub(super) fn ask(policy: PasswordPolicy, email: &Email) -> Result<Password, StartError> {
    let typed = if stdin().is_terminal() { prompt()? } else { line()? };
    let accepted = policy.accept(&typed, Some(email));
    accepted.map_err(|problem| StartError::Refused(format!("the password {problem}")))
}

fn prompt() -> Result<Zeroizing<String>, StartError> {
    let once = typed(rpassword::prompt_password("Password: "))?;
    let again = typed(rpassword::prompt_password("Once more: "))?;
    if *once == *again {
        return Ok(once);
    }
    Err(StartError::Refused("the two passwords differ".into()))
}

fn line() -> Result<Zeroizing<String>, StartError> {
    let mut text = Zeroizing::new(String::with_capacity(4096));
    stdin().read_line(&mut text).map_err(unreadable)?;
    let end = text.trim_end_matches(['\n', '\r']).len();
    text.truncate(end);
    Ok(text)
}

fn typed(outcome: std::io::Result<String>) -> Result<Zeroizing<String>, StartError> {
    outcome.map(Zeroizing::new).map_err(unreadable)
}

fn unreadable(error: std::io::Error) -> StartError {
    StartError::failed("reading the password", error)
}
