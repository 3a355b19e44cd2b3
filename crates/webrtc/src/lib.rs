//! Native WebRTC links of TaiiNet: one data channel between two peers, on tokio. [`WebRtc`] carries
//! these, and WebSockets to signallers as well, so it is all that a native peer needs:
//!
//! ```no_run
//! use taiinet_webrtc::{Links, WebRtc, WebRtcConfig};
//!
//! # async fn drive() {
//! let (mut links, mut inputs) = Links::new(WebRtc::new(WebRtcConfig::default()));
//! # }
//! ```
//!
//! [`Links`] and what a link's task has in common with every other are in `taiinet-websocket`.
//!
//! # Bounds
//! Besides those of [`taiinet_websocket`]:
//!
//! | queue | bound |
//! |---|---|
//! | sending | 64 KiB not acknowledged by the other end |
//! | received and not read | 512 messages and 1 MiB of SCTP's window, of at most 64 KiB each; honest peers stop at their own window of 512 KiB |

mod channel;
mod config;
mod ports;
mod stun;
mod transport;
mod turn;

pub use config::{WebRtcConfig, local_addresses, source_address};
pub use stun::{Answer, Family, Nat, Seen, StunError, ask as ask_stun};
#[doc(no_inline)]
pub use taiinet_websocket::{
    Bandwidth, LinkInputs, Links, Probe, Rate, RateError, RootsError, WebSockets, check_roots,
    probe,
};
pub use transport::WebRtc;
