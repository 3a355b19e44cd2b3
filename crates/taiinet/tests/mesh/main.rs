//! Peers over real WebRTC on loopback, introduced by a signaller in this process.
#![allow(clippy::unwrap_used)]

#[cfg(feature = "archive")]
mod archive;
mod backlog;
mod documents;
mod finds;
#[cfg(feature = "archive")]
mod imports;
mod leaving;
mod live;
mod pressure;
mod signallers;
mod support;
mod versions;
