//! Why a TURN server is of no help, each cause as what it is: most of them are no firewall.

use std::io;

use rtc::stun::error_code::ErrorCode;
use taiinet_mesh::LinkFailure;

/// Why there is no allocation. The order is that in which one tells more than another: servers that were
/// reached come last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(crate) enum TurnTrouble {
    /// It is reached by DTLS.
    #[error("it is to be reached by DTLS, which native peers do not speak")]
    Unsupported,
    /// No such host, or none of a family that is there.
    #[error("its name leads nowhere from here")]
    NoAddress,
    /// There is no way, or nobody listens.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// No answer.
    #[error("it does not answer")]
    Silent,
    /// TLS came to nothing.
    #[error("TLS with it failed: {0}")]
    Tls(String),
    /// Something else listens there.
    #[error("it does not speak TURN")]
    Nonsense,
    /// Any other answer.
    #[error("it refuses with error {0}")]
    Refused(u16),
    /// 403
    #[error("it does not serve this device (403 Forbidden)")]
    Forbidden,
    /// 401 and 441
    #[error("it does not accept the credentials that the signaller gave ({0})")]
    Credentials(u16),
    /// 508
    #[error("it has no room for another allocation (508 Insufficient Capacity)")]
    Capacity,
    /// 486
    #[error("it allows no more allocations, of this peer or in all (486 Allocation Quota Reached)")]
    Quota,
}

impl TurnTrouble {
    /// What an error response says (RFC 8656, section 19; RFC 8489, section 14.8).
    pub(super) const fn of_code(code: ErrorCode) -> Self {
        match code.0 {
            code @ (401 | 441) => Self::Credentials(code),
            403 => Self::Forbidden,
            486 => Self::Quota,
            508 => Self::Capacity,
            code => Self::Refused(code),
        }
    }

    /// What can be done about it.
    const fn cure(&self) -> &'static str {
        match self {
            Self::Unsupported => {
                "have its operator name it with ?transport=udp as turn:, or as turns: with ?transport=tcp"
            }
            Self::NoAddress => "have the signaller's operator check the address in --turn",
            Self::Unreachable(_) | Self::Silent => {
                "does it run? Where UDP is blocked, it has to be reachable by ?transport=tcp or turns:"
            }
            Self::Tls(_) => {
                "its certificate has to be one that peers trust: from the web's authorities, or by --ca-file"
            }
            Self::Nonsense => "is the port that of a TURN server?",
            Self::Refused(_) | Self::Forbidden => "its operator's log says more",
            Self::Credentials(_) => {
                "its operator has to give it the secret that the signaller has (static-auth-secret), and both \
                 a right clock"
            }
            Self::Capacity => "its operator can give it more ports, or run another",
            Self::Quota => "its operator can raise user-quota or total-quota, or run another",
        }
    }

    /// What it means for a link that needs the server at `url`.
    pub(crate) fn failure(&self, url: &str) -> LinkFailure {
        LinkFailure::Mistaken {
            what: format!("no direct path to the other end, and none through {url}: {self}"),
            cure: self.cure().to_owned(),
        }
    }
}

impl From<io::Error> for TurnTrouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut => Self::Silent,
            io::ErrorKind::InvalidData => Self::Nonsense,
            _ => Self::Unreachable(error.to_string()),
        }
    }
}
