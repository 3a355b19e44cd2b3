//! The ends of virtual channels: what a transport keeps for each link.

use core::mem;
use std::collections::VecDeque;

use taiinet_mesh::LinkId;

use crate::{PeerIndex, PuppetIndex, SignallerIndex};

/// Names one end of a channel; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EndId(pub(crate) u64);

/// The ends that there are, by their ids, which count up.
#[derive(Debug, Default)]
pub(crate) struct Ends(Vec<Option<Box<End>>>);

impl Ends {
    pub(crate) fn insert(&mut self, end: End) -> EndId {
        // The first is 1.
        if self.0.is_empty() {
            self.0.push(None);
        }
        self.0.push(Some(Box::new(end)));
        EndId(self.0.len() as u64 - 1)
    }

    pub(crate) fn get(&self, id: EndId) -> Option<&End> {
        self.0.get(usize::try_from(id.0).ok()?)?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, id: EndId) -> Option<&mut End> {
        self.0.get_mut(usize::try_from(id.0).ok()?)?.as_deref_mut()
    }

    pub(crate) fn contains(&self, id: EndId) -> bool {
        self.get(id).is_some()
    }

    pub(crate) fn remove(&mut self, id: EndId) -> Option<End> {
        mem::take(self.0.get_mut(usize::try_from(id.0).ok()?)?).map(|end| *end)
    }

    /// All of them, in the order of their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (EndId, &End)> {
        let numbered = self.0.iter().enumerate();
        numbered.filter_map(|(number, end)| Some((EndId(number as u64), end.as_deref()?)))
    }
}

/// The node that holds an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A peer, for one of its links.
    Peer(PeerIndex, LinkId),
    /// A puppet.
    Puppet(PuppetIndex),
    /// A signaller, for a client.
    Signaller(SignallerIndex),
    /// A signaller, for one of its links to others.
    Member(SignallerIndex, LinkId),
}

/// One end of a channel, open or not yet.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) owner: Owner,
    /// Whether it is a WebSocket: the kernel of a dead process closes it.
    pub(crate) socket: bool,
    /// Our description, once made, and the other end's, once known.
    pub(crate) local: Option<String>,
    pub(crate) remote: Option<String>,
    /// The other end, from the moment the channel is sure to open.
    pub(crate) twin: Option<EndId>,
    /// Milliseconds between the regions of the two ends, if both are in one.
    pub(crate) distance: Option<u64>,
    /// Whether the owner was told that it is open.
    pub(crate) open: bool,
    /// Whether the owner closed it.
    pub(crate) closing: bool,
    /// Microseconds at which what was sent so far will have left.
    pub(crate) leaves: u64,
    /// Milliseconds at which what was sent so far will have arrived.
    pub(crate) arrives: u64,
    /// Bytes given to the transport and not reported as sent.
    pub(crate) in_transport: usize,
    /// Bytes that left and were not reported yet.
    pub(crate) unreported: usize,
    /// What waits for a path that is lost for now; counts up with each loss.
    pub(crate) stalled: Option<(u64, VecDeque<Vec<u8>>)>,
    pub(crate) stalls: u64,
}

impl End {
    pub(crate) const fn new(owner: Owner, socket: bool) -> Self {
        Self {
            owner,
            socket,
            local: None,
            remote: None,
            twin: None,
            distance: None,
            open: false,
            closing: false,
            leaves: 0,
            arrives: 0,
            in_transport: 0,
            unreported: 0,
            stalled: None,
            stalls: 0,
        }
    }
}

/// A session description as WebRTC's looks to the core: text with a fingerprint in it.
pub(crate) fn description(end: EndId, offer: bool, fingerprint: &[u8; 32]) -> String {
    let hex: Vec<String> = fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
    let setup = if offer { "actpass" } else { "active" };
    format!(
        "v=0\r\no=- {} 1 IN IP4 0.0.0.0\r\ns=virtual\r\nt=0 0\r\n\
         m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
         a=fingerprint:sha-256 {}\r\na=setup:{setup}\r\n",
        end.0,
        hex.join(":"),
    )
}

/// A trickled candidate.
pub(crate) fn candidate(end: EndId) -> String {
    format!("candidate:1 1 UDP 2130706431 10.0.0.1 {} typ host", 1024 + end.0 % 60_000)
}
