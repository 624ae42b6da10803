use std::time::Duration;

use proto::widget::v1 as pb;

use crate::{
    actor::Actor,
    app::{App, start_auth, unused_address, urls},
    auth::Emails,
    samples::sent,
};

/// The addresses of the owners of all widgets, by the widgets' names.
async fn emails(actor: &Actor) -> Vec<Option<String>> {
    let request = pb::ListWidgetsRequest {
        order_by: "name".into(),
        ..Default::default()
    };
    let page = actor.list(request).await.unwrap().message;
    page.widgets
        .into_iter()
        .map(|widget| widget.owner.unwrap().email)
        .collect()
}

fn some(email: &str) -> Option<String> {
    Some(email.to_owned())
}

/// A widget `a` of ada's and a widget `b` of bob's, whose addresses nobody has asked for yet.
async fn two_owners(app: &App) -> (Actor, Actor) {
    let (ada, bob) = (app.actor(true, "ada@example.com"), app.actor(true, "bob@example.com"));
    app.auth.set_emails(Emails::Refused);
    ada.create(sent("a")).await.unwrap();
    bob.create(sent("b")).await.unwrap();
    app.auth.set_emails(Emails::Told);
    app.clock.advance(Duration::from_secs(2));
    app.auth.forget_asked();
    (ada, bob)
}

#[tokio::test]
async fn a_page_asks_for_all_its_owners_at_once() {
    let app = App::start().await;
    let (ada, bob) = two_owners(&app).await;

    assert_eq!(emails(&ada).await, [some("ada@example.com"), some("bob@example.com")]);

    let mut expected = vec![ada.id, bob.id];
    expected.sort();
    assert_eq!(app.auth.asked(), [expected]);
}

#[tokio::test]
async fn an_address_is_kept_for_30_seconds() {
    let app = App::start().await;
    let (ada, bob) = two_owners(&app).await;
    emails(&ada).await;

    app.auth.add_user(bob.id, "new@example.com");
    app.clock.advance(Duration::from_millis(29_999));
    assert_eq!(emails(&ada).await[1], some("bob@example.com"));
    assert_eq!(app.auth.asked().len(), 1);

    app.clock.advance(Duration::from_millis(1));
    assert_eq!(emails(&ada).await[1], some("new@example.com"));
    assert_eq!(app.auth.asked().len(), 2);
}

#[tokio::test]
async fn the_address_of_a_deleted_user_is_gone_with_the_next_list() {
    let app = App::start().await;
    let (ada, bob) = two_owners(&app).await;
    emails(&ada).await;

    app.auth.delete_user(bob.id);

    assert_eq!(emails(&ada).await, [some("ada@example.com"), None]);
    assert_eq!(
        app.user().get("b").await.unwrap().message.owner.unwrap().id,
        bob.id.to_string()
    );
}

#[tokio::test]
async fn addresses_that_cannot_be_had_are_left_out_and_not_asked_for_each_time() {
    let app = App::start().await;
    let (ada, _) = two_owners(&app).await;
    app.auth.set_emails(Emails::Refused);

    assert_eq!(emails(&ada).await, [None, None]);
    assert_eq!(emails(&ada).await, [None, None]);
    assert_eq!(app.auth.asked().len(), 1);

    app.auth.set_emails(Emails::Told);
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(emails(&ada).await, [some("ada@example.com"), some("bob@example.com")]);
}

#[tokio::test]
async fn a_list_does_not_wait_for_an_answer_that_does_not_come() {
    let app = App::start().await;
    let (ada, _) = two_owners(&app).await;
    app.auth.set_emails(Emails::Frozen);

    assert_eq!(emails(&ada).await, [None, None]);
}

#[tokio::test]
async fn a_dead_auth_replica_is_passed_over() {
    let auth = start_auth().await;
    let replicas = urls("http", &[unused_address(), auth.addr]);
    let app = App::start_with(auth, |config| config.widget.auth_url = replicas).await;

    let created = app.admin().create(sent("a")).await.unwrap().message;

    assert_eq!(created.owner.unwrap().email, some("admin@example.com"));
}
