//! Whole numbers within bounds.

use std::ops::RangeInclusive;

/// A value parser for a whole number.
///
/// # Errors
/// What is wanted instead, bounds included.
pub fn number_between(bounds: RangeInclusive<u32>) -> impl Fn(&str) -> Result<u32, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        number.ok_or_else(|| format!("a whole number from {} to {}", bounds.start(), bounds.end()))
    }
}

#[cfg(test)]
mod tests {
    use super::number_between;

    #[test]
    fn what_is_out_of_bounds_or_no_number_is_refused() {
        let parser = number_between(2..=10);

        assert_eq!((parser("2"), parser("10")), (Ok(2), Ok(10)));
        for text in ["1", "11", "-3", "x", "", "2.5"] {
            assert_eq!(parser(text), Err("a whole number from 2 to 10".into()), "{text}");
        }
    }
}
