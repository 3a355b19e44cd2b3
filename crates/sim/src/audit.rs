//! What each peer should have got, and at what cost.

use core::time::Duration;
use std::collections::BTreeMap;

use taiinet_document::DocumentId;

use crate::{PeerIndex, Published, World};

/// What went wrong between what was published and what was delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// How many deliveries were due.
    pub due: usize,
    /// Documents that a peer lacks.
    pub missing: Vec<(PeerIndex, DocumentId)>,
    /// Documents that a peer got more than once in one life.
    pub repeated: Vec<(PeerIndex, DocumentId)>,
    /// Documents that a peer got and did not ask for, or that their author, a peer, never published.
    pub unasked: Vec<(PeerIndex, DocumentId)>,
}

impl Audit {
    /// Compares what was published with what was delivered to the living. `counts` says which
    /// documents must have arrived; the others may.
    pub fn of(world: &World, counts: impl Fn(&Published) -> bool) -> Self {
        let mut audit = Self::default();
        let published: BTreeMap<DocumentId, &Published> =
            world.published().iter().map(|published| (published.id, published)).collect();
        for peer in world.alive() {
            let wanted = |published: &Published| {
                world.queries(peer).any(|query| query.matches(&published.content))
            };
            let mut got: BTreeMap<(DocumentId, u32), usize> = BTreeMap::new();
            // What puppets write is not published here; a test knows whether it should arrive.
            let of_peers =
                |delivered: &&crate::Delivered| world.peer_of(&delivered.author).is_some();
            for delivered in world.deliveries(peer).iter().filter(of_peers) {
                *got.entry((delivered.id, delivered.life)).or_default() += 1;
            }
            for ((id, _), count) in &got {
                if !published.get(id).is_some_and(|published| wanted(published)) {
                    audit.unasked.push((peer, *id));
                }
                if *count > 1 {
                    audit.repeated.push((peer, *id));
                }
            }
            for published in world.published() {
                if !wanted(published) || !counts(published) {
                    continue;
                }
                audit.due += 1;
                if !(0..=world.lives(peer)).any(|life| got.contains_key(&(published.id, life))) {
                    audit.missing.push((peer, published.id));
                }
            }
        }
        audit
    }

    /// Whether each got what it should, once, and nothing else.
    pub const fn is_clean(&self) -> bool {
        self.missing.is_empty() && self.repeated.is_empty() && self.unasked.is_empty()
    }
}

/// How documents spread: the measures of the Plumtree paper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spreading {
    /// Relative message redundancy: payload copies received beyond the first, per peer reached.
    pub redundancy: f64,
    /// The most links that a document crossed to any peer, in the mean over the documents.
    pub last_hop: f64,
    /// The longest from publication to delivery.
    pub slowest: Duration,
    /// The middle one of all delays.
    pub median: Duration,
    /// The delay that 99 of 100 deliveries do not exceed.
    pub p99: Duration,
    /// The share of first copies that had to be asked for.
    pub pulled: f64,
}

impl Spreading {
    /// Of what was delivered since `since` deliveries were seen at each peer; the redundancy is
    /// taken between two sums of counters (see [`World::counters`]).
    pub fn of(
        world: &World,
        before: &taiinet_mesh::Counters,
        counts: impl Fn(&Published) -> bool,
    ) -> Self {
        let published: BTreeMap<DocumentId, &Published> = world
            .published()
            .iter()
            .filter(|published| counts(published))
            .map(|published| (published.id, published))
            .collect();
        let now = world.counters();
        let first = now.received.saturating_sub(before.received);
        let more = now.duplicates.saturating_sub(before.duplicates);
        let mut last_hops: BTreeMap<DocumentId, u8> = BTreeMap::new();
        let mut delays = Vec::new();
        for peer in world.alive() {
            for delivered in world.deliveries(peer) {
                let Some(published) = published.get(&delivered.id) else { continue };
                let last = last_hops.entry(delivered.id).or_default();
                *last = delivered.hops.max(*last);
                delays.push(delivered.at.since(published.at));
            }
        }
        delays.sort_unstable();
        let grafted = now.grafted.saturating_sub(before.grafted);
        Self {
            redundancy: more as f64 / first.max(1) as f64,
            last_hop: last_hops.values().map(|hops| f64::from(*hops)).sum::<f64>()
                / last_hops.len().max(1) as f64,
            slowest: delays.last().copied().unwrap_or_default(),
            median: delays.get(delays.len() / 2).copied().unwrap_or_default(),
            p99: delays.get(delays.len() * 99 / 100).copied().unwrap_or_default(),
            pulled: grafted as f64 / first.max(1) as f64,
        }
    }
}
