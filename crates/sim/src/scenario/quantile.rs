//! Of many times, the one that so many of a hundred do not exceed.

use std::collections::BTreeMap;

/// `times` is how often each came.
pub(super) fn quantile(times: &BTreeMap<u64, u64>, hundredths: u64) -> Option<u64> {
    let count: u64 = times.values().sum();
    let mut left = count * hundredths / 100;
    let reaches = |(time, count): (&u64, &u64)| {
        if left < *count {
            return Some(*time);
        }
        left -= count;
        None
    };
    times.iter().find_map(reaches)
}
