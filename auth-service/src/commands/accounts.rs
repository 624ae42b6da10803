//! Making administrators and setting passwords.

use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use proto::auth::v1::audit_event::Kind;
use service_kit::{
    config::{ConfigError, Secret},
    process::{StartError, say},
};
use uuid::Uuid;

use super::{failed, password::ask};
use crate::{
    AuthArgs, FirstAdministrator,
    audit::Origin,
    domain::{Email, Password, PasswordPolicy, UserId},
    passwords::{HashParams, HashPool},
    settings::NewAdministrator,
    store::{NewUser, Store},
    time::to_micros,
};

const FIRST_ADMINISTRATOR: &str = "admin@gatehouse.local";

/// Bytes of a random password: 24 characters when written.
const RANDOM_BYTES: usize = 18;

pub(crate) async fn create_admin(args: &AuthArgs, email: &str) -> Result<(), StartError> {
    let email = address(email)?;
    let store = args.open_store(&args.database()?).await?;
    if store.user_id(email.key()).await.map_err(failed)?.is_some() {
        return Err(registered(&email));
    }
    let password = ask(args.policy(), &email)?;
    let administrator = NewAdministrator {
        email: email.clone(),
        password,
    };
    match add(
        &store,
        &hasher()?,
        administrator,
        &Origin::operator(),
        to_micros(Utc::now()),
    )
    .await?
    {
        Some(id) => say(format_args!("made the administrator {} ({id})", email.as_str())),
        None => return Err(registered(&email)),
    }
    Ok(())
}

fn registered(email: &Email) -> StartError {
    let email = email.as_str();
    StartError::Refused(format!(
        "{email} is registered already. To make this user an administrator, let another administrator do so \
         (PATCH /api/v1/users/ID with {{\"admin\": true}}), or create one with another address; \
         to set its password, run `auth-service set-password --email {email}`"
    ))
}

/// Makes an administrator unless its address is registered. Of several replicas at once, one does.
pub(crate) async fn ensure_administrator(
    store: &Store,
    passwords: &HashPool,
    administrator: NewAdministrator,
    now: DateTime<Utc>,
) -> Result<(), StartError> {
    if store
        .user_id(administrator.email.key())
        .await
        .map_err(failed)?
        .is_some()
    {
        return Ok(());
    }
    add(store, passwords, administrator, &Origin::operator(), now).await?;
    Ok(())
}

/// Makes an administrator with a random password if there is none at all.
pub(crate) async fn first_administrator(
    store: &Store,
    passwords: &HashPool,
    policy: PasswordPolicy,
    now: DateTime<Utc>,
) -> Result<Option<FirstAdministrator>, StartError> {
    if store.has_administrator().await.map_err(failed)? {
        return Ok(None);
    }
    let text = random_text(policy.min_length)?;
    let unusable = |problem: &dyn std::fmt::Display| StartError::Refused(format!("{FIRST_ADMINISTRATOR}: {problem}"));
    let email = Email::parse(FIRST_ADMINISTRATOR).map_err(|problem| unusable(&problem))?;
    let password = policy.accept(&text, None).map_err(|problem| unusable(&problem))?;
    let administrator = NewAdministrator { email, password };
    let made = add(store, passwords, administrator, &Origin::operator(), now).await?;
    if made.is_none() {
        tracing::warn!("there is no administrator, and {FIRST_ADMINISTRATOR} is an ordinary user: run create-admin");
    }
    Ok(made.map(|_| FirstAdministrator {
        email: FIRST_ADMINISTRATOR.to_owned(),
        password: Secret::new(text),
    }))
}

fn random_text(least: usize) -> Result<String, StartError> {
    let mut bytes = vec![0; RANDOM_BYTES.max(least)];
    rand::fill(&mut bytes).map_err(|error| StartError::failed("making a password", error))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// `None` when the address is registered.
async fn add(
    store: &Store,
    passwords: &HashPool,
    administrator: NewAdministrator,
    origin: &Origin,
    now: DateTime<Utc>,
) -> Result<Option<UserId>, StartError> {
    let user = NewUser {
        id: Uuid::new_v4(),
        email: administrator.email,
        password_hash: hash(passwords, administrator.password).await?,
        admin: true,
        registered_at: now,
    };
    match store.register(&user, origin).await {
        Ok(()) => Ok(Some(user.id)),
        Err(error) if error.is_unique() => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

pub(crate) async fn set_password(args: &AuthArgs, email: &str) -> Result<(), StartError> {
    let email = address(email)?;
    let store = args.open_store(&args.database()?).await?;
    let unknown = || StartError::Refused(format!("{} is not registered", email.as_str()));
    let id = store.user_id(email.key()).await.map_err(failed)?.ok_or_else(unknown)?;
    let password = ask(args.policy(), &email)?;
    let password_hash = hash(&hasher()?, password).await?;

    let now = to_micros(Utc::now());
    let mut change = store.begin_change(now).await.map_err(failed)?;
    let user = change.user(id).await.map_err(failed)?.ok_or_else(unknown)?;
    change
        .set_password(id, user.generation, &password_hash)
        .await
        .map_err(failed)?;
    change.kill_tokens(id).await.map_err(failed)?;
    change.note(Origin::operator().success(Kind::PasswordChange, id, now));
    change.commit().await.map_err(failed)?;
    say(format_args!(
        "set the password of {}; all of its tokens are dead",
        email.as_str()
    ));
    Ok(())
}

fn address(text: &str) -> Result<Email, StartError> {
    let wrong = |problem| {
        ConfigError::new("--email", format!("an address: it {problem}"))
            .got(text)
            .into()
    };
    Email::parse(text).map_err(wrong)
}

fn hasher() -> Result<HashPool, StartError> {
    HashPool::new(HashParams::default(), 1, 1).map_err(|error| StartError::failed("hashing the password", error))
}

async fn hash(passwords: &HashPool, password: Password) -> Result<crate::passwords::PasswordHash, StartError> {
    let failed = |error| StartError::failed("hashing the password", error);
    let place = passwords.reserve().map_err(failed)?;
    passwords.hash(place, password).await.map_err(failed)
}
