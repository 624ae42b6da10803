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
    let (condition, mut args) = filter.into_sql();
    args.push(Value::from(i64::from(listing.size) + 1));
    let limit = args.len();
    let sql = format!("SELECT {COLUMNS} FROM widgets WHERE {condition} ORDER BY {order} LIMIT ${limit}");
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
