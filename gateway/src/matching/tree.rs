//! The tree of templates.

use std::collections::HashMap;

use http::Method;

use super::Allowed;
use crate::{
    percent,
    route::HttpMethod,
    template::{Segment, Template},
};

#[derive(Debug, Default)]
pub(super) struct Tree {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<Box<str>, Node>,
    single: Option<Box<Node>>,
    /// Templates that end here.
    here: Vec<Bound>,
    /// Templates that end here with `**`.
    rest: Vec<Bound>,
}

/// A template's end: its verb, HTTP method and route.
#[derive(Debug)]
struct Bound {
    verb: Option<Box<str>>,
    method: HttpMethod,
    route: usize,
}

/// What a search came to.
pub(super) enum Found {
    Route { index: usize, literal: bool },
    Methods,
    Nothing,
}

/// A search in progress.
struct Search<'a> {
    method: &'a Method,
    segments: &'a [&'a str],
    verb: Option<&'a str>,
    allowed: &'a mut Allowed,
    known: bool,
}

impl Tree {
    pub(super) fn new<'a>(bindings: impl IntoIterator<Item = (&'a HttpMethod, &'a Template)>) -> Self {
        let mut tree = Self::default();
        for (index, (method, template)) in bindings.into_iter().enumerate() {
            let bound = Bound {
                verb: template.verb().map(Into::into),
                method: method.clone(),
                route: index,
            };
            tree.root.insert(template.segments(), bound);
        }
        tree
    }

    /// Finds the most specific template that fits and has the method. Of those that fit without it, the methods are
    /// noted.
    pub(super) fn find(&self, method: &Method, segments: &[&str], verb: Option<&str>, allowed: &mut Allowed) -> Found {
        if segments.iter().any(|segment| segment.is_empty()) {
            return Found::Nothing;
        }
        let mut search = Search {
            method,
            segments,
            verb,
            allowed,
            known: false,
        };
        match search.descend(&self.root, 0, true) {
            Some((index, literal)) => Found::Route { index, literal },
            None if search.known => Found::Methods,
            None => Found::Nothing,
        }
    }
}

impl Node {
    fn insert(&mut self, segments: &[Segment], bound: Bound) {
        match segments.split_first() {
            None => self.here.push(bound),
            Some((Segment::Rest, _)) => self.rest.push(bound),
            Some((Segment::Single, rest)) => self.single.get_or_insert_default().insert(rest, bound),
            Some((Segment::Literal(text), rest)) => {
                self.literals
                    .entry(text.as_str().into())
                    .or_default()
                    .insert(rest, bound);
            }
        }
    }
}

impl Search<'_> {
    fn descend(&mut self, node: &Node, depth: usize, literal: bool) -> Option<(usize, bool)> {
        let found = match self.segments.get(depth) {
            None => self.choose(&node.here, literal),
            Some(segment) => {
                let next = percent::decode(segment).and_then(|text| node.literals.get(&*text));
                let by_literal = next.and_then(|next| self.descend(next, depth + 1, literal));
                by_literal.or_else(|| self.descend(node.single.as_deref()?, depth + 1, false))
            }
        };
        found.or_else(|| self.choose(&node.rest, false))
    }

    /// Of the templates that end in one place, the one with the verb and the method.
    fn choose(&mut self, bounds: &[Bound], literal: bool) -> Option<(usize, bool)> {
        let mut any = None;
        let mut get = None;
        for bound in bounds.iter().filter(|bound| bound.verb.as_deref() == self.verb) {
            self.known = true;
            self.allowed.literal |= literal;
            match &bound.method {
                HttpMethod::Named(named) if named == self.method => return Some((bound.route, literal)),
                HttpMethod::Named(named) => {
                    if *named == Method::GET && *self.method == Method::HEAD {
                        get = Some(bound.route);
                    }
                    self.allowed.add(named);
                }
                HttpMethod::Any => {
                    self.allowed.add_common();
                    any = bound.method.takes(self.method).then_some(bound.route);
                }
            }
        }
        get.or(any).map(|route| (route, literal))
    }
}
