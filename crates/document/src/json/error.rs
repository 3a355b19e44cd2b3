//! What is wrong with a text.

use core::fmt;

/// Why a text is no value, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) message: String,
    pub(super) place: Option<String>,
}

impl JsonError {
    /// The same at a place, if it is known.
    pub(super) fn at(mut self, place: Option<String>) -> Self {
        if let Some(place) = place.as_deref().filter(|place| !place.is_empty()) {
            self.message = format!("{place}: {}", self.message);
        }
        self.place = place;
        self
    }

    /// The line, from 1.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The column in bytes, from 1.
    pub const fn column(&self) -> usize {
        self.column
    }

    /// Where in the value the fault is, like `a.b[0]`, if the text is JSON but what stands there is no
    /// value; empty for the whole. The message begins with it.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
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
