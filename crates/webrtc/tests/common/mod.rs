//! Two ends in one process.

#![allow(dead_code, unreachable_pub, unused_imports, missing_docs)]

pub mod coturn;
#[path = "../../../websocket/tests/common/mod.rs"]
mod end;

use std::net::{IpAddr, Ipv4Addr};

pub use end::{A, B, DEADLINE, End};
use taiinet_identity::{Identity, PeerId, Seed};
use taiinet_mesh::{ChannelBinding, Dial, Input, Negotiation};
use taiinet_webrtc::{WebRtc, WebRtcConfig};

pub fn somebody() -> PeerId {
    Identity::from_seed(&Seed::from_bytes([7; 32])).peer_id()
}

pub fn offer() -> Dial {
    Dial::Offer { to: somebody(), ice_servers: vec![] }
}

pub fn answer(offer: String) -> Dial {
    Dial::Answer { to: somebody(), offer, ice_servers: vec![] }
}

pub fn loopback() -> WebRtcConfig {
    WebRtcConfig { bind: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)], ..WebRtcConfig::default() }
}

pub fn end() -> End {
    end_with(loopback())
}

pub fn end_with(config: WebRtcConfig) -> End {
    End::over(WebRtc::new(config))
}

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
