//! What is served and what is not, by lists that the operator keeps in files.
//!
//! A list that cannot be trusted serves no more than before: one that is cut short or has a line that
//! is none is refused, an allow-list without entries admits none, and none that is reloaded lifts a
//! restriction silently.

use std::{
    collections::{BTreeSet, HashSet},
    io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use super::{files::read_text, prefix::AddressPrefix};
use crate::limits;
use taiinet_document::Network;
use taiinet_identity::PeerId;

/// Where the lists are.
///
/// One entry a line: a peer (`tn1…`), an address or range (`192.0.2.0/24`), or `network NAME`.
/// What follows a `#` at the beginning or after a space is a comment. The last line ends as all others do,
/// or the list counts as cut short.
#[derive(Debug, Clone, Default)]
pub struct ListFiles {
    /// Of each kind that has an entry here, only what is here is served; without any entry nothing is.
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
        /// The list's file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Its last line has no end.
    #[error(
        "{path}, line {line}: it ends in the middle of a line, as if it had been cut short; end the \
         last line, too, if it is whole"
    )]
    Cut {
        /// The list's file.
        path: PathBuf,
        /// Its last line, counted from 1.
        line: usize,
    },
    /// It was reloaded, and would serve more than was meant.
    #[error(
        "{path}: it has no {kind} any more and would serve all, as if it had been cut short; start \
         again if that is meant"
    )]
    Lifted {
        /// The allow-list.
        path: PathBuf,
        /// What it restricted before.
        kind: &'static str,
    },
    /// A line is none.
    #[error(
        "{path}, line {line}: expected a peer (tn1…), an address or range (192.0.2.0/24), or \
         `network NAME`"
    )]
    Line {
        /// The list's file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
}

/// Both lists; of an allow-list that there is not, nothing is restricted.
#[derive(Debug, Default)]
pub(super) struct Lists {
    allow: Option<List>,
    block: Option<List>,
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
        let list = |path: &Option<PathBuf>| path.as_deref().map(List::load).transpose();
        Ok(Lists { allow: list(&self.allow)?, block: list(&self.block)? })
    }

    /// Reloads them, in place of those that count now.
    pub(super) fn load_after(&self, current: &Lists) -> Result<Lists, ListError> {
        let lists = self.load()?;
        match (lists.lifts(current), &self.allow) {
            (Some(kind), Some(path)) => Err(ListError::Lifted { path: path.clone(), kind }),
            _ => Ok(lists),
        }
    }
}

impl Lists {
    /// Whether connections from here are served.
    pub(super) fn admit_address(&self, address: IpAddr) -> bool {
        let is_blocked = self.block.as_ref().is_some_and(|block| block.has_address(address));
        let is_allowed = self.allow.as_ref().is_none_or(|allow| {
            !allow.is_empty() && (allow.addresses.is_empty() || allow.has_address(address))
        });
        !is_blocked && is_allowed
    }

    pub(super) fn admit(&self, peer: &PeerId, network: &Network) -> bool {
        let is_blocked = self
            .block
            .as_ref()
            .is_some_and(|block| block.peers.contains(peer) || block.networks.contains(network));
        let is_allowed = self.allow.as_ref().is_none_or(|allow| {
            !allow.is_empty()
                && (allow.peers.is_empty() || allow.peers.contains(peer))
                && (allow.networks.is_empty() || allow.networks.contains(network))
        });
        !is_blocked && is_allowed
    }

    /// Whether the operator does not serve this member of the pool. The allow-list is of clients:
    /// `--allow-member` names members.
    pub(super) fn blocks_member(&self, member: &PeerId) -> bool {
        self.block.as_ref().is_some_and(|block| block.peers.contains(member))
    }

    /// What the others restricted and these do not. Without any entry they serve none, and lift nothing.
    fn lifts(&self, others: &Self) -> Option<&'static str> {
        let (now, before) = (self.allow.as_ref()?, others.allow.as_ref()?);
        let kinds = [
            ("peer", now.peers.is_empty(), before.peers.is_empty()),
            ("address", now.addresses.is_empty(), before.addresses.is_empty()),
            ("network", now.networks.is_empty(), before.networks.is_empty()),
        ];
        let lifted = kinds.into_iter().find(|(_, now, before)| *now && !before);
        lifted.map(|(kind, ..)| kind).filter(|_| !now.is_empty())
    }

    /// What counts, but may not be meant.
    pub(super) fn warnings(&self) -> Vec<&'static str> {
        let is_empty = |list: &Option<List>| list.as_ref().is_some_and(List::is_empty);
        let allow = is_empty(&self.allow).then_some(
            "the allow-list has no entries: no client is served; without --allow all are",
        );
        let block =
            is_empty(&self.block).then_some("the block-list has no entries: no client is blocked");
        allow.into_iter().chain(block).collect()
    }
}

impl List {
    fn load(path: &Path) -> Result<Self, ListError> {
        let text = read_text(path, limits::LIST_BYTES)
            .map_err(|error| ListError::Read { path: path.to_owned(), error })?;
        let lines = text.lines().count();
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(ListError::Cut { path: path.to_owned(), line: lines });
        }
        Self::parse(&text).map_err(|line| ListError::Line { path: path.to_owned(), line })
    }

    fn is_empty(&self) -> bool {
        self.peers.is_empty() && self.networks.is_empty() && self.addresses.is_empty()
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use taiinet_identity::{Identity, Seed};

    use super::*;

    fn peer(number: u8) -> PeerId {
        Identity::from_seed(&Seed::from_bytes([number; 32])).peer_id()
    }

    fn lists(allow: &str, block: &str) -> Lists {
        let list = |text: &str| (!text.is_empty()).then(|| List::parse(text).expect("a list"));
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

    #[test]
    fn an_allow_list_without_entries_serves_nobody() {
        let asked = ["192.0.2.1", "192.0.2.77", "198.51.100.1", "2001:db8::1"];
        for text in ["\n", "# all of them are gone\n"] {
            let empty = lists(text, "");
            assert_eq!(addresses(&empty, asked), [false; 4]);
            assert!(!empty.admit(&peer(1), &"a".parse().expect("a network")));
            assert_eq!(empty.warnings().len(), 1);
        }
        assert!(lists("", "").warnings().is_empty());
        assert_eq!(lists("", "\n").warnings().len(), 1);
    }

    #[test]
    fn a_list_that_was_cut_short_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("list");
        let load = |text: &str| {
            std::fs::write(&path, text).expect("written");
            List::load(&path).map_err(|error| error.to_string())
        };
        assert!(load("192.0.2.0/24\n").is_ok());
        // Each is a list by itself; the second blocks or allows another range than the whole.
        for text in ["192.0.2.0/24", "network a\n192.0.2.0/2", "# comment"] {
            let error = load(text).expect_err("cut");
            assert!(error.contains("cut short"), "{error}");
        }
        assert!(load("").is_ok_and(|list| list.is_empty()));
    }

    #[test]
    fn what_is_read_anew_lifts_no_restriction() {
        let whole = "127.0.0.0/8\nnetwork test\n";
        let before = lists(whole, "");
        assert_eq!(lists("127.0.0.0/8\n", "").lifts(&before), Some("network"));
        assert_eq!(lists("network other\n", "").lifts(&before), Some("address"));
        for fine in [whole, "192.0.2.1\nnetwork a\n", &format!("{whole}{}\n", peer(1)), "\n"] {
            assert_eq!(lists(fine, "").lifts(&before), None, "{fine:?}");
        }
        assert_eq!(lists(whole, "").lifts(&lists("", "")), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).{0,200}") {
            let _ = List::parse(&text);
        }
    }
}
