//! What administrators do with users.

use proto::auth::v1 as pb;
use tonic::Code;
use uuid::Uuid;

use crate::house::{House, PASSWORD, User, fields, refusal, refused, said};

fn update(id: &str, paths: Option<&[&str]>, user: pb::User) -> pb::UpdateUserRequest {
    pb::UpdateUserRequest {
        user: Some(pb::User {
            id: id.to_owned(),
            ..user
        }),
        update_mask: paths.map(|paths| prost_types::FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }),
        validate_only: false,
    }
}

async fn get(admin: &User, id: &str) -> Result<pb::User, tonic::Status> {
    admin.get_user(pb::GetUserRequest { id: id.to_owned() }).await
}

#[tokio::test]
async fn disabling_kills_tokens_and_logins_and_enabling_lets_in_again() {
    let house = House::start().await;
    let (admin, user) = (house.admin().await, house.user().await);

    let shown = admin.set(user.id, None, Some(true)).await.unwrap();

    assert!(shown.disabled);
    user.is_out().await;
    let login = house.nobody.login(&user.email, PASSWORD).await;
    assert_eq!(refusal(login), said(Code::Unauthenticated, "BAD_CREDENTIALS"));
    admin.set(user.id, None, Some(false)).await.unwrap();
    user.is_out().await;
    house.nobody.login(&user.email, PASSWORD).await.unwrap().is_in().await;
}

#[tokio::test]
async fn promotion_and_demotion_kill_the_tokens_that_say_otherwise() {
    let house = House::start().await;
    let (admin, user) = (house.admin().await, house.user().await);

    admin.set(user.id, Some(true), None).await.unwrap();
    user.is_out().await;
    let promoted = house.nobody.login(&user.email, PASSWORD).await.unwrap();
    get(&promoted, &user.id.to_string()).await.unwrap();

    admin.set(user.id, Some(false), None).await.unwrap();
    promoted.is_out().await;
    let demoted = house.nobody.login(&user.email, PASSWORD).await.unwrap();
    assert_eq!(
        refusal(get(&demoted, &user.id.to_string()).await),
        said(Code::PermissionDenied, "ADMIN_REQUIRED")
    );
}

#[tokio::test]
async fn an_update_that_changes_nothing_kills_nothing() {
    let house = House::start().await;
    let (admin, user) = (house.admin().await, house.user().await);

    admin.set(user.id, Some(false), Some(false)).await.unwrap();

    user.is_in().await;
}

#[tokio::test]
async fn a_mask_says_what_is_written() {
    let house = House::start().await;
    let (admin, user) = (house.admin().await, house.user().await);
    let id = user.id.to_string();
    let both = pb::User {
        admin: true,
        disabled: true,
        ..Default::default()
    };
    let roles = |user: pb::User| (user.admin, user.disabled);

    let only_admin = admin
        .update_user(update(&id, Some(&["admin"]), both.clone()))
        .await
        .unwrap();
    assert_eq!(roles(only_admin), (true, false));
    let populated = pb::User {
        disabled: true,
        ..Default::default()
    };
    let no_mask = admin.update_user(update(&id, None, populated)).await.unwrap();
    assert_eq!(roles(no_mask), (true, true));
    let star = admin
        .update_user(update(&id, Some(&["*"]), pb::User::default()))
        .await
        .unwrap();
    assert_eq!(roles(star), (false, false));
    for path in ["email", "id", "registered_at", "color", ""] {
        let status = admin
            .update_user(update(&id, Some(&["admin", path]), both.clone()))
            .await
            .unwrap_err();
        assert_eq!(fields(&status), ["update_mask"], "{path}");
    }
    assert_eq!(roles(get(&admin, &id).await.unwrap()), (false, false));
}

#[tokio::test]
async fn a_checked_update_answers_as_if_and_changes_nothing() {
    let house = House::start().await;
    let (admin, user) = (house.admin().await, house.user().await);
    let check = |id: Uuid, user: pb::User| pb::UpdateUserRequest {
        validate_only: true,
        ..update(&id.to_string(), Some(&["*"]), user)
    };
    let disabled = pb::User {
        disabled: true,
        ..Default::default()
    };

    assert!(
        admin
            .update_user(check(user.id, disabled.clone()))
            .await
            .unwrap()
            .disabled
    );
    assert_eq!(
        refusal(admin.update_user(check(Uuid::new_v4(), disabled.clone())).await).1,
        "USER_NOT_FOUND"
    );
    assert_eq!(
        refusal(admin.update_user(check(admin.id, disabled)).await).1,
        "LAST_ADMINISTRATOR"
    );

    user.is_in().await;
    assert!(!get(&admin, &user.id.to_string()).await.unwrap().disabled);
}

