//! URLs of databases and upstreams.

use std::str::FromStr;

use http::Uri;

use super::Secret;

/// A value parser for a database URL. The URL may hold a password, hence a secret.
///
/// # Errors
/// What is wanted instead; never the URL.
pub fn database_url(text: &str) -> Result<Secret, String> {
    let engine = text.split_once("://").map(|(scheme, rest)| (scheme, !rest.is_empty()));
    match engine {
        Some(("sqlite" | "postgres" | "postgresql", true)) => Ok(Secret::new(text)),
        _ => Err("sqlite://FOLDER/FILE or postgres://USER:PASSWORD@HOST/DATABASE".into()),
    }
}

/// One or more http(s) URLs of equal servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpUrls(pub Vec<Uri>);

impl FromStr for HttpUrls {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        http_urls(text).map(Self)
    }
}

/// Reads URLs separated by `|`.
///
/// # Errors
/// What is wanted instead.
pub fn http_urls(text: &str) -> Result<Vec<Uri>, String> {
    let wanted = "http:// or https:// URLs with a host and no path, separated by |, such as http://10.0.0.1:50051";
    let one = |part: &str| {
        let uri: Uri = part.trim().parse().map_err(|_| wanted)?;
        let fits = matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.path() == "/"
            && uri.query().is_none();
        if fits { Ok(uri) } else { Err(wanted) }
    };
    Ok(text.split('|').map(one).collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::{database_url, http_urls};

    #[test]
    fn upstreams_are_http_urls_with_a_host() {
        assert_eq!(http_urls("http://a:1|https://b").unwrap().len(), 2);
        for bad in [
            "",
            "a:1",
            "ftp://a",
            "http://",
            "http://a/path",
            "http://a|",
            "http://a?q",
        ] {
            assert!(http_urls(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn databases_are_sqlite_or_postgres() {
        for good in ["sqlite://data/auth.db", "postgres://u:p@h/d", "postgresql://h/d"] {
            assert!(database_url(good).is_ok(), "{good}");
        }
        for bad in ["", "sqlite://", "mysql://h/d", "data/auth.db"] {
            assert!(database_url(bad).is_err(), "{bad}");
        }
    }
}
