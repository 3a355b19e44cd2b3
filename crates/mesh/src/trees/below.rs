//! What stands below a peer in a tree: its children, how many peers they bring, and what those want.

use std::collections::{BTreeMap, BTreeSet};

use taiinet_query::{DocumentKeys, KeySet, RoutingKey};

use crate::{LinkId, Time, limits, wire::Brings};

/// A peer's children, itself, and what its parent knows of them.
#[derive(Debug)]
pub(super) struct Below {
    children: BTreeMap<LinkId, Child>,
    own: KeySet,
    /// Of what they ask for the paths, or all there are; none if that may have changed.
    paths: Option<Option<BTreeSet<u16>>>,
    told: Told,
    told_at: Time,
    tell_at: Option<Time>,
}

#[derive(Debug)]
struct Child {
    peers: u32,
    open: u32,
    keys: KeySet,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    peers: u32,
    open: u32,
    keys: KeySet,
}

impl Below {
    pub(super) fn new(now: Time) -> Self {
        Self {
            children: BTreeMap::new(),
            own: KeySet::EVERYTHING,
            paths: None,
            told: Told::default(),
            told_at: now,
            tell_at: None,
        }
    }

    // ---- Questions ----

    pub(super) fn len(&self) -> usize {
        self.children.len()
    }

    pub(super) fn contains(&self, link: LinkId) -> bool {
        self.children.contains_key(&link)
    }

    /// How many peers a child brings; none, if it is no child.
    pub(super) fn brought_by(&self, link: LinkId) -> u32 {
        self.children.get(&link).map_or(0, |child| child.peers.max(1))
    }

    /// The children that want a document, or have some below them that do.
    pub(super) fn that_want(&self, keys: &DocumentKeys) -> Vec<LinkId> {
        let wanting = self.children.iter().filter(|(_, child)| child.keys.matches(keys));
        wanting.map(|(link, _)| *link).collect()
    }

    /// The children that want a key or one that covers it, or have some below them that do.
    pub(super) fn that_seek(&self, key: &RoutingKey) -> Vec<LinkId> {
        let seeking = self.children.iter().filter(|(_, child)| child.keys.may_hold(key));
        seeking.map(|(link, _)| *link).collect()
    }

    /// How many peers there are, this one among them.
    pub(super) fn peers(&self) -> u32 {
        self.children.values().fold(1, |sum, child| sum.saturating_add(child.peers))
    }

    /// How many of them want everything.
    pub(super) fn open(&self, we_are: bool) -> u32 {
        let own = u32::from(we_are);
        self.children.values().fold(own, |sum, child| sum.saturating_add(child.open))
    }

    /// What any of them wants.
    fn keys(&self) -> KeySet {
        let sets = self.children.values().map(|child| &child.keys).chain([&self.own]);
        KeySet::union(sets, limits::KEYS_BYTES)
    }

    /// What of a document anyone asks for.
    pub(super) fn about(&mut self, keys: &DocumentKeys) -> DocumentKeys {
        if self.paths.is_none() {
            let all = self.keys();
            let paths = (!all.is_everything()).then(|| all.paths().into_iter().collect());
            self.paths = Some(paths);
        }
        let paths = self.paths.as_ref().and_then(Option::as_ref);
        keys.only(|path| paths.is_none_or(|paths| paths.contains(&path)))
    }

    /// What the children's keys take of the heap, and what the parent was told.
    pub(super) fn heap_bytes(&self) -> usize {
        let children = self.children.values().map(|child| child.keys.heap_bytes()).sum::<usize>();
        children + self.told.keys.heap_bytes() + self.own.heap_bytes()
    }

    /// When [`Self::news`] may have something to say.
    pub(super) const fn deadline(&self) -> Option<Time> {
        self.tell_at
    }

    // ---- What changes ----

    /// What we want ourselves.
    pub(super) fn set_own(&mut self, own: KeySet, now: Time) {
        if self.own != own {
            self.own = own;
            self.tell_soon(now);
        }
    }

    /// A child has come, or brings something else.
    pub(super) fn brings(&mut self, link: LinkId, brings: Brings, is_new: bool, now: Time) {
        let Brings { peers, open, keys } = brings;
        if is_new {
            let keys = keys.unwrap_or(KeySet::EVERYTHING);
            self.children.insert(link, Child { peers, open, keys });
        } else if let Some(child) = self.children.get_mut(&link) {
            (child.peers, child.open) = (peers, open);
            if let Some(keys) = keys {
                child.keys = keys;
                return self.tell_soon(now);
            }
            return self.tell_later(now);
        } else {
            return;
        }
        self.tell_soon(now);
    }

    /// A child has gone; what it wanted is not urgent to forget.
    pub(super) fn left(&mut self, link: LinkId, now: Time) {
        if self.children.remove(&link).is_some() {
            self.tell_later(now);
        }
    }

    fn tell_soon(&mut self, now: Time) {
        self.paths = None;
        let many = self.told.keys.len() > limits::MANY_KEYS;
        let every = if many { limits::MANY_KEYS_EVERY } else { limits::KEYS_EVERY };
        let at = self.told_at.after(every).max(now);
        self.tell_at = Some(self.tell_at.map_or(at, |before| before.min(at)));
    }

    fn tell_later(&mut self, now: Time) {
        self.paths = None;
        self.tell_at.get_or_insert(now.after(limits::COUNT_EVERY));
    }

    /// What a new parent is told.
    pub(super) fn all(&mut self, we_are_open: bool, now: Time) -> Brings {
        self.told = Told { peers: self.peers(), open: self.open(we_are_open), keys: self.keys() };
        (self.told_at, self.tell_at) = (now, None);
        let Told { peers, open, keys } = &self.told;
        Brings { peers: *peers, open: *open, keys: Some(keys.clone()) }
    }

    /// What the parent is told now, if anything has changed.
    pub(super) fn news(&mut self, we_are_open: bool, now: Time) -> Option<Brings> {
        if self.tell_at.is_none_or(|at| now < at) {
            return None;
        }
        let before = core::mem::take(&mut self.told);
        let mut brings = self.all(we_are_open, now);
        if before.keys == self.told.keys {
            brings.keys = None;
        }
        (before != self.told).then_some(brings)
    }
}
