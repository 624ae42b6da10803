use proto::widget::v1 as pb;

use crate::{
    actor::{Actor, Refusal},
    app::App,
    samples::sent,
};

fn query(order_by: &str, page_size: i32) -> pb::ListWidgetsRequest {
    pb::ListWidgetsRequest {
        order_by: order_by.into(),
        page_size,
        ..Default::default()
    }
}

fn names(page: &pb::ListWidgetsResponse) -> Vec<&str> {
    page.widgets.iter().map(|widget| widget.name.as_str()).collect()
}

async fn with_widgets(names: &[&str]) -> (App, Actor) {
    let app = App::start().await;
    let admin = app.admin();
    for name in names {
        admin.create(sent(name)).await.unwrap();
        app.clock.advance(std::time::Duration::from_secs(1));
    }
    let user = app.user();
    (app, user)
}

#[tokio::test]
async fn a_list_is_in_order_of_creation_unless_told_otherwise() {
    let (_app, user) = with_widgets(&["c", "a", "b"]).await;

    for (order, expected) in [
        ("", ["c", "a", "b"]),
        ("created_at desc", ["b", "a", "c"]),
        ("updated_at", ["c", "a", "b"]),
        ("name", ["a", "b", "c"]),
        ("name desc", ["c", "b", "a"]),
        ("deadline", ["a", "b", "c"]),
        ("deadline desc", ["c", "b", "a"]),
    ] {
        assert_eq!(
            names(&user.list(query(order, 0)).await.unwrap().message),
            expected,
            "{order}"
        );
    }
}

#[tokio::test]
async fn pages_lead_forward_and_back() {
    let (_app, user) = with_widgets(&["a", "b", "c", "d", "e"]).await;
    let go = async |token: &str| {
        let request = pb::ListWidgetsRequest {
            page_token: token.into(),
            ..query("name", 2)
        };
        user.list(request).await.unwrap().message
    };

    let first = go("").await;
    let second = go(&first.next_page_token).await;
    let third = go(&second.next_page_token).await;

    assert_eq!(
        [names(&first), names(&second), names(&third)],
        [vec!["a", "b"], vec!["c", "d"], vec!["e"]]
    );
    assert_eq!(
        (first.prev_page_token.as_str(), third.next_page_token.as_str()),
        ("", "")
    );
    assert_eq!(names(&go(&third.prev_page_token).await), ["c", "d"]);
    assert_eq!(go(&second.prev_page_token).await, first);
}

#[tokio::test]
async fn a_page_has_50_widgets_unless_asked_otherwise_and_1000_at_most() {
    let app = App::start().await;
    let store = widget_service::store::WidgetStore::new(app.database().clone());
    for n in 0..1_001 {
        store
            .insert(&crate::samples::widget(&format!("w-{n:04}")))
            .await
            .unwrap();
    }

    for (asked, given) in [(0, 50), (1, 1), (1_000, 1_000), (1_001, 1_000), (i32::MAX, 1_000)] {
        let page = app.user().list(query("name", asked)).await.unwrap().message;
        assert_eq!(page.widgets.len(), given, "{asked}");
        assert!(!page.next_page_token.is_empty());
    }
}

#[tokio::test]
async fn a_list_names_every_bad_field_at_once() {
    let (_app, user) = with_widgets(&["a"]).await;
    let bad = pb::ListWidgetsRequest {
        page_token: "nonsense".into(),
        ..query("name", -1)
    };

    let refusal = user.list(bad).await.unwrap_err();

    assert_eq!(refusal, Refusal::invalid(&["page_size", "page_token"]));
    let worse = pb::ListWidgetsRequest {
        page_token: "nonsense".into(),
        ..query("color", -1)
    };
    let all = ["order_by", "page_size", "page_token"];
    assert_eq!(user.list(worse).await.unwrap_err(), Refusal::invalid(&all));
}

