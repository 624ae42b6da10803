use proto::widget::v1 as pb;
use test_kit::{FixedClock, attacks};
use tonic::{
    Code, Request,
    metadata::{Ascii, MetadataValue},
};
use tonic_types::StatusExt;

use crate::{
    actor::{Actor, Outcome, Refusal},
    app::App,
    samples::sent,
};

/// What came of calling every method, by name.
async fn call_everything(actor: &Actor) -> [(&'static str, Option<Refusal>); 6] {
    fn refused<T>(outcome: Outcome<T>) -> Option<Refusal> {
        outcome.err()
    }
    [
        ("list", refused(actor.list(Default::default()).await)),
        ("get", refused(actor.get("a").await)),
        ("create", refused(actor.create(sent("b")).await)),
        ("update", refused(actor.update(sent("a"), &[]).await)),
        ("replace", refused(actor.replace(sent("a")).await)),
        ("delete", refused(actor.delete("a", "").await)),
    ]
}

#[tokio::test]
async fn nobody_does_anything_without_a_token() {
    let app = App::start().await;

    for (method, refusal) in call_everything(&app.anonymous()).await {
        assert_eq!(
            refusal,
            Some(Refusal::new(Code::Unauthenticated, "TOKEN_MISSING")),
            "{method}"
        );
    }
}

#[tokio::test]
async fn users_read_and_administrators_write() {
    let app = App::start().await;
    app.admin().create(sent("a")).await.unwrap();
    let refused = Refusal::new(Code::PermissionDenied, "ADMIN_REQUIRED");

    for (method, refusal) in call_everything(&app.user()).await {
        let expected = (!["list", "get"].contains(&method)).then_some(&refused);
        assert_eq!(refusal.as_ref(), expected, "{method}");
    }
    for (method, refusal) in call_everything(&app.admin()).await {
        assert_eq!(refusal, None, "{method}");
    }
}

#[tokio::test]
async fn a_refused_caller_learns_nothing_about_its_fields() {
    let app = App::start().await;

    let refusal = app.user().create(pb::Widget::default()).await.unwrap_err();

    assert_eq!(refusal, Refusal::new(Code::PermissionDenied, "ADMIN_REQUIRED"));
}

#[tokio::test]
async fn a_token_is_dead_after_logout_and_after_its_users_deletion() {
    let app = App::start().await;
    let (out, deleted, other) = (app.admin(), app.admin(), app.admin());
    for actor in [&out, &deleted] {
        actor.list(Default::default()).await.unwrap();
    }

    app.auth.log_out(out.token_id);
    app.auth.delete_user(deleted.id);

    let revoked = Refusal::new(Code::Unauthenticated, "TOKEN_REVOKED");
    for actor in [&out, &deleted] {
        assert_eq!(actor.create(sent("a")).await.unwrap_err(), revoked);
    }
    assert!(other.create(sent("a")).await.is_ok());
}

#[tokio::test]
async fn while_the_auth_service_is_away_nothing_is_decided() {
    let app = App::start().await;
    let admin = app.admin();
    admin.create(sent("a")).await.unwrap();

    app.auth.go_away();

    let refusal = admin.get("a").await.unwrap_err();
    let expected = Refusal::new(Code::Unavailable, "TRUST_UNAVAILABLE");
    assert_eq!(
        refusal,
        Refusal {
            has_retry_delay: true,
            ..expected
        }
    );
}

#[tokio::test]
async fn every_forged_token_is_refused_as_it_deserves() {
    let app = App::start().await;
    let attacks = attacks(&app.mint, FixedClock::seconds(&app.clock)(), "http://127.0.0.1:1/keys");
    assert!(attacks.len() > 50);

    for attack in attacks {
        let mut request = Request::new(pb::ListWidgetsRequest::default());
        for value in &attack.authorization {
            let value = MetadataValue::<Ascii>::try_from(value.as_slice()).unwrap();
            request.metadata_mut().append("authorization", value);
        }
        let status = app.anonymous().client.list_widgets(request).await.unwrap_err();
        let reason = status.get_error_details().error_info().map(|info| info.reason.clone());
        assert_eq!(
            (status.code(), reason.as_deref()),
            (attack.code, Some(attack.reason)),
            "{}",
            attack.name
        );
        let challenge = status.metadata().get("www-authenticate").unwrap();
        assert_eq!(challenge, attack.www_authenticate, "{}", attack.name);
    }
}
