//! Links to other peers: what each may still do, what waits for it, whether it lives; and what follows
//! from what it did.
//!
//! All rooms share the links ([`Links`] stands in [`Cx`](crate::cx::Cx)): they send and charge through
//! `Cx::send`, `Cx::charge` and `Cx::close`. What links say about themselves is dealt with here.

mod accept;
mod admission;
mod binding;
mod budgets;
mod conduct;
mod inbound;
mod incompatible;
mod lanes;
mod link;
mod map;
mod misbehaviour;
mod promptness;
mod protection;
mod reputation;
pub mod session;
mod sessions;
mod sleep;
mod work;

pub use binding::ChannelBinding;
pub(crate) use budgets::Budgets;
pub use incompatible::Incompatible;
#[cfg(test)]
pub(crate) use lanes::Lanes;
pub(crate) use lanes::{AnswerPart, Parcel};
pub(crate) use link::Link;
pub(crate) use map::Links;
pub use misbehaviour::Misbehaviour;
pub use reputation::{BlacklistError, Blacklisted, Reputation, Verdict};
pub(crate) use work::{Arrival, Work};
