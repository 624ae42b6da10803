//! Queries and forms: `a.b=1&list=x&list=y`.

use std::{borrow::Cow, collections::HashMap};

use super::put_nested;
use crate::{
    bound::Bound,
    endpoint::{BodyPlan, Endpoint},
    json::lexer::MAX_DEPTH,
    percent,
    plan::{FieldPlan, MessageId, Plans, Shape, Type},
    value::{self, Input},
    violation::Violations,
};

/// Reads pairs of keys and values into a message.
pub(crate) struct Pairs<'a> {
    plans: &'a Plans,
    root: MessageId,
    /// The field from the request to the root: its number.
    prefix: Vec<u32>,
    /// The same field's name and a dot.
    place: String,
    policy: Policy<'a>,
    /// Keys as sent, by the fields that they led to.
    given: HashMap<Vec<u16>, String>,
    /// Members of oneofs, by the path to the message and the oneof.
    oneofs: HashMap<(Vec<u16>, u16), u16>,
    /// The fields that were there, when an update mask is wanted.
    pub(crate) leaves: Option<Vec<String>>,
}

/// What stands beside the pairs.
enum Policy<'a> {
    /// A query: what path or body bind is refused.
    Query(&'a Endpoint),
    /// A form: what the path binds must be equal.
    Form(Bound<'a>),
}

/// Where a key leads.
struct Target<'p> {
    path: Vec<u16>,
    numbers: Vec<u32>,
    /// The path in proto names.
    name: String,
    field: &'p FieldPlan,
    unwritable: bool,
}

impl<'a> Pairs<'a> {
    /// For the query of a request.
    pub(crate) fn of_query(plans: &'a Plans, endpoint: &'a Endpoint, has_body: bool) -> Self {
        let mut pairs = Self {
            plans,
            root: endpoint.input,
            prefix: Vec::new(),
            place: String::new(),
            policy: Policy::Query(endpoint),
            given: HashMap::new(),
            oneofs: HashMap::new(),
            leaves: None,
        };
        for variable in &endpoint.variables {
            pairs.claim_oneofs(&variable.path);
        }
        if let (BodyPlan::Field(index), true) = (endpoint.body, has_body) {
            pairs.claim_oneofs(&[index]);
        }
        pairs
    }

    /// For a form. `None` when the body is no message.
    pub(crate) fn of_form(plans: &'a Plans, endpoint: &'a Endpoint, bound: Bound<'a>) -> Option<Self> {
        let (root, prefix, place, bound) = match endpoint.body {
            BodyPlan::Field(index) => {
                let field = plans.message(endpoint.input).field(index);
                let root = plans.plain_message(field.ty).filter(|_| field.shape == Shape::Single)?;
                (root, vec![field.number], format!("{}.", field.name), bound.below(index))
            }
            _ => (endpoint.input, Vec::new(), String::new(), bound),
        };
        let mut pairs = Self {
            plans,
            root,
            policy: Policy::Form(bound),
            given: HashMap::new(),
            oneofs: HashMap::new(),
            leaves: endpoint.mask.map(|_| Vec::new()),
            prefix,
            place,
        };
        let skipped = pairs.prefix.len();
        for variable in &endpoint.variables {
            let inside = match endpoint.body {
                BodyPlan::Field(index) => variable.path.first() == Some(&index),
                _ => true,
            };
            if inside {
                pairs.claim_oneofs(variable.path.get(skipped..).unwrap_or_default());
            }
        }
        Some(pairs)
    }

