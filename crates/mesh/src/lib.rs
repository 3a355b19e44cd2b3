//! The sans-IO peer of TaiiNet: links, membership, broadcast and signalling, without a socket, a
//! clock, a thread or global randomness. A driver carries bytes in and out and keeps the time; it
//! decides nothing. The same code runs natively, in the browser and in the simulator.
//!
//! # The front door
//! [`Peer`] takes [`Input`]s and the [`Time`], and gives [`Output`]s and one deadline:
//!
//! ```
//! use taiinet_identity::{Identity, Seed};
//! use taiinet_mesh::{Config, Dial, Output, Peer, SignallerAddress, Time};
//!
//! let now = Time::from_millis(1_800_000_000_000);
//! let identity = Identity::from_seed(&Seed::from_bytes([1; 32]));
//! let mut config = Config::new("tweets".parse()?);
//! config.signallers.push(SignallerAddress { url: "ws://127.0.0.1:7700".into(), pinned: None });
//! let mut peer = Peer::new(identity, config, [2; 32], now);
//!
//! assert_eq!(peer.poll_timeout(), Some(now));
//! peer.handle_timeout(now);
//! let Some(Output::Dial { dial: Dial::Signaller { url }, .. }) = peer.poll_output(now) else {
//!     panic!("a peer begins with its signaller");
//! };
//! assert_eq!(url, "ws://127.0.0.1:7700");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The rooms
//! | module | does |
//! |---|---|
//! | `api` | the words between the core and its driver |
//! | [`wire`] | what stands on the wire, a group of frames for each room; packing, cutting and joining ([`wire::codec`]) |
//! | `peer` | the front door, and the router between the rooms |
//! | `cx`, `notice` | what all rooms share, and what one tells the others |
//! | [`session`] | the encrypted session of links that are not DTLS (Noise NN) |
//! | `links` | links: handshake, lanes, budgets, liveness, sleep; offences and the blacklist (gossipsub v1.1) |
//! | `membership` | the peers that we are linked to and could be (HyParView), and the topology |
//! | `dialling` | new links: sealed negotiations and their routes |
//! | `signallers` | opening a session, joining, asking, coming back |
//! | `circuits` | links that a signaller relays, where no direct one can be had |
//! | `documents` | the one way in, the tree on which they go on (Plumtree), the store, quotas |
//! | `interest` | our subscriptions, open and private, and the peers that we can seal to |
//! | `sync` | comparing what two neighbours have |
//! | `finds` | searches: ours under way, others' answered |
//! | `keeps` | documents of any age for archives: ours offered, others' taken |
//! | `trees` | the rooted trees: roots, parents, bulletins |
//! | `routes` | where each document goes: up to the root, down to those that want it |
//! | `pool` | what signallers pass on for their clients |
//! | [`limits`] | every bound |
//!
//! `README.md` follows a document through them, and says how to add one.
//!
//! # Attacks, and what meets them
//! - **An attacker in the middle** of a link, were it the signaller itself: session descriptions are
//!   sealed to the recipient and signed by the sender, and the handshake's proof covers the channel
//!   binding ([`ChannelBinding`]), which differs on the two halves of a spliced channel. On a WebSocket
//!   that is the hash of a [`session`], which a signaller's welcome and a join cover, too: what is proven
//!   to one signaller is worth nothing at another.
//! - **Documents from strangers**: no frame but the handshake's counts before the proof. A link whose
//!   other end says anything else is closed.
//! - **Announcements of what does not exist**: capped for each link and time; one request at a time,
//!   with one timer; after the first broken promise nothing the link announced is believed for
//!   [`limits::DISTRUST`].
//! - **A bad copy that suppresses the good one**: an id counts as seen, and is said to be had, only
//!   after the signature held.
//! - **Replays**: a document of which the id was seen goes no further; one older than
//!   [`limits::LIVE_WINDOW`] is refused, and what was forgotten of the seen-cache is refused by its
//!   age, so nothing is delivered twice. Offers are remembered; a join names its session.
//! - **Strangers that want to be neighbours**: every request can be refused. At most
//!   [`limits::INCOMING_SHARE`] hundredths of the links are of others' choice, no neighbour is
//!   evicted to make room, and strangers in their handshake do not keep a peer from dialling those it chose.
//! - **A neighbour that does not read**: [`limits::LINK_WINDOW`] bytes unacknowledged, a bounded lane
//!   behind it, then announcements instead of documents, then the link is closed.
//! - **A neighbour that asks without end**: [`limits::SERVINGS`] copies of a document, and
//!   [`limits::REQUESTED_IDS`] waiting.
//! - **Documents that are expensive to hold**: one of 65 kB may take 5 MB once it is decoded, and
//!   [`taiinet_document::limits::VALUES`] sees to it that none takes more. What is kept is kept as
//!   signed bytes; what is decoded counts for what it holds of the heap.
//! - **Work without end**: each frame is paid for out of its link's [`limits::WORK`] before it is decoded,
//!   and so is what it makes us do beyond that: signatures verified, documents looked at, queries evaluated.
//!   A link that owes something waits, and is cut when too much waits; a signaller's connection, too. What a
//!   peer has spent on a link, once it has proven itself there, it has spent on the next, too; but a peer with a
//!   new key has spent nothing, so that together it is links times [`limits::WORK`], and how often strangers may
//!   become neighbours.
//! - **Comparisons without end, or blind ones**: [`limits::COMPARE_LOOKS`] documents are looked at for one,
//!   which the link pays for, and sums are keyed by chance, so that no author can choose documents that
//!   they do not see.
//! - **Archives that ask or answer without end**: [`limits::ANSWERED_AT_ONCE`] questions of a link at once, bounded
//!   in size and in the rows that are read for them, which the link pays for; answers to what was asked and no
//!   more, in the same bounded lane as those to searches; an archive that brings nothing new is asked rarely.
//! - **Searches without end, or expensive ones**: a budget of requests for each link, [`limits::FIND_FUEL`] for
//!   each search, which the link pays for, the newest [`limits::FIND_DOCUMENTS`] documents and no others,
//!   [`limits::FOUND_BYTES`] an answer, in a bounded lane behind everything else. What comes back is checked
//!   like any document, must match, and goes to the peer that asked and no other. To check it is our own cost,
//!   and bounded by what we asked for: so many documents and bytes, [`limits::FIND_FUEL`] an answer, and for all
//!   that a search opens as much again and [`limits::FIND_OPENINGS`] key exchanges.
//! - **Documents for an archive without end**: [`limits::KEEPS_AWAITED`] requests of [`limits::KEEP_BYTES`] that are not
//!   answered, and [`limits::KEEPING`] of its link's work a document, which is verified like any other. How old it may
//!   be and how much there is room for is the archive's to say. A peer without an archive takes none, and verifies none.
//! - **Expensive queries of private subscriptions**: [`limits::MATCH_WORK`] units of work a document, in turns
//!   for the announcers; what their queries occupy is counted ([`limits::DIRECTORY_BYTES`]), and the
//!   announcer that occupies most gives way.
//! - **Sealed documents without end**: [`limits::OPENINGS`] key exchanges, with turns for the authors; what
//!   is over waits, and is passed on meanwhile.
//! - **A neighbour that pretends to doze**: it may be silent for [`limits::DOZE_SILENCE`], but does not
//!   count as a neighbour that is wanted, and is asked for nothing that others have.
//! - **Floods** of what every honest peer would have refused: each offence costs its sender points
//!   ([`Misbehaviour::weight`]), which lead to the blacklist; each time there is twice as long. No peer
//!   pays for what others did: an author over its quota is dropped at no cost to those that passed it on,
//!   signals are passed on at half of the rate that is allowed, and what depends on clocks costs no more
//!   than the link ([`Misbehaviour::link_cost`]). So no two can get a third blacklisted.
//! - **An author that writes without end**: [`Quota`].
//! - **Extreme numbers on the wire**: lengths are checked before they are believed, hop counts and
//!   times saturate.

