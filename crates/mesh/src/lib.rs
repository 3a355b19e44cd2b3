//! The sans-IO peer of TaiiNet.

mod api;
mod binding;
mod broadcast;
mod budget;
mod candidates;
pub mod frame;
pub mod limits;
mod link;
mod misbehaviour;
mod peer;
mod rng;
mod signallers;
mod signalling;
#[cfg(test)]
mod testing;
mod time;

pub use api::{
    Config, Counters, Delivery, Dial, Disconnect, Event, Input, LinkFailure, LinkId, LinkState,
    LinkStatus, Negotiation, Output, PublishError, PublishOptions, SignallerAddress,
    SignallerStatus, Status, SubscriptionId, TooManySubscriptions,
};
pub use binding::ChannelBinding;
pub use misbehaviour::Misbehaviour;
pub use peer::Peer;
pub use time::Time;
