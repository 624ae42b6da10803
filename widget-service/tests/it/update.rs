use futures_util::future::join_all;
use proto::widget::v1 as pb;
use test_kit::TestDatabase;
use tonic::Code;

use crate::{
    actor::{Refusal, update},
    app::App,
    samples::{DAY, changed, sent, timestamp},
};

fn stale() -> Refusal {
    Refusal::new(Code::Aborted, "WIDGET_STALE")
}

fn not_found() -> Refusal {
    Refusal::new(Code::NotFound, "WIDGET_NOT_FOUND")
}

#[tokio::test]
async fn update_names_every_bad_field_that_would_be_written_and_no_other() {
    let app = App::start().await;
    app.admin().create(sent("a")).await.unwrap();
    let bad = pb::Widget {
        description: "\0".into(),
        info_url: "nowhere".into(),
        deadline: Some(timestamp("2020-01-01T00:00:00Z")),
        ..sent("a")
    };

    let all = [
        "update_mask",
        "widget.deadline",
        "widget.description",
        "widget.info_url",
    ];
    let refusal = app.admin().update(bad.clone(), &["*", "color"]).await.unwrap_err();
    assert_eq!(refusal, Refusal::invalid(&all));
    let refusal = app.admin().update(bad.clone(), &["info_url"]).await.unwrap_err();
    assert_eq!(refusal, Refusal::invalid(&["widget.info_url"]));
    let nameless = pb::Widget {
        name: "Not OK".into(),
        ..bad
    };
    let refusal = app.admin().update(nameless, &["deadline"]).await.unwrap_err();
    assert_eq!(refusal, Refusal::invalid(&["widget.deadline", "widget.name"]));
    assert_eq!(
        app.admin().update_as(Default::default()).await.unwrap_err(),
        Refusal::invalid(&["widget.name"])
    );
}

#[tokio::test]
async fn a_passed_widget_can_be_updated_as_long_as_its_deadline_is_not_written() {
    let app = App::start().await;
    let today = pb::Widget {
        deadline: Some(timestamp("2026-03-01T18:00:00.123456789Z")),
        ..sent("a")
    };
    app.admin().create(today.clone()).await.unwrap();
    app.clock.advance(DAY * 2);
    let admin = app.admin();

    let described = pb::Widget {
        description: "late".into(),
        ..today.clone()
    };
    let after = admin.update(described, &["description"]).await.unwrap().message;
    let same = admin.update(today.clone(), &["deadline"]).await.unwrap().message;
    let other = pb::Widget {
        deadline: Some(timestamp("2026-03-01T18:00:01Z")),
        ..today
    };
    let refusal = admin.update(other, &["deadline"]).await.unwrap_err();

    assert!(after.deadline_passed);
    assert_eq!(same, after, "an equal deadline is not written");
    assert_eq!(refusal, Refusal::invalid(&["widget.deadline"]));
}

#[tokio::test]
async fn what_was_read_can_be_sent_back() {
    let app = App::start().await;
    let today = pb::Widget {
        deadline: Some(timestamp("2026-03-01T18:00:00Z")),
        ..sent("a")
    };
    app.admin().create(today).await.unwrap();
    app.clock.advance(DAY * 2);
    let admin = app.admin();

    let read = admin.get("a").await.unwrap().message;

    assert_eq!(admin.update(read.clone(), &[]).await.unwrap().message, read);
    assert_eq!(admin.update(read.clone(), &["*"]).await.unwrap().message, read);
    assert_eq!(admin.replace(read.clone()).await.unwrap().message, read);
}

#[tokio::test]
async fn the_etag_and_the_time_change_exactly_when_something_stored_changes() {
    let app = App::start().await;
    let admin = app.admin();
    let created = admin.create(sent("a")).await.unwrap().message;
    app.clock.advance(DAY / 2);

    let same = admin.update(sent("a"), &["*"]).await.unwrap().message;
    let other = admin.update(changed("a"), &["description"]).await.unwrap().message;
    let back = admin.update(sent("a"), &["description"]).await.unwrap().message;

    assert_eq!((&same.etag, same.updated_at), (&created.etag, created.updated_at));
    assert_eq!(other.updated_at, Some(timestamp("2026-03-02T00:00:00.123456Z")));
    assert_eq!((other.created_at, &other.owner), (created.created_at, &created.owner));
    assert!(
        ![&created.etag, &other.etag].contains(&&back.etag),
        "an etag never comes back"
    );
    assert_ne!(created.etag, other.etag);
}

#[tokio::test]
async fn an_etag_holds_or_the_update_is_stale() {
    let app = App::start().await;
    let admin = app.admin();
    let first = admin.create(sent("a")).await.unwrap().message;
    let with = |etag: &str| pb::Widget {
        etag: etag.into(),
        ..changed("a")
    };

    let second = admin.update(with(&first.etag), &["description"]).await.unwrap().message;

    assert_eq!(second.description, "changed");
    for etag in [
        &first.etag,
        "nonsense",
        &format!("\"{}\"", second.etag),
        &second.etag.to_uppercase(),
    ] {
        assert_eq!(
            admin.update(with(etag), &["info_url"]).await.unwrap_err(),
            stale(),
            "{etag}"
        );
    }
    let missing = pb::Widget {
        name: "b".into(),
        ..with(&second.etag)
    };
    assert_eq!(admin.update(missing.clone(), &["info_url"]).await.unwrap_err(), stale());
    let allowed = pb::UpdateWidgetRequest {
        allow_missing: true,
        ..update(missing, &["info_url"])
    };
    assert_eq!(admin.update_as(allowed).await.unwrap_err(), stale());
}

