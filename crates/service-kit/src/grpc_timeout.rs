//! The header `grpc-timeout`: how long the caller waits.

use std::time::Duration;

use http::HeaderMap;

/// What a good one is made of.
pub const WANTED: &str = "grpc-timeout wants 1 to 8 digits and one of H, M, S, m, u, n";

/// The shortest that is asked for, if any is.
///
/// # Errors
/// When one cannot be read: [`WANTED`].
pub fn of(headers: &HeaderMap) -> Result<Option<Duration>, &'static str> {
    let mut shortest = None;
    for value in headers.get_all("grpc-timeout") {
        let timeout = value.to_str().ok().and_then(parse).ok_or(WANTED)?;
        shortest = Some(shortest.map_or(timeout, |known: Duration| known.min(timeout)));
    }
    Ok(shortest)
}

fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3_600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderMap, HeaderValue};

    use super::of;

    fn asked(values: &[&'static str]) -> Result<Option<Duration>, &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("grpc-timeout", HeaderValue::from_static(value));
        }
        of(&headers)
    }

    #[test]
    fn the_shortest_timeout_counts() {
        assert_eq!(asked(&[]), Ok(None));
        assert_eq!(asked(&["1H"]), Ok(Some(Duration::from_secs(3_600))));
        assert_eq!(asked(&["2M", "90S"]), Ok(Some(Duration::from_secs(90))));
        assert_eq!(asked(&["5m"]), Ok(Some(Duration::from_millis(5))));
        assert_eq!(asked(&["99999999u"]), Ok(Some(Duration::from_micros(99_999_999))));
        assert_eq!(asked(&["1n", "1S"]), Ok(Some(Duration::from_nanos(1))));
    }

    #[test]
    fn what_is_no_timeout_is_refused() {
        for bad in ["", "S", "1", "1s", "-1S", "+1S", "1.5S", "123456789S", "1 S", "S1"] {
            assert!(asked(&["1S", bad]).is_err(), "{bad}");
        }
    }
}
