//! Who is served and who is not, by lists that the operator keeps in files.

use std::{
    collections::{BTreeSet, HashSet},
    fs::File,
    io::{self, Read as _},
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use taiinet_document::Network;
use taiinet_identity::PeerId;
use tokio::sync::watch;

use super::prefix::AddressPrefix;
use crate::{Admission, limits};

/// Where the lists are.
///
/// One entry a line: a peer (`tn1…`), an address or range (`192.0.2.0/24`), or `network NAME`.
/// What follows a `#` at the beginning or after a space is a comment.
#[derive(Debug, Clone, Default)]
pub struct ListFiles {
    /// Of each kind that has an entry here, only what is here is served.
    pub allow: Option<PathBuf>,
    /// What is here is not served, even if it is allowed.
    pub block: Option<PathBuf>,
}

/// A list cannot be used. It says where, but not what stands there: that may be an address.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It cannot be read.
    #[error("{path}: {error}")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is too long.
    #[error("{path}: a list has at most {} bytes", limits::LIST_BYTES)]
    Length {
        /// Which.
        path: PathBuf,
    },
    /// A line is none.
    #[error(
        "{path}, line {line}: expected a peer (tn1…), an address or range (192.0.2.0/24), or \
         `network NAME`"
    )]
    Line {
        /// Which.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
}

/// Both lists.
#[derive(Debug, Default)]
pub(super) struct Lists {
    allow: List,
    block: List,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct List {
    peers: BTreeSet<PeerId>,
    networks: BTreeSet<Network>,
    addresses: HashSet<AddressPrefix>,
    /// The lengths that are in `addresses`: an address is looked up once for each.
    bits: BTreeSet<u8>,
}

impl ListFiles {
    pub(super) fn load(&self) -> Result<Lists, ListError> {
        let list = |path: &Option<PathBuf>| path.as_deref().map_or(Ok(List::default()), List::load);
        Ok(Lists { allow: list(&self.allow)?, block: list(&self.block)? })
    }
}

impl Lists {
    /// Whether connections from here are served.
    pub(super) fn admit_address(&self, address: IpAddr) -> bool {
        !self.block.has_address(address)
            && (self.allow.addresses.is_empty() || self.allow.has_address(address))
    }

    fn admit(&self, peer: &PeerId, network: &Network) -> bool {
        let allowed = |names: bool, empty: bool| names || empty;
        !self.block.peers.contains(peer)
            && !self.block.networks.contains(network)
            && allowed(self.allow.peers.contains(peer), self.allow.peers.is_empty())
            && allowed(self.allow.networks.contains(network), self.allow.networks.is_empty())
    }
}

impl List {
    fn load(path: &Path) -> Result<Self, ListError> {
        let mut text = String::new();
        let length = File::open(path)
            .and_then(|file| file.take(limits::LIST_BYTES + 1).read_to_string(&mut text))
            .map_err(|error| ListError::Read { path: path.to_owned(), error })?;
        if length as u64 > limits::LIST_BYTES {
            return Err(ListError::Length { path: path.to_owned() });
        }
        Self::parse(&text).map_err(|line| ListError::Line { path: path.to_owned(), line })
    }

    /// Or the number of the line that is none.
    fn parse(text: &str) -> Result<Self, usize> {
        let mut list = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.split(" #").next().unwrap_or_default().trim();
            if !line.is_empty() && !line.starts_with('#') {
                list.insert(line).ok_or(index + 1)?;
            }
        }
        Ok(list)
    }

    fn insert(&mut self, line: &str) -> Option<()> {
        if let Some(name) = line.strip_prefix("network ") {
            self.networks.insert(name.trim_start().parse().ok()?);
        } else if line.starts_with(PeerId::PREFIX) {
            self.peers.insert(line.parse().ok()?);
        } else {
            let prefix: AddressPrefix = line.parse().ok()?;
            self.bits.insert(prefix.bits());
            self.addresses.insert(prefix);
        }
        Some(())
    }

    fn has_address(&self, address: IpAddr) -> bool {
        let bits = self.bits.iter();
        bits.map(|bits| AddressPrefix::around(address, *bits))
            .any(|prefix| self.addresses.contains(&prefix))
    }
}

/// The lists as they are now, for the desk.
#[derive(Debug)]
pub(super) struct Listed(pub(super) watch::Receiver<Arc<Lists>>);

impl Admission for Listed {
    fn admits(&self, peer: &PeerId, network: &Network) -> bool {
        self.0.borrow().admit(peer, network)
    }

    // The allow-list is of clients: `--allow-member` names members.
    fn admits_member(&self, member: &PeerId) -> bool {
        !self.0.borrow().block.peers.contains(member)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use taiinet_identity::{Identity, Seed};

    use super::*;

    fn peer(number: u8) -> PeerId {
        Identity::from_seed(&Seed::from_bytes([number; 32])).peer_id()
    }

    fn lists(allow: &str, block: &str) -> Lists {
        let list = |text| List::parse(text).expect("a list");
        Lists { allow: list(allow), block: list(block) }
    }

    fn addresses(lists: &Lists, addresses: [&str; 4]) -> [bool; 4] {
        addresses.map(|address| lists.admit_address(address.parse().expect("an address")))
    }

    #[test]
    fn what_is_blocked_is_not_served_even_if_it_is_allowed() {
        let asked = ["192.0.2.1", "192.0.2.77", "198.51.100.1", "2001:db8::1"];
        assert_eq!(addresses(&lists("", ""), asked), [true; 4]);
        let block = lists("", "# some\n192.0.2.64/26 # more\n\n 2001:db8::/32\n");
        assert_eq!(addresses(&block, asked), [true, false, true, false]);
        let both = lists("192.0.2.0/24\n", "192.0.2.77");
        assert_eq!(addresses(&both, asked), [true, false, false, false]);
    }

    #[test]
    fn each_kind_is_restricted_only_by_entries_of_its_kind() {
        let network = |name: &str| name.parse::<Network>().expect("a network");
        let admits = |lists: &Lists| {
            [(1, "a"), (2, "a"), (1, "b c"), (2, "b c")]
                .map(|(number, name)| lists.admit(&peer(number), &network(name)))
        };
        assert_eq!(admits(&lists("192.0.2.0/24", "")), [true; 4]);
        assert_eq!(admits(&lists(&peer(1).to_string(), "")), [true, false, true, false]);
        assert_eq!(admits(&lists("network b c", "")), [false, false, true, true]);
        let both = lists(&peer(1).to_string(), "network a");
        assert_eq!(admits(&both), [false, false, true, false]);
        assert_eq!(admits(&lists("", &peer(1).to_string())), [false, true, false, true]);
    }

    #[test]
    fn a_line_that_is_none_is_named_by_its_number_alone() {
        for (text, line) in [("192.0.2.1\nnonsense", 2), ("tn1abc", 1), ("#\n\nnetwork \n", 3)] {
            assert_eq!(List::parse(text), Err(line), "{text:?}");
        }
        let error = ListError::Line { path: "block.txt".into(), line: 2 };
        assert!(error.to_string().starts_with("block.txt, line 2: expected"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).{0,200}") {
            let _ = List::parse(&text);
        }
    }
}
