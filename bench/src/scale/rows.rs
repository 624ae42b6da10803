//! Very many rows at once, past the services.

use std::time::Duration;

use bench::Outcome;
use database::{ConnectOptions, Database, args};
use uuid::Uuid;

/// Connections with the patience for statements that write a million rows.
pub(crate) async fn patient(url: &str) -> Outcome<Database> {
    let options = ConnectOptions {
        wait: Duration::from_secs(60),
        statement_limit: Duration::from_secs(300),
        ..ConnectOptions::default()
    };
    let db = Database::connect(url, &options).await?;
    if !db.is_shared() {
        // Four indexes are built at random places: with the usual 2 MB that would be work for the disk. In KiB.
        db.execute("PRAGMA cache_size = -400000", vec![]).await?;
    }
    Ok(db)
}

/// Adds widgets of ordinary size. Each order that a list can have is another order of the rows.
pub(crate) async fn add_widgets(db: &Database, count: u32, owner: Uuid) -> Outcome<()> {
    const MICROS_2025: i64 = 1_735_689_600_000_000;
    const MICROS_2100: i64 = 4_102_444_800_000_000;
    let sql = "INSERT INTO widgets
                 (name, description, info_url, deadline, created_at, updated_at, owner_id, revision)
               WITH RECURSIVE n (i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $1)
               SELECT 'widget-' || (1000000 + i * 777767 % 1000000),
                      'A wheel with teeth that fits most machines of its time', 'https://example.com/widgets/' || i,
                      $2 + i * 48271 % 1000003 * 1000000, $3 + i * 1000000, $3 + i * 69621 % 1000033 * 1000000, $4, $4
               FROM n";
    db.execute(sql, args![i64::from(count), MICROS_2100, MICROS_2025, owner])
        .await?;
    if db.is_shared() {
        // Which autovacuum does within a minute.
        db.execute("ANALYZE widgets", vec![]).await?;
    }
    Ok(())
}

/// Revokes tokens that nobody holds.
pub(crate) async fn add_revocations(db: &Database, count: u32, expires_at: i64) -> Outcome<()> {
    let random = match db.is_shared() {
        true => "uuid_send(gen_random_uuid())",
        false => "randomblob(16)",
    };
    let mut tx = db.begin().await?;
    let counter = "UPDATE trust_state SET counter = counter + $1";
    tx.execute(counter, args![i64::from(count)]).await?;
    let sql = format!(
        "INSERT INTO revocations (number, kind, subject, floor, expires_at)
         WITH RECURSIVE n (i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $1)
         SELECT counter - i, 1, {random}, NULL, $2 FROM n, trust_state"
    );
    tx.execute(sql, args![i64::from(count), expires_at]).await?;
    Ok(tx.commit().await?)
}
