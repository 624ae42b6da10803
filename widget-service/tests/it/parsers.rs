//! What the parsers accept, against rules that are written a second time, in plain words.

use chrono::{DateTime, Utc};
use proptest::{collection::vec, prelude::*, sample::select};
use prost_types::Timestamp;
use url::Url;
use widget_service::domain::{Deadline, Description, InfoUrl, NamePrefix, Order, Problem, WidgetName};

/// Text that is often nearly right: mostly drawn from the given characters, sometimes from anywhere.
fn text(from: &'static str, longest: usize) -> impl Strategy<Value = String> {
    let usual: Vec<char> = from.chars().collect();
    let character = prop_oneof![40 => select(usual), 1 => any::<char>()];
    vec(character, 0..=longest).prop_map(String::from_iter)
}

fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    (1..=100).contains(&text.chars().count()) && text.chars().all(allowed)
}

fn is_url(text: &str) -> bool {
    let rest = ["http://", "https://"].iter().find_map(|scheme| {
        let head = text.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then(|| &text[scheme.len()..])
    });
    let clean = |rest: &str| !rest.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\');
    text.chars().count() <= 2_048
        && rest.is_some_and(|rest| clean(rest) && !rest.starts_with('/'))
        && Url::parse(text).is_ok_and(|url| url.host_str().is_some_and(|host| !host.is_empty()))
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_name_is_1_to_100_of_its_characters(text in text("abcxyz0189-_", 104)) {
        prop_assert_eq!(text.parse::<WidgetName>().is_ok(), is_name(&text));
    }

    #[test]
    fn any_text_is_judged_without_a_panic(text in any::<String>()) {
        prop_assert_eq!(text.parse::<WidgetName>().is_ok(), is_name(&text));
        prop_assert_eq!(text.parse::<InfoUrl>().is_ok(), is_url(&text));
        prop_assert_eq!(text.parse::<Description>().is_ok(), !text.contains('\0'));
        let _ = text.parse::<Order>();
    }

    #[test]
    fn a_url_is_absolute_http_with_a_host(
        scheme in select(vec!["http://", "https://", "HTTPS://", "http:", "http:/", "ftp://", "//", ""]),
        rest in text("ab.:/?#@[]%20ü\\ 1", 24),
    ) {
        let text = format!("{scheme}{rest}");
        prop_assert_eq!(text.parse::<InfoUrl>().is_ok(), is_url(&text), "{}", text);
    }

    #[test]
    fn a_deadline_is_a_time_of_the_years_1_to_9999(
        seconds in prop_oneof![
            any::<i64>(),
            -62_135_596_900..-62_135_596_700_i64,
            253_402_300_700..253_402_300_900_i64,
        ],
        nanos in prop_oneof![any::<i32>(), 0..1_000_000_000_i32, 999_999_990..1_000_000_010_i32],
    ) {
        let in_range = (-62_135_596_800..=253_402_300_799).contains(&seconds) && (0..=999_999_999).contains(&nanos);
        match Deadline::try_from(Timestamp { seconds, nanos }) {
            Ok(deadline) => {
                prop_assert!(in_range);
                prop_assert_eq!(deadline.time().timestamp(), seconds);
                prop_assert_eq!(deadline.time().timestamp_subsec_nanos(), nanos as u32 / 1_000 * 1_000);
            }
            Err(problem) => {
                prop_assert_eq!(problem, Problem::NotATime);
                prop_assert!(!in_range);
            }
        }
    }

    #[test]
    fn the_range_of_a_prefix_holds_exactly_the_names_that_begin_so(
        prefix in text("abz-_09", 3),
        name in "[abz\\-_09]{1,4}",
    ) {
        let name: WidgetName = name.parse().unwrap();
        let Some(prefix) = NamePrefix::new(&prefix) else { return Ok(()) };
        let (from, to) = prefix.range();
        let inside = from.as_str() <= name.as_str() && name.as_str() < to.as_str();
        prop_assert_eq!(inside, name.as_str().starts_with(prefix.as_str()));
    }
}

