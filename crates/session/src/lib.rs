//! What every driver of a peer needs, without IO, clock, threads or an async runtime: natively the crate
//! `taiinet` and in a browser `taiinet-wasm` differ in how they carry bytes and in how they answer
//! their callers, and in nothing else.
//!
//! [`Session`] is a [`taiinet_mesh::Peer`] with all that wait for something of it: for a document to be
//! taken by a neighbour or named by the network's root, for all of them to be, for a recipient to seal to, for what is searched for. What
//! they are is the driver's affair ([`Waiters`]); the session gives them back when they are to be told
//! ([`Action`]).
//!
//! | module | holds |
//! |---|---|
//! | [`Session`] | the peer, its subscriptions and searches, and their waiters |
//! | [`publications`] | documents that wait for room at the core, for a neighbour to take them, or for the network's root to name them |
//! | [`unsealed`] | contents that wait for a recipient |
//! | [`Removed`] | a document that a subscription was shown, and why it is gone |
//! | [`LiveChange`] | what happens to the live result sets that [`Session::live`] begins |
//! | [`backlog`] | subscriptions that are read too slowly |
//! | [`diagnosis`] | why a peer has no neighbour, and what can be done |
//! | [`json`] | events and status for scripts and pages |
//! | [`Privacy`] | which peers could read a document on its way |
//!
//! Every queue here is bounded by its own constant, or by what the core lets in.

pub mod backlog;
pub mod diagnosis;
mod histories;
pub mod json;
mod live;
mod privacy;
pub mod publications;
mod session;
mod shown;
#[cfg(test)]
mod testing;
pub mod unsealed;
mod waiters;

pub use histories::{Backlog, Ready};
pub use live::{LIVE_LIMIT, LIVE_SETS, LiveChange, LiveError, LiveOptions, LiveState, Phase};
pub use privacy::Privacy;
pub use publications::Until;
pub use session::{Action, CutOff, Indiscreet, Session, SubscribeError, Wanted};
pub use shown::{Removal, Removed, SHOWN};
pub use waiters::Waiters;

/// So many neighbours are enough to ask for what was published before, or so long after the first: that one
/// may have come as late as we.
pub const ACQUAINTED: (usize, core::time::Duration) = (3, core::time::Duration::from_secs(1));
