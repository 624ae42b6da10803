//! An HTTP request into the gRPC request message.

pub(crate) mod body;
pub(crate) mod pairs;
mod raw;

use crate::{
    bound::Bound,
    endpoint::{BodyPlan, Endpoint},
    json::decode::Decoder,
    lookup, percent,
    plan::Plans,
    request::{body::Media, pairs::Pairs},
    value::{self, Input},
    violation::{Violation, Violations},
    wire::{self, begin_length, end_length, put_bytes, put_tag, put_varint},
};

/// The parts of an HTTP request that a message is made from.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    /// The segments that the route was matched on.
    pub(crate) segments: &'a [&'a str],
    /// The raw query.
    pub(crate) query: &'a str,
    pub(crate) media: Media<'a>,
    pub(crate) body: &'a [u8],
}

/// What a request was read as.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// The message; of a request with faults what could be read.
    pub(crate) message: Vec<u8>,
    /// Fields relative to the request.
    pub(crate) violations: Violations,
    /// Why the body as a whole could not be read.
    pub(crate) malformed: Option<Malformed>,
}

/// A body that cannot be read as a whole.
#[derive(Debug)]
pub(crate) struct Malformed {
    pub(crate) reason: &'static str,
    pub(crate) detail: String,
}

impl Malformed {
    fn json(detail: impl Into<String>) -> Option<Self> {
        let detail = detail.into();
        Some(Self {
            reason: "MALFORMED_JSON",
            detail,
        })
    }

    fn body(detail: &str) -> Option<Self> {
        let detail = detail.to_owned();
        Some(Self {
            reason: "INVALID_FIELDS",
            detail,
        })
    }
}

/// Reads a request.
pub(crate) fn read(plans: &Plans, endpoint: &Endpoint, parts: &Parts<'_>) -> Read {
    let mut read = Read::default();
    let values = path_values(plans, endpoint, parts, &mut read);
    query(plans, endpoint, parts, &mut read);
    body(plans, endpoint, parts, &values, &mut read);
    read
}

/// Reads the path's variables: their wire format is appended, their bare values are given back.
fn path_values(plans: &Plans, endpoint: &Endpoint, parts: &Parts<'_>, read: &mut Read) -> Vec<Option<Vec<u8>>> {
    let mut values = Vec::with_capacity(endpoint.variables.len());
    for variable in &endpoint.variables {
        let end = variable.end.unwrap_or(parts.segments.len());
        let segments = parts.segments.get(variable.start..end).unwrap_or_default();
        let decode = if variable.multi {
            percent::decode_but_slashes
        } else {
            percent::decode
        };
        let joined = segments.join("/");
        let mut value = Vec::new();
        let problem = match decode(&joined) {
            None => Some("has a bad percent escape or is not UTF-8".to_owned()),
            Some(text) => value::write(plans, variable.ty, Input::Text(&text), &mut value)
                .is_none()
                .then(|| value::expectation(plans, variable.ty)),
        };
        if let Some(detail) = problem {
            read.violations.push(&variable.name, detail);
            values.push(None);
            continue;
        }
        put_nested(&mut read.message, &variable.numbers, variable.ty.wire_type(), &value);
        values.push(Some(value));
    }
    values
}

/// Appends a value with the tags of the path to it.
pub(crate) fn put_nested(out: &mut Vec<u8>, numbers: &[u32], wire_type: u8, value: &[u8]) {
    match numbers {
        [] => {}
        [number] => {
            put_tag(out, *number, wire_type);
            out.extend_from_slice(value);
        }
        [number, rest @ ..] => {
            put_tag(out, *number, wire::LENGTH);
            let start = begin_length(out);
            put_nested(out, rest, wire_type, value);
            end_length(out, start);
        }
    }
}

/// A field path in REST spelling: relative to the body's field, where it lies below that.
pub(crate) fn rest_field(endpoint: &Endpoint, path: &str) -> String {
    let crate::route::Body::Field(field) = &endpoint.route.body else {
        return path.to_owned();
    };
    match path.strip_prefix(field.name()) {
        Some(rest) if rest.starts_with('[') => rest.to_owned(),
        Some(rest) if rest.starts_with('.') => rest.trim_start_matches('.').to_owned(),
        _ => path.to_owned(),
    }
}

