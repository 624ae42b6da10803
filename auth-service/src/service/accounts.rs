//! What users do with their own accounts.

use std::net::IpAddr;

use access_token::Caller;
use proto::auth::v1::{self as pb, audit_event::Kind};
use service_kit::violations::Violations;
use zeroize::Zeroizing;

use super::Context;
use crate::{
    audit::Origin,
    domain::{Email, Password, PasswordProblem},
    error::Error,
    store::{CLOCK_SKEW, Change, Credentials, Entry, StoredUser},
    time::{timestamp, timestamp_of_micros},
    tokens::Subject,
};

pub(super) async fn current(context: &Context, caller: &Caller) -> Result<pb::CurrentUser, Error> {
    let user = context.store.user(caller.user_id).await?.ok_or(Error::TokenRevoked)?;
    let expires_at = caller.expires_at.saturating_mul(1_000_000);
    let left = expires_at.saturating_sub(context.now().timestamp_micros()).max(0);
    Ok(pb::CurrentUser {
        id: user.id.to_string(),
        email: user.email,
        admin: user.admin,
        registered_at: Some(timestamp(user.registered_at)),
        token_expires_at: Some(timestamp_of_micros(expires_at)),
        token_expires_in: Some(prost_types::Duration {
            seconds: left / 1_000_000,
            nanos: i32::try_from(left % 1_000_000 * 1_000).unwrap_or_default(),
        }),
    })
}

pub(super) async fn log_out(context: &Context, caller: &Caller, origin: Origin) -> Result<(), Error> {
    let revocation = Entry::RevokeToken {
        token: caller.token_id,
        expires_at: caller.expires_at.saturating_mul(1_000_000).saturating_add(CLOCK_SKEW),
    };
    let event = origin.success(Kind::Logout, caller.user_id, context.now());
    Ok(context.journal.write(vec![revocation, Entry::Audit(event)]).await?)
}

pub(super) async fn log_out_everywhere(context: &Context, caller: &Caller, origin: Origin) -> Result<(), Error> {
    let now = context.now();
    let mut change = context.store.begin_change(now).await?;
    change.kill_tokens(caller.user_id).await?.ok_or(Error::TokenRevoked)?;
    change.note(origin.success(Kind::LogoutEverywhere, caller.user_id, now));
    Ok(change.commit().await?)
}

pub(super) async fn change_password(
    context: &Context,
    caller: &Caller,
    request: pb::ChangePasswordRequest,
    origin: Origin,
    client: IpAddr,
) -> Result<pb::AccessToken, Error> {
    let (current, new) = (Zeroizing::new(request.current), Zeroizing::new(request.new));
    let stored = own_credentials(context, caller).await?;
    let new = parse_change(context, &current, &new, &stored)?;

    let failure = origin.failure(Kind::PasswordChange, stored.id, context.now());
    context
        .confirm(&stored, &current, client, Entry::Audit(failure))
        .await?;
    let hash = context.passwords.hash(context.passwords.reserve()?, new).await?;
    let signer = context.tokens.signer().await?;

    let now = context.now();
    let mut change = context.store.begin_change(now).await?;
    if !change.set_password(stored.id, stored.generation, &hash).await? {
        return Err(Error::AccountChanged);
    }
    let generation = change.kill_tokens(stored.id).await?.ok_or(Error::TokenRevoked)?;
    change.note(origin.success(Kind::PasswordChange, stored.id, now));
    change.commit().await?;
    signer.issue(Subject {
        user: stored.id,
        admin: stored.admin,
        generation,
        issued_at: now.timestamp(),
    })
}

fn parse_change(context: &Context, current: &str, new: &str, stored: &Credentials) -> Result<Password, Violations> {
    let mut violations = Violations::new();
    violations.take("current", given(current));
    let email = Email::parse(&stored.email_key).ok();
    let new = violations.take("new", context.policy.accept(new, email.as_ref()));
    new.filter(|_| violations.is_empty()).ok_or(violations)
}

fn given(password: &str) -> Result<(), PasswordProblem> {
    if password.is_empty() {
        Err(PasswordProblem::Missing)
    } else {
        Ok(())
    }
}

pub(super) async fn delete_current(
    context: &Context,
    caller: &Caller,
    request: pb::DeleteCurrentUserRequest,
    origin: Origin,
    client: IpAddr,
) -> Result<(), Error> {
    let password = Zeroizing::new(request.password);
    given(&password).map_err(|problem| Violations::one("password", problem.to_string()))?;
    let stored = own_credentials(context, caller).await?;
    let failure = origin.failure(Kind::Deletion, stored.id, context.now());
    context
        .confirm(&stored, &password, client, Entry::Audit(failure))
        .await?;

    let now = context.now();
    let mut change = context.store.begin_change(now).await?;
    let user = change.user(stored.id).await?.ok_or(Error::TokenRevoked)?;
    if user.generation != stored.generation {
        return Err(Error::AccountChanged);
    }
    keep_an_administrator(&mut change, &user).await?;
    change.delete(stored.id).await?;
    change.note(origin.success(Kind::Deletion, stored.id, now));
    Ok(change.commit().await?)
}

/// What the caller's password is checked against, unless the account changed since the caller's token was checked.
async fn own_credentials(context: &Context, caller: &Caller) -> Result<Credentials, Error> {
    let stored = context
        .store
        .credentials_by_id(caller.user_id)
        .await?
        .ok_or(Error::TokenRevoked)?;
    match stored.generation == caller.generation {
        true => Ok(stored),
        false => Err(Error::AccountChanged),
    }
}

/// Refuses to go on when this user is the last enabled administrator, who is about to be one no more.
pub(super) async fn keep_an_administrator(change: &mut Change, user: &StoredUser) -> Result<(), Error> {
    let counts = user.record.admin && !user.record.disabled;
    if counts && change.enabled_administrators().await? <= 1 {
        return Err(Error::LastAdministrator);
    }
    Ok(())
}
