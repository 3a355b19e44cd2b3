//! A virtual network that drives many TaiiNet peers deterministically, by seed.
//!
//! A [`World`] holds real [`taiinet_mesh::Peer`]s and real signaller desks, on a virtual clock and
//! over virtual transports that behave as the native ones do: descriptions are made and carried
//! sealed, channels open late or never, messages take their time and wait for bandwidth, the dead
//! fall silent. Every chance is drawn from one seeded generator, so a run that shows a fault shows
//! it again.
//!
//! ```
//! use std::time::Duration;
//! use taiinet_sim::{DeskConfig, PeerSpec, World, WorldConfig};
//!
//! let mut world = World::new(7, WorldConfig::default());
//! let signaller = world.add_signaller(DeskConfig::default());
//! let spec = PeerSpec::new("tweets".parse().expect("a name"), &[signaller]);
//! let peers = world.add_peers(3, &spec);
//! world.subscribe(peers[2], r#"{"likes": {"$gt": 4}}"#);
//! assert!(world.run_until(Duration::from_secs(30), |world| world.is_connected()));
//! world.publish(peers[0], r#"{"likes": 5}"#).expect("it is small");
//! assert!(world.run_until(Duration::from_secs(5), |world| world.deliveries(peers[2]).len() == 1));
//! ```
//!
//! For attacks there are puppets ([`World::add_puppet`]): endpoints with real keys and real links
//! that do nothing but what a test tells them. [`forge`] makes what they say.

mod audit;
mod behaviour;
mod channel;
mod config;
mod desk;
pub mod forge;
mod frames;
mod node;
mod puppet;
mod queue;
mod regions;
#[cfg(feature = "command")]
pub mod report;
mod rng;
#[cfg(feature = "command")]
pub mod scenario;
mod trace;
mod world;

pub use audit::{Audit, Spreading};
pub use behaviour::Behaviour;
pub use config::{Keep, PeerSpec, Spread, WorldConfig};
pub use desk::Tamper;
pub use node::{Node, PeerIndex, PuppetIndex, SignallerIndex};
pub use puppet::{Manners, Puppet, PuppetSpec, Wire, WireId};
pub use regions::Regions;
pub use taiinet_signaller::{DeskConfig, DeskStatus, JoinWork, Relaying};
pub use world::{Delivered, Found, Life, Published, Traffic, World};
