//! What a run has shown: as a table, as JSON, as CSV, and as a page with plots.

mod csv;
mod html;
mod json;
mod plot;
mod table;

pub use csv::csv;
pub use html::{html, svg};
pub use json::json;
pub use table::table;
