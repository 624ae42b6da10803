//! The documentation pages.

use crate::page::Page;

/// The pages under `/docs`, the page itself first.
pub fn pages() -> Vec<Page> {
    Vec::new()
}
