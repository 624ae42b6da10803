//! What the store promises, on both engines.

mod accounts;
mod audit;
mod keys;
mod login;
mod prune;
mod revocations;
mod schema;

use auth_service::{
    audit::Origin,
    domain::Email,
    passwords::PasswordHash,
    store::{NewUser, Store, migrations},
};
use chrono::{DateTime, Utc};
use test_kit::TestDatabase;
use uuid::Uuid;

/// A store with the schema, in a database of its own.
async fn store(database: &TestDatabase) -> Store {
    migrations().up(database.database()).await.unwrap();
    Store::new(database.database().clone())
}

fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap()
}

fn new_user(email: &str, at: i64) -> NewUser {
    NewUser {
        id: Uuid::new_v4(),
        email: Email::parse(email).unwrap(),
        password_hash: PasswordHash::from_stored("a hash".to_owned()),
        admin: false,
        registered_at: time(at),
    }
}

/// A stored user.
async fn user(store: &Store, at: i64) -> NewUser {
    let user = new_user(&crate::house::fresh_email(), at);
    store.register(&user, &Origin::default()).await.unwrap();
    user
}
