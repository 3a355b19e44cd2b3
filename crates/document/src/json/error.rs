//! What is wrong with a text.

use core::fmt;

/// Why a text is no value, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) message: String,
}

impl JsonError {
    /// The line, from 1.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The column in bytes, from 1.
    pub const fn column(&self) -> usize {
        self.column
    }

    /// What is wrong there.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}: {}", self.line, self.column, self.message)
    }
}

impl core::error::Error for JsonError {}