#[tokio::test]
async fn a_token_is_good_for_its_own_query_alone() {
    let (_app, user) = with_widgets(&["aa", "ab", "ac"]).await;
    let prefixed = pb::ListWidgetsRequest {
        name_prefix: "a".into(),
        ..query("", 1)
    };
    let token = user.list(prefixed.clone()).await.unwrap().message.next_page_token;
    let with = |request| pb::ListWidgetsRequest {
        page_token: token.clone(),
        ..request
    };

    let same = [
        prefixed.clone(),
        pb::ListWidgetsRequest {
            page_size: 2,
            count_total: true,
            ..prefixed.clone()
        },
        pb::ListWidgetsRequest {
            order_by: "created_at".into(),
            ..prefixed.clone()
        },
    ];
    for request in same {
        assert!(user.list(with(request.clone())).await.is_ok(), "{request:?}");
    }
    let others = [
        pb::ListWidgetsRequest {
            name_prefix: "".into(),
            ..prefixed.clone()
        },
        pb::ListWidgetsRequest {
            name_prefix: "aa".into(),
            ..prefixed.clone()
        },
        pb::ListWidgetsRequest {
            order_by: "created_at desc".into(),
            ..prefixed.clone()
        },
        pb::ListWidgetsRequest {
            order_by: "name".into(),
            ..prefixed.clone()
        },
    ];
    for request in others {
        let refusal = user.list(with(request.clone())).await.unwrap_err();
        assert_eq!(refusal, Refusal::invalid(&["page_token"]), "{request:?}");
    }
}

#[tokio::test]
async fn a_damaged_token_is_refused() {
    let (_app, user) = with_widgets(&["a", "b"]).await;
    let token = user.list(query("name", 1)).await.unwrap().message.next_page_token;

    for at in 0..token.len() {
        let mut damaged = token.clone();
        let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
        damaged.replace_range(at..=at, other);
        for page_token in [damaged, token[..at].to_owned() + "="] {
            let request = pb::ListWidgetsRequest {
                page_token,
                ..query("name", 1)
            };
            assert_eq!(user.list(request).await.unwrap_err(), Refusal::invalid(&["page_token"]));
        }
    }
}

#[tokio::test]
async fn a_forged_token_is_as_harmless_as_a_damaged_one() {
    use service_kit::page::{Direction, Part, Position};
    let (_app, user) = with_widgets(&["a", "b"]).await;
    let keys = [
        vec![Part::Int(i64::MAX), Part::Text("a".into())],
        vec![Part::Int(0), Part::Text("a\0".into())],
        vec![Part::Int(0), Part::Text("Not OK".into())],
        vec![Part::Text("a".into())],
        vec![Part::Text("a".into()), Part::Int(0)],
        vec![],
    ];
    for key in keys {
        let forged = Position {
            direction: Direction::Forward,
            key,
        };
        let page_token = forged.to_token(&["widgets", "created_at", ""]);
        let request = pb::ListWidgetsRequest {
            page_token,
            ..query("", 1)
        };
        assert_eq!(
            user.list(request).await.unwrap_err(),
            Refusal::invalid(&["page_token"]),
            "{forged:?}"
        );
    }
    let outside = Position {
        direction: Direction::Forward,
        key: vec![Part::Text("a".into())],
    };
    let request = pb::ListWidgetsRequest {
        page_token: outside.to_token(&["widgets", "name", "b"]),
        name_prefix: "b".into(),
        ..query("name", 1)
    };
    assert_eq!(user.list(request).await.unwrap_err(), Refusal::invalid(&["page_token"]));
}

#[tokio::test]
async fn a_total_counts_what_the_filter_lets_through_and_only_when_asked() {
    let (_app, user) = with_widgets(&["aa", "ab", "b"]).await;
    let counted = |prefix: &str| pb::ListWidgetsRequest {
        count_total: true,
        name_prefix: prefix.into(),
        ..query("name", 1)
    };

    assert_eq!(user.list(query("name", 1)).await.unwrap().message.total_size, None);
    for (prefix, total) in [("", 3), ("a", 2), ("x", 0)] {
        assert_eq!(
            user.list(counted(prefix)).await.unwrap().message.total_size,
            Some(total),
            "{prefix:?}"
        );
    }
}
