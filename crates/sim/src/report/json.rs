//! Figures, or a plan, as one JSON object.

use serde::Serialize;

/// One object on one line.
pub fn json(told: &impl Serialize) -> String {
    // Only maps whose keys are no text could not be written.
    serde_json::to_string(told).unwrap_or_default()
}
