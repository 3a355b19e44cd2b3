//! How many bytes of the heap a value holds. Every bound on documents in memory counts these: a list of
//! `{"": null}` takes a hundred times and more of its bytes on the wire.
//!
//! It is an upper bound, not a measurement: the shape of the standard library's B-tree and what an
//! allocator adds to each block are no promises. A test compares it with what was really allocated
//! (`tests/heap.rs`).

/// What an allocator may add to a block, to round it up and to find it again.
const BLOCK: usize = 16;
/// Entries in a full node of the standard library's B-tree. A node that is not the root holds at
/// least five.
const NODE_FULL: usize = 11;
const NODE_LEAST: usize = 5;
/// Pointers to the children of an inner node, and to its parent.
const NODE_LINKS: usize = 14 * size_of::<usize>();

/// A block of so many bytes; none is allocated for no bytes.
pub(crate) const fn block(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { bytes + BLOCK }
}

/// The nodes of a B-tree of so many entries, without what the entries hold.
pub(crate) const fn tree<Entry>(entries: usize) -> usize {
    nodes(entries).saturating_mul(block(NODE_FULL * size_of::<Entry>() + NODE_LINKS))
}

/// How many nodes a tree of so many entries has at most, if nothing was taken out of it.
const fn nodes(entries: usize) -> usize {
    match entries {
        0 => 0,
        1..=NODE_FULL => 1,
        _ => 1 + entries / NODE_LEAST,
    }
}