#[tokio::test]
async fn what_is_no_id_is_nobody() {
    let house = House::start().await;
    let admin = house.admin().await;
    let nobody = said(Code::NotFound, "USER_NOT_FOUND");
    let compact = admin.id.simple().to_string();

    for id in [
        Uuid::new_v4().to_string().as_str(),
        "",
        "x",
        "../etc/passwd",
        "' OR 1=1 --",
        &compact,
    ] {
        assert_eq!(refusal(get(&admin, id).await), nobody, "{id}");
        assert_eq!(
            refusal(admin.delete_user(pb::DeleteUserRequest { id: id.to_owned() }).await),
            nobody,
            "{id}"
        );
        let request = update(id, Some(&["admin"]), pb::User::default());
        assert_eq!(refusal(admin.update_user(request).await), nobody, "{id}");
    }
    let status = admin.update_user(pb::UpdateUserRequest::default()).await.unwrap_err();
    assert_eq!(
        (refused(&status).1.as_str(), fields(&status)),
        ("INVALID_FIELDS", vec!["user".to_owned()])
    );
}

#[tokio::test]
async fn a_deleted_user_is_gone_with_its_tokens() {
    let house = House::start().await;
    let (admin, user) = (house.admin().await, house.user().await);

    admin
        .delete_user(pb::DeleteUserRequest {
            id: user.id.to_string(),
        })
        .await
        .unwrap();

    user.is_out().await;
    assert_eq!(refusal(get(&admin, &user.id.to_string()).await).1, "USER_NOT_FOUND");
    house.nobody.register(&user.email).await.unwrap();
    user.is_out().await;
}

#[tokio::test]
async fn users_are_listed_in_pages_both_ways() {
    let house = House::start().await;
    let admin = house.admin().await;
    let mut expected = vec![admin.id.to_string()];
    for _ in 0..6 {
        house.advance(1);
        expected.push(house.user().await.id.to_string());
    }
    let page = async |token: &str, count_total| {
        let request = pb::ListUsersRequest {
            page_size: 3,
            page_token: token.to_owned(),
            count_total,
        };
        admin.list_users(request).await.unwrap()
    };
    let ids = |page: &pb::ListUsersResponse| page.users.iter().map(|user| user.id.clone()).collect::<Vec<_>>();

    let first = page("", true).await;
    let second = page(&first.next_page_token, false).await;
    let third = page(&second.next_page_token, false).await;
    let back = page(&third.prev_page_token, false).await;

    assert_eq!([ids(&first), ids(&second), ids(&third)].concat(), expected);
    assert_eq!(
        (first.prev_page_token.as_str(), third.next_page_token.as_str()),
        ("", "")
    );
    assert_eq!((first.total_size, second.total_size), (Some(7), None));
    assert_eq!(ids(&back), ids(&second));
    assert_eq!(ids(&page(&back.prev_page_token, false).await), ids(&first));
    assert_eq!(page(&back.prev_page_token, false).await.prev_page_token, "");
}

#[tokio::test]
async fn bad_pages_are_named() {
    let house = House::start().await;
    let admin = house.admin().await;
    house.user().await;
    let list = async |page_size, page_token: &str| {
        let request = pb::ListUsersRequest {
            page_size,
            page_token: page_token.to_owned(),
            count_total: false,
        };
        admin.list_users(request).await
    };
    let good = list(1, "").await.unwrap().next_page_token;

    let status = list(-1, "damaged").await.unwrap_err();
    assert_eq!(fields(&status), ["page_size", "page_token"]);
    let damaged = format!(
        "{}{}",
        &good[..good.len() - 1],
        if good.ends_with('A') { 'B' } else { 'A' }
    );
    assert_eq!(fields(&list(1, &damaged).await.unwrap_err()), ["page_token"]);
    assert_eq!(list(5_000, &good).await.unwrap().users.len(), 1);
}

#[tokio::test]
async fn services_look_up_addresses_and_leave_out_who_is_not_there() {
    let house = House::start().await;
    let user = house.user().await;
    let look_up = async |ids: Vec<String>| {
        let request = house
            .nobody
            .request(pb::BatchGetUsersRequest { ids }, Some(crate::house::SERVICE_TOKEN));
        house
            .nobody
            .trust
            .clone()
            .batch_get_users(request)
            .await
            .map(|reply| reply.into_inner().users)
    };

    let ids = vec![
        user.id.to_string(),
        Uuid::new_v4().to_string(),
        "no id".to_owned(),
        user.id.to_string(),
    ];
    let found = look_up(ids).await.unwrap();
    assert_eq!(
        found,
        [pb::UserAddress {
            id: user.id.to_string(),
            email: user.email.clone()
        }]
    );
    assert_eq!(look_up(vec![]).await.unwrap(), []);
    assert_eq!(look_up(vec![user.id.to_string(); 1_000]).await.unwrap().len(), 1);
    let status = look_up(vec![user.id.to_string(); 1_001]).await.unwrap_err();
    assert_eq!(fields(&status), ["ids"]);
}
