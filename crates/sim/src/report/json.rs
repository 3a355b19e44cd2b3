//! The figures as one JSON object.

use crate::scenario::Figures;

/// One object on one line.
pub fn json(figures: &Figures) -> String {
    // Only maps whose keys are no text could not be written.
    serde_json::to_string(figures).unwrap_or_default()
}
