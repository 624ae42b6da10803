//! How templates are written as OpenAPI paths.
//!
//! OpenAPI takes paths that differ only in the names of their variables for the same path, so that all bindings of one
//! shape share one entry, under the shortest names that any of them has.

use crate::{
    route::{Route, Routes},
    template::{Segment, Template},
};

/// All bindings that fit the same paths.
pub(super) struct Path<'a> {
    /// The path as OpenAPI writes it.
    pub(super) text: String,
    /// The names of its variables, from left to right.
    pub(super) names: Vec<String>,
    pub(super) routes: Vec<&'a Route>,
}

/// The paths of all routes, in the order of the routes.
pub(super) fn of(routes: &Routes) -> Vec<Path<'_>> {
    let mut groups: Vec<Vec<&Route>> = Vec::new();
    for route in routes {
        let same = |group: &&mut Vec<&Route>| group.iter().any(|other| other.template.is_equivalent(&route.template));
        match groups.iter_mut().find(same) {
            Some(group) => group.push(route),
            None => groups.push(vec![route]),
        }
    }
    groups.into_iter().filter_map(path).collect()
}

fn path(routes: Vec<&Route>) -> Option<Path<'_>> {
    let template = &routes.first()?.template;
    let names = routes.iter().map(|route| names(&route.template));
    let names = names.min_by_key(|names| names.iter().map(String::len).sum::<usize>())?;
    let mut next = names.iter();
    let mut text = String::new();
    for segment in template.segments() {
        text.push('/');
        match segment {
            Segment::Literal(literal) => text.push_str(literal),
            _ => text.push_str(&format!("{{{}}}", next.next()?)),
        }
    }
    if text.is_empty() {
        text.push('/');
    }
    if let Some(verb) = template.verb() {
        text.push(':');
        text.push_str(verb);
    }
    Some(Path { text, names, routes })
}

/// The names of a template's wildcards: that of the variable, with a number if it has several.
fn names(template: &Template) -> Vec<String> {
    let mut names = Vec::new();
    let is_wildcard = |index: usize| !matches!(template.segments().get(index), None | Some(Segment::Literal(_)));
    for index in (0..template.segments().len()).filter(|&index| is_wildcard(index)) {
        let mut variables = template.variables().iter();
        let name = match variables.find(|variable| (variable.start..variable.end).contains(&index)) {
            Some(variable) if (variable.start..variable.end).filter(|&at| is_wildcard(at)).count() == 1 => {
                variable.name()
            }
            Some(variable) => {
                let before = (variable.start..index).filter(|&at| is_wildcard(at)).count();
                format!("{}_{}", variable.name(), before + 1)
            }
            None => format!("segment_{}", index + 1),
        };
        names.push(name);
    }
    names
}
