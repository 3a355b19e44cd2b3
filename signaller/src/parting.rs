//! Why a signaller ends a connection, as far as the transport says it.

/// Why a connection with a client is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parting {
    /// The client left.
    Left,
    /// The signaller stops.
    Stopping,
    /// What the client sent cannot be read.
    Unreadable,
    /// The client was refused, or fell silent.
    Refused,
    /// There is no room for it; there may be later.
    Full,
}