#[test]
fn names_at_the_edges_of_the_grammar() {
    for good in ["a", "-", "_", "0", "sprocket-9_x", &"z".repeat(100)] {
        assert!(good.parse::<WidgetName>().is_ok(), "{good}");
    }
    for bad in ["A", "a b", "ä", "a\n", "\na", "a\0", ".", "a/b", "é", &"z".repeat(101)] {
        assert_eq!(bad.parse::<WidgetName>(), Err(Problem::NotAName), "{bad:?}");
    }
    assert_eq!("".parse::<WidgetName>(), Err(Problem::Missing));
}

#[test]
fn urls_at_the_edges_of_the_grammar() {
    let longest = format!("https://example.com/{}", "ü".repeat(2_048 - 20));
    for good in [
        "http://a",
        "HTTP://A",
        "https://user:word@[::1]:8080/p?q=[]#f",
        "https://bücher.example",
        &longest,
    ] {
        assert!(good.parse::<InfoUrl>().is_ok(), "{good}");
    }
    let bad = [
        "example.com",
        "//example.com",
        "/relative",
        "ftp://example.com",
        "javascript:alert(1)",
        "mailto:a@b.c",
        "http:example.com",
        "http:/example.com",
        "http:///example.com",
        "http://",
        "https://?q",
        "https://#f",
        "https://:80",
        "https://user@",
        "https://a:99999",
        "https://exa mple.com",
        "https://example.com/a b",
        "https:\\\\example.com",
        "https://example.com\\a",
        " https://example.com",
        "https://example.com\n",
        "https://example.com/\u{a0}",
        "http://[::1",
        "nowhere",
    ];
    for bad in bad {
        assert_eq!(bad.parse::<InfoUrl>(), Err(Problem::NotAUrl), "{bad}");
    }
    assert_eq!(format!("{longest}u").parse::<InfoUrl>(), Err(Problem::TooLong(2_048)));
    assert_eq!("".parse::<InfoUrl>(), Err(Problem::Missing));
}

#[test]
fn a_url_is_kept_as_it_was_written() {
    let written = "HTTPS://Example.COM:443/../a";

    assert_eq!(written.parse::<InfoUrl>().unwrap().as_str(), written);
}

#[test]
fn a_description_counts_characters_not_bytes() {
    assert!("🔧".repeat(2_000).parse::<Description>().is_ok());
    assert_eq!("a".repeat(2_001).parse::<Description>(), Err(Problem::TooLong(2_000)));
    assert_eq!("a\0b".parse::<Description>(), Err(Problem::Nul));
    assert!("".parse::<Description>().is_ok());
}

#[test]
fn a_deadline_is_open_through_the_whole_of_its_day_in_utc() {
    let deadline = Deadline::from(utc("2026-06-30T08:00:00Z"));

    for now in [
        "2026-06-29T23:59:59Z",
        "2026-06-30T00:00:00Z",
        "2026-06-30T23:59:59.999999999Z",
    ] {
        assert_eq!(deadline.open_at(utc(now)), Ok(deadline), "{now}");
    }
    assert_eq!(deadline.open_at(utc("2026-07-01T00:00:00Z")), Err(Problem::Past));
}

#[test]
fn orders_are_a_key_and_perhaps_desc() {
    let rows = [
        ("", "created_at"),
        ("  ", "created_at"),
        ("name", "name"),
        ("created_at desc", "created_at desc"),
        (" updated_at  desc ", "updated_at desc"),
        ("deadline", "deadline"),
    ];
    for (text, order) in rows {
        assert_eq!(text.parse::<Order>().unwrap().to_string(), order, "{text:?}");
    }
    for bad in [
        "description",
        "name asc",
        "name DESC",
        "Name",
        "name, deadline",
        "name desc desc",
        "desc",
        "-name",
    ] {
        assert_eq!(bad.parse::<Order>(), Err(Problem::NotAnOrder), "{bad}");
    }
}
