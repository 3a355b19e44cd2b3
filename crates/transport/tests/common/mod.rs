//! Two ends in one process and what tests wait for.

#![allow(dead_code, unreachable_pub, missing_docs)]

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use taiinet_identity::{Identity, PeerId, Seed};
use taiinet_mesh::{ChannelBinding, Dial, Input, LinkFailure, LinkId, Negotiation};
use taiinet_transport::{LinkInputs, Links, TransportConfig};
use tokio::time::timeout;

/// Nothing here takes nearly so long, however busy the machine.
pub const DEADLINE: Duration = Duration::from_secs(20);

pub fn somebody() -> PeerId {
    Identity::from_seed(&Seed::from_bytes([7; 32])).peer_id()
}

pub fn offer() -> Dial {
    Dial::Offer { to: somebody(), ice_servers: vec![] }
}

pub fn answer(offer: String) -> Dial {
    Dial::Answer { to: somebody(), offer, ice_servers: vec![] }
}

pub fn loopback() -> TransportConfig {
    TransportConfig { bind: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)], ..TransportConfig::default() }
}

/// One peer's links.
pub struct End {
    pub links: Links,
    pub inputs: LinkInputs,
}

impl End {
    pub fn new() -> Self {
        Self::with(loopback())
    }

    pub fn with(config: TransportConfig) -> Self {
        let (links, inputs) = Links::new(config);
        Self { links, inputs }
    }

    pub async fn next(&mut self) -> Input {
        timeout(DEADLINE, self.inputs.recv()).await.expect("in time").expect("an input")
    }

    /// The next message, past reports of what was sent.
    pub async fn message(&mut self) -> Vec<u8> {
        loop {
            match self.next().await {
                Input::Message { bytes, .. } => return bytes,
                Input::Sent { .. } | Input::Negotiation { .. } => {}
                other => panic!("no message but {other:?}"),
            }
        }
    }

    /// How the link went down; all before it is passed over.
    pub async fn down(&mut self, of: LinkId) -> LinkFailure {
        loop {
            if let Input::LinkDown { link, cause } = self.next().await
                && link == of
            {
                return cause;
            }
        }
    }

    pub async fn description(&mut self) -> String {
        match self.next().await {
            Input::Negotiation { part: Negotiation::Description(text), .. } => text,
            other => panic!("no description but {other:?}"),
        }
    }

    /// Reads until so many bytes were reported as sent.
    pub async fn sent(&mut self, mut bytes: usize) {
        while bytes > 0 {
            if let Input::Sent { bytes: more, .. } = self.next().await {
                bytes = bytes.checked_sub(more).expect("no more reported than was sent");
            }
        }
    }
}

pub const A: LinkId = LinkId::from_raw(1);
pub const B: LinkId = LinkId::from_raw(2);

/// Opens link [`A`] of one end to link [`B`] of the other, trickling candidates, and returns the
/// bindings.
pub async fn connect(a: &mut End, b: &mut End) -> (ChannelBinding, ChannelBinding) {
    a.links.dial(A, offer());
    let (mut one, mut other, mut dialled) = (None, None, false);
    while one.is_none() || other.is_none() {
        let (input, from_a) = tokio::select! {
            input = a.next() => (input, true),
            input = b.next() => (input, false),
        };
        match input {
            Input::LinkUp { binding, .. } if from_a => one = Some(binding),
            Input::LinkUp { binding, .. } => other = Some(binding),
            Input::Negotiation { part: Negotiation::Description(text), .. } if !dialled => {
                dialled = true;
                b.links.dial(B, answer(text));
            }
            Input::Negotiation { part, .. } if from_a => b.links.negotiate(B, part),
            Input::Negotiation { part, .. } => a.links.negotiate(A, part),
            other => panic!("while connecting: {other:?}"),
        }
    }
    (one.expect("up"), other.expect("up"))
}
