//! A TaiiNet peer in a browser: the same core as everywhere ([`taiinet_mesh::Peer`]), driven by the
//! browser's `RTCPeerConnection`, `WebSocket` and timers. It decides nothing.
//!
//! What JavaScript sees is in [`bindings`]; the npm package `taiinet` (`wasm/npm`) makes of it what
//! web developers use. Nothing here runs natively, but all of it compiles there, so that the usual
//! tools check it.
//!
//! | module | does |
//! |---|---|
//! | [`bindings`] | what the package calls |
//! | `driver` | carries bytes and time between the core and the browser |
//! | `link` | data channels and WebSockets as links |
//! | `private` | documents for some: who they are for, and sealing |
//! | `told` | events and status as JSON |
//! | `clock` | the time that the core is told |

pub mod bindings;
mod clock;
mod driver;
mod fault;
mod link;
mod private;
mod promise;
mod told;
#[cfg(any(test, feature = "vectors"))]
pub mod vectors;
