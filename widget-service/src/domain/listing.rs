use service_kit::{
    page::{self, Direction, InvalidToken},
    violations::Violations,
};

use super::{NamePrefix, Order, Position, Widget};

/// One page of one list, as a client asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The order.
    pub order: Order,
    /// What the names begin with.
    pub prefix: Option<NamePrefix>,
    /// Where the page begins; `None` for the first page.
    pub start: Option<Position>,
    /// How many widgets the page has at most.
    pub size: u32,
}

/// A page of widgets in the list's order, with the tokens of its neighbours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The widgets.
    pub widgets: Vec<Widget>,
    /// Asks for the next page; empty when this is the last.
    pub next: String,
    /// Asks for the previous page; empty when this is the first.
    pub prev: String,
}

impl Listing {
    /// Reads a request's fields.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn parse(page_size: i32, page_token: &str, order_by: &str, name_prefix: &str) -> Result<Self, Violations> {
        let mut wrong = Violations::new();
        let prefix = NamePrefix::new(name_prefix);
        let size = wrong.take("page_size", page::size(page_size));
        let order = wrong.take("order_by", order_by.parse::<Order>());
        let start = wrong.take("page_token", start(page_token, order, prefix.as_ref()));
        match (size, order, start) {
            (Some(size), Some(order), Some(start)) => Ok(Self {
                order,
                prefix,
                start,
                size,
            }),
            _ => Err(wrong),
        }
    }

    /// Which way the list is read from its start.
    pub fn direction(&self) -> Direction {
        self.start.as_ref().map_or(Direction::Forward, |start| start.direction)
    }

    /// Makes the page of what was found: the first `size` + 1 widgets in the direction of reading.
    pub fn page(&self, mut found: Vec<Widget>) -> Page {
        let beyond = found.split_off(found.len().min(self.size as usize)).pop();
        match self.direction() {
            Direction::Forward => Page {
                next: self.token(beyond.as_ref(), Direction::Forward),
                prev: self.turned(Direction::Backward),
                widgets: found,
            },
            Direction::Backward => {
                found.reverse();
                Page {
                    next: self.turned(Direction::Forward),
                    prev: self.token(found.first().filter(|_| beyond.is_some()), Direction::Backward),
                    widgets: found,
                }
            }
        }
    }

    /// The token of the page that begins at a widget or ends before it.
    fn token(&self, edge: Option<&Widget>, direction: Direction) -> String {
        edge.map(|widget| Position::of(widget, self.order.key, direction).to_token(self.order, self.prefix.as_ref()))
            .unwrap_or_default()
    }

    /// The token of the page on the other side of this page's start.
    fn turned(&self, direction: Direction) -> String {
        let start = self.start.clone().map(|start| Position { direction, ..start });
        start
            .map(|start| start.to_token(self.order, self.prefix.as_ref()))
            .unwrap_or_default()
    }
}

/// A token belongs to the query that it was made for: to none that has no order.
fn start(token: &str, order: Option<Order>, prefix: Option<&NamePrefix>) -> Result<Option<Position>, InvalidToken> {
    match (token, order) {
        ("", _) => Ok(None),
        (_, None) => Err(InvalidToken),
        (token, Some(order)) => Position::from_token(token, order, prefix).map(Some),
    }
}
