//! Registering and logging in.

use std::net::IpAddr;

use proto::auth::v1::{self as pb, audit_event::Kind};
use service_kit::violations::Violations;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::Context;
use crate::{
    audit::Origin,
    domain::{Email, Password},
    error::Error,
    passwords::Verified,
    store::{Credentials, Entry, FIRST_GENERATION, NewUser},
    tokens::Subject,
};

/// A checked registration. `None` when only the check was asked for.
pub(super) async fn register(
    context: &Context,
    request: pb::RegisterRequest,
    origin: Origin,
    client: IpAddr,
) -> Result<Option<pb::AccessToken>, Error> {
    if !context.registration_open {
        return Err(Error::RegistrationClosed);
    }
    let validate_only = request.validate_only;
    let (email, password) = parse(context, request)?;
    if validate_only {
        return Ok(None);
    }
    let place = context.passwords.reserve()?;
    context.throttle.admit_registration(client)?;
    let password_hash = context.passwords.hash(place, password).await?;
    let signer = context.tokens.signer().await?;
    let user = NewUser {
        id: Uuid::new_v4(),
        email,
        password_hash,
        admin: false,
        registered_at: context.now(),
    };
    context
        .store
        .register(&user, &origin.by(user.id))
        .await
        .map_err(taken)?;
    let subject = Subject {
        user: user.id,
        admin: false,
        generation: FIRST_GENERATION,
        issued_at: user.registered_at.timestamp(),
    };
    signer.issue(subject).map(Some)
}

fn parse(context: &Context, request: pb::RegisterRequest) -> Result<(Email, Password), Violations> {
    let password = Zeroizing::new(request.password);
    let mut violations = Violations::new();
    let email = violations.take("email", Email::parse(&request.email));
    let password = violations.take("password", context.policy.accept(&password, email.as_ref()));
    match (email, password) {
        (Some(email), Some(password)) => Ok((email, password)),
        _ => Err(violations),
    }
}

/// A unique violation is an address that somebody registered.
pub(crate) fn taken(error: database::Error) -> Error {
    match error.is_unique() {
        true => Error::EmailTaken,
        false => Error::Store(error),
    }
}

/// Every refusal is [`Error::BadCredentials`], after the same work: one look-up, one hash, one write.
pub(super) async fn log_in(
    context: &Context,
    request: pb::LoginRequest,
    origin: Origin,
    client: IpAddr,
) -> Result<pb::AccessToken, Error> {
    let given = Zeroizing::new(request.password);
    let account = Email::key_of(&request.email);

    let place = context.passwords.reserve()?;
    let attempt = context.throttle.admit(&account, client).await?;
    let issued_at = context.tokens.now();
    let found = context.store.credentials_by_address(&account).await?;
    let user = found.as_ref().filter(|user| !user.disabled);
    let hash = user.map(|user| user.password_hash.clone());
    let verified = context
        .passwords
        .verify(place, Password::parse(&given).ok(), hash)
        .await?;

    let (Some(user), Verified::Right { rehashed }) = (user, verified) else {
        let target = found.map(|user| user.id.to_string()).unwrap_or_default();
        let mut entries = vec![Entry::Audit(origin.failure(Kind::Login, target, context.now()))];
        entries.extend(context.throttle.failed(&attempt));
        context.journal.write(entries).await?;
        return Err(Error::BadCredentials);
    };
    if let Some(new) = rehashed {
        context.store.rehash(user.id, &user.password_hash, &new).await?;
    }
    let event = origin.by(user.id).success(Kind::Login, user.id, context.now());
    let mut entries = vec![Entry::Audit(event)];
    entries.extend(context.throttle.succeeded(&attempt));
    context.journal.write(entries).await?;
    context.tokens.signer().await?.issue(subject(user, issued_at))
}

fn subject(user: &Credentials, issued_at: i64) -> Subject {
    Subject {
        user: user.id,
        admin: user.admin,
        generation: user.generation,
        issued_at,
    }
}
