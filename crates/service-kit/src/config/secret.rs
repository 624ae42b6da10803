//! Secrets: from the environment or from a file, never shown.

use std::{convert::Infallible, fs, os::unix::fs::PermissionsExt, path::Path, str::FromStr};

use zeroize::Zeroizing;

use super::ConfigError;

/// A text that is never printed and is wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("[redacted]")
    }
}

/// The secret that `VARIABLE` or `VARIABLE_FILE` gives. White space at the end of the file is dropped.
///
/// A file that others can write is refused; one that others can read is warned about, because secret mounts look so.
///
/// # Errors
/// When both are given, when the file cannot be read, is not UTF-8, or can be written by others.
pub fn resolve(
    variable: &'static str,
    value: Option<&Secret>,
    file: Option<&Path>,
) -> Result<Option<Secret>, ConfigError> {
    match (value, file) {
        (Some(_), Some(_)) => Err(ConfigError::new(
            variable,
            format!("only one of {variable} and {variable}_FILE"),
        )),
        (Some(value), None) => Ok(Some(value.clone())),
        (None, Some(path)) => read(variable, path).map(Some),
        (None, None) => Ok(None),
    }
}

fn read(variable: &str, path: &Path) -> Result<Secret, ConfigError> {
    let shown = path.display().to_string();
    let refused = |wants: String| ConfigError::new(format!("{variable}_FILE"), wants).got(shown.clone());

    let mode = fs::metadata(path)
        .map_err(|error| refused(format!("a file that can be read ({error})")))?
        .permissions()
        .mode();
    if mode & 0o022 != 0 {
        return Err(refused("a file that only its owner can write (chmod go-w)".into()));
    }
    if mode & 0o044 != 0 {
        tracing::warn!(variable, file = shown, "others can read this secret file");
    }
    let text = fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|error| refused(format!("a file of UTF-8 text that can be read ({error})")))?;
    Ok(Secret::new(text.trim_end()))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::{Secret, resolve};

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Some(Secret::new("hunter2"))), "Some([redacted])");
    }

    #[test]
    fn a_secret_comes_from_the_value_or_the_file_but_not_both() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, "from the file\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let value = Secret::new("from the value");

        assert_eq!(resolve("X", None, None), Ok(None));
        assert_eq!(resolve("X", Some(&value), None), Ok(Some(value.clone())));
        assert_eq!(resolve("X", None, Some(&file)), Ok(Some(Secret::new("from the file"))));
        assert!(resolve("X", Some(&value), Some(&file)).is_err());
    }

    #[test]
    fn a_secret_file_that_others_can_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, "planted").unwrap();
        for (mode, accepted) in [(0o600, true), (0o644, true), (0o620, false), (0o602, false)] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let outcome = resolve("KEY", None, Some(&file));
            assert_eq!(outcome.is_ok(), accepted, "{mode:o}");
            if let Err(error) = outcome {
                assert!(error.to_string().starts_with("KEY_FILE: got"), "{error}");
                assert!(!error.to_string().contains("planted"));
            }
        }
    }
}
