//! Why something is no order.

use crate::{PathError, limits};

/// Why a text or a list is no [`Sort`](super::Sort).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SortError {
    /// Longer than [`limits::SORT_BYTES`], as it was written or in its canonical form.
    #[error("the order has {bytes} bytes, more than the {} allowed", limits::SORT_BYTES)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// More fields than [`limits::SORT_FIELDS`].
    #[error("documents are sorted by at most {} fields", limits::SORT_FIELDS)]
    TooManyFields,
    /// A field that no query could name.
    #[error("`{field}` cannot be sorted by: {reason}")]
    Path {
        /// The field as written.
        field: String,
        /// What is wrong with it.
        reason: PathError,
    },
    /// A field whose name the text form cannot hold.
    #[error(
        "`{field}` cannot be sorted by: its name holds a comma, or begins or ends with a space"
    )]
    Unwritable {
        /// The field.
        field: String,
    },
    /// What stands after the last colon is no direction.
    #[error(
        "`{found}` is no direction; write `{field}:asc` or `{field}:desc` (and for a name with a colon: `{field}:{found}:asc`)"
    )]
    Direction {
        /// The field.
        field: String,
        /// What was written as its direction.
        found: String,
    },
    /// One field twice.
    #[error("`{field}` stands twice in the order; the second has no effect, so leave it out")]
    Twice {
        /// The field.
        field: String,
    },
}
