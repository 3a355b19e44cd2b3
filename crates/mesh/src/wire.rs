//! What stands on the wire between peers, and between a peer and a signaller.
//!
//! A *message* is what a transport carries whole: at most [`crate::limits::MESSAGE_BYTES`]. It holds one or
//! more frames, each preceded by its length as a varint ([`codec`]). A frame too large for a message
//! is cut into [`Frame::Fragment`]s. Frames are postcard; the order of the variants is the format.
//!
//! Each room of the core has its own group of frames. A new capability is a new group at the end of
//! [`Frame`]; a peer that does not know it skips its frames ([`read`]).

mod address;
mod circuit;
pub mod codec;
mod documents;
mod find;
mod fragment;
mod frame;
mod keep;
mod kind;
mod link;
mod pool;
mod presence;
mod reading;
mod refusal;
mod route;
mod signal;
mod signaller;
mod supply;
mod sync;
mod tree;
mod view;
mod within;

pub(crate) use address::{addresses, is_address, is_same_address};
pub use circuit::{CircuitFrame, CircuitPart};
pub use documents::{DocumentFrame, Push, Routed};
pub use find::{Find, FindFrame, Found, Rest};
pub use fragment::Fragment;
pub use frame::Frame;
pub use keep::{Keep, Outcome, Took};
pub use kind::{FrameKind, critical};
pub(crate) use kind::{VERIFICATION, cost_of};
pub use link::{Features, Hello, LinkFrame, Neighbour, VERSION};
pub use pool::{PoolFrame, Undeliverable};
pub use presence::{Joined, Kept, POOL, Presence};
pub use reading::{Reading, read};
pub use refusal::{Refusal, RefusalReason};
pub use route::{Ask, RouteFrame, Way};
pub use signal::{Signal, SignalBody, SignalFrame, SignalPart};
pub use signaller::{FromSignaller, IceServer, ToSignaller, Welcome};
pub use supply::{Seek, Sought, SupplyFrame};
pub use sync::{Compare, Differs, Given, Inquire, SyncFrame, Want};
pub use taiinet_document::Piece;
pub use tree::{Beacon, Brings, Bulletin, Entry, IdPrefix, Join, Passed, Slot, TreeFrame};
pub use view::ViewFrame;
