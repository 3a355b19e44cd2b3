//! What is wrong at a place in a scenario's file.

use core::ops::Range;

/// Something that is wrong at a place.
pub(super) struct Wrong {
    pub(super) at: Range<usize>,
    pub(super) why: String,
}

impl Wrong {
    /// A complaint as TOML's own are, with the line.
    pub(super) fn pointed(&self, text: &str) -> String {
        let Self { at, why } = self;
        if at.is_empty() {
            return why.clone();
        }
        let before = text.get(..at.start).unwrap_or_default();
        let number = before.matches('\n').count() + 1;
        let begin = before.rfind('\n').map_or(0, |end| end + 1);
        let line = text.get(begin..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        format!("line {number}: {why}\n{number} | {line}")
    }
}
