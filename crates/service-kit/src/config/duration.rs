//! Durations as people write them: `1h`, `90d`, `1m30s`, `250ms`, `0s`.

use std::{ops::RangeInclusive, time::Duration};

const WANTED: &str = "a duration such as 250ms, 30s, 5m, 1h or 90d";

/// A value parser for a duration.
///
/// # Errors
/// What is wanted instead.
pub fn duration(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(WANTED.into());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or(WANTED)?;
        let (number, after) = rest.split_at(digits);
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        total = one(number, unit)
            .and_then(|part| total.checked_add(part))
            .ok_or(WANTED)?;
        rest = after;
    }
    Ok(total)
}

/// A value parser for a duration within bounds.
///
/// # Errors
/// What is wanted instead, bounds included.
pub fn duration_between(
    bounds: RangeInclusive<Duration>,
    said: &'static str,
) -> impl Fn(&str) -> Result<Duration, String> + Clone {
    move |text| match duration(text) {
        Ok(value) if bounds.contains(&value) => Ok(value),
        _ => Err(format!("{WANTED}, {said}")),
    }
}

/// A value parser for how long something may take.
pub fn limit() -> impl Fn(&str) -> Result<Duration, String> + Clone {
    duration_between(Duration::from_millis(1)..=Duration::from_secs(86_400), "from 1ms to 1d")
}

/// The same, where 0s has a meaning of its own.
pub fn limit_or_none() -> impl Fn(&str) -> Result<Duration, String> + Clone {
    duration_between(Duration::ZERO..=Duration::from_secs(86_400), "up to 1d")
}

fn one(number: &str, unit: &str) -> Option<Duration> {
    let number: u64 = number.parse().ok()?;
    let seconds = match unit {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{duration, duration_between};

    #[test]
    fn durations_read_as_people_write_them() {
        let rows = [
            ("0s", 0),
            ("1s", 1_000),
            ("1h", 3_600_000),
            ("1m30s", 90_000),
            ("250ms", 250),
            ("2d", 172_800_000),
        ];
        for (text, millis) in rows {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "1",
            "h",
            "-1s",
            "1.5h",
            "1 h",
            "1y",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bounds_are_said() {
        let parser = duration_between(Duration::from_secs(1)..=Duration::from_secs(60), "1s to 1m");

        assert_eq!(parser("60s"), Ok(Duration::from_secs(60)));
        assert!(parser("61s").unwrap_err().contains("1s to 1m"));
    }
}
