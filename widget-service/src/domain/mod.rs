//! What a widget is, in types that cannot hold a bad value. Nothing here knows of databases or of gRPC calls.

mod deadline;
mod description;
mod edit;
mod info_url;
mod input;
mod listing;
mod name;
mod order;
mod position;
mod problem;
mod widget;

pub use deadline::Deadline;
pub use description::Description;
pub use edit::{Decision, Edit};
pub use info_url::InfoUrl;
pub use input::{Input, WRITABLE};
pub use listing::{Listing, Page};
pub use name::{NamePrefix, WidgetName};
pub use order::{Order, SortKey};
pub use position::Position;
pub use problem::Problem;
pub use widget::{Draft, Patch, Revision, Widget};
