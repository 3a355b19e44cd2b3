//! What is known of the six peers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::json;
use taiinet_document::to_json_line;
use taiinet_query::Query;

use crate::{
    check::{Ledger, percentile},
    data::{PUBLISHER, ROLES, Record, Role},
    report::{Delivery, Status},
};

/// One peer as seen from outside.
pub(crate) struct Member {
    pub(crate) role: &'static Role,
    pub(crate) peer_id: Option<String>,
    /// Its active links to other peers of the demo.
    pub(crate) links: BTreeSet<usize>,
    /// Its active links to other peers: a user's.
    pub(crate) guests: usize,
    /// The most links to other peers of the demo that it had at one moment.
    pub(crate) most_links: usize,
    pub(crate) eager: usize,
    pub(crate) lazy: usize,
    pub(crate) published: u64,
    pub(crate) rejected: u64,
    /// Deliveries of the publisher's documents.
    pub(crate) ledger: Ledger,
    /// Deliveries of other documents: of other authors, or after the check.
    pub(crate) others: usize,
    /// Milliseconds from signing to delivery, ascending when `sorted`.
    latencies: Vec<u64>,
}

impl Member {
    /// The 50th and 99th percentile of its latencies, in milliseconds.
    pub(crate) fn latency(&self) -> Option<(u64, u64)> {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        Some((percentile(&sorted, 50)?, percentile(&sorted, 99)?))
    }
}

/// The six peers.
pub(crate) struct Mesh {
    network: String,
    pub(crate) members: Vec<Member>,
    by_id: BTreeMap<String, usize>,
    records: usize,
    checked: bool,
}

impl Mesh {
    pub(crate) fn new(network: &str, records: &[Record]) -> Result<Self, String> {
        let members = ROLES
            .iter()
            .map(|role| {
                let matching = match role.query {
                    None => Vec::new(),
                    Some(text) => {
                        let query: Query =
                            text.parse().map_err(|error| format!("{}: {error}", role.name))?;
                        records.iter().filter(|record| query.matches(&record.content)).collect()
                    }
                };
                Ok(Member {
                    role,
                    peer_id: None,
                    links: BTreeSet::new(),
                    guests: 0,
                    most_links: 0,
                    eager: 0,
                    lazy: 0,
                    published: 0,
                    rejected: 0,
                    ledger: Ledger::expecting(matching.iter().map(|record| record.line.as_str())),
                    others: 0,
                    latencies: Vec::new(),
                })
            })
            .collect::<Result<_, String>>()?;
        let by_id = BTreeMap::new();
        Ok(Self {
            network: network.to_owned(),
            members,
            by_id,
            records: records.len(),
            checked: false,
        })
    }

    /// Takes a peer's report.
    pub(crate) fn status(&mut self, peer: usize, status: Status) {
        let Some(member) = self.members.get_mut(peer) else { return };
        self.by_id.insert(status.peer_id.clone(), peer);
        let active = || status.links.iter().filter(|link| link.active);
        member.links = active().filter_map(|link| self.by_id.get(&link.peer)).copied().collect();
        member.guests = active().filter(|link| !self.by_id.contains_key(&link.peer)).count();
        member.most_links = member.most_links.max(member.links.len());
        member.eager = active().filter(|link| link.eager).count();
        member.lazy = active().filter(|link| !link.eager).count();
        member.published = status.published;
        member.rejected = status.rejected;
        member.peer_id = Some(status.peer_id);
    }

    /// Takes a delivery.
    pub(crate) fn delivery(&mut self, peer: usize, delivery: Delivery) {
        let publisher = self.members.get(PUBLISHER).and_then(|member| member.peer_id.clone());
        let Some(member) = self.members.get_mut(peer) else { return };
        if self.checked || publisher.as_deref() != Some(delivery.author.as_str()) {
            member.others += 1;
            return;
        }
        // What cannot be written again was never published; the check calls it unexpected.
        let content = to_json_line(&delivery.content).unwrap_or_default();
        member.ledger.enter(delivery.id, &content);
        member.latencies.push(delivery.received_at.saturating_sub(delivery.created_at));
    }

    /// The check is over: what is delivered from now on is only counted, not kept.
    pub(crate) fn checked(&mut self) {
        self.checked = true;
    }

    /// Whether each peer has a link and all of them hang together.
    pub(crate) fn is_connected(&self) -> bool {
        let mut reached = BTreeSet::from([0]);
        let mut ahead = vec![0];
        while let Some(here) = ahead.pop() {
            for there in 0..self.members.len() {
                if self.are_linked(here, there) && reached.insert(there) {
                    ahead.push(there);
                }
            }
        }
        reached.len() == self.members.len()
    }

    fn are_linked(&self, one: usize, other: usize) -> bool {
        let says = |a: usize, b: usize| self.members.get(a).is_some_and(|m| m.links.contains(&b));
        says(one, other) || says(other, one)
    }

    /// How many documents the publisher says it published.
    pub(crate) fn published(&self) -> u64 {
        self.members.get(PUBLISHER).map_or(0, |member| member.published)
    }

    /// How many deliveries there were, and how many there are to be.
    pub(crate) fn deliveries(&self) -> (usize, usize) {
        let sum = |of: fn(&Ledger) -> usize| self.members.iter().map(|m| of(&m.ledger)).sum();
        (sum(Ledger::delivered), sum(Ledger::expected))
    }

    /// Whether all is published and nothing is missing any more.
    pub(crate) fn is_complete(&self) -> bool {
        self.published() >= self.records as u64
            && self.members.iter().all(|member| member.ledger.is_complete())
    }

    /// What is not as it should be; empty if nothing.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.is_connected() {
            faults.push("the peers are not one mesh".to_owned());
        }
        if self.published() != self.records as u64 {
            faults.push(format!("{} of {} documents published", self.published(), self.records));
        }
        for member in &self.members {
            let name = member.role.name;
            if member.most_links + 1 >= self.members.len() {
                faults.push(format!("{name} was linked to all others"));
            }
            faults.extend(member.ledger.faults().iter().map(|fault| format!("{name} {fault}")));
        }
        faults
    }

    /// The result for scripts.
    pub(crate) fn to_json(&self, faults: &[String], took: Duration) -> serde_json::Value {
        let peers: Vec<_> = self
            .members
            .iter()
            .map(|member| {
                let latency = member.latency();
                let neighbours: Vec<&str> =
                    member.links.iter().filter_map(|&l| Some(ROLES.get(l)?.name)).collect();
                json!({
                    "name": member.role.name,
                    "peer_id": member.peer_id,
                    "query": member.role.query,
                    "links": neighbours,
                    "most_links": member.most_links,
                    "eager": member.eager,
                    "lazy": member.lazy,
                    "delivered": member.ledger.delivered(),
                    "expected": member.ledger.expected(),
                    "delivered_twice": member.ledger.twice(),
                    "rejected": member.rejected,
                    "latency_ms": latency.map(|(p50, p99)| json!({ "p50": p50, "p99": p99 })),
                })
            })
            .collect();
        json!({
            "ok": faults.is_empty(),
            "faults": faults,
            "network": self.network,
            "seconds": took.as_secs_f64(),
            "published": self.published(),
            "peers": peers,
        })
    }
}
