//! Path templates and matching, against their rules written a second time, without regard to speed.

use std::{collections::BTreeSet, sync::LazyLock};

use gateway::{
    matching::{Match, Matcher},
    route::HttpMethod,
    template::{Segment, Template, Variable},
};
use http::Method;
use percent_encoding::percent_decode_str;
use regex::Regex;

/// The grammar, but for `**` being last and a variable being bound once.
static GRAMMAR: LazyLock<Regex> = LazyLock::new(|| {
    let literal = r"[^/{}:=%*?#\\\s\p{Cc}][^/{}:%*?#\\\s\p{Cc}]*";
    let segment = format!(r"(?:\*\*?|{literal})");
    let variable = format!(r"\{{[A-Za-z_]\w*(?-u:\.[A-Za-z_]\w*)*(?:={segment}(?:/{segment})*)?\}}")
        .replace(r"\w", "[A-Za-z0-9_]");
    let either = format!("(?:{segment}|{variable})");
    Regex::new(&format!(r"\A/(?:{either}(?:/{either})*(?::{literal})?)?\z")).unwrap()
});

/// `{name}` and `{name=…}`, with what comes behind the name.
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{([^=}]*)(=?)([^}]*)\}").unwrap());

/// Reads lines such as `GET /a/{b}`, all but the last as bindings and the last as a request.
pub fn paths(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut lines: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once(' ')).collect();
    let request = lines.pop();
    let mut bindings: Vec<(HttpMethod, Template)> = Vec::new();
    for (method, text) in lines {
        let Some(template) = template(text) else { continue };
        let Ok(named) = Method::from_bytes(method.as_bytes()) else {
            continue;
        };
        let method = if method == "*" {
            HttpMethod::Any
        } else {
            HttpMethod::Named(named)
        };
        let is_same = |old: &(HttpMethod, Template)| old.0 == method && old.1.is_equivalent(&template);
        if !bindings.iter().any(is_same) {
            bindings.push((method, template));
        }
    }
    if let Some((method, path)) = request
        && let Ok(method) = Method::from_bytes(method.as_bytes())
    {
        matching(&bindings, &method, path);
    }
}

/// Parses a template and checks the verdict against the grammar, and the parts against the text.
fn template(text: &str) -> Option<Template> {
    let parsed = Template::parse(text);
    assert_eq!(parsed.is_ok(), is_template(text), "{text:?}: {parsed:?}");
    let template = match parsed {
        Ok(template) => template,
        Err(fault) => {
            assert!(
                (1..=text.chars().count() + 1).contains(&fault.column),
                "{text:?}: {fault:?}"
            );
            return None;
        }
    };
    let explicit = VARIABLE.replace_all(text, |found: &regex::Captures<'_>| {
        let segments = if &found[2] == "=" { &found[3] } else { "*" };
        format!("{{{}={segments}}}", &found[1])
    });
    assert_eq!(written(&template), explicit, "{text:?}");
    Some(template)
}

fn is_template(text: &str) -> bool {
    let flat = VARIABLE.replace_all(text, "$3");
    let rest_is_last = flat.split_inclusive('/').all(|segment| segment != "**/");
    let names: Vec<&str> = VARIABLE
        .captures_iter(text)
        .filter_map(|found| Some(found.get(1)?.as_str()))
        .collect();
    let is_bound_once = names.iter().collect::<BTreeSet<_>>().len() == names.len();
    GRAMMAR.is_match(text) && rest_is_last && is_bound_once
}

/// A template from its parts.
fn written(template: &Template) -> String {
    let opens = |at: usize| template.variables().iter().find(|variable| variable.start == at);
    let closes = |at: usize| {
        template
            .variables()
            .iter()
            .any(|variable: &Variable| variable.end == at + 1)
    };
    let segments = template.segments().iter().enumerate().map(|(at, segment)| {
        let open = opens(at).map_or(String::new(), |variable| format!("{{{}=", variable.name()));
        let close = if closes(at) { "}" } else { "" };
        format!("/{open}{segment}{close}")
    });
    let path: String = segments.collect();
    let path = if path.is_empty() { "/" } else { &path };
    match template.verb() {
        Some(verb) => format!("{path}:{verb}"),
        None => path.to_owned(),
    }
}

/// Matches, and checks what was found.
fn matching(bindings: &[(HttpMethod, Template)], method: &Method, path: &str) {
    let matcher = Matcher::new(bindings.iter().map(|(method, template)| (method, template)));
    let context = || format!("{method} {path:?} among {bindings:?}");
    match (matcher.find(method, path), Expected::of(bindings, method, path)) {
        (
            Match::Route {
                index,
                segments,
                literal,
            },
            Expected::Route(wanted, cut),
        ) => {
            assert_eq!((index, &segments), (wanted, &cut), "{}", context());
            let template = &bindings[index].1;
            let all_literal = template
                .segments()
                .iter()
                .all(|segment| matches!(segment, Segment::Literal(_)));
            assert_eq!(literal, all_literal, "{}", context());
        }
        (Match::OtherMethods(allowed), Expected::OtherMethods(wanted)) => {
            let allowed = allowed.header();
            let allowed: BTreeSet<&str> = allowed.split(", ").collect();
            assert_eq!(allowed, wanted.iter().map(String::as_str).collect(), "{}", context());
        }
        (Match::Unknown, Expected::Unknown) => {}
        (found, wanted) => panic!("{}: {found:?}, not {wanted:?}", context()),
    }
}

