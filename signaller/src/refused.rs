//! Why a signaller refuses what it is told, and what follows for the client that said it.

use taiinet_mesh::{Misbehaviour, wire::RefusalReason};

use crate::parting::Parting;

/// Why something from a client, or from another signaller, was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refused {
    /// Too many connections, in all or from its address.
    #[error("too many connections")]
    Connections,
    /// Too many networks or presences.
    #[error("too many joins")]
    Joins,
    /// Bytes that are no frame, or too many.
    #[error("no frame")]
    Undecodable,
    /// A frame that has no place at this point.
    #[error("out of turn")]
    OutOfTurn,
    /// Another version of the protocol.
    #[error("another version")]
    Version,
    /// A connection to an address that is none of ours.
    #[error("an address that is not ours")]
    Address,
    /// A message that does not open in its session.
    #[error("a message that does not open")]
    Session,
    /// A join that does not answer this connection's challenge.
    #[error("a join for another signaller or connection")]
    Challenge,
    /// A join whose times do not hold.
    #[error("a join out of its time")]
    OutOfTime,
    /// A join without the work that was asked for.
    #[error("a join without its work")]
    Work,
    /// A join whose signature does not hold.
    #[error("a join with an invalid signature")]
    Signature,
    /// A network that is not served.
    #[error("a network that is not served")]
    Network,
    /// A peer or network that the operator does not admit.
    #[error("a peer or network that is not admitted")]
    NotAdmitted,
    /// A signal in another's name, or for another network.
    #[error("a signal in a false name")]
    FalseName,
    /// A signal that was passed on before, here or by another signaller.
    #[error("a signal that came before")]
    Replayed,
    /// A peer that misbehaved here, and is blacklisted for a while.
    #[error("a peer that is blacklisted")]
    Blacklisted,
    /// Frames without end.
    #[error("a flood of frames")]
    Flood,
    /// More of one thing than its budget.
    #[error("too often")]
    TooOften,
    /// More work than the budget of the client, or of its address.
    #[error("more work than its budget")]
    OverBudget,
    /// A link that was to be relayed, where none is.
    #[error("a link to relay, and none is relayed here")]
    NoRelay,
    /// A link that was to be relayed to a peer that is not here, or has gone.
    #[error("a relayed link to a peer that is not here")]
    Absent,
    /// More relayed links than there may be, in all, of one of its ends or of an address.
    #[error("too many relayed links")]
    Circuits,
    /// A relayed link for which nothing was left of a quota.
    #[error("more relayed than the quota")]
    Quota,
    /// More on a relayed link than the other end had taken.
    #[error("more relayed than the other end took")]
    Window,
    /// A relayed link that was not agreed to, or not used.
    #[error("a relayed link that was not used")]
    Idle,
}

impl Refused {
    /// Each reason there is, in order.
    pub const ALL: [Self; 25] = [
        Self::Connections,
        Self::Joins,
        Self::Undecodable,
        Self::OutOfTurn,
        Self::Version,
        Self::Address,
        Self::Session,
        Self::Challenge,
        Self::OutOfTime,
        Self::Work,
        Self::Signature,
        Self::Network,
        Self::NotAdmitted,
        Self::FalseName,
        Self::Replayed,
        Self::Blacklisted,
        Self::Flood,
        Self::TooOften,
        Self::OverBudget,
        Self::NoRelay,
        Self::Absent,
        Self::Circuits,
        Self::Quota,
        Self::Window,
        Self::Idle,
    ];

    /// Its name in metrics. Whoever adds one here adds it to [`Self::ALL`], too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Joins => "joins",
            Self::Undecodable => "undecodable",
            Self::OutOfTurn => "out_of_turn",
            Self::Version => "version",
            Self::Address => "address",
            Self::Session => "session",
            Self::Challenge => "challenge",
            Self::OutOfTime => "out_of_time",
            Self::Work => "work",
            Self::Signature => "signature",
            Self::Network => "network",
            Self::NotAdmitted => "not_admitted",
            Self::FalseName => "false_name",
            Self::Replayed => "replayed",
            Self::Blacklisted => "blacklisted",
            Self::Flood => "flood",
            Self::TooOften => "too_often",
            Self::OverBudget => "over_budget",
            Self::NoRelay => "no_relay",
            Self::Absent => "absent",
            Self::Circuits => "circuits",
            Self::Quota => "quota",
            Self::Window => "window",
            Self::Idle => "idle",
        }
    }

    /// What the client is told.
    pub(crate) const fn reason(self) -> RefusalReason {
        match self {
            Self::Connections | Self::Joins | Self::Circuits => RefusalReason::Full,
            Self::NoRelay => RefusalReason::NoRelay,
            Self::Absent => RefusalReason::Absent,
            Self::Idle => RefusalReason::Leaving,
            Self::Version => RefusalReason::Version,
            Self::Address => RefusalReason::Address,
            Self::Network | Self::NotAdmitted => RefusalReason::Network,
            Self::Blacklisted => RefusalReason::NotAdmitted,
            Self::TooOften | Self::OverBudget | Self::Quota | Self::Window => {
                RefusalReason::TooOften
            }
            Self::OutOfTime => RefusalReason::Clock,
            _ => RefusalReason::Invalid,
        }
    }

    /// Why the connection of the client is closed, if it is.
    pub(crate) const fn parting(self) -> Parting {
        match self {
            Self::Connections | Self::Joins => Parting::Full,
            Self::Undecodable | Self::Session => Parting::Unreadable,
            _ => Parting::Refused,
        }
    }

    /// What it says of a client that has proven its name; nothing, if it may be without fault.
    pub(crate) const fn misbehaviour(self) -> Option<Misbehaviour> {
        match self {
            Self::Undecodable => Some(Misbehaviour::Undecodable),
            Self::OutOfTurn => Some(Misbehaviour::OutOfTurn),
            Self::Challenge | Self::Signature | Self::FalseName => {
                Some(Misbehaviour::InvalidSignature)
            }
            Self::Flood => Some(Misbehaviour::SignalFlood),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_among_all_of_them() {
        for (index, reason) in Refused::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index, "{reason:?}");
        }
        let names: std::collections::BTreeSet<_> = Refused::ALL.map(Refused::name).into();
        assert_eq!(names.len(), Refused::ALL.len());
        assert_eq!(Refused::Idle as usize, Refused::ALL.len() - 1, "the last one there is");
    }
}
