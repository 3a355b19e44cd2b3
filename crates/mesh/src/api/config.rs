//! How a peer takes part.

use core::{fmt, str::FromStr, time::Duration};
use std::collections::BTreeSet;

use taiinet_document::Network;
use taiinet_identity::PeerId;

use crate::{Blacklisted, Quota, documents::SharedVerification, limits, wire, wire::Kept};
#[cfg(doc)]
use crate::{Output, SignallerStatus};

/// A signaller's address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignallerAddress {
    /// `ws://…` or `wss://…`.
    pub url: String,
    /// The key it must prove, if the address named one (`wss://…#tn1…`).
    pub pinned: Option<PeerId>,
}

impl SignallerAddress {
    /// Whether this is the URL of a signaller's address: `ws://HOST` or `wss://HOST`, with a port and a
    /// path or without, and nothing else.
    pub fn is_url(text: &str) -> bool {
        wire::is_address(text)
    }

    /// The URLs in what a user writes, a configuration or an environment holds: one, or several with commas
    /// between them; spaces and ends of lines around each do not count, nor does the case of `ws` and `wss`.
    /// A key behind a `#` stays where it is. None of them has been looked at ([`Self::is_url`]).
    pub fn urls(text: &str) -> Vec<String> {
        wire::addresses(text)
    }

    /// Whether two texts are the same address, however they are written: scheme and host have no case,
    /// the port that is usual may be left out, and so may a path of nothing.
    pub fn is_same(one: &str, other: &str) -> bool {
        wire::is_same_address(one, other)
    }
}

/// When this peer's links may be relayed by a signaller that does so ([`SignallerStatus::relays`]): those
/// that it asks for, and those that others ask of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SignallerRelay {
    /// Where no direct link can be had.
    #[default]
    LastResort,
    /// Never.
    Never,
    /// No link is made in any other way: nothing but connections to signallers leaves this device.
    Only,
}

impl fmt::Display for SignallerRelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LastResort => "last-resort",
            Self::Never => "never",
            Self::Only => "only",
        })
    }
}

impl FromStr for SignallerRelay {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "last-resort" => Ok(Self::LastResort),
            "never" => Ok(Self::Never),
            "only" => Ok(Self::Only),
            _ => Err("expected `last-resort`, `never` or `only`"),
        }
    }
}

/// How a peer takes part.
#[derive(Debug, Clone)]
pub struct Config {
    /// The network to take part in.
    pub network: Network,
    /// Where to be introduced to others.
    pub signallers: Vec<SignallerAddress>,
    /// Signallers that others have told of in an earlier run ([`crate::Peer::signaller_cache`]), each
    /// with its key.
    pub signaller_cache: Vec<SignallerAddress>,
    /// How many active links to keep.
    pub target_links: usize,
    /// How many active links to have at most.
    pub max_links: usize,
    /// How many bytes of recent documents to keep for neighbours that missed them.
    pub store_bytes: usize,
    /// When links may be relayed by a signaller.
    pub signaller_relay: SignallerRelay,
    /// How much one author may write; all peers of a network must agree.
    pub quota: Quota,
    /// The peers that were blacklisted in an earlier run.
    pub blacklist: Vec<Blacklisted>,
    /// For how long before its start this peer was away and is to look back: another instance of it was to
    /// run till then. At most the [live window](limits::LIVE_WINDOW) counts.
    pub silence: Duration,
    /// What the archive keeps that stands behind this peer, if one does: it gets all documents ([`Output::Accepted`]), and answers
    /// neighbours that look for some ([`Output::Asked`]).
    pub archive: Option<Kept>,
    /// Authors whose new documents cost the link that brings them nothing: the archive keeps as many as it can verify.
    pub importers: BTreeSet<PeerId>,
    /// Whether this peer is likely to stay: a page in a browser is not. Where there are such peers, one of them becomes the
    /// root of the network's tree.
    pub steady: bool,
    /// Whether signallers are told routing keys of what this peer wants, so that they introduce it to others that have named the
    /// same. Neighbours are told them in any case, as far as documents go by routes; a signaller is told none otherwise.
    pub introduce_by_interest: bool,
    /// For the pool of signallers: peers are reached by their addresses, without introductions.
    pub direct: Option<Direct>,
    /// For simulators alone: what one of many peers in a process has verified, the others take as verified.
    #[doc(hidden)]
    pub verified: Option<SharedVerification>,
}

impl Config {
    /// A peer of `network` with the usual numbers and no signaller yet.
    pub const fn new(network: Network) -> Self {
        Self {
            network,
            signallers: Vec::new(),
            signaller_cache: Vec::new(),
            target_links: limits::TARGET_LINKS,
            max_links: limits::MAX_LINKS,
            store_bytes: limits::STORE_BYTES,
            signaller_relay: SignallerRelay::LastResort,
            quota: Quota { documents: limits::AUTHOR_DOCUMENTS, bytes: limits::AUTHOR_BYTES },
            blacklist: Vec::new(),
            silence: Duration::ZERO,
            archive: None,
            importers: BTreeSet::new(),
            steady: true,
            introduce_by_interest: false,
            direct: None,
            verified: None,
        }
    }
}

/// How a peer takes part in a network whose peers have addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Direct {
    /// Where others reach us, as `wss://…`; if none, only we dial.
    pub address: Option<String>,
    /// The addresses by which others may have dialled us; any, if none.
    pub known_as: Option<Vec<String>>,
    /// The addresses to dial first; all others are learned from those.
    pub seeds: Vec<SignallerAddress>,
    /// The peers that may be neighbours; any, if none.
    pub allowed: Option<BTreeSet<PeerId>>,
}
