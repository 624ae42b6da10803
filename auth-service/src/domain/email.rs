//! E-mail addresses.

use unicode_normalization::UnicodeNormalization;

/// The longest address, in characters (RFC 5321 section 4.5.3.1.3 less the angle brackets).
const MAX_LENGTH: usize = 254;

/// The longest label of a domain (RFC 1035 section 2.3.4).
const MAX_LABEL_LENGTH: usize = 63;

/// An address that somebody can log in with: a dot-atom of RFC 5322, `@`, and a domain of two labels or more, with the
/// letters of RFC 6531.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    address: String,
    key: String,
}

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailProblem {
    /// Nothing was given.
    #[error("must be given")]
    Missing,
    /// It is longer than 254 characters.
    #[error("must have at most {MAX_LENGTH} characters")]
    TooLong,
    /// It does not look like one.
    #[error("must be an e-mail address, such as ada@example.com")]
    Malformed,
}

impl Email {
    /// Reads an address; blanks around it are dropped.
    ///
    /// # Errors
    /// Says what is wrong, in words for the person who typed it.
    pub fn parse(text: &str) -> Result<Self, EmailProblem> {
        let trimmed = trim(text);
        if trimmed.is_empty() {
            return Err(EmailProblem::Missing);
        }
        if trimmed.chars().take(MAX_LENGTH + 1).count() > MAX_LENGTH {
            return Err(EmailProblem::TooLong);
        }

        let (local, domain) = trimmed.rsplit_once('@').ok_or(EmailProblem::Malformed)?;
        if !is_local_part(local) || !is_domain(domain) {
            return Err(EmailProblem::Malformed);
        }
        Ok(Self {
            address: trimmed.to_owned(),
            key: canonical(trimmed),
        })
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// What makes the address unique: the same text for all its spellings in upper and lower case.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The key that any text given as an address is looked up and throttled by, be it an address or not.
    ///
    /// Texts that are too long for an address share what they begin with.
    pub fn key_of(text: &str) -> String {
        let text = trim(text);
        let end = text
            .char_indices()
            .nth(MAX_LENGTH + 1)
            .map_or(text.len(), |(end, _)| end);
        canonical(&text[..end])
    }
}

/// Line breaks stay, to be refused: an address with one is an attempt at a mail header more often than a slip.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() && !c.is_control() || c == '\t')
}

/// Composed before and after: lower case may compose or decompose what it touches.
fn canonical(address: &str) -> String {
    address.nfc().flat_map(char::to_lowercase).nfc().collect()
}

fn is_local_part(local: &str) -> bool {
    local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atom))
}

fn is_domain(domain: &str) -> bool {
    domain.contains('.') && domain.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let length = label.chars().take(MAX_LABEL_LENGTH + 1).count();
    (1..=MAX_LABEL_LENGTH).contains(&length)
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .chars()
            .all(|c| c == '-' || c.is_ascii_alphanumeric() || is_international(c))
}

fn is_atom(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c) || is_international(c)
}

/// Everything beyond ASCII that shows: what is invisible or turns the direction of writing lets two addresses look
/// alike.
fn is_international(c: char) -> bool {
    let hidden = matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFF}' | '\u{E0000}'..='\u{E0FFF}');
    !c.is_ascii() && !c.is_control() && !c.is_whitespace() && !hidden
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tests::texts;

    #[test]
    fn addresses_are_read() {
        let longest = format!("{}@example.com", "a".repeat(242));
        for good in [
            "ada@example.com",
            "a.b+c_d@sub.example.co",
            "o'neil@x-y.org",
            "jörg@bücher.example",
            &longest,
        ] {
            assert_eq!(
                Email::parse(good).map(|e| e.as_str().to_owned()),
                Ok(good.to_owned()),
                "{good}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "ada",
            "@example.com",
            "ada@",
            "ada@example",
            "a b@example.com",
            "a@@example.com",
            "a@b@example.com",
            ".a@example.com",
            "a.@example.com",
            "a..b@example.com",
            "a@.com",
            "a@example..com",
            "a@example.com.",
            "a@-x.com",
            "a@x-.com",
            "a@exa_mple.com",
            "a@[127.0.0.1]",
            "\"a b\"@example.com",
            "a@example.com\n",
            "a@example.com\r\nBcc: b@example.com",
            "a\0@example.com",
            "a\u{200B}@example.com",
            "<a@example.com>",
        ] {
            assert_eq!(Email::parse(bad), Err(EmailProblem::Malformed), "{bad:?}");
        }
        assert_eq!(Email::parse(" \t "), Err(EmailProblem::Missing));
        assert_eq!(
            Email::parse(&format!("{}@example.com", "ä".repeat(243))),
            Err(EmailProblem::TooLong)
        );
    }

    #[test]
    fn case_and_composition_do_not_make_another_address() {
        let key = |text| Email::parse(text).map(|email| email.key().to_owned());
        assert_eq!(key(" Ada@EXAMPLE.com "), key("ada@example.com"));
        assert_eq!(key("J\u{D6}RG@example.com"), key("jo\u{308}rg@example.com"));
        assert_ne!(key("ada@example.com"), key("bda@example.com"));
    }

    #[test]
    fn any_text_is_read_or_refused() {
        for text in texts(100_000, 40, "aZ09.-@@ \t\r\n\0\u{130}\u{3A3}ßŉ\u{308}\u{200B}가🦀") {
            let Ok(email) = Email::parse(&text) else { continue };
            assert!(email.as_str().chars().count() <= MAX_LENGTH);
            assert!(!email.as_str().chars().any(|c| c.is_control() || c.is_whitespace()));
            assert_eq!(email.key(), Email::key_of(&text));
            assert_eq!(Email::key_of(email.key()), email.key(), "{text:?}");
        }
    }
}
