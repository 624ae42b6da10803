//! The id that ties a reply, its log lines and its audit events together.

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// `x-request-id`.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

const LONGEST: usize = 128;

/// The id of one request: what the caller sent in `x-request-id`, if that is harmless, else a fresh UUID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The id of the request with these headers.
    pub fn of(headers: &HeaderMap) -> Self {
        headers
            .get(HEADER)
            .and_then(|value| value.to_str().ok())
            .filter(|text| is_harmless(text))
            .map_or_else(Self::fresh, |text| Self(text.to_owned()))
    }

    /// A new id.
    pub fn fresh() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    /// The id's text: 1 to 128 characters of `A-Z a-z 0-9 - _ . :`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as a header's value.
    pub fn to_header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("invalid"))
    }
}

fn is_harmless(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::{HEADER, RequestId};

    #[test]
    fn a_harmless_id_is_kept_and_any_other_replaced() {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, "job-7:a.b_c".parse().unwrap());
        assert_eq!(RequestId::of(&headers).as_str(), "job-7:a.b_c");

        for hostile in ["", "a b", "<script>", &"x".repeat(129)] {
            headers.insert(HEADER, hostile.parse().unwrap());
            assert_eq!(RequestId::of(&headers).as_str().len(), 36);
        }
    }
}
