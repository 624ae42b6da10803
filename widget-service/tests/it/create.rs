use futures_util::future::join_all;
use prost_types::{Duration, Timestamp};
use proto::widget::v1 as pb;
use test_kit::TestDatabase;
use tonic::Code;

use crate::{
    actor::Refusal,
    app::App,
    samples::{sent, timestamp},
};

#[tokio::test]
async fn a_created_widget_is_shown_as_it_was_sent_with_what_the_service_adds() {
    let app = App::start().await;
    let admin = app.admin();

    let created = admin.create(sent("sprocket-9")).await.unwrap();

    let now = Some(timestamp("2026-03-01T12:00:00.123456Z"));
    let expected = pb::Widget {
        created_at: now,
        updated_at: now,
        time_remaining: Some(Duration {
            seconds: 2_330_035_199,
            nanos: 876_544_000,
        }),
        deadline_passed: false,
        owner: Some(pb::Owner {
            id: admin.id.to_string(),
            email: Some("admin@example.com".into()),
        }),
        etag: created.message.etag.clone(),
        ..sent("sprocket-9")
    };
    assert_eq!(created.message, expected);
    assert_eq!(created.http_status, "", "201 is the method's own");
    assert!(!created.message.etag.is_empty() && !created.message.etag.contains('"'));
    assert_eq!(app.user().get("sprocket-9").await.unwrap().message, expected);
}

#[tokio::test]
async fn create_names_every_bad_field_at_once() {
    let app = App::start().await;
    let bad = pb::Widget {
        name: "Not OK".into(),
        description: "x".repeat(2_001),
        info_url: "nowhere".into(),
        deadline: Some(timestamp("2026-02-28T23:59:59Z")),
        ..Default::default()
    };

    let refusal = app.admin().create(bad).await.unwrap_err();

    let fields = [
        "widget.deadline",
        "widget.description",
        "widget.info_url",
        "widget.name",
    ];
    assert_eq!(refusal, Refusal::invalid(&fields));
}

#[tokio::test]
async fn name_info_url_and_deadline_are_required() {
    let app = App::start().await;
    let required = Refusal::invalid(&["widget.deadline", "widget.info_url", "widget.name"]);

    assert_eq!(app.admin().create(pb::Widget::default()).await.unwrap_err(), required);
    assert_eq!(
        app.admin()
            .create_as(pb::CreateWidgetRequest::default())
            .await
            .unwrap_err(),
        required
    );
}

#[tokio::test]
async fn a_deadline_today_is_open_whatever_the_time_of_day() {
    let app = App::start().await;

    let earlier = pb::Widget {
        deadline: Some(timestamp("2026-03-01T00:00:00Z")),
        ..sent("today")
    };
    let created = app.admin().create(earlier).await.unwrap().message;

    assert!(created.deadline_passed);
    assert_eq!(created.time_remaining, Some(Duration::default()));
}

#[tokio::test]
async fn a_deadline_that_is_no_time_is_named_and_breaks_nothing() {
    let app = App::start().await;
    for (seconds, nanos) in [
        (0, -1),
        (4_102_444_800, 1_000_000_000),
        (253_402_300_800, 0),
        (i64::MAX, i32::MAX),
        (i64::MIN, i32::MIN),
    ] {
        let bad = pb::Widget {
            deadline: Some(Timestamp { seconds, nanos }),
            ..sent("a")
        };
        assert_eq!(
            app.admin().create(bad).await.unwrap_err(),
            Refusal::invalid(&["widget.deadline"])
        );
    }
}

#[tokio::test]
async fn a_deadline_is_stored_to_the_microsecond() {
    let app = App::start().await;
    let fine = pb::Widget {
        deadline: Some(timestamp("2099-12-31T12:00:00.123456789Z")),
        ..sent("a")
    };

    let created = app.admin().create(fine).await.unwrap().message;

    assert_eq!(created.deadline, Some(timestamp("2099-12-31T12:00:00.123456Z")));
    assert_eq!(app.user().get("a").await.unwrap().message.deadline, created.deadline);
}

#[tokio::test]
async fn output_only_fields_are_parsed_and_ignored() {
    let app = App::start().await;
    let admin = app.admin();
    let forged = pb::Widget {
        created_at: Some(Timestamp {
            seconds: i64::MAX,
            nanos: -1,
        }),
        updated_at: Some(Timestamp::default()),
        time_remaining: Some(Duration {
            seconds: i64::MIN,
            nanos: i32::MAX,
        }),
        deadline_passed: true,
        owner: Some(pb::Owner {
            id: "somebody else".into(),
            email: Some("else@example.com".into()),
        }),
        ..sent("a")
    };

    let created = admin.create(forged).await.unwrap().message;

    assert_eq!(created.created_at, Some(timestamp("2026-03-01T12:00:00.123456Z")));
    assert_eq!(created.owner.unwrap().id, admin.id.to_string());
    assert!(!created.deadline_passed);
}

#[tokio::test]
async fn a_taken_name_is_said() {
    let app = App::start().await;
    app.admin().create(sent("a")).await.unwrap();

    let refusal = app.admin().create(sent("a")).await.unwrap_err();

    assert_eq!(refusal, Refusal::new(Code::AlreadyExists, "WIDGET_EXISTS"));
}

#[tokio::test]
async fn a_check_answers_with_the_widget_that_would_be_and_writes_nothing() {
    let app = App::start().await;
    let check = |name| pb::CreateWidgetRequest {
        widget: Some(sent(name)),
        validate_only: true,
    };
    app.admin().create(sent("taken")).await.unwrap();

    let checked = app.admin().create_as(check("free")).await.unwrap();

    assert_eq!(checked.http_status, "200");
    assert_eq!(
        (checked.message.name.as_str(), checked.message.etag.as_str()),
        ("free", "")
    );
    let missing = Refusal::new(Code::NotFound, "WIDGET_NOT_FOUND");
    assert_eq!(app.user().get("free").await.unwrap_err(), missing);
    let taken = app.admin().create_as(check("taken")).await.unwrap_err();
    assert_eq!(taken, Refusal::new(Code::AlreadyExists, "WIDGET_EXISTS"));
    let invalid = app.admin().create_as(check("Not OK")).await.unwrap_err();
    assert_eq!(invalid, Refusal::invalid(&["widget.name"]));
}

test_kit::on_every_engine! {
    async fn of_200_concurrent_creations_of_one_name_one_succeeds_and_199_are_told(database: TestDatabase) {
        let app = App::start_on(database).await;
        let admin = app.admin();

        let outcomes = join_all((0..200).map(|_| admin.create(sent("contested")))).await;

        let told = Refusal::new(Code::AlreadyExists, "WIDGET_EXISTS");
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert_eq!(outcomes.iter().filter(|outcome| outcome.as_ref().is_err_and(|error| *error == told)).count(), 199);
    }
}
