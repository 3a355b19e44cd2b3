//! Subscriptions that are read too slowly: while there is one, neighbours are slowed down.

use std::collections::BTreeSet;

/// Bytes of the heap that unread deliveries of one subscription hold, above which it is behind.
pub const HIGH_WATER: usize = 2 * 1024 * 1024;
/// Bytes of them down to which a subscription must be read to have caught up.
pub const LOW_WATER: usize = HIGH_WATER / 2;

/// Which subscriptions are behind.
#[derive(Debug)]
pub struct Backlog<S>(BTreeSet<S>);

impl<S> Default for Backlog<S> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<S: Ord> Backlog<S> {
    /// Unread deliveries of a subscription hold so many bytes of the heap. Whether it is the first that is behind: then the core
    /// is to be told.
    #[must_use]
    pub fn delivered(&mut self, subscription: S, unread: usize) -> bool {
        unread > HIGH_WATER && self.0.insert(subscription) && self.0.len() == 1
    }

    /// Subscriptions were read or have ended; `unread` gives the bytes of one, none if it has ended.
    /// Whether the last that was behind has caught up: then the core is to be told.
    #[must_use]
    pub fn read(&mut self, unread: impl Fn(&S) -> Option<usize>) -> bool {
        if self.0.is_empty() {
            return false;
        }
        self.0.retain(|subscription| unread(subscription).is_some_and(|bytes| bytes > LOW_WATER));
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_is_told_of_the_first_that_falls_behind_and_the_last_that_catches_up() {
        let mut backlog = Backlog::default();
        assert!(!backlog.delivered(1, HIGH_WATER));
        assert!(backlog.delivered(1, HIGH_WATER + 1));
        assert!(!backlog.delivered(1, HIGH_WATER + 2), "once");
        assert!(!backlog.delivered(2, HIGH_WATER + 1), "and not for each");
        assert!(!backlog.read(|_| Some(LOW_WATER + 1)), "reading a little is not enough");
        assert!(!backlog.read(|&id| Some(if id == 1 { LOW_WATER } else { HIGH_WATER })));
        assert!(backlog.read(|_| None), "one that has ended is not behind");
        assert!(!backlog.read(|_| None), "told once");
        assert!(backlog.delivered(1, HIGH_WATER + 1), "and again");
    }
}
