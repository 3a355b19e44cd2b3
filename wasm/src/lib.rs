//! A TaiiNet peer in a browser: the same core as everywhere ([`taiinet_session::Session`]), driven by the
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
//! | `state` | what a peer consists of, and what is to be told to the page |
//! | `requests` | what the package asks for, as it is written |
//! | `page` | what a page gives us: its functions, and randomness |
//! | `link` | data channels and WebSockets as links |
//! | `delivery` | documents as the page gets them |
//! | `sealing` | documents for some are sealed |
//! | `clock` | the time that the core is told |

pub mod bindings;
mod clock;
mod delivery;
mod driver;
mod fault;
mod link;
mod page;
mod promise;
mod requests;
mod sealing;
mod state;
#[cfg(any(test, feature = "vectors"))]
pub mod vectors;
