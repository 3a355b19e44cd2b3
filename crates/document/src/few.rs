//! Short lists that stand in one order, each member once.

/// At least one, and at most so many; else how many there are.
pub(crate) fn few<T: Ord>(
    members: impl IntoIterator<Item = T>,
    most: usize,
) -> Result<Vec<T>, usize> {
    let mut members: Vec<_> = members.into_iter().collect();
    members.sort_unstable();
    members.dedup();
    let count = members.len();
    if (1..=most).contains(&count) { Ok(members) } else { Err(count) }
}

/// Whether a list that came is one that [`few`] gives.
pub(crate) fn is_few<T: Ord>(members: &[T], most: usize) -> bool {
    (1..=most).contains(&members.len()) && members.is_sorted_by(|a, b| a < b)
}
