//! What administrators do with the accounts of others.

use proto::auth::v1::{self as pb, audit_event::Kind};
use service_kit::{
    mask,
    page::{self, Direction, Part, Position},
    violations::Violations,
};
use uuid::Uuid;

use super::{Context, accounts::keep_an_administrator};
use crate::{
    audit::Origin,
    domain::{UserId, UserRecord},
    error::Error,
    store::{Change, StoredUser, UserPosition},
    time::timestamp,
};

const WRITABLE: [&str; 2] = ["admin", "disabled"];

pub(super) async fn list(context: &Context, request: pb::ListUsersRequest) -> Result<pb::ListUsersResponse, Error> {
    let mut violations = Violations::new();
    let size = violations.take("page_size", page::size(request.page_size));
    let position = violations.take("page_token", position(&request.page_token));
    let (Some(size), Some(position)) = (size, position) else {
        return Err(violations.into());
    };

    let mut users = context.store.users(position, size + 1).await?;
    let total_size = match request.count_total {
        true => Some(i32::try_from(context.store.count_users().await?).unwrap_or(i32::MAX)),
        false => None,
    };

    let more = users.len() > size as usize;
    users.truncate(size as usize);
    let (before, after) = match position {
        UserPosition::Start => (false, more),
        UserPosition::After(..) => (true, more),
        UserPosition::Before(..) => (more, true),
    };
    if matches!(position, UserPosition::Before(..)) {
        users.reverse();
    }
    let token = |user: Option<&UserRecord>, there: bool, direction| match user.filter(|_| there) {
        Some(user) => token(user, direction),
        None => String::new(),
    };
    Ok(pb::ListUsersResponse {
        next_page_token: token(users.last(), after, Direction::Forward),
        prev_page_token: token(users.first(), before, Direction::Backward),
        total_size,
        users: users.into_iter().map(render).collect(),
    })
}

fn token(user: &UserRecord, direction: Direction) -> String {
    let key = vec![
        Part::Int(user.registered_at.timestamp_micros()),
        Part::Text(user.id.to_string()),
    ];
    Position { direction, key }.to_token(&["users"])
}

fn position(token: &str) -> Result<UserPosition, page::InvalidToken> {
    if token.is_empty() {
        return Ok(UserPosition::Start);
    }
    let Position { direction, key } = Position::from_token(token, &["users"])?;
    let [Part::Int(at), Part::Text(id)] = &key[..] else {
        return Err(page::InvalidToken);
    };
    let id = Uuid::try_parse(id).map_err(|_| page::InvalidToken)?;
    Ok(match direction {
        Direction::Forward => UserPosition::After(*at, id),
        Direction::Backward => UserPosition::Before(*at, id),
    })
}

pub(super) async fn get(context: &Context, request: pb::GetUserRequest) -> Result<pb::User, Error> {
    let id = user_id(&request.id)?;
    let user = context.store.user(id).await?.ok_or(Error::UserNotFound)?;
    Ok(render(user))
}

/// The roles to write. `None` leaves one as it is.
#[derive(Clone, Copy, Debug)]
struct Roles {
    admin: Option<bool>,
    disabled: Option<bool>,
}

pub(super) async fn update(
    context: &Context,
    request: pb::UpdateUserRequest,
    origin: Origin,
) -> Result<pb::User, Error> {
    let (id, roles) = parse(&request)?;
    let now = context.now();
    let mut change = context.store.begin_change(now).await?;
    let before = change.user(id).await?.ok_or(Error::UserNotFound)?;
    let after = UserRecord {
        admin: roles.admin.unwrap_or(before.record.admin),
        disabled: roles.disabled.unwrap_or(before.record.disabled),
        ..before.record.clone()
    };
    if !after.admin || after.disabled {
        keep_an_administrator(&mut change, &before).await?;
    }
    if after != before.record && !request.validate_only {
        apply(&mut change, &before, &after).await?;
        for kind in kinds(&before.record, &after) {
            change.note(origin.success(kind, id, now));
        }
        change.commit().await?;
    }
    Ok(render(after))
}

fn parse(request: &pb::UpdateUserRequest) -> Result<(UserId, Roles), Error> {
    let mut violations = Violations::new();
    let user = violations.take("user", request.user.as_ref().ok_or("must be given"));
    let mask = violations.take("update_mask", mask::parse(request.update_mask.as_ref(), &WRITABLE));
    let (Some(user), Some(mask)) = (user, mask) else {
        return Err(violations.into());
    };
    // Without a mask, what is populated: a boolean that is false is not.
    let wanted = |field, value: bool| match &mask {
        Some(mask) => mask.contains(field).then_some(value),
        None => value.then_some(true),
    };
    let roles = Roles {
        admin: wanted("admin", user.admin),
        disabled: wanted("disabled", user.disabled),
    };
    Ok((user_id(&user.id)?, roles))
}

/// Whatever lets a user do more or less than its tokens say kills them. Being enabled again does not: a disabled user
/// has none.
async fn apply(change: &mut Change, before: &StoredUser, after: &UserRecord) -> Result<(), Error> {
    change.set_roles(after.id, after.admin, after.disabled).await?;
    if after.admin != before.record.admin || after.disabled && !before.record.disabled {
        change.kill_tokens(after.id).await?.ok_or(Error::UserNotFound)?;
    }
    Ok(())
}

fn kinds(before: &UserRecord, after: &UserRecord) -> Vec<Kind> {
    let role = (before.admin != after.admin).then_some(Kind::RoleChange);
    let able = match (before.disabled, after.disabled) {
        (false, true) => Some(Kind::Disable),
        (true, false) => Some(Kind::Enable),
        _ => None,
    };
    role.into_iter().chain(able).collect()
}

pub(super) async fn delete(context: &Context, request: pb::DeleteUserRequest, origin: Origin) -> Result<(), Error> {
    let id = user_id(&request.id)?;
    let now = context.now();
    let mut change = context.store.begin_change(now).await?;
    let user = change.user(id).await?.ok_or(Error::UserNotFound)?;
    keep_an_administrator(&mut change, &user).await?;
    change.delete(id).await?;
    change.note(origin.success(Kind::Deletion, id, now));
    Ok(change.commit().await?)
}

/// What is no id is nobody's id.
fn user_id(text: &str) -> Result<UserId, Error> {
    let hyphenated = text.len() == uuid::fmt::Hyphenated::LENGTH;
    Uuid::try_parse(text)
        .ok()
        .filter(|_| hyphenated)
        .ok_or(Error::UserNotFound)
}

fn render(user: UserRecord) -> pb::User {
    pb::User {
        id: user.id.to_string(),
        email: user.email,
        admin: user.admin,
        disabled: user.disabled,
        registered_at: Some(timestamp(user.registered_at)),
    }
}
