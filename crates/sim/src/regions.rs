//! A map of the world: how long a message travels between regions.

/// So many milliseconds at most between two regions, one way.
pub(crate) const FARTHEST: u16 = 10_000;

/// The regions of a world, and how far apart they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regions {
    one_way_ms: Vec<Vec<u16>>,
    jitter_ms: u16,
}

impl Regions {
    /// Regions of which each row says how many milliseconds a message travels from one to each; a message takes up
    /// to `jitter_ms` longer. None unless there is a row for each region, with a number from 1 to 10,000 for each.
    pub fn new(one_way_ms: Vec<Vec<u16>>, jitter_ms: u16) -> Option<Self> {
        let sound = |row: &Vec<u16>| {
            row.len() == one_way_ms.len() && row.iter().all(|ms| (1..=FARTHEST).contains(ms))
        };
        (!one_way_ms.is_empty() && jitter_ms <= FARTHEST && one_way_ms.iter().all(sound))
            .then_some(Self { one_way_ms, jitter_ms })
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.one_way_ms.len()
    }

    /// How far one is from another, in milliseconds; none if there is no such region.
    pub(crate) fn distance(&self, from: usize, to: usize) -> Option<u64> {
        self.one_way_ms.get(from)?.get(to).copied().map(u64::from)
    }

    pub(crate) fn jitter_ms(&self) -> u64 {
        self.jitter_ms.into()
    }
}
