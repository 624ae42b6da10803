//! Names that are short, and longer only where two would be the same.

use std::collections::{HashMap, HashSet};

/// The names that the document gives to things, by their full protobuf names.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: HashMap<String, String>,
    taken: HashSet<String>,
}

impl Names {
    /// Names things, each by the first of its candidates that nothing else has among its own of the same rank. The
    /// reserved names are given to nothing.
    pub(super) fn assign(things: impl IntoIterator<Item = (String, Vec<String>)>, reserved: &[&str]) -> Self {
        let mut names = Self {
            taken: reserved.iter().map(|&name| name.to_owned()).collect(),
            ..Self::default()
        };
        let mut left: Vec<(String, Vec<String>)> = things.into_iter().collect();
        for rank in 0.. {
            let mut wanted: HashMap<String, usize> = HashMap::new();
            for (_, candidates) in &left {
                *wanted.entry(candidate(candidates, rank)).or_default() += 1;
            }
            let free: HashSet<String> = wanted
                .into_iter()
                .filter(|(name, count)| *count == 1 && !names.taken.contains(name))
                .map(|(name, _)| name)
                .collect();
            let is_last = left.iter().all(|(_, candidates)| rank + 1 >= candidates.len());
            let (settled, open): (Vec<_>, Vec<_>) = left
                .into_iter()
                .partition(|(_, candidates)| is_last || free.contains(&candidate(candidates, rank)));
            for (thing, candidates) in settled {
                let name = names.reserve(&candidate(&candidates, rank));
                names.names.insert(thing, name);
            }
            left = open;
            if left.is_empty() {
                break;
            }
        }
        names
    }

    /// The name of a thing.
    pub(super) fn get<'a>(&'a self, thing: &'a str) -> &'a str {
        self.names.get(thing).map_or(thing, String::as_str)
    }

    /// Takes a name, or the next free one with a number.
    pub(super) fn reserve(&mut self, name: &str) -> String {
        let numbered = (2..).map(|number| format!("{name}{number}"));
        let mut candidates = std::iter::once(name.to_owned()).chain(numbered);
        let free = candidates.find(|name| !self.taken.contains(name));
        let free = free.unwrap_or_else(|| name.to_owned());
        self.taken.insert(free.clone());
        free
    }
}

fn candidate(candidates: &[String], rank: usize) -> String {
    let last = candidates.last().cloned().unwrap_or_default();
    candidates.get(rank).cloned().unwrap_or(last)
}

/// The names that a message or an enum may get: `AuditEventKind`, `AuthV1AuditEventKind`, `auth.v1.AuditEvent.Kind`.
pub(super) fn of_type(full_name: &str, package: &str) -> Vec<String> {
    let local = full_name.strip_prefix(package).unwrap_or(full_name);
    let local: String = local.split('.').collect();
    let package: String = package.split(['.', '_']).map(capitalised).collect();
    vec![local.clone(), format!("{package}{local}"), full_name.to_owned()]
}

/// The names that an operation may get: `GetWidget`, `WidgetService_GetWidget`, `widget_v1_WidgetService_GetWidget`.
pub(super) fn of_method(method: &str, service: &str, service_full_name: &str) -> Vec<String> {
    let full = format!("{}_{method}", service_full_name.replace('.', "_"));
    vec![method.to_owned(), format!("{service}_{method}"), full]
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assign(full_names: &[(&str, &str)]) -> Names {
        let things = full_names
            .iter()
            .map(|(full_name, package)| ((*full_name).to_owned(), of_type(full_name, package)));
        Names::assign(things, &["Problem"])
    }

    #[test]
    fn names_are_short_unless_they_clash() {
        let names = assign(&[
            ("a.v1.User", "a.v1"),
            ("b.v1.User", "b.v1"),
            ("a.v1.Event.Kind", "a.v1"),
            ("a.v1.Problem", "a.v1"),
        ]);
        assert_eq!(names.get("a.v1.User"), "AV1User");
        assert_eq!(names.get("b.v1.User"), "BV1User");
        assert_eq!(names.get("a.v1.Event.Kind"), "EventKind");
        assert_eq!(names.get("a.v1.Problem"), "AV1Problem");
    }

    #[test]
    fn nested_names_that_clash_in_one_package_stay_whole() {
        let names = assign(&[("a.v1.Event.Kind", "a.v1"), ("a.v1.EventKind", "a.v1")]);
        assert_eq!(names.get("a.v1.Event.Kind"), "a.v1.Event.Kind");
        assert_eq!(names.get("a.v1.EventKind"), "a.v1.EventKind");
    }

    #[test]
    fn a_reserved_name_is_given_once() {
        let mut names = assign(&[("a.v1.User", "a.v1")]);
        assert_eq!(names.reserve("User"), "User2");
        assert_eq!(names.reserve("User"), "User3");
        assert_eq!(names.reserve("UserBody"), "UserBody");
    }
}
