//! How the virtual network behaves, and how a peer takes part in it.

use core::time::Duration;

use taiinet_document::Network;
use taiinet_mesh::{Quota, SignallerRelay, limits, wire::Kept};

use crate::{Regions, SignallerIndex};

/// A range of durations, from which each is drawn evenly, in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// The shortest.
    pub min: Duration,
    /// The longest.
    pub max: Duration,
}

impl Spread {
    /// Between so many and so many milliseconds.
    pub const fn millis(min: u64, max: u64) -> Self {
        Self { min: Duration::from_millis(min), max: Duration::from_millis(max) }
    }
}

/// How the virtual network behaves. Probabilities are from 0 to 1.
#[derive(Debug, Clone)]
pub struct WorldConfig {
    /// How long a message travels; at least 1 ms.
    pub latency: Spread,
    /// How long a transport takes to make a description, and a channel to open once both ends have
    /// the other's.
    pub setup: Spread,
    /// How far apart the regions are in which peers live ([`PeerSpec::region`]): where both ends of a link live in one,
    /// this takes the place of `latency`.
    pub regions: Option<Regions>,
    /// How much one link carries in one direction, in bytes a millisecond.
    pub bandwidth: u64,
    /// How much all links of a peer together carry away from it, in bytes a millisecond; no limit, if none.
    pub uplink: Option<u64>,
    /// The probability that a message has to be sent again (links are reliable and ordered, so what
    /// follows waits for it).
    pub link_loss: f64,
    /// How much later it arrives then.
    pub retransmission: Duration,
    /// The probability that a signal vanishes at a signaller.
    pub signal_loss: f64,
    /// The probability that a channel does not open although both ends have the other's description.
    pub dial_failure: f64,
    /// Whether what arrives at an end before its channel is open there is lost, as `webrtc` 0.21 does;
    /// otherwise it waits.
    pub early_lost: bool,
    /// After how long a transport gives up a channel that does not open.
    pub gives_up: Duration,
    /// After how long a transport gives up an open channel whose path is lost.
    pub path_lost: Duration,
    /// After how long a transport notices that the other end died. None: never, so that only the
    /// core's own liveness notices.
    pub death_noticed: Option<Duration>,
    /// What is kept of what happened.
    pub keep: Keep,
    /// Whether a document that one peer has verified is not verified again by the others, which then also share its
    /// bytes: a large world takes a fraction of the time and the memory.
    pub shared_verification: bool,
}

/// What a world keeps of what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All of it: deliveries, events, a hash of every message. An honest peer that is cut by another for
    /// misbehaviour stops the world at once.
    Everything,
    /// Sums, and what was delivered until it is taken ([`World::take_delivered`](crate::World::take_delivered)): for
    /// thousands of peers. Honest peers that are cut are counted.
    Totals,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            latency: Spread::millis(5, 60),
            regions: None,
            setup: Spread::millis(30, 150),
            bandwidth: 2_500,
            uplink: None,
            link_loss: 0.0,
            retransmission: Duration::from_millis(200),
            signal_loss: 0.0,
            dial_failure: 0.0,
            early_lost: true,
            gives_up: Duration::from_secs(10),
            path_lost: Duration::from_secs(25),
            death_noticed: None,
            keep: Keep::Everything,
            shared_verification: false,
        }
    }
}

/// How a virtual peer takes part.
#[derive(Debug, Clone)]
pub struct PeerSpec {
    /// The network.
    pub network: Network,
    /// How many active links it keeps.
    pub target_links: usize,
    /// How many active links it has at most.
    pub max_links: usize,
    /// The signallers it knows.
    pub signallers: Vec<SignallerIndex>,
    /// How much one author may write.
    pub quota: Quota,
    /// Bytes of recent documents that it keeps for others.
    pub store_bytes: usize,
    /// When its links may be relayed.
    pub signaller_relay: SignallerRelay,
    /// Whether it tells signallers what it wants.
    pub introduce_by_interest: bool,
    /// For how long before its start it looks back.
    pub silence: Duration,
    /// How far its clock is ahead of the true time, in milliseconds, or behind.
    pub clock_error: i64,
    /// What it says that it keeps, if it says that it has an archive.
    pub archive: Option<Kept>,
    /// In which of [`WorldConfig::regions`] it lives.
    pub region: usize,
}

impl PeerSpec {
    /// A peer with the usual numbers.
    pub fn new(network: Network, signallers: &[SignallerIndex]) -> Self {
        Self {
            network,
            target_links: limits::TARGET_LINKS,
            max_links: limits::MAX_LINKS,
            signallers: signallers.to_vec(),
            quota: Quota::default(),
            store_bytes: limits::STORE_BYTES,
            signaller_relay: SignallerRelay::default(),
            introduce_by_interest: false,
            silence: Duration::ZERO,
            clock_error: 0,
            archive: None,
            region: 0,
        }
    }
}
