//! Which route takes a request.
//!
//! A tree over the templates' segments. At each level a literal is tried before `*` and that before `**`; what fails
//! further on is taken back. Each node is visited at most once for a request, and no more of the path is looked at
//! than the deepest template has segments.

mod tree;

use http::Method;

use self::tree::Tree;
use crate::{route::HttpMethod, template::Template};

/// Finds routes.
#[derive(Debug)]
pub struct Matcher {
    tree: Tree,
}

/// What a method and path lead to.
#[derive(Debug, PartialEq, Eq)]
pub enum Match<'p> {
    /// This route, with the path cut into the segments that it was matched on.
    Route {
        /// Which binding, in the order they were given in.
        index: usize,
        /// What lies between the slashes, as it came, without the verb.
        segments: Vec<&'p str>,
        /// Whether the template is literals alone.
        literal: bool,
    },
    /// The path is known, but not with this method; these are.
    OtherMethods(Allowed),
    /// No template fits.
    Unknown,
}

/// The methods that a path takes, each once.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Allowed {
    methods: Vec<Method>,
    /// Whether one of the templates is literals alone.
    pub(crate) literal: bool,
}

/// What `custom { kind: "*" }` is shown as.
const COMMON: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

impl Allowed {
    fn add(&mut self, method: &Method) {
        if !self.methods.contains(method) {
            self.methods.push(method.clone());
        }
    }

    fn add_common(&mut self) {
        COMMON.iter().for_each(|method| self.add(method));
    }

    /// The value of `Allow`: HEAD where GET is, OPTIONS always.
    pub fn header(&self) -> String {
        let mut methods = self.methods.clone();
        if methods.contains(&Method::GET) && !methods.contains(&Method::HEAD) {
            methods.push(Method::HEAD);
        }
        if !methods.contains(&Method::OPTIONS) {
            methods.push(Method::OPTIONS);
        }
        methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
    }
}

impl Matcher {
    /// Builds the tree of bindings, no two of which have the same method and equivalent templates.
    pub fn new<'a>(bindings: impl IntoIterator<Item = (&'a HttpMethod, &'a Template)>) -> Self {
        Self {
            tree: Tree::new(bindings),
        }
    }

    /// Matches a raw path.
    pub fn find<'p>(&self, method: &Method, path: &'p str) -> Match<'p> {
        let Some(rest) = path.strip_prefix('/') else {
            return Match::Unknown;
        };
        let segments: Vec<&str> = if rest.is_empty() {
            Vec::new()
        } else {
            rest.split('/').collect()
        };
        let mut allowed = Allowed::default();
        let mut known = false;

        if let Some((last, before)) = segments.split_last()
            && let Some((text, verb)) = last.rsplit_once(':')
            && let Some(verb) = crate::percent::decode(verb)
        {
            let mut trimmed = before.to_vec();
            if !text.is_empty() || !before.is_empty() {
                trimmed.push(text);
            }
            match self.tree.find(method, &trimmed, Some(&verb), &mut allowed) {
                tree::Found::Route { index, literal } => {
                    return Match::Route {
                        index,
                        segments: trimmed,
                        literal,
                    };
                }
                tree::Found::Methods => known = true,
                tree::Found::Nothing => {}
            }
        }
        match self.tree.find(method, &segments, None, &mut allowed) {
            tree::Found::Route { index, literal } => Match::Route {
                index,
                segments,
                literal,
            },
            tree::Found::Nothing if !known => Match::Unknown,
            _ => Match::OtherMethods(allowed),
        }
    }
}
