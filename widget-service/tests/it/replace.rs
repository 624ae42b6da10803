use proto::widget::v1 as pb;
use tonic::Code;

use crate::{
    actor::Refusal,
    app::App,
    samples::{DAY, sent},
};

#[tokio::test]
async fn replace_writes_every_field_and_keeps_owner_and_creation() {
    let app = App::start().await;
    let creator = app.admin();
    let before = creator.create(sent("a")).await.unwrap().message;
    app.clock.advance(DAY / 2);
    let bare = pb::Widget {
        description: String::new(),
        ..sent("a")
    };

    let replaced = app.admin().replace(bare).await.unwrap();

    assert_eq!(replaced.http_status, "");
    assert_eq!(replaced.message.description, "");
    assert_eq!(
        (replaced.message.created_at, replaced.message.owner),
        (before.created_at, before.owner)
    );
    assert_ne!(
        (replaced.message.updated_at, replaced.message.etag),
        (before.updated_at, before.etag)
    );
}

#[tokio::test]
async fn replace_makes_a_missing_widget_and_says_so() {
    let app = App::start().await;
    let admin = app.admin();

    let made = admin.replace(sent("a")).await.unwrap();

    assert_eq!(made.http_status, "201");
    assert_eq!(made.message.owner.as_ref().unwrap().id, admin.id.to_string());
    assert_eq!(admin.get("a").await.unwrap().message, made.message);
}

#[tokio::test]
async fn replace_requires_what_create_requires() {
    let app = App::start().await;
    let required = Refusal::invalid(&["widget.deadline", "widget.info_url"]);
    let bare = pb::Widget {
        name: "a".into(),
        ..Default::default()
    };

    assert_eq!(
        app.admin().replace(bare.clone()).await.unwrap_err(),
        required,
        "of a missing widget"
    );
    app.admin().create(sent("a")).await.unwrap();
    assert_eq!(
        app.admin().replace(bare).await.unwrap_err(),
        required,
        "of an existing one"
    );
}

#[tokio::test]
async fn a_replacement_with_an_etag_that_does_not_hold_is_stale() {
    let app = App::start().await;
    let admin = app.admin();
    let stale = Refusal::new(Code::Aborted, "WIDGET_STALE");
    let with = |etag: &str| pb::Widget {
        etag: etag.into(),
        ..sent("a")
    };

    assert_eq!(
        admin.replace(with("old")).await.unwrap_err(),
        stale,
        "when the widget is missing"
    );
    let etag = admin.create(sent("a")).await.unwrap().message.etag;
    assert_eq!(admin.replace(with("old")).await.unwrap_err(), stale);
    assert!(admin.replace(with(&etag)).await.is_ok());
}

#[tokio::test]
async fn a_deleted_and_recreated_widget_has_another_etag() {
    let app = App::start().await;
    let admin = app.admin();
    let first = admin.create(sent("a")).await.unwrap().message;
    admin.delete("a", "").await.unwrap();
    admin.create(sent("a")).await.unwrap();

    let refusal = admin.replace(first).await.unwrap_err();

    assert_eq!(refusal, Refusal::new(Code::Aborted, "WIDGET_STALE"));
}

#[tokio::test]
async fn a_check_of_a_replacement_writes_nothing() {
    let app = App::start().await;
    let admin = app.admin();
    let before = admin.create(sent("a")).await.unwrap().message;
    let check = |name| pb::ReplaceWidgetRequest {
        widget: Some(pb::Widget {
            description: "changed".into(),
            ..sent(name)
        }),
        validate_only: true,
    };

    for name in ["a", "b"] {
        let checked = admin.replace_as(check(name)).await.unwrap();
        assert_eq!(
            (checked.http_status.as_str(), checked.message.description.as_str()),
            ("200", "changed")
        );
    }

    assert_eq!(admin.get("a").await.unwrap().message, before);
    let missing = Refusal::new(Code::NotFound, "WIDGET_NOT_FOUND");
    assert_eq!(admin.get("b").await.unwrap_err(), missing);
}
