//! Passwords and what a new one must be like.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::Email;

/// The longest password, in bytes of its composed form: what a hash may cost must not be the client's choice.
const MAX_BYTES: usize = 1024;

/// Passwords that everybody tries first, a line each, in lower case.
const COMMON: &str = include_str!("common_passwords.txt");

/// A text that can be hashed: composed (NFC), 1 byte to 1 KiB, without NUL. Wiped from memory when dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Why a text cannot be a password, or not a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordProblem {
    /// Nothing was given.
    #[error("must be given")]
    Missing,
    /// It is longer than 1 KiB.
    #[error("must have at most {MAX_BYTES} bytes")]
    TooLong,
    /// It has a NUL character.
    #[error("must not contain the NUL character")]
    Nul,
    /// It is shorter than the policy wants.
    #[error("must have at least {0} characters")]
    TooShort(usize),
    /// It is one of those that everybody tries first.
    #[error("must not be a well-known password")]
    Common,
    /// It is little more than the user's address.
    #[error("must not be made of the e-mail address")]
    LikeEmail,
}

impl Password {
    /// Takes a text as it was typed: no trimming, no truncation.
    ///
    /// # Errors
    /// Says why the text can be nobody's password.
    pub fn parse(text: &str) -> Result<Self, PasswordProblem> {
        if text.is_empty() {
            return Err(PasswordProblem::Missing);
        }
        // All at once, so that no half-grown copy of a password is left behind by a reallocation.
        let mut composed = Zeroizing::new(String::with_capacity(MAX_BYTES + 4));
        for c in text.nfc() {
            composed.push(c);
            if c == '\0' {
                return Err(PasswordProblem::Nul);
            }
            if composed.len() > MAX_BYTES {
                return Err(PasswordProblem::TooLong);
            }
        }
        Ok(Self(composed))
    }

    /// The bytes to hash.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(redacted)")
    }
}

/// What a new password must be like (NIST SP 800-63B-4: length and a blocklist, no rules of composition).
#[derive(Clone, Copy, Debug)]
pub struct PasswordPolicy {
    /// The least number of characters.
    pub min_length: usize,
}

impl PasswordPolicy {
    /// Takes a new password for the user with an address, if that is known.
    ///
    /// # Errors
    /// Says what is wrong, in words for the person who typed it.
    pub fn accept(&self, text: &str, email: Option<&Email>) -> Result<Password, PasswordProblem> {
        let password = Password::parse(text)?;
        if password.0.chars().count() < self.min_length {
            return Err(PasswordProblem::TooShort(self.min_length));
        }
        let lower = Zeroizing::new(password.0.to_lowercase());
        if COMMON.lines().any(|common| common == lower.as_str()) {
            return Err(PasswordProblem::Common);
        }
        if email.is_some_and(|email| is_made_of(&lower, email)) {
            return Err(PasswordProblem::LikeEmail);
        }
        Ok(password)
    }
}

/// Whether next to nothing is left of a password without the address and its parts.
fn is_made_of(password: &str, email: &Email) -> bool {
    let (local, domain) = email.key().rsplit_once('@').unwrap_or((email.key(), ""));
    let name: String = local.chars().filter(|c| c.is_alphanumeric()).collect();

    let mut rest = Zeroizing::new(password.to_owned());
    for part in [email.key(), local, &name, domain] {
        if part.chars().count() >= 3 {
            rest = Zeroizing::new(rest.replace(part, ""));
        }
    }
    let kept = rest.chars().filter(|c| c.is_alphabetic()).count();
    rest.len() < password.len() && kept < 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tests::texts;

    const POLICY: PasswordPolicy = PasswordPolicy { min_length: 15 };

    fn problem(text: &str) -> Option<PasswordProblem> {
        POLICY
            .accept(text, Email::parse("Grace.Hopper@example.com").ok().as_ref())
            .err()
    }

    #[test]
    fn length_is_all_that_a_password_is_made_of() {
        for good in [
            "correct horse battery staple",
            "fifteen letters",
            "🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀",
            &"x".repeat(64),
            &"x".repeat(1024),
            " leading and trailing ",
        ] {
            assert_eq!(problem(good), None, "{good}");
        }
    }

    #[test]
    fn bad_passwords_are_refused_for_what_they_are() {
        assert_eq!(problem(""), Some(PasswordProblem::Missing));
        assert_eq!(problem("fourteen chars"), Some(PasswordProblem::TooShort(15)));
        assert_eq!(problem(&"x".repeat(1025)), Some(PasswordProblem::TooLong));
        assert_eq!(problem("a nul \0 in the middle"), Some(PasswordProblem::Nul));
        assert_eq!(problem("PasswordPassword"), Some(PasswordProblem::Common));
        for like in [
            "grace.hopper@example.com",
            "GRACE.HOPPER-2024",
            "gracehoppergracehopper",
            "Grace.Hopper@example.com!1",
        ] {
            assert_eq!(problem(like), Some(PasswordProblem::LikeEmail), "{like}");
        }
        assert_eq!(problem("grace.hopper wrote a compiler"), None);
    }

    #[test]
    fn composed_and_decomposed_are_one_password() {
        let bytes = |text| Password::parse(text).map(|p| p.as_bytes().to_vec()).ok();
        assert_eq!(bytes("caf\u{E9} au lait, please"), bytes("cafe\u{301} au lait, please"));
    }

    #[test]
    fn the_common_list_is_sorted_lower_case_and_without_repetition() {
        let lines: Vec<&str> = COMMON.lines().collect();
        assert!(lines.len() >= 300 && lines.is_sorted_by(|a, b| a < b));
        assert!(lines.iter().all(|l| l.chars().count() >= 8 && *l == l.to_lowercase()));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(
            format!("{:?}", Password::parse("hidden").ok()),
            "Some(Password(redacted))"
        );
    }

    #[test]
    fn any_text_is_taken_or_refused() {
        for (place, text) in texts(100_000, 24, "a Z9\0\u{301}\u{1D160}\u{AC00}\u{1100}\u{1161}é🦀").enumerate() {
            let text = text.repeat(place % 60);
            let Ok(password) = Password::parse(&text) else { continue };
            assert!((1..=MAX_BYTES).contains(&password.as_bytes().len()));
            assert!(!password.as_bytes().contains(&0));
            let again = Password::parse(str::from_utf8(password.as_bytes()).unwrap()).unwrap();
            assert_eq!(again.as_bytes(), password.as_bytes());
        }
    }

    #[test]
    fn any_new_password_is_taken_or_refused() {
        let email = Email::parse("ada@example.com").ok();
        for text in texts(3_000, 30, "abcdefgh123@.é\u{301}") {
            let accepted = POLICY.accept(&text, email.as_ref());
            assert!(accepted.is_err() || text.nfc().count() >= 15);
        }
    }
}
