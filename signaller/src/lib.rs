//! TaiiNet's signaller: it introduces peers to one another, and holds nothing that they must trust.
//!
//! Peers join by a challenge that they sign, hear of others of their network by presences that those
//! signed, and negotiate links by signals that are sealed to the recipient: the signaller sees from,
//! to, time and size, and can neither impersonate a peer nor read or alter what peers negotiate.
//!
//! [`Desk`] is all of its logic, without any IO; with the feature `server` (the default) there is a
//! server around it, [`server::Server`], and the command `taiinet-signaller`.

mod addresses;
mod admission;
mod desk;
mod forwarded;
#[doc(hidden)]
pub mod fuzz;
mod histogram;
pub mod limits;
mod parting;
mod pool;
mod refused;
#[cfg(feature = "server")]
pub mod server;
mod shares;
mod sweep;
mod view;

pub use addresses::{Prefixes, Ranges};
pub use admission::Admission;
pub use desk::{
    Budgets, ClientId, Desk, DeskConfig, DeskInput, DeskOutput, DeskStatus, JoinWork, Relaying,
    Turn,
};
pub use histogram::{BOUNDS, Histogram};
pub use parting::Parting;
pub use refused::Refused;
pub use view::{DeskView, MemberState, MemberView, NetworkView};
