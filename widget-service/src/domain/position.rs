use chrono::{DateTime, Utc};
use service_kit::page::{self, Direction, InvalidToken, Part};

use super::{NamePrefix, Order, SortKey, Widget, WidgetName};

/// Where a page begins: at the position, going forward, or just before it, going backward. Whether a widget is still
/// there does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Which way the page lies.
    pub direction: Direction,
    /// The time that is the sort key; `None` when the name is.
    pub time: Option<DateTime<Utc>>,
    /// The name.
    pub name: WidgetName,
}

impl Position {
    /// The position of a widget in an order.
    pub fn of(widget: &Widget, key: SortKey, direction: Direction) -> Self {
        Self {
            direction,
            time: key.time_of(widget),
            name: widget.name.clone(),
        }
    }

    /// The token of the page, good only for a list of this order and prefix.
    pub fn to_token(&self, order: Order, prefix: Option<&NamePrefix>) -> String {
        let time = self.time.map(|time| Part::Int(time.timestamp_micros()));
        let name = Part::Text(self.name.to_string());
        let position = page::Position {
            direction: self.direction,
            key: time.into_iter().chain([name]).collect(),
        };
        position.to_token(&query(&order.to_string(), prefix))
    }

    /// Reads a token back. Its checksum is no signature: what it holds is not trusted.
    ///
    /// # Errors
    /// When it is damaged or belongs to another list.
    pub fn from_token(token: &str, order: Order, prefix: Option<&NamePrefix>) -> Result<Self, InvalidToken> {
        let position = page::Position::from_token(token, &query(&order.to_string(), prefix))?;
        let (time, name) = match position.key.as_slice() {
            [Part::Text(name)] => (None, name),
            [Part::Int(time), Part::Text(name)] => (DateTime::from_timestamp_micros(*time), name),
            _ => return Err(InvalidToken),
        };
        let name: WidgetName = name.parse().map_err(|_| InvalidToken)?;
        if time.is_none() != (order.key == SortKey::Name) || prefix.is_some_and(|prefix| !prefix.begins(&name)) {
            return Err(InvalidToken);
        }
        Ok(Self {
            direction: position.direction,
            time,
            name,
        })
    }
}

fn query<'a>(order: &'a str, prefix: Option<&'a NamePrefix>) -> [&'a str; 3] {
    ["widgets", order, prefix.map_or("", NamePrefix::as_str)]
}
