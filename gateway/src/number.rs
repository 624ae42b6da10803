//! Numbers as JSON writes them, read exactly.

use crate::json::lexer::number_length;

/// A whole number in JSON's grammar, also one such as `1.0` or `1e2`; `None` for anything else or past 38 digits.
pub(crate) fn integer(text: &str) -> Option<i128> {
    let bytes = text.as_bytes();
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let plain = !digits.is_empty() && digits.len() <= 20 && digits.iter().all(u8::is_ascii_digit);
    if plain && (digits.len() == 1 || digits.first() != Some(&b'0')) {
        let value = digits
            .iter()
            .fold(0_i128, |value, digit| value * 10 + i128::from(digit - b'0'));
        return Some(if digits.len() == bytes.len() { value } else { -value });
    }
    if bytes.is_empty() || number_length(bytes) != bytes.len() {
        return None;
    }
    scientific(digits).map(|value| if digits.len() == bytes.len() { value } else { -value })
}

/// An unsigned number with a fraction, an exponent or both, if it is whole.
fn scientific(text: &[u8]) -> Option<i128> {
    let (mantissa, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (text.get(..at)?, exponent(text.get(at + 1..)?)),
        None => (text, 0),
    };
    let point = mantissa.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        Some(at) => (mantissa.get(..at)?, mantissa.get(at + 1..)?),
        None => (mantissa, &[][..]),
    };
    let digits = || whole.iter().chain(fraction);
    let Some((last, _)) = digits().enumerate().filter(|(_, digit)| **digit != b'0').last() else {
        return Some(0);
    };
    let first = digits().position(|digit| *digit != b'0')?;
    // The value is the digits up to the last that is not 0, times ten to the power of `shift`.
    let shift = exponent
        .saturating_add(whole.len() as i64)
        .saturating_sub(last as i64 + 1);
    let significant = (last + 1 - first) as i64;
    if shift < 0 || significant.saturating_add(shift) > 38 {
        return None;
    }
    let value = digits()
        .take(last + 1)
        .skip(first)
        .fold(0_i128, |value, digit| value * 10 + i128::from(digit - b'0'));
    Some(value * 10_i128.pow(shift as u32))
}

/// An exponent with its sign, kept in bounds: what it saturates to is out of every range anyway.
fn exponent(text: &[u8]) -> i64 {
    let negative = text.first() == Some(&b'-');
    let digits = text.iter().filter(|byte| byte.is_ascii_digit());
    let value = digits.fold(0_i64, |value, digit| {
        (value * 10 + i64::from(digit - b'0')).min(1 << 40)
    });
    if negative { -value } else { value }
}

/// A double in JSON's grammar; `None` for anything else and past the range.
pub(crate) fn double(text: &str) -> Option<f64> {
    if text.is_empty() || number_length(text.as_bytes()) != text.len() {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// A float in JSON's grammar; `None` for anything else and past the range.
pub(crate) fn float(text: &str) -> Option<f32> {
    if text.is_empty() || number_length(text.as_bytes()) != text.len() {
        return None;
    }
    text.parse::<f32>().ok().filter(|value| value.is_finite())
}
