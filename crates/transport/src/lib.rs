//! Native links of TaiiNet: WebRTC data channels between peers and WebSockets to signallers, on
//! tokio. This is the driver half that carries bytes for `taiinet-mesh`, which decides everything.
//!
//! [`Links`] does what the core's outputs ask for; [`LinkInputs`] gives what the core must be told:
//!
//! ```no_run
//! use taiinet_mesh::{Output, Peer, Time};
//! use taiinet_transport::{Links, TransportConfig};
//!
//! # async fn drive(mut peer: Peer, now: Time) {
//! let (mut links, mut inputs) = Links::new(TransportConfig::default());
//! while let Some(output) = peer.poll_output(now) {
//!     match output {
//!         Output::Dial { link, dial } => links.dial(link, dial),
//!         Output::Negotiate { link, part } => links.negotiate(link, part),
//!         Output::Send { link, bytes } => links.send(link, bytes),
//!         Output::Close { link } => links.close(link),
//!         _ => {}
//!     }
//! }
//! while let Some(input) = inputs.recv().await {
//!     peer.handle(input, now);
//! }
//! # }
//! ```
//!
//! # Bounds
//! Every link is one task. What flows to it is bounded in bytes, what flows from it in messages, and
//! a link that cannot pass on what arrived stops reading:
//!
//! | queue | bound |
//! |---|---|
//! | to one link | [`TRANSPORT_WINDOW`] and one message; a core that sends more loses the link |
//! | from all links, [`LinkInputs`] | [`INPUTS`] entries; links wait, each in its turn |
//! | WebRTC, sending | 64 KiB not acknowledged by the other end |
//! | WebRTC, received and not read | 512 messages and 1 MiB of SCTP's window, of at most 64 KiB each; honest peers stop at their own window of 512 KiB |
//! | WebSocket | one message of 32 KiB each way, and the kernel's buffers |
//!
//! [`TRANSPORT_WINDOW`]: taiinet_mesh::limits::TRANSPORT_WINDOW

#[cfg(feature = "webrtc")]
mod channel;
mod config;
mod link;
mod links;
mod probe;
#[cfg(feature = "webrtc")]
mod stun;
mod websocket;

pub use config::TransportConfig;
pub use links::{INPUTS, LinkInputs, Links};
pub use probe::{Probe, probe};
#[cfg(feature = "webrtc")]
pub use stun::{Stun, StunError};