#[tokio::test]
async fn a_missing_widget_is_said_before_a_deadline_that_only_it_could_excuse() {
    let app = App::start().await;
    let late = pb::Widget {
        deadline: Some(timestamp("2020-01-01T00:00:00Z")),
        ..sent("a")
    };

    assert_eq!(
        app.admin().update(late.clone(), &["deadline"]).await.unwrap_err(),
        not_found()
    );
    let allowed = pb::UpdateWidgetRequest {
        allow_missing: true,
        ..update(late, &["deadline"])
    };
    assert_eq!(
        app.admin().update_as(allowed).await.unwrap_err(),
        Refusal::invalid(&["widget.deadline"])
    );
}

#[tokio::test]
async fn allow_missing_creates_the_whole_widget_whatever_the_mask_says() {
    let app = App::start().await;
    let admin = app.admin();
    let allowed = |widget| pb::UpdateWidgetRequest {
        allow_missing: true,
        ..update(widget, &["description"])
    };

    let refusal = admin
        .update_as(allowed(pb::Widget {
            info_url: "".into(),
            ..sent("a")
        }))
        .await
        .unwrap_err();
    let unknown = pb::Widget {
        info_url: "".into(),
        ..sent("a")
    };
    let unknown = pb::UpdateWidgetRequest {
        allow_missing: true,
        ..update(unknown, &["description", "color"])
    };
    let both = admin.update_as(unknown).await.unwrap_err();
    let created = admin.update_as(allowed(sent("a"))).await.unwrap();
    let updated = admin.update_as(allowed(changed("a"))).await.unwrap();

    assert_eq!(refusal, Refusal::invalid(&["widget.info_url"]));
    assert_eq!(both, Refusal::invalid(&["update_mask", "widget.info_url"]));
    assert_eq!(
        (created.http_status.as_str(), updated.http_status.as_str()),
        ("201", "")
    );
    assert_eq!(created.message.info_url, sent("a").info_url);
    assert_eq!(created.message.owner.unwrap().id, admin.id.to_string());
    assert_eq!(
        (updated.message.description.as_str(), updated.message.info_url),
        ("changed", sent("a").info_url)
    );
}

#[tokio::test]
async fn a_check_of_an_update_writes_nothing() {
    let app = App::start().await;
    let admin = app.admin();
    let before = admin.create(sent("a")).await.unwrap().message;
    let check = |widget| pb::UpdateWidgetRequest {
        validate_only: true,
        ..update(widget, &["*"])
    };

    let checked = admin.update_as(check(changed("a"))).await.unwrap();
    let allowed = pb::UpdateWidgetRequest {
        allow_missing: true,
        ..check(sent("b"))
    };
    let checked_new = admin.update_as(allowed).await.unwrap();

    assert_eq!(
        (checked.http_status.as_str(), checked_new.http_status.as_str()),
        ("200", "200")
    );
    assert_eq!(
        (checked.message.description.as_str(), &checked.message.etag),
        ("changed", &before.etag)
    );
    assert_eq!(admin.get("a").await.unwrap().message, before);
    assert_eq!(admin.get("b").await.unwrap_err(), not_found());
    assert_eq!(admin.update_as(check(sent("b"))).await.unwrap_err(), not_found());
    let old = pb::Widget {
        etag: "old".into(),
        ..changed("a")
    };
    assert_eq!(admin.update_as(check(old)).await.unwrap_err(), stale());
}

test_kit::on_every_engine! {
    async fn concurrent_updates_of_different_fields_all_hold(database: TestDatabase) {
        let app = App::start_on(database).await;
        let admin = app.admin();
        admin.create(sent("a")).await.unwrap();

        let fields = ["description", "info_url", "deadline"];
        let outcomes = join_all((0..30).map(|n| admin.update(changed("a"), &fields[n % 3..n % 3 + 1]))).await;

        assert!(outcomes.iter().all(Result::is_ok));
        let after = admin.get("a").await.unwrap().message;
        assert_eq!((after.description, after.info_url), (changed("a").description, changed("a").info_url));
        assert_eq!(after.deadline, changed("a").deadline);
    }

    async fn of_concurrent_updates_with_one_etag_one_is_done(database: TestDatabase) {
        let app = App::start_on(database).await;
        let admin = app.admin();
        let etag = admin.create(sent("a")).await.unwrap().message.etag;

        let version = |n| pb::Widget { description: format!("version {n}"), etag: etag.clone(), ..sent("a") };
        let outcomes = join_all((0..30).map(|n| admin.update(version(n), &["description"]))).await;

        let done: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
        assert_eq!(done.len(), 1);
        assert!(outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).all(|refusal| *refusal == stale()));
        assert_eq!(admin.get("a").await.unwrap().message, done[0].message);
    }

    async fn concurrent_upserts_of_one_name_create_it_once(database: TestDatabase) {
        let app = App::start_on(database).await;
        let admin = app.admin();

        let outcomes = join_all((0..20).map(|_| admin.replace(sent("a")))).await;

        let statuses: Vec<String> = outcomes.into_iter().map(|outcome| outcome.unwrap().http_status).collect();
        assert_eq!(statuses.iter().filter(|status| *status == "201").count(), 1);
    }
}
