//! The SQL of lists.

use database::Value;
use service_kit::page::Direction;

use super::row::COLUMNS;
use crate::domain::{Listing, NamePrefix, SortKey};

/// Selects the first `size` + 1 widgets from the start of a page, in the direction of reading.
pub(super) fn select(listing: &Listing) -> (String, Vec<Value>) {
    let key = listing.order.key;
    let ascending = listing.order.descending == (listing.direction() == Direction::Backward);
    // Forward, the widget at the position is the page's first; backward, it is the first that is left out.
    let (operator, way) = match (listing.direction(), ascending) {
        (Direction::Forward, true) => (">=", "ASC"),
        (Direction::Forward, false) => ("<=", "DESC"),
        (Direction::Backward, true) => (">", "ASC"),
        (Direction::Backward, false) => ("<", "DESC"),
    };

    let mut filter = Filter::of(listing.prefix.as_ref());
    if let Some(start) = &listing.start {
        let name = start.name.to_string();
        match start.time {
            Some(time) => filter.after(key, operator, time.timestamp_micros(), name),
            // The position lies within the prefix's range: one bound on each side is all that an index can use.
            None if ascending => filter.lower = Some((operator, name)),
            None => filter.upper = Some((operator, name)),
        }
    }
    let order = match key {
        SortKey::Name => format!("name {way}"),
        key => format!("{} {way}, name {way}", key.name()),
    };
    let (condition, args) = filter.into_sql();
    // Written out: PostgreSQL plans a statement anew for each call when it cannot see that the limit is low.
    let limit = i64::from(listing.size) + 1;
    let sql = format!("SELECT {COLUMNS} FROM widgets WHERE {condition} ORDER BY {order} LIMIT {limit}");
    (sql, args)
}

/// Counts the widgets that a prefix lets through.
pub(super) fn count(prefix: Option<&NamePrefix>) -> (String, Vec<Value>) {
    let (condition, args) = Filter::of(prefix).into_sql();
    let sql = format!("SELECT count(*) AS total FROM widgets WHERE {condition}");
    (sql, args)
}

/// An operator and what names are compared with.
type Bound = (&'static str, String);

/// Which widgets to take: at most one bound on either side of the name, and a place in the order of a time.
#[derive(Debug, Default)]
struct Filter {
    lower: Option<Bound>,
    upper: Option<Bound>,
    place: Option<(String, [Value; 2])>,
}

impl Filter {
    fn of(prefix: Option<&NamePrefix>) -> Self {
        let Some((from, to)) = prefix.map(NamePrefix::range) else {
            return Self::default();
        };
        Self {
            lower: Some((">=", from)),
            upper: Some(("<", to)),
            place: None,
        }
    }

    /// Takes only what lies on one side of a place. Both engines find it in the index of the key by this comparison.
    fn after(&mut self, key: SortKey, operator: &str, micros: i64, name: String) {
        let comparison = format!("({}, name) {operator} ($1, $2)", key.name());
        self.place = Some((comparison, [micros.into(), name.into()]));
    }

    fn into_sql(self) -> (String, Vec<Value>) {
        let mut conditions = vec!["TRUE".to_owned()];
        let mut args = Vec::new();
        if let Some((comparison, values)) = self.place {
            conditions.push(comparison);
            args.extend(values);
        }
        for (operator, name) in [self.lower, self.upper].into_iter().flatten() {
            args.push(Value::from(name));
            conditions.push(format!("name {operator} ${}", args.len()));
        }
        (conditions.join(" AND "), args)
    }
}

#[cfg(test)]
mod tests {
    use database::{Database, args};
    use service_kit::page::Direction;
    use test_kit::TestDatabase;
    use uuid::Uuid;

    use super::{Filter, select};
    use crate::{
        domain::{Listing, NamePrefix, Order, Position, SortKey},
        migrations,
    };

    const ROWS: i64 = 20_000;

    async fn fill(db: &Database) {
        migrations().up(db).await.unwrap();
        let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) \
                   INSERT INTO widgets SELECT 'w-' || i, '', 'https://example.com', i, i, i, $2, $2 FROM n";
        db.execute(sql, args![ROWS, Uuid::nil()]).await.unwrap();
        db.execute("ANALYZE", vec![]).await.unwrap();
    }

    /// How the engine means to answer a listing, in its own words.
    async fn plan(db: &Database, listing: &Listing) -> String {
        let (sql, args) = select(listing);
        let (explain, column) = match db.is_shared() {
            true => ("EXPLAIN", "QUERY PLAN"),
            false => ("EXPLAIN QUERY PLAN", "detail"),
        };
        let rows = db.fetch_all(format!("{explain} {sql}"), args).await.unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.get(column).unwrap()).collect();
        lines.join("\n")
    }

    fn deep(key: SortKey, direction: Direction) -> Position {
        let time = chrono::DateTime::from_timestamp_micros(ROWS / 2);
        Position {
            direction,
            time: time.filter(|_| key != SortKey::Name),
            name: format!("w-{}", ROWS / 2).parse().unwrap(),
        }
    }

    fn listings() -> Vec<Listing> {
        let mut listings = Vec::new();
        for key in SortKey::ALL {
            let starts = [Direction::Forward, Direction::Backward].map(|direction| Some(deep(key, direction)));
            for (start, descending) in starts
                .into_iter()
                .chain([None])
                .flat_map(|start| [(start.clone(), false), (start, true)])
            {
                let order = Order { key, descending };
                listings.push(Listing {
                    order,
                    prefix: None,
                    start: start.clone(),
                    size: 50,
                });
                if key == SortKey::Name {
                    listings.push(Listing {
                        order,
                        prefix: NamePrefix::new("w-1"),
                        start,
                        size: 50,
                    });
                }
            }
        }
        listings
    }

    test_kit::on_every_engine! {
        async fn every_page_is_read_along_an_index_from_its_place(database: TestDatabase) {
            let db = database.database();
            fill(db).await;

            for listing in listings() {
                let plan = plan(db, &listing).await;
                let seeks = match db.is_shared() {
                    true => plan.contains("Index Cond:"),
                    false => plan.contains("SEARCH widgets USING INDEX"),
                };
                assert!(seeks || listing.start.is_none(), "{listing:?}\n{plan}");
                for costly in ["Sort", "Seq Scan", "TEMP B-TREE", "Filter"] {
                    assert!(!plan.contains(costly), "{listing:?}\n{plan}");
                }
                let index = match listing.order.key {
                    SortKey::Name => "widgets_",
                    key => key.name(),
                };
                assert!(plan.contains(index), "{listing:?}\n{plan}");
            }
        }
    }

    #[test]
    fn a_filter_bounds_each_side_of_a_name_once() {
        let mut filter = Filter::of(NamePrefix::new("ab").as_ref());
        filter.lower = Some((">", "abc".into()));

        let (sql, args) = filter.into_sql();

        assert_eq!(sql, "TRUE AND name > $1 AND name < $2");
        assert_eq!(args, args!["abc", "ac"]);
    }
}
