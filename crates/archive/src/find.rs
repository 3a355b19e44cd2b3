//! Searches: one page of what a query matches, in an order, for a bounded amount of work.
//!
//! ```text
//! plan: by which indexes ─▶ candidates, one after another ─▶ judge: the query itself, what hides it ─▶ page
//! ```
//!
//! There are two ways. Where an index gives candidates in the wanted order, documents are put on the page as they are
//! found, and a page can end anywhere: its cursor says where the next goes on. Where none does, all candidates are
//! looked at and the first of them kept; that is done only if there are few, or if there is no other way.

mod fill;
mod finder;
mod judge;
mod page;
mod plan;
mod stream;
mod window;
mod work;

use taiinet_document::Timestamp;

use crate::{archive::Archive, error::ArchiveError, store::Store};

use finder::Finder;
pub use page::{Ask, Page, Rest};

impl<S: Store> Archive<S> {
    /// The next page of what a query matches and what is not expired, deleted or superseded.
    ///
    /// `budget` is in units of [`taiinet_query::Fuel`], about half a nanosecond each; a page takes no more, except
    /// that each makes some way: it looks at one document at least. Between two pages documents may come and go.
    /// Those that stay are found once and only once.
    ///
    /// # Errors
    /// [`ArchiveError::Store`]
    pub fn find(&self, ask: &Ask, budget: u64, now: Timestamp) -> Result<Page, ArchiveError> {
        Ok(Finder::new(self, ask, budget, now).find()?)
    }
}