mod api;
mod budget;
mod circuits;
mod cx;
mod delegation;
mod dialling;
mod documents;
mod finds;
mod interest;
mod keeps;
mod lately;
pub mod limits;
mod links;
mod membership;
mod notice;
mod owed;
mod peer;
mod pool;
mod rng;
mod routes;
mod signallers;
mod sync;
#[cfg(test)]
mod testing;
mod time;
mod trees;
pub mod wire;

pub use api::{
    Answer, Audience, Config, Conflict, Counters, Delivery, Dial, Direct, Disconnect, Event,
    FindId, FindOptions, Input, KeepError, KeepId, Lane, LinkFailure, LinkId, LinkState,
    LinkStatus, Negotiation, Output, PublishError, PublishOptions, Question, Reconcile, Reconciled,
    SignallerAddress, SignallerRelay, SignallerStatus, Status, SubscriptionId, SupplyStatus,
    TooManyFinds, TooManySubscriptions, TreeStatus, VersionAhead,
};
pub use budget::Budget;
pub use dialling::description;
#[doc(hidden)]
pub use documents::SharedVerification;
pub use documents::{Quota, Stamps};
pub use links::{
    BlacklistError, Blacklisted, ChannelBinding, Incompatible, Misbehaviour, Reputation, Verdict,
    session,
};
pub use peer::Peer;
pub use routes::Spreading;
pub use signallers::work;
pub use time::Time;
