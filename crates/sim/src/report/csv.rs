//! Each second of a run as a line of CSV.

use std::fmt::Write as _;

use crate::scenario::Figures;

/// A head, and a line for each second, the begin of the measurement being 0.
pub fn csv(figures: &Figures) -> String {
    let mut text = String::from(
        "second,alive,published,due,delivered,received,duplicates,wanted,bytes,document_bytes\n",
    );
    for second in &figures.series.seconds {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{},{}",
            second.at_s,
            second.alive,
            second.published,
            second.due,
            second.delivered,
            second.received,
            second.duplicates,
            second.wanted,
            second.bytes,
            second.document_bytes,
        );
    }
    text
}
