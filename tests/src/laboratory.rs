//! A laboratory of networks: an internet of network namespaces, in which homes stand behind routers of
//! every kind, and what is measured there.
//!
//! [`Laboratory`] is the public part: a signaller with its STUN, and Debian's coturn. [`Laboratory::home`] adds a
//! home with the [`Access`] that is wanted, and [`Home::command`] starts one of our programs in it. All traffic stays between
//! these namespaces, which go when the values do; those of a run that was killed are swept up by the next.
//!
//! Needs root, `ip`, `nft` and `turnserver`: [`missing`] says what is not there.

mod access;
mod change;
mod home;
mod internet;
mod line;
mod measure;
mod namespace;
mod table;

pub use access::Access;
pub use change::{Change, Recovery};
pub use home::Home;
pub use internet::{Laboratory, Way};
pub use line::Line;
pub use measure::{Burst, Encounter, Measured, Trial};
pub use namespace::{Namespace, missing};
pub use table::{changes_json, changes_markdown, json, markdown, page};
