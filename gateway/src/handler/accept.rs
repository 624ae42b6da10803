//! What the client takes (RFC 9110, section 12.5.1).

use http::{HeaderMap, header};

/// How much the client wants a media type: 0 to 1000. What `Accept` does not mention it does not want, and without
/// an `Accept` it wants everything.
pub(super) fn quality(headers: &HeaderMap, media: &str) -> u16 {
    let mut best: Option<(u8, u16)> = None;
    let mut said_anything = false;
    let values = headers
        .get_all(header::ACCEPT)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    for range in values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
    {
        said_anything = true;
        let mut parts = range.split(';').map(str::trim);
        let Some(specific) = specificity(parts.next().unwrap_or_default(), media) else {
            continue;
        };
        let quality = parts
            .find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")))
            .map_or(1000, thousandths);
        if best.is_none_or(|(known, known_quality)| (specific, quality) > (known, known_quality)) {
            best = Some((specific, quality));
        }
    }
    match best {
        Some((_, quality)) => quality,
        None if said_anything => 0,
        None => 1000,
    }
}

/// How exactly a range names a type; `None` when it does not.
fn specificity(range: &str, media: &str) -> Option<u8> {
    if range.eq_ignore_ascii_case(media) {
        return Some(2);
    }
    if range == "*/*" || range == "*" {
        return Some(0);
    }
    let (kind, _) = media.split_once('/')?;
    let (range_kind, rest) = range.split_once('/')?;
    (rest == "*" && range_kind.eq_ignore_ascii_case(kind)).then_some(1)
}

fn thousandths(text: &str) -> u16 {
    let quality: f64 = text.parse().unwrap_or(0.0);
    (quality.clamp(0.0, 1.0) * 1000.0) as u16
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, header};

    use super::quality;

    #[test]
    fn the_most_exact_range_counts() {
        let rows = [
            (None, 1000),
            (Some("*/*"), 1000),
            (Some("application/json"), 1000),
            (Some("application/*;q=0.5"), 500),
            (Some("APPLICATION/JSON; charset=utf-8; q=0.25"), 250),
            (Some("text/html, */*;q=0.1"), 100),
            (Some("*/*, application/json;q=0"), 0),
            (Some("text/html"), 0),
            (Some("application/xml, text/*"), 0),
            (Some(""), 1000),
        ];
        for (accept, wanted) in rows {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, accept.parse().unwrap());
            }
            assert_eq!(quality(&headers, "application/json"), wanted, "{accept:?}");
        }
    }
}
