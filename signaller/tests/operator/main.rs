//! What an operator does with the command: real processes, real sockets on loopback.
#![cfg(all(feature = "server", unix))]
#![allow(clippy::unwrap_used)]

mod client;
mod config;
mod drain;
mod floods;
mod handshakes;
mod limits;
mod lists;
mod logs;
mod memory;
mod metrics;
mod notify;
#[cfg(target_os = "linux")]
mod output;
mod packaging;
mod program;
mod proxies;
mod reload;
mod status;
mod tls;
