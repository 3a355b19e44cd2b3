//! The words between the core and its driver: what goes in, what comes out.

mod config;
mod error;
mod event;
mod ids;
mod input;
mod output;
mod status;

pub use config::{Config, Direct, SignallerAddress, SignallerRelay};
pub use error::{KeepError, PublishError, TooManyFinds, TooManySubscriptions, VersionAhead};
pub use event::{Disconnect, Event};
pub use ids::{FindId, KeepId, LinkId, SubscriptionId};
pub use input::{Audience, FindOptions, Input, LinkFailure, Negotiation, PublishOptions};
pub use output::{Answer, Conflict, Delivery, Dial, Lane, Output, Question, Reconcile, Reconciled};
pub use status::{
    Counters, LinkState, LinkStatus, SignallerStatus, Status, SupplyStatus, TreeStatus,
};
