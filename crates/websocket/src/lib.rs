//! Native links of TaiiNet on tokio: what all of them have in common, and those over WebSockets, to
//! signallers and between them. This is the driver half that carries bytes for `taiinet-mesh`, which
//! decides everything; `taiinet-webrtc` adds the links between peers.
//!
//! [`Links`] does what the core's outputs ask for; [`LinkInputs`] gives what the core must be told:
//!
//! ```no_run
//! use taiinet_mesh::{Output, Peer, Time};
//! use taiinet_websocket::{Links, WebSockets};
//!
//! # async fn drive(mut peer: Peer, now: Time) {
//! let (mut links, mut inputs) = Links::new(WebSockets::new(b""));
//! while let Some(output) = peer.poll_output(now) {
//!     match output {
//!         Output::Dial { link, dial } => links.dial(link, dial),
//!         Output::Negotiate { link, part } => links.negotiate(link, part),
//!         Output::Send { link, bytes, .. } => links.send(link, bytes),
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
//! | WebSocket | one message of 32 KiB each way, and the kernel's buffers |
//!
//! All links that share a [`Bandwidth`] carry no more than it lets them.
//!
//! WebSocket frames are counted before they are read ([`Metered`]), at the end that dials, too: one that
//! sends pings, fragments or empty frames without end loses the link.
//!
//! [`TRANSPORT_WINDOW`]: taiinet_mesh::limits::TRANSPORT_WINDOW

mod bandwidth;
mod frames;
mod goodbye;
mod links;
mod metered;
mod port;
mod probe;
mod public;
mod socket;
mod tls;

pub use bandwidth::{Bandwidth, Rate, RateError};
pub use frames::Seen;
pub use goodbye::{close_code, say_goodbye};
pub use links::{INPUTS, LinkInputs, Links, Transport};
pub use metered::{Meter, Metered};
pub use port::{Accepted, Closing, Command, Emitter, Ended, Place, Port, drain};
pub use probe::{Probe, probe};
pub use public::is_public;
pub use socket::WebSockets;
pub use tls::{RootsError, check_roots};
