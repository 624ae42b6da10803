//! Timestamps (RFC 3339) and durations as ProtoJSON writes them.

/// The seconds of 0001-01-01T00:00:00Z and of 9999-12-31T23:59:59Z.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;
/// 10,000 years, the longest Duration.
const LONGEST: i64 = 315_576_000_000;

/// A time or a span: whole seconds, and nanoseconds of the same sign for spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) seconds: i64,
    pub(crate) nanos: i32,
}

/// Reads `2030-01-31T12:00:00.5+02:00`.
pub(crate) fn parse_timestamp(text: &str) -> Option<Moment> {
    let bytes = text.as_bytes();
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if marks.iter().any(|(at, mark)| bytes.get(*at) != Some(mark)) {
        return None;
    }
    let part = |from: usize, to: usize| digits(bytes.get(from..to)?);
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanos, zone) = fraction(bytes.get(19..)?)?;
    let offset = zone_offset(zone)?;
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    (FIRST..=LAST).contains(&seconds).then_some(Moment { seconds, nanos })
}

/// Reads `-3.5s`.
pub(crate) fn parse_duration(text: &str) -> Option<Moment> {
    let text = text.strip_suffix('s')?;
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let whole = text.bytes().take_while(u8::is_ascii_digit).count();
    let seconds = digits(
        text.as_bytes()
            .get(..whole)
            .filter(|digits| (1..=12).contains(&digits.len()))?,
    )?;
    let (nanos, rest) = fraction(text.as_bytes().get(whole..)?)?;
    if !rest.is_empty() || seconds > LONGEST || (seconds == LONGEST && nanos > 0) {
        return None;
    }
    let sign = if negative { -1 } else { 1 };
    Some(Moment {
        seconds: seconds * sign,
        nanos: nanos * sign as i32,
    })
}

fn digits(text: &[u8]) -> Option<i64> {
    let numeric = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    numeric.then(|| text.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0')))
}

/// An optional fraction of 1 to 9 digits, in nanoseconds, and what follows it.
fn fraction(text: &[u8]) -> Option<(i32, &[u8])> {
    let Some(rest) = text.strip_prefix(b".") else {
        return Some((0, text));
    };
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&count) {
        return None;
    }
    let value = digits(rest.get(..count)?)? * 10_i64.pow(9 - count as u32);
    Some((value as i32, rest.get(count..)?))
}

/// `Z` or `+hh:mm`, in seconds.
fn zone_offset(text: &[u8]) -> Option<i64> {
    if text == b"Z" {
        return Some(0);
    }
    let sign = match text.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    if text.len() != 6 || text.get(3) != Some(&b':') {
        return None;
    }
    let (hours, minutes) = (digits(text.get(1..3)?)?, digits(text.get(4..6)?)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01. Years are taken to begin in March, so that the leap day comes last; 400 of them are an era.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Appends a timestamp without quotes: `Z` and 0, 3, 6 or 9 digits. `false` out of range, with nothing appended.
pub(crate) fn print_timestamp(out: &mut Vec<u8>, moment: Moment) -> bool {
    if !(FIRST..=LAST).contains(&moment.seconds) || !(0..1_000_000_000).contains(&moment.nanos) {
        return false;
    }
    let (year, month, day) = civil_from_days(moment.seconds.div_euclid(86_400));
    let time = moment.seconds.rem_euclid(86_400);
    let mut text = *b"0000-00-00T00:00:00";
    let parts = [
        (0, year / 100),
        (2, year % 100),
        (5, month),
        (8, day),
        (11, time / 3_600),
        (14, time / 60 % 60),
        (17, time % 60),
    ];
    for (at, value) in parts {
        text[at] += (value / 10) as u8;
        text[at + 1] += (value % 10) as u8;
    }
    out.extend_from_slice(&text);
    print_fraction(out, moment.nanos);
    out.push(b'Z');
    true
}

/// Appends a duration without quotes. `false` out of range, with nothing appended.
pub(crate) fn print_duration(out: &mut Vec<u8>, moment: Moment) -> bool {
    let Moment { seconds, nanos } = moment;
    let signs_differ = (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0);
    if seconds.unsigned_abs() > LONGEST as u64 || nanos.unsigned_abs() > 999_999_999 || signs_differ {
        return false;
    }
    if seconds < 0 || nanos < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(itoa::Buffer::new().format(seconds.unsigned_abs()).as_bytes());
    print_fraction(out, nanos.abs());
    out.push(b's');
    true
}

fn print_fraction(out: &mut Vec<u8>, nanos: i32) {
    if nanos == 0 {
        return;
    }
    let mut text = *b".000000000";
    let mut rest = nanos;
    for digit in text.iter_mut().skip(1).rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    let digits = match nanos {
        _ if nanos % 1_000_000 == 0 => 3,
        _ if nanos % 1_000 == 0 => 6,
        _ => 9,
    };
    out.extend_from_slice(&text[..=digits]);
}
