//! Update masks (AIP-134).

use std::collections::BTreeSet;

use prost_types::FieldMask;

/// The fields that an update writes, each one of those that can be written.
pub type Fields = BTreeSet<&'static str>;

/// How many wrong paths a refusal repeats, and how much of each: it travels in headers, which are bounded.
const REPEATED: usize = 8;
const SHOWN: usize = 64;

/// Reads an update mask. `*` means every field of `writable`; no mask, or an empty one, is `None`: the caller decides
/// what was populated.
///
/// # Errors
/// A text for people that names the paths that are unknown or cannot be written, the first few of very many.
pub fn parse(mask: Option<&FieldMask>, writable: &[&'static str]) -> Result<Option<Fields>, String> {
    let Some(mask) = mask.filter(|mask| !mask.paths.is_empty()) else {
        return Ok(None);
    };
    let mut fields = Fields::new();
    let mut refused = Vec::new();
    for path in &mask.paths {
        match writable.iter().find(|field| *field == path) {
            Some(field) => drop(fields.insert(field)),
            None if path == "*" => fields.extend(writable),
            None => refused.push(path),
        }
    }
    if refused.is_empty() {
        return Ok(Some(fields));
    }
    Err(format!(
        "{} cannot be written; what can: {}, or * for all",
        listed(&refused),
        writable.join(", ")
    ))
}

fn listed(paths: &[&String]) -> String {
    let shown = |path: &&String| format!("\"{}\"", path.chars().take(SHOWN).collect::<String>().escape_debug());
    let first: Vec<String> = paths.iter().take(REPEATED).map(shown).collect();
    let more = match paths.len().saturating_sub(REPEATED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    first.join(", ") + &more
}

#[cfg(test)]
mod tests {
    use prost_types::FieldMask;

    use super::{Fields, parse};

    fn mask(paths: &[&str]) -> FieldMask {
        FieldMask {
            paths: paths.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn a_mask_names_writable_fields() {
        let writable = ["description", "deadline"];

        assert_eq!(parse(None, &writable), Ok(None));
        assert_eq!(parse(Some(&mask(&[])), &writable), Ok(None));
        assert_eq!(
            parse(Some(&mask(&["deadline"])), &writable),
            Ok(Some(Fields::from(["deadline"])))
        );
        assert_eq!(parse(Some(&mask(&["*"])), &writable), Ok(Some(Fields::from(writable))));
    }

    #[test]
    fn a_mask_with_other_fields_names_them_all() {
        let refusal = parse(Some(&mask(&["name", "deadline", "color"])), &["deadline"]).unwrap_err();

        assert!(refusal.contains("\"name\", \"color\""), "{refusal}");
    }

    #[test]
    fn a_refusal_of_many_paths_stays_short() {
        let long = "x".repeat(10_000);
        let refusal = parse(Some(&mask(&vec![long.as_str(); 10_000])), &["deadline"]).unwrap_err();

        assert!(refusal.len() < 1_000 && refusal.contains("and 9992 more"), "{refusal}");
    }
}
