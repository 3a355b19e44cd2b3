//! What came in the last while: so much of it, and no longer than that.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use crate::Time;

/// Things by their names, in the order in which they came. Where there are too many, the oldest give way.
#[derive(Debug)]
pub(crate) struct Lately<K, V> {
    things: BTreeMap<K, V>,
    /// Those that were taken out drop out at the front.
    order: VecDeque<(Time, K)>,
    most: usize,
    lasts: Duration,
}

impl<K: Ord + Copy, V> Lately<K, V> {
    pub(crate) const fn new(most: usize, lasts: Duration) -> Self {
        Self { things: BTreeMap::new(), order: VecDeque::new(), most, lasts }
    }

    /// That of this name, which may be new. What gives way to it goes to `gone`.
    pub(crate) fn enter(
        &mut self,
        name: K,
        new: impl FnOnce() -> V,
        now: Time,
        mut gone: impl FnMut(K, V),
    ) -> &mut V {
        let is_new = !self.things.contains_key(&name);
        let stale = now.before(self.lasts);
        while let Some((at, oldest)) = self.order.front().copied()
            && (at <= stale
                || is_new && self.order.len() >= self.most
                || !self.things.contains_key(&oldest))
        {
            self.order.pop_front();
            if let Some(thing) = self.things.remove(&oldest) {
                gone(oldest, thing);
            }
        }
        self.things.entry(name).or_insert_with(|| {
            self.order.push_back((now, name));
            new()
        })
    }

    /// It is of no interest any more.
    pub(crate) fn take(&mut self, name: &K) -> Option<V> {
        self.things.remove(name)
    }

    pub(crate) const fn things(&self) -> &BTreeMap<K, V> {
        &self.things
    }

    pub(crate) fn get_mut(&mut self, name: &K) -> Option<&mut V> {
        self.things.get_mut(name)
    }

    /// All of them and when they came, the oldest first.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (Time, &V)> {
        self.order.iter().filter_map(|(at, name)| Some((*at, self.things.get(name)?)))
    }
}
