//! TaiiNet: a peer-to-peer mesh that an application uses like a database.
//!
//! A peer takes part in a *network*, a name that the application chooses. It *subscribes* with a query
//! and *publishes* signed documents; the peers of the network pass them on to each other over WebRTC,
//! each checking before it passes on. *Signallers* introduce peers to one another and see nothing
//! more.
//!
//! ```no_run
//! use taiinet::{TaiiNet, json, query};
//!
//! # #[tokio::main] async fn main() -> Result<(), taiinet::Error> {
//! let net = TaiiNet::builder()
//!     .network("tweets")
//!     .signaller("ws://127.0.0.1:7700")
//!     .connect()
//!     .await?;
//!
//! let mut sub = net.subscribe(query!({ "type": "tweet", "likes": { "$gt": 4 } }))?;
//! net.publish(json!({ "type": "tweet", "text": "hello", "likes": 5 })).await?;
//!
//! while let Some(delivery) = sub.next().await {
//!     println!("{} says {}", delivery.author(), delivery.json());
//! }
//! # Ok(()) }
//! ```
//!
//! - [`TaiiNet`] is the handle of a running peer, [`Builder`] describes one.
//! - [`Subscription`] is a stream of [`Delivery`]. A slow reader slows the neighbours down; nothing is
//!   dropped. With [`SubscribeOptions::backlog`] it also brings what was published before.
//! - [`TaiiNet::publish`] waits until a neighbour has the document; [`TaiiNet::queue`] and
//!   [`TaiiNet::flush`] are for many.
//! - [`TaiiNet::delete`] withdraws what this peer has published.
//! - [`TaiiNet::find`] looks for documents that neighbours and archives have.
//! - [`TaiiNet::import`] gives archives documents of any age to keep.
//! - [`TaiiNet::live`] keeps a result set true: sorted, limited, with what was before and what comes.
//! - [`TaiiNet::blacklist`] keeps a peer out; those that flood are kept out automatically.
//! - [`TaiiNet::events`] and [`TaiiNet::status`] answer "why am I not connected?".
//!
//! The peer runs as a task on the tokio runtime that called [`Builder::connect`]. Call
//! [`TaiiNet::close`] before the runtime ends, so that the neighbours hear a goodbye.

mod address;
#[cfg(feature = "archive")]
mod archive;
#[cfg(not(feature = "archive"))]
#[path = "no_archive.rs"]
mod archive;
pub mod blacklist;
mod builder;
mod clock;
mod control;
mod delete;
mod delivery;
mod document;
mod driver;
mod error;
mod events;
mod files;
mod find;
mod import;
mod live;
mod net;
mod publish;
mod query;
mod signaller_cache;
mod stamps;
mod subscribe;
mod tally;
mod whereabouts;

pub use address::{AddressError, parse_signaller};
#[cfg(feature = "archive")]
pub use archive::{ArchiveOptions, ArchiveStartError, ArchiveStatus, outcome};
pub use builder::Builder;
pub use delete::Withdrawn;
pub use delivery::{Delivery, SubscriptionEvent};
pub use document::{IntoDocument, PublishOptions};
pub use error::Error;
pub use events::{Events, Missed};
pub use find::{Cursor, CursorError, FindOptions, Found};
pub use import::Import;
pub use live::{Live, LiveEvent, LiveSnapshot};
pub use net::TaiiNet;
pub use query::IntoQuery;
pub use subscribe::{SubscribeOptions, Subscription};
pub use tally::PublishCounts;

#[doc(hidden)]
pub use publish::Prepared;
#[doc(no_inline)]
pub use serde_json::json;
#[cfg(feature = "archive")]
#[doc(no_inline)]
pub use taiinet_archive as archives;
#[doc(no_inline)]
pub use taiinet_document::{
    DocumentId, Key, Map, Network, PeerSet, Sharing, Timestamp, Value, VerifiedDocument, Writers,
};
#[doc(no_inline)]
pub use taiinet_identity::{Identity, PeerId, keyfile};
#[doc(no_inline)]
pub use taiinet_mesh::{
    Audience, BlacklistError, Blacklisted, Counters, Disconnect, Event, LinkFailure, LinkId,
    LinkState, LinkStatus, Misbehaviour, Quota, SignallerAddress, SignallerRelay, SignallerStatus,
    Spreading, Status, Time, VersionAhead,
    wire::{Kept, Outcome},
};
#[doc(no_inline)]
pub use taiinet_query::{
    Query, QueryError,
    sort::{Direction, Sort, SortError},
};
#[doc(no_inline)]
pub use taiinet_session::{
    Backlog, Indiscreet, LIVE_LIMIT, LiveError, LiveOptions, LiveState, Phase, Privacy, Ready,
    Removal, Removed, Until,
};
#[doc(no_inline)]
pub use taiinet_webrtc::{Bandwidth, Rate, RateError};
