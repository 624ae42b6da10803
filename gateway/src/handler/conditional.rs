//! `If-Match`: the etag that a write depends on.

use http::{HeaderMap, header};

use crate::{
    endpoint::Endpoint,
    problem::Problem,
    request::put_nested,
    wire::{LENGTH, put_bytes},
};

/// Puts the tag of `If-Match` into an etag of the request that is empty. Tells whether it did.
pub(super) fn fill_etag(endpoint: &Endpoint, headers: &HeaderMap, message: &mut Vec<u8>) -> Result<bool, Problem> {
    let Some(target) = &endpoint.etag else {
        return Ok(false);
    };
    let Some(tag) = tag(headers)? else {
        return Ok(false);
    };
    if target
        .read(message)
        .ok()
        .flatten()
        .is_some_and(|given| !given.is_empty())
    {
        return Ok(false);
    }
    let mut value = Vec::new();
    put_bytes(&mut value, tag.as_bytes());
    put_nested(message, target.numbers(), LENGTH, &value);
    Ok(true)
}

/// The one strong tag; `None` without `If-Match` and for `*`.
fn tag(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let values = headers
        .get_all(header::IF_MATCH)
        .into_iter()
        .map(|value| value.to_str().unwrap_or_default());
    let tags: Vec<&str> = values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
        .collect();
    if tags.is_empty() || tags.contains(&"*") {
        return Ok(None);
    }
    let strong: Vec<&str> = tags.iter().copied().filter(|tag| !tag.starts_with("W/")).collect();
    match strong.as_slice() {
        [] => Err(Problem::stale("a weak entity tag never matches")),
        [tag] => match tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) {
            Some(bare) if !bare.is_empty() && !bare.contains('"') => Ok(Some(bare)),
            _ => Err(Problem::invalid("If-Match wants an entity tag in double quotes")),
        },
        _ => Err(Problem::invalid("If-Match with several entity tags is not supported")),
    }
}
