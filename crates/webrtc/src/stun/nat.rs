//! What kind of NAT the answers show (RFC 4787, section 4.1, and RFC 5780, section 4.3).

use std::net::SocketAddr;

use super::answer::{Answer, Seen, StunError};

/// What stands between a socket and the servers that it asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nat {
    /// There was no server to ask by this family.
    Unasked,
    /// There is no way to any by this family: this machine has none.
    Absent,
    /// None answers: UDP is kept from them.
    Blocked,
    /// None: they see the address that this machine has itself.
    Open,
    /// One that shows all of them the same address (endpoint-independent mapping): who learns it may be let
    /// through.
    Cone,
    /// One that shows each another address (address- or port-dependent mapping): what one learns is of no use to
    /// another.
    Symmetric,
    /// One of which only one server told: it takes two, or two ports of one.
    Unknown,
}

impl Nat {
    /// What these answers to one socket show.
    pub fn of(answers: &[Answer]) -> Self {
        let told = || answers.iter().filter_map(|answer| answer.seen.as_ref().ok());
        // What a server on this network sees is not what those beyond a NAT do.
        let mut beyond: Vec<SocketAddr> =
            told().filter(|seen| !is_own(seen)).map(|seen| seen.mapped).collect();
        let count = beyond.len();
        beyond.sort_unstable();
        beyond.dedup();
        match (beyond.len(), count) {
            (0, _) if told().next().is_some() => Self::Open,
            (0, _) => Self::silence(answers),
            (1, 1) => Self::Unknown,
            (1, _) => Self::Cone,
            _ => Self::Symmetric,
        }
    }

    /// What it means that nobody answered.
    fn silence(answers: &[Answer]) -> Self {
        let errors = || answers.iter().filter_map(|answer| answer.seen.as_ref().err());
        let is_unasked =
            |error: &StunError| matches!(error, StunError::OtherFamily | StunError::NoAddress);
        let is_absent = |error: &StunError| {
            matches!(error, StunError::Io(error) if matches!(
                error.kind(),
                std::io::ErrorKind::NetworkUnreachable | std::io::ErrorKind::AddrNotAvailable
            ))
        };
        if errors().all(is_unasked) {
            Self::Unasked
        } else if errors().all(|error| is_unasked(error) || is_absent(error)) {
            Self::Absent
        } else {
            Self::Blocked
        }
    }

    /// Whether packets come and go by UDP.
    pub const fn passes_udp(self) -> bool {
        matches!(self, Self::Open | Self::Cone | Self::Symmetric | Self::Unknown)
    }
}

fn is_own(seen: &Seen) -> bool {
    seen.local.is_some_and(|local| local.to_canonical() == seen.mapped.ip().to_canonical())
}
