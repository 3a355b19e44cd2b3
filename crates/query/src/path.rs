//! Paths that are named outside of a query.

use core::{fmt, str::FromStr};

use crate::{ast::Path, limits};

/// Why a text is no [`Path`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing at all.
    #[error("a path is the name of a field, or several joined by dots, like `author.name`")]
    Empty,
    /// It begins like an operator, so no query can name it.
    #[error("a path does not begin with `$`, which marks operators")]
    Operator,
    /// Longer than a query may be, [`limits::QUERY_BYTES`].
    #[error("the path has {bytes} bytes, more than the {} allowed", limits::QUERY_BYTES)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// More names than [`limits::PATH_PARTS`].
    #[error("a path has at most {} names", limits::PATH_PARTS)]
    TooManyNames,
}

/// As queries name fields: names joined by dots.
impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.starts_with('$') {
            return Err(PathError::Operator);
        }
        if text.len() > limits::QUERY_BYTES {
            return Err(PathError::TooLong { bytes: text.len() });
        }
        if text.bytes().filter(|byte| *byte == b'.').count() >= limits::PATH_PARTS {
            return Err(PathError::TooManyNames);
        }
        Ok(Self::new(text))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
