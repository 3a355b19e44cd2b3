//! Which characters are the same where case does not count: Unicode's simple case folding
//! (`CaseFolding.txt`, statuses C and S), as PCRE has it.
//!
//! Characters that fold to the same one form a group of two to four, like `s`, `S` and `ſ`, or `σ`,
//! `ς` and `Σ`. The table leads from each to the first of its group. A test makes it from the table
//! of `regex-syntax`, which the authors of `regex` keep up with Unicode.

mod table;

/// From a code point to another, both of them in it.
pub(super) type Range = (u32, u32);

/// Characters and the first of each one's group.
struct Row {
    first: u32,
    last: u32,
    /// From one of the row's characters to its next.
    stride: u32,
    /// How far before each character the first of its group stands.
    back: u32,
}

/// The same characters in ascending order, by ranges that neither overlap nor touch.
pub(super) fn merged(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let joins = next.0 <= kept.1.saturating_add(1);
        if joins {
            kept.1 = kept.1.max(next.1);
        }
        joins
    });
    ranges
}

/// The characters of some ranges with all others of their groups; in no order. Ranges that overlap are
/// merged before, or their author could make each of them lead to all that have another case.
pub(super) fn closed(ranges: Vec<Range>) -> Vec<Range> {
    let mut ranges = merged(ranges);
    let firsts = moved(&ranges, |row| row.first, |row, c| c - row.back);
    ranges.extend(firsts);
    let mut ranges = merged(ranges);
    let others = moved(&ranges, |row| row.first - row.back, |row, c| c + row.back);
    ranges.extend(others);
    ranges
}

/// Where each row, which begins at `begin`, moves those of its characters that the ranges hold.
fn moved(
    ranges: &[Range],
    begin: impl Fn(&Row) -> u32,
    to: impl Fn(&Row, u32) -> u32,
) -> Vec<Range> {
    let mut found = Vec::new();
    for row in table::ROWS {
        let begin = begin(row);
        let end = begin + (row.last - row.first);
        for range in ranges.iter().filter(|range| range.0 <= end && begin <= range.1) {
            let skipped = range.0.saturating_sub(begin).div_ceil(row.stride);
            let (first, last) = (begin + skipped * row.stride, range.1.min(end));
            if row.stride == 1 {
                found.push((to(row, first), to(row, last)));
            } else {
                let each = (first..=last).step_by(row.stride as usize).map(|c| to(row, c));
                // Neighbours mostly stand for one another: nearly all are in the range already.
                let new = each.filter(|c| !(range.0..=range.1).contains(c));
                found.extend(new.map(|c| (c, c)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