fn query(plans: &Plans, endpoint: &Endpoint, parts: &Parts<'_>, read: &mut Read) {
    if parts.query.is_empty() {
        return;
    }
    let mut pairs = Pairs::of_query(plans, endpoint, !parts.body.is_empty());
    pairs.read(parts.query, &mut read.message, &mut read.violations);
}

fn body(plans: &Plans, endpoint: &Endpoint, parts: &Parts<'_>, values: &[Option<Vec<u8>>], read: &mut Read) {
    match endpoint.body {
        BodyPlan::None => {
            if !parts.body.is_empty() {
                read.malformed = Malformed::body("this method takes no body");
            }
        }
        BodyPlan::RawWhole => raw::put(&mut read.message, parts),
        BodyPlan::RawField(number) => {
            put_tag(&mut read.message, number, wire::LENGTH);
            let start = begin_length(&mut read.message);
            raw::put(&mut read.message, parts);
            end_length(&mut read.message, start);
        }
        BodyPlan::Whole | BodyPlan::Field(_) if parts.body.is_empty() => infer_mask(endpoint, Some(Vec::new()), read),
        BodyPlan::Whole | BodyPlan::Field(_) => match parts.media {
            Media::Form => form(plans, endpoint, parts, values, read),
            _ => json(plans, endpoint, parts, values, read),
        },
    }
}

fn json(plans: &Plans, endpoint: &Endpoint, parts: &Parts<'_>, values: &[Option<Vec<u8>>], read: &mut Read) {
    let Ok(text) = std::str::from_utf8(parts.body) else {
        read.malformed = Malformed::json("the body is not UTF-8");
        return;
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut decoder = Decoder::new(plans, text);
    let bound = Bound::new(&endpoint.bound, values);
    let outcome = match endpoint.body {
        BodyPlan::Field(index) => {
            decoder.mask = endpoint.mask.map(|_| Vec::new());
            decoder.single(plans.message(endpoint.input).field(index), bound.below(index))
        }
        _ => decoder.whole(endpoint.input, bound),
    };
    if let Err(malformed) = outcome {
        read.malformed = Malformed::json(format!("{} (at byte {})", malformed.problem, malformed.at));
        return;
    }
    read.message.extend_from_slice(&decoder.out);
    decoder
        .violations
        .into_iter()
        .for_each(|found| read.violations.push(found.field, found.detail));
    // Paths in a mask are relative to the resource.
    let below = |path: String| path.split_once('.').map_or(String::new(), |(_, rest)| rest.to_owned());
    infer_mask(
        endpoint,
        decoder.mask.map(|leaves| leaves.into_iter().map(below).collect()),
        read,
    );
}

fn form(plans: &Plans, endpoint: &Endpoint, parts: &Parts<'_>, values: &[Option<Vec<u8>>], read: &mut Read) {
    let Ok(text) = std::str::from_utf8(parts.body) else {
        read.malformed = Malformed::body("the body is not UTF-8");
        return;
    };
    let bound = Bound::new(&endpoint.bound, values);
    let Some(mut pairs) = Pairs::of_form(plans, endpoint, bound) else {
        read.malformed = Malformed::body("a form cannot fill this body; send JSON");
        return;
    };
    pairs.read(text, &mut read.message, &mut read.violations);
    infer_mask(endpoint, pairs.leaves, read);
}

/// Fills an empty update mask with the leaves that the body had.
fn infer_mask(endpoint: &Endpoint, leaves: Option<Vec<String>>, read: &mut Read) {
    let (Some(number), Some(mut leaves)) = (endpoint.mask, leaves) else {
        return;
    };
    if lookup::is_set(&read.message, number) {
        return;
    }
    leaves.retain(|path| path != "etag");
    leaves.dedup();
    put_tag(&mut read.message, number, wire::LENGTH);
    let start = begin_length(&mut read.message);
    for path in leaves {
        put_tag(&mut read.message, 1, wire::LENGTH);
        put_bytes(&mut read.message, path.as_bytes());
    }
    end_length(&mut read.message, start);
}

/// Says `validate_only = true`, over whatever the request said.
pub(crate) fn put_true(message: &mut Vec<u8>, number: u32) {
    put_tag(message, number, wire::VARINT);
    put_varint(message, 1);
}

/// A service's violations in REST spelling.
pub(crate) fn rest_violations(endpoint: &Endpoint, violations: Violations) -> Violations {
    let rest = |found: Violation| Violation {
        field: rest_field(endpoint, &found.field),
        ..found
    };
    violations.into_iter().map(rest).collect()
}
