use proto::widget::v1 as pb;

use crate::{
    actor::{Refusal, update},
    app::App,
    samples::{changed, sent},
};

#[tokio::test]
async fn a_mask_says_what_is_written() {
    let app = App::start().await;
    let before = app.admin().create(sent("a")).await.unwrap().message;

    let after = app
        .admin()
        .update(changed("a"), &["description"])
        .await
        .unwrap()
        .message;

    assert_eq!(
        (after.description.as_str(), &after.info_url),
        ("changed", &before.info_url)
    );
    assert_eq!(after.deadline, before.deadline);
    assert_eq!(app.user().get("a").await.unwrap().message, after);
}

#[tokio::test]
async fn a_star_is_every_writable_field() {
    let app = App::start().await;
    app.admin().create(sent("a")).await.unwrap();

    let after = app.admin().update(changed("a"), &["*"]).await.unwrap().message;

    assert_eq!(
        (after.description, after.info_url),
        (changed("a").description, changed("a").info_url)
    );
    assert_eq!(after.deadline, changed("a").deadline);
    let bare = pb::Widget {
        name: "a".into(),
        ..Default::default()
    };
    let refusal = app.admin().update(bare, &["*"]).await.unwrap_err();
    assert_eq!(refusal, Refusal::invalid(&["widget.deadline", "widget.info_url"]));
}

#[tokio::test]
async fn without_a_mask_every_populated_field_is_written() {
    let app = App::start().await;
    let before = app.admin().create(sent("a")).await.unwrap().message;
    let some = pb::Widget {
        name: "a".into(),
        info_url: "https://example.com/b".into(),
        ..Default::default()
    };

    let after = app.admin().update(some.clone(), &[]).await.unwrap().message;
    let empty = pb::UpdateWidgetRequest {
        update_mask: Some(Default::default()),
        ..update(some, &[])
    };
    let again = app.admin().update_as(empty).await.unwrap().message;

    assert_eq!(
        (&after.description, after.info_url.as_str()),
        (&before.description, "https://example.com/b")
    );
    assert_eq!(again, after, "an empty mask is no mask");
}

#[tokio::test]
async fn a_mask_can_clear_a_description_but_no_required_field() {
    let app = App::start().await;
    app.admin().create(sent("a")).await.unwrap();
    let bare = pb::Widget {
        name: "a".into(),
        ..Default::default()
    };

    let cleared = app
        .admin()
        .update(bare.clone(), &["description"])
        .await
        .unwrap()
        .message;
    let refusal = app.admin().update(bare, &["info_url", "deadline"]).await.unwrap_err();

    assert_eq!(cleared.description, "");
    assert_eq!(refusal, Refusal::invalid(&["widget.deadline", "widget.info_url"]));
}

#[tokio::test]
async fn a_mask_with_anything_else_is_refused() {
    let app = App::start().await;
    app.admin().create(sent("a")).await.unwrap();
    let others = [
        "name",
        "etag",
        "created_at",
        "updated_at",
        "time_remaining",
        "deadline_passed",
        "owner",
        "owner.email",
        "color",
        "deadline.seconds",
        "infoUrl",
        "",
        "description,info_url",
    ];
    for path in others {
        let refusal = app
            .admin()
            .update(changed("a"), &["description", path])
            .await
            .unwrap_err();
        assert_eq!(refusal, Refusal::invalid(&["update_mask"]), "{path:?}");
    }
    let many: Vec<String> = (0..10_000).map(|n| format!("unknown_{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let refusal = app.admin().update(changed("a"), &many).await.unwrap_err();
    assert_eq!(refusal, Refusal::invalid(&["update_mask"]), "also when there are many");
}
