//! The path grammar of `google/api/http.proto`, rule by rule.

use gateway::template::{Segment, Template};

/// A template, its segments, its verb, and its variables with the segments that they take.
type Parsed = (
    &'static str,
    &'static [&'static str],
    Option<&'static str>,
    &'static [(&'static str, usize, usize)],
);

#[test]
fn good_templates_are_taken_apart() {
    let rows: [Parsed; 12] = [
        ("/", &[], None, &[]),
        ("/v1/messages", &["v1", "messages"], None, &[]),
        ("/v1/{id}", &["v1", "*"], None, &[("id", 1, 2)]),
        ("/v1/{a.b_c.d2}", &["v1", "*"], None, &[("a.b_c.d2", 1, 2)]),
        ("/v1/*/x", &["v1", "*", "x"], None, &[]),
        ("/v1/**", &["v1", "**"], None, &[]),
        (
            "/v1/{name=shelves/*/books/*}",
            &["v1", "shelves", "*", "books", "*"],
            None,
            &[("name", 1, 5)],
        ),
        ("/{name=**}:read", &["**"], Some("read"), &[("name", 0, 1)]),
        ("/a/{b=c}:d.e-f", &["a", "c"], Some("d.e-f"), &[("b", 1, 2)]),
        ("/.well-known/x.json", &[".well-known", "x.json"], None, &[]),
        ("/a=b/c", &["a=b", "c"], None, &[]),
        (
            "/ü/{x}/{y=p/**}",
            &["ü", "*", "p", "**"],
            None,
            &[("x", 1, 2), ("y", 2, 4)],
        ),
    ];
    for (text, segments, verb, variables) in rows {
        let template = Template::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
        let shown: Vec<String> = template.segments().iter().map(Segment::to_string).collect();
        assert_eq!(shown, segments, "{text}");
        assert_eq!(template.verb(), verb, "{text}");
        let found: Vec<_> = template
            .variables()
            .iter()
            .map(|v| (v.name(), v.start, v.end))
            .collect();
        let wanted: Vec<_> = variables
            .iter()
            .map(|(name, start, end)| (name.to_string(), *start, *end))
            .collect();
        assert_eq!(found, wanted, "{text}");
    }
}

#[test]
fn bad_templates_are_refused_at_their_column() {
    let rows = [
        ("", 1, "begins with `/`"),
        ("v1", 1, "begins with `/`"),
        ("/v1/", 5, "no trailing"),
        ("//v1", 2, "empty"),
        ("/a//b", 4, "empty"),
        ("/a/**/b", 7, "follow `**`"),
        ("/{a=**}/b", 9, "follow `**`"),
        ("/{a={b}}", 5, "nest"),
        ("/a{b}", 3, "whole segment"),
        ("/{b}a", 5, "one variable"),
        ("/{}", 3, "field name"),
        ("/{1a}", 3, "field name"),
        ("/{a.}", 5, "field name"),
        ("/{a=}", 5, "empty"),
        ("/{a", 4, "ends with `}`"),
        ("/a}", 3, "without a `{`"),
        ("/{a}/{a}", 7, "bound twice"),
        ("/a%20b", 3, "'%'"),
        ("/a?b=c", 3, "'?'"),
        ("/a b", 3, "' '"),
        ("/a*", 3, "stands alone"),
        ("/***", 2, "stands alone"),
        ("/a:", 4, "verb after `:` is empty"),
        ("/a:b:c", 5, "one verb"),
        ("/a:b/c", 5, "follow the verb"),
        ("/a:*", 4, "verb is a literal"),
        ("/:b", 2, "empty"),
        ("/ü/{ö}", 5, "field name"),
    ];
    for (text, column, problem) in rows {
        let fault = Template::parse(text).expect_err(text);
        assert_eq!(fault.column, column, "{text}: {}", fault.problem);
        assert!(fault.problem.contains(problem), "{text}: {}", fault.problem);
    }
}

#[test]
fn variables_alone_do_not_make_templates_differ() {
    let template = |text| Template::parse(text).unwrap();
    assert!(template("/v1/{a}/x").is_equivalent(&template("/v1/*/x")));
    assert!(template("/v1/{a=x/*}").is_equivalent(&template("/v1/x/{b}")));
    assert!(!template("/v1/{a}:x").is_equivalent(&template("/v1/{a}:y")));
}
