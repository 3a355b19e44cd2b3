//! What a pool is told of where a signaller is, by the addresses that it listens on.

use std::net::SocketAddr;

/// What a pool is told of where a signaller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advertised {
    /// What was given, or an address it listens on; or there is no pool.
    WhatIsRight,
    /// An address that leads every host to itself.
    Loopback,
    /// Nothing: it listens on all addresses, and knows none.
    Nothing,
}

pub(super) fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}
