//! The deepest page beside the first.

use std::time::{Duration, Instant};

use bench::{
    Outcome,
    grpc::{bearer, with},
    house::House,
    load::middle,
};
use chrono::DateTime;
use database::{Database, args};
use proto::{
    auth::v1::{GetCurrentUserRequest, auth_service_client::AuthServiceClient},
    widget::v1::{ListWidgetsRequest, ListWidgetsResponse, widget_service_client::WidgetServiceClient},
};
use service_kit::page::Direction;
use test_kit::TestDatabase;
use tonic::{metadata::AsciiMetadataValue, transport::Channel};
use widget_service::domain::{NamePrefix, Order, Position, SortKey};

use super::rows::{add_widgets, patient};

/// Calls of each kind.
const CALLS: usize = 300;
const SIZE: i64 = 50;
/// Every tenth widget.
const PREFIX: &str = "widget-15";
const LISTS: [(&str, &str); 5] = [
    ("created_at", ""),
    ("updated_at desc", ""),
    ("name", ""),
    ("name", PREFIX),
    ("created_at", PREFIX),
];

pub(crate) async fn run(rows: u32) -> Outcome<()> {
    println!("pages of {SIZE} out of {rows} widgets: medians of {CALLS} calls by gRPC, one after the other, in ms");
    on("SQLite", TestDatabase::sqlite().await, rows).await?;
    match TestDatabase::postgres().await {
        Some(database) => on("PostgreSQL", database, rows).await,
        None => Ok(()),
    }
}

async fn on(engine: &str, database: TestDatabase, rows: u32) -> Outcome<()> {
    let db = patient(database.url()).await?;
    widget_service::migrations().up(&db).await?;
    let folder = tempfile::tempdir()?;
    // Asking for a fresh view costs every page the same: without it, differences are not hidden.
    let settings = [("WIDGET_DATABASE_URL", database.url()), ("TRUST_MAX_STALENESS", "1m")];
    let house = House::start(folder.path(), &settings).await?;
    let mut reader = Reader::of(&house).await?;
    let began = Instant::now();
    add_widgets(&db, rows, reader.id().await?).await?;
    println!("  {engine} (rows written in {:.0} s)", began.elapsed().as_secs_f64());
    println!(
        "    order and prefix              first   the last     ×   the last but one, back     ×   the first, back     ×"
    );
    for (order, prefix) in LISTS {
        let list = List {
            order: order.parse()?,
            prefix: NamePrefix::new(prefix),
        };
        let [first, last, before_last, again] = reader.measure(&list, &list.places(&db).await?).await?;
        let ratio = |took: f64| took / first;
        println!(
            "    {:<27} {first:>7.3}    {last:>7.3}  {:>4.2}                  {before_last:>7.3}  {:>4.2}           {again:>7.3}  {:>4.2}",
            format!("{order} {prefix}"),
            ratio(last),
            ratio(before_last),
            ratio(again)
        );
    }
    house.stop().await
}

struct List {
    order: Order,
    prefix: Option<NamePrefix>,
}

impl List {
    /// The tokens of four pages: the first, the last, the one before that read backward, the first read backward.
    async fn places(&self, db: &Database) -> Outcome<[String; 4]> {
        let opposite = Order {
            descending: !self.order.descending,
            ..self.order
        };
        let last = self.at(db, opposite, SIZE - 1).await?;
        let second = self.at(db, self.order, SIZE).await?;
        let token = |place: &Position, direction| {
            let place = Position {
                direction,
                ..place.clone()
            };
            place.to_token(self.order, self.prefix.as_ref())
        };
        Ok([
            String::new(),
            token(&last, Direction::Forward),
            token(&last, Direction::Backward),
            token(&second, Direction::Backward),
        ])
    }

    /// The widget with so many before it.
    async fn at(&self, db: &Database, order: Order, rank: i64) -> Outcome<Position> {
        let way = if order.descending { "DESC" } else { "ASC" };
        let key = order.key.name();
        let (from, to) = self
            .prefix
            .as_ref()
            .map_or((String::new(), "~".into()), NamePrefix::range);
        let sql = format!(
            "SELECT name, created_at, updated_at FROM widgets WHERE name >= $1 AND name < $2
             ORDER BY {key} {way}, name {way} LIMIT 1 OFFSET $3"
        );
        let row = db.fetch_one(sql, args![from, to, rank]).await?;
        let time = match order.key {
            SortKey::Name => None,
            key => DateTime::from_timestamp_micros(row.get(key.name())?),
        };
        Ok(Position {
            direction: Direction::Forward,
            time,
            name: row.get::<String>("name")?.parse().map_err(|_| "a bad name")?,
        })
    }
}

/// A user that reads lists.
struct Reader {
    auth: AuthServiceClient<Channel>,
    widgets: WidgetServiceClient<Channel>,
    bearer: AsciiMetadataValue,
}

impl Reader {
    async fn of(house: &House) -> Outcome<Self> {
        let token = house.admin().await?;
        let connect = |addr: &str| Channel::from_shared(format!("http://{addr}"));
        Ok(Self {
            auth: AuthServiceClient::new(connect(&house.auth)?.connect().await?),
            widgets: WidgetServiceClient::new(connect(&house.widget)?.tcp_nodelay(true).connect().await?),
            bearer: bearer(&token)?,
        })
    }

    async fn id(&mut self) -> Outcome<uuid::Uuid> {
        let request = with(&self.bearer, GetCurrentUserRequest {});
        Ok(self.auth.get_current_user(request).await?.into_inner().id.parse()?)
    }

    async fn page(&mut self, list: &List, token: &str) -> Outcome<(Duration, ListWidgetsResponse)> {
        let request = ListWidgetsRequest {
            page_token: token.to_owned(),
            order_by: list.order.to_string(),
            name_prefix: list.prefix.as_ref().map_or("", NamePrefix::as_str).to_owned(),
            ..Default::default()
        };
        let request = with(&self.bearer, request);
        let began = Instant::now();
        let page = self.widgets.list_widgets(request).await?.into_inner();
        Ok((began.elapsed(), page))
    }

    /// The medians of pages that are read in turn, in milliseconds.
    async fn measure(&mut self, list: &List, tokens: &[String; 4]) -> Outcome<[f64; 4]> {
        let mut took: [Vec<Duration>; 4] = Default::default();
        for _ in 0..CALLS {
            for (token, took) in tokens.iter().zip(&mut took) {
                let (time, page) = self.page(list, token).await?;
                if page.widgets.len() != SIZE as usize {
                    return Err(format!("a page of {}", page.widgets.len()).into());
                }
                took.push(time);
            }
        }
        Ok(took.map(|took| middle(took).as_secs_f64() * 1e3))
    }
}
