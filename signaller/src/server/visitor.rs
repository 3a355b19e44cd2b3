//! Who comes in by a door.

use std::net::IpAddr;

use super::gate::{Arrival, Turned};

/// A visitor that came by a door.
#[derive(Debug)]
pub(super) enum Visitor {
    /// A client that may say what it wants.
    Client { address: IpAddr, arrival: Arrival },
    /// A client that is only told why it does not come in.
    Refused(Turned),
    /// A proxy: its client is known when it has said so.
    Proxy { address: IpAddr },
    /// A reader of the metrics.
    Operator,
    /// Somebody who may use our own files, and so may hear names.
    Owner,
}
