use tonic::Code;

use crate::{actor::Refusal, app::App, samples::sent};

fn not_found() -> Refusal {
    Refusal::new(Code::NotFound, "WIDGET_NOT_FOUND")
}

fn stale() -> Refusal {
    Refusal::new(Code::Aborted, "WIDGET_STALE")
}

#[tokio::test]
async fn a_deleted_widget_is_gone() {
    let app = App::start().await;
    app.admin().create(sent("a")).await.unwrap();

    app.admin().delete("a", "").await.unwrap();

    assert_eq!(app.user().get("a").await.unwrap_err(), not_found());
    assert_eq!(app.admin().delete("a", "").await.unwrap_err(), not_found());
}

#[tokio::test]
async fn a_widget_is_deleted_only_if_its_etag_holds() {
    let app = App::start().await;
    let admin = app.admin();
    let first = admin.create(sent("a")).await.unwrap().message;
    let second = admin
        .update(crate::samples::described("a", "changed"), &["description"])
        .await
        .unwrap()
        .message;

    let upper = second.etag.to_uppercase();
    let quoted = format!("\"{}\"", second.etag);
    for etag in [&first.etag, "nonsense", &upper, &quoted] {
        assert_eq!(admin.delete("a", etag).await.unwrap_err(), stale(), "{etag}");
    }
    admin.delete("a", &second.etag).await.unwrap();

    assert_eq!(
        admin.delete("a", &second.etag).await.unwrap_err(),
        stale(),
        "a missing widget is stale too"
    );
}

#[tokio::test]
async fn a_name_that_cannot_be_is_a_name_of_no_widget() {
    let app = App::start().await;

    for name in ["", "Not OK", "a/b", "\0", &"x".repeat(101)] {
        assert_eq!(app.user().get(name).await.unwrap_err(), not_found(), "{name:?}");
        assert_eq!(app.admin().delete(name, "").await.unwrap_err(), not_found(), "{name:?}");
        assert_eq!(app.admin().delete(name, "etag").await.unwrap_err(), stale(), "{name:?}");
    }
}