/// What a request should lead to.
#[derive(Debug)]
enum Expected<'p> {
    /// This binding, with the path cut so.
    Route(usize, Vec<&'p str>),
    OtherMethods(BTreeSet<String>),
    Unknown,
}

impl<'p> Expected<'p> {
    fn of(bindings: &[(HttpMethod, Template)], method: &Method, path: &'p str) -> Self {
        let mut allowed = BTreeSet::new();
        for (segments, verb) in readings(path) {
            let mut fitting: Vec<(Vec<Rank>, usize)> = (0..)
                .zip(bindings)
                .filter(|(_, (_, template))| template.verb() == verb.as_deref())
                .filter_map(|(index, (_, template))| Some((ranks(template, &segments)?, index)))
                .collect();
            fitting.sort();
            for equals in fitting.chunk_by(|left, right| left.0 == right.0) {
                let methods: Vec<_> = equals.iter().map(|(_, index)| (&bindings[*index].0, *index)).collect();
                if let Some(index) = choose(&methods, method) {
                    return Self::Route(index, segments);
                }
                allowed.extend(methods.iter().flat_map(|(method, _)| names(method)));
            }
        }
        if allowed.is_empty() {
            return Self::Unknown;
        }
        if allowed.contains("GET") {
            allowed.insert("HEAD".to_owned());
        }
        allowed.insert("OPTIONS".to_owned());
        Self::OtherMethods(allowed)
    }
}

/// How exactly a template names a segment, or how it ends; the least wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Literal,
    Single,
    End,
    Rest,
}

/// The ways to read a path: with the text behind the last colon as a verb, then whole.
fn readings(path: &str) -> Vec<(Vec<&str>, Option<String>)> {
    let Some(rest) = path.strip_prefix('/') else {
        return Vec::new();
    };
    let whole: Vec<&str> = rest.split('/').filter(|_| !rest.is_empty()).collect();
    let mut readings = Vec::new();
    if let Some((text, verb)) = whole.last().and_then(|last| last.rsplit_once(':'))
        && let Some(verb) = decode(verb)
    {
        let mut cut = whole.clone();
        cut.pop();
        // `/:verb` is `/` with a verb.
        if !text.is_empty() || !cut.is_empty() {
            cut.push(text);
        }
        readings.push((cut, Some(verb)));
    }
    readings.push((whole, None));
    readings.retain(|(segments, _)| segments.iter().all(|segment| !segment.is_empty()));
    readings
}

/// How a template fits; `None` when it does not.
fn ranks(template: &Template, segments: &[&str]) -> Option<Vec<Rank>> {
    let mut ranks = Vec::new();
    for (at, wanted) in template.segments().iter().enumerate() {
        let found = segments.get(at);
        match wanted {
            Segment::Rest => {
                ranks.push(Rank::Rest);
                return Some(ranks);
            }
            Segment::Single => ranks.push(found.map(|_| Rank::Single)?),
            Segment::Literal(text) => ranks.push((decode(found?)? == *text).then_some(Rank::Literal)?),
        }
    }
    ranks.push(Rank::End);
    (template.segments().len() == segments.len()).then_some(ranks)
}

/// Of bindings on the same paths: the one with the method, else GET for HEAD, else the one for every method.
fn choose(methods: &[(&HttpMethod, usize)], asked: &Method) -> Option<usize> {
    let with = |wanted: HttpMethod| {
        methods
            .iter()
            .find(|(method, _)| **method == wanted)
            .map(|(_, index)| *index)
    };
    with(HttpMethod::Named(asked.clone()))
        .or_else(|| with(HttpMethod::Named(Method::GET)).filter(|_| *asked == Method::HEAD))
        .or_else(|| with(HttpMethod::Any).filter(|_| *asked != Method::OPTIONS))
}

fn names(method: &HttpMethod) -> Vec<String> {
    match method {
        HttpMethod::Named(method) => vec![method.to_string()],
        HttpMethod::Any => ["GET", "POST", "PUT", "PATCH", "DELETE"].map(str::to_owned).to_vec(),
    }
}

/// Percent-decodes; `None` for an escape that is none and for what is not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut escapes = text.split('%').skip(1);
    let is_escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    escapes
        .all(is_escape)
        .then(|| percent_decode_str(text).decode_utf8().ok())?
        .map(Into::into)
}
