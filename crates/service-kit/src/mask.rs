//! Update masks (AIP-134).

use std::collections::BTreeSet;

use prost_types::FieldMask;

/// The fields that an update writes, each one of those that can be written.
pub type Fields = BTreeSet<&'static str>;

/// Reads an update mask. `*` means every field of `writable`; no mask, or an empty one, is `None`: the caller decides
/// what was populated.
///
/// # Errors
/// A text for people that names every path that is unknown or cannot be written.
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
            None => refused.push(format!("\"{}\"", path.escape_debug())),
        }
    }
    if refused.is_empty() {
        return Ok(Some(fields));
    }
    Err(format!(
        "{} cannot be written; what can: {}, or * for all",
        refused.join(", "),
        writable.join(", ")
    ))
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
}
