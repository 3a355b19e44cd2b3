//! Which peers could read a document on its way.

use core::fmt;

use taiinet_document::Opened;

/// Which peers could read a document on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Privacy {
    /// Everyone in the network.
    Open,
    /// Its recipients, and anyone that gets hold of the identity key of one of them later.
    Sealed,
    /// Its recipients, and no one once the subscription has ended.
    ForwardSecret,
}

impl Privacy {
    /// Of a document that was opened here, or was open.
    pub fn of(opened: Option<&Opened>) -> Self {
        match opened.map(|opened| opened.recipient.is_forward_secret()) {
            None => Self::Open,
            Some(true) => Self::ForwardSecret,
            Some(false) => Self::Sealed,
        }
    }

    /// `open`, `sealed` or `forward-secret`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Sealed => "sealed",
            Self::ForwardSecret => "forward-secret",
        }
    }
}

impl fmt::Display for Privacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