    /// Reads all pairs.
    pub(crate) fn read(&mut self, text: &str, out: &mut Vec<u8>, violations: &mut Violations) {
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if violations.is_full() {
                return;
            }
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(key) = percent::decode_query(key) else {
                violations.push(
                    format!("{}{key}", self.place),
                    "has a bad percent escape or is not UTF-8",
                );
                continue;
            };
            let before = out.len();
            if let Err((field, detail)) = self.pair(&key, value, out) {
                out.truncate(before);
                violations.push(format!("{}{field}", self.place), detail);
            }
        }
    }

    fn pair(&mut self, key: &str, value: &str, out: &mut Vec<u8>) -> Result<(), (String, Cow<'static, str>)> {
        let plans = self.plans;
        let target = self.resolve(key)?;
        let refuse = |detail: &'static str| Err((target.name.clone(), Cow::Borrowed(detail)));
        if let Policy::Query(endpoint) = self.policy
            && let Some(problem) = elsewhere(endpoint, &target.path)
        {
            return refuse(problem);
        }
        match self.given.get(&target.path) {
            Some(_) if target.field.shape == Shape::Single => return refuse("is given twice"),
            Some(spelling) if spelling != key => return refuse("is given in two spellings"),
            Some(_) => {}
            None => {
                self.given.insert(target.path.clone(), key.to_owned());
            }
        }
        if !self.claim_oneofs(&target.path) {
            return refuse("is given together with another member of its oneof");
        }
        if !plans.is_scalar_like(target.field.ty) || matches!(target.field.shape, Shape::Map(_)) {
            return refuse("cannot be given as text");
        }
        let Some(text) = percent::decode_query(value) else {
            return refuse("has a bad percent escape or is not UTF-8");
        };
        let mut wire = Vec::new();
        if value::write(plans, target.field.ty, Input::Text(&text), &mut wire).is_none() {
            return Err((target.name, Cow::Owned(value::expectation(plans, target.field.ty))));
        }
        if let Policy::Form(bound) = self.policy
            && let Some(expected) = bound_value(bound, &target.path)
        {
            return if wire == expected {
                Ok(())
            } else {
                refuse("differs from the value in the path")
            };
        }
        self.note_leaf(&target);
        let numbers: Vec<u32> = self.prefix.iter().chain(&target.numbers).copied().collect();
        put_nested(out, &numbers, target.field.ty.wire_type(), &wire);
        Ok(())
    }

    fn note_leaf(&mut self, target: &Target<'_>) {
        if let Some(leaves) = &mut self.leaves
            && !target.unwritable
            && !leaves.contains(&target.name)
        {
            leaves.push(target.name.clone());
        }
    }

    /// Follows a dotted key.
    fn resolve(&self, key: &str) -> Result<Target<'a>, (String, Cow<'static, str>)> {
        if key.split('.').count() > MAX_DEPTH {
            return Err((shortened(key), Cow::Borrowed("has more than 64 levels")));
        }
        let unknown = || {
            (
                shortened(key),
                Cow::Borrowed("is not a field that the query or form can fill"),
            )
        };
        let mut message = Some(self.root);
        let mut target: Option<Target<'a>> = None;
        for part in key.split('.') {
            let plan = self.plans.message(message.ok_or_else(unknown)?);
            let index = plan.by_key(part).ok_or_else(unknown)?;
            let field = plan.field(index);
            let before = target.take();
            target = Some(Target {
                name: before
                    .as_ref()
                    .map_or_else(|| field.name.to_string(), |t| format!("{}.{}", t.name, field.name)),
                unwritable: field.unwritable || before.as_ref().is_some_and(|t| t.unwritable),
                path: extended(before.as_ref().map(|t| &t.path[..]), index),
                numbers: extended(before.as_ref().map(|t| &t.numbers[..]), field.number),
                field,
            });
            message = match (field.shape, field.ty) {
                (Shape::Single, Type::Message(_)) => self.plans.plain_message(field.ty),
                _ => None,
            };
        }
        target.ok_or_else(unknown)
    }

    /// Takes the oneofs along a path; `false` when another member holds one of them.
    fn claim_oneofs(&mut self, path: &[u16]) -> bool {
        let mut message = Some(self.root);
        for (depth, index) in path.iter().enumerate() {
            let Some(id) = message else {
                return true;
            };
            let field = self.plans.message(id).field(*index);
            if let Some(oneof) = field.oneof {
                let place = (path.get(..depth).unwrap_or_default().to_vec(), oneof);
                if *self.oneofs.entry(place).or_insert(*index) != *index {
                    return false;
                }
            }
            message = self.plans.plain_message(field.ty);
        }
        true
    }
}

fn extended<T: Copy>(before: Option<&[T]>, item: T) -> Vec<T> {
    let mut all = before.unwrap_or_default().to_vec();
    all.push(item);
    all
}

/// Why the query may not fill a field.
fn elsewhere(endpoint: &Endpoint, path: &[u16]) -> Option<&'static str> {
    match endpoint.body {
        BodyPlan::Whole | BodyPlan::RawWhole => return Some("belongs into the body, not into the query"),
        BodyPlan::Field(index) if path.first() == Some(&index) => {
            return Some("belongs into the body, not into the query");
        }
        _ => {}
    }
    let by_path = endpoint.variables.iter().any(|variable| variable.path == path);
    by_path.then_some("is given by the path")
}

fn bound_value<'a>(bound: Bound<'a>, path: &[u16]) -> Option<&'a [u8]> {
    let (last, before) = path.split_last()?;
    before
        .iter()
        .fold(bound, |bound, index| bound.below(*index))
        .leaf(*last)
}

/// Long keys are not repeated whole.
fn shortened(key: &str) -> String {
    match key.char_indices().nth(200) {
        Some((at, _)) => format!("{}…", key.get(..at).unwrap_or_default()),
        None => key.to_owned(),
    }
}
