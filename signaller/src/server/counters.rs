//! What connections count as they go; the desk counts for itself.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use super::{gate::Turned, timings::Timing};

/// A number that only grows.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, number: usize) {
        self.0.fetch_add(number as u64, Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// All that is counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) connections: Counter,
    /// WebSocket frames of any kind, from clients and other signallers.
    pub(super) frames_in: Counter,
    /// Connections that were closed for too many of them.
    pub(super) frame_floods: Counter,
    pub(super) messages_in: Counter,
    pub(super) messages_out: Counter,
    pub(super) bytes_in: Counter,
    pub(super) bytes_out: Counter,
    pub(super) pool_bytes_in: Counter,
    pub(super) pool_bytes_out: Counter,
    pub(super) slow_readers: Counter,
    pub(super) messages_dropped: Counter,
    pub(super) cut_by_list: Counter,
    /// WebSockets whose place was needed for others.
    pub(super) crowded_out: Counter,
    pub(super) tls_failures: Counter,
    pub(super) handshake_timeouts: Counter,
    /// Handshakes whose place was needed for others.
    pub(super) handshakes_crowded_out: Counter,
    pub(super) reloads: Counter,
    pub(super) reload_failures: Counter,
    /// From a connection to its WebSocket.
    pub(super) handshakes_took: Timing,
    /// From the arrival of a message until all that follows from it is written to a client.
    pub(super) deliveries_took: Timing,
    turned: Mutex<BTreeMap<&'static str, u64>>,
}

impl Counters {
    pub(super) fn turned(&self, turned: Turned) {
        let mut counts = self.turned.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(turned.name()).or_default() += 1;
    }

    /// By each reason there is.
    pub(super) fn all_turned(&self) -> [(&'static str, u64); Turned::NAMES.len()] {
        let counts = self.turned.lock().unwrap_or_else(PoisonError::into_inner);
        Turned::NAMES.map(|name| (name, counts.get(name).copied().unwrap_or_default()))
    }

    /// By each reason there is.
    pub(super) fn handshakes_failed(&self) -> [(&'static str, u64); 3] {
        [
            ("timeout", self.handshake_timeouts.get()),
            ("tls", self.tls_failures.get()),
            ("crowded", self.handshakes_crowded_out.get()),
        ]
    }
}
