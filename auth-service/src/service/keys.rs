//! The key set, and what a token is worth.

use access_token::{Caller, Refusal};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proto::auth::v1 as pb;
use tokio::time::Instant;

use super::Context;
use crate::{error::Error, store::StoredKey};

pub(super) async fn key_set(context: &Context) -> Result<pb::KeySet, Error> {
    context.tokens.trust.fresh(Instant::now()).await?;
    let keys = context.ring.published().iter().map(render).collect();
    Ok(pb::KeySet { keys })
}

fn render(key: &StoredKey) -> pb::JsonWebKey {
    pb::JsonWebKey {
        kty: "OKP".to_owned(),
        crv: "Ed25519".to_owned(),
        x: URL_SAFE_NO_PAD.encode(&key.public_key),
        kid: key.kid.clone(),
        r#use: "sig".to_owned(),
        alg: "EdDSA".to_owned(),
    }
}

pub(super) async fn introspect(
    context: &Context,
    request: pb::IntrospectRequest,
) -> Result<pb::IntrospectResponse, Error> {
    let arrived = Instant::now();
    match context
        .authenticator
        .authenticate(request.token.as_bytes(), arrived)
        .await
    {
        Ok(caller) => Ok(active(context, &caller)),
        Err(Refusal::Unavailable) => Err(Error::TrustUnavailable(access_token::TrustUnavailable)),
        Err(_) => Ok(pb::IntrospectResponse::default()),
    }
}

fn active(context: &Context, caller: &Caller) -> pb::IntrospectResponse {
    pb::IntrospectResponse {
        active: true,
        token_type: "Bearer".to_owned(),
        iss: context.tokens.issuer.clone(),
        sub: caller.user_id.to_string(),
        aud: context.tokens.audience.clone(),
        iat: caller.issued_at,
        exp: caller.expires_at,
        jti: caller.token_id.to_string(),
        admin: caller.admin,
        scope: if caller.admin {
            "admin".to_owned()
        } else {
            String::new()
        },
    }
}
