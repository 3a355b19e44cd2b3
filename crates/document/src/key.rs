//! The key of a document: what its versions have in common.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use taiinet_identity::PeerId;

use crate::{
    DocumentError,
    few::{few, is_few},
    heap, limits,
};

/// Names a document among those of its owner: the newest version under one key replaces the older ones.
///
/// The owner is the author, unless the document is a version of somebody else's ([`Key::of`]). That one counts as a
/// version only if the owner has [shared](Key::shared) the key with its author; [`crate::Versions`] has the rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    name: String,
    sharing: Sharing,
}

/// Who writes under a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sharing {
    /// Its owner alone, who is the author.
    Own,
    /// Its owner, who is the author, and these.
    Shared(Writers),
    /// This one owns it, and the author writes a version of it.
    Of(PeerId),
}

/// Who may write versions of a document beside its owner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Writers {
    /// Every peer.
    Anyone,
    /// These.
    Peers(PeerSet),
}

/// One to [`limits::WRITERS`] peers, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct PeerSet(Vec<PeerId>);

impl PeerSet {
    /// # Errors
    /// [`DocumentError::Writers`] for none, or too many.
    pub fn new(peers: impl IntoIterator<Item = PeerId>) -> Result<Self, DocumentError> {
        let peers = few(peers, limits::WRITERS);
        peers.map(Self).map_err(|count| DocumentError::Writers { count })
    }

    /// Whether it has this one.
    pub fn contains(&self, peer: &PeerId) -> bool {
        self.0.binary_search(peer).is_ok()
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &PeerId> {
        self.0.iter()
    }
}

impl<'de> Deserialize<'de> for PeerSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let peers = Vec::<PeerId>::deserialize(deserializer)?;
        if !is_few(&peers, limits::WRITERS) {
            return Err(de::Error::custom("the writers are none, too many, or not in order"));
        }
        Ok(Self(peers))
    }
}

impl Writers {
    /// Whether this peer may write.
    pub fn contains(&self, peer: &PeerId) -> bool {
        match self {
            Self::Anyone => true,
            Self::Peers(peers) => peers.contains(peer),
        }
    }
}

impl Key {
    /// A key under which the author alone writes.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), sharing: Sharing::Own }
    }

    /// A key of the author's under which others write as well, from this version on until a later one of the owner's
    /// says otherwise.
    pub fn shared(name: impl Into<String>, writers: Writers) -> Self {
        Self { name: name.into(), sharing: Sharing::Shared(writers) }
    }

    /// The key of another's document, of which the author writes a version.
    pub fn of(name: impl Into<String>, owner: PeerId) -> Self {
        Self { name: name.into(), sharing: Sharing::Of(owner) }
    }

    /// The name of it, at most [`limits::KEY_BYTES`] bytes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who writes under it, as its author says.
    pub const fn sharing(&self) -> &Sharing {
        &self.sharing
    }

    /// The peer among whose documents it is a name, if this one wrote it.
    pub const fn owner(&self, author: PeerId) -> PeerId {
        match self.sharing {
            Sharing::Own | Sharing::Shared(_) => author,
            Sharing::Of(owner) => owner,
        }
    }

    /// The peers that its owner lets write; none if this is not the owner's, or it is not shared.
    pub const fn writers(&self) -> Option<&Writers> {
        match &self.sharing {
            Sharing::Shared(writers) => Some(writers),
            Sharing::Own | Sharing::Of(_) => None,
        }
    }

    /// What decoding alone does not guarantee.
    pub(crate) const fn check(&self) -> Result<(), DocumentError> {
        if self.name.len() > limits::KEY_BYTES { Err(DocumentError::KeyTooLong) } else { Ok(()) }
    }

    pub(crate) fn heap_size(&self) -> usize {
        let writers = match &self.sharing {
            Sharing::Shared(Writers::Peers(peers)) => {
                heap::block(peers.0.capacity() * size_of::<PeerId>())
            }
            Sharing::Own | Sharing::Of(_) | Sharing::Shared(Writers::Anyone) => 0,
        };
        heap::block(self.name.capacity()) + writers
    }
}

impl From<&str> for Key {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Key {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

/// A key, or none, as a document has it: a number, then what belongs to it.
#[derive(Serialize, Deserialize)]
enum Wire<'a> {
    None,
    Own(&'a str),
    Anyone(&'a str),
    Peers(&'a str, PeerSet),
    Of(&'a str, PeerId),
}

pub(crate) fn serialize<S: Serializer>(key: &Option<Key>, to: S) -> Result<S::Ok, S::Error> {
    let wire = match key {
        None => Wire::None,
        Some(Key { name, sharing }) => match sharing {
            Sharing::Own => Wire::Own(name),
            Sharing::Shared(Writers::Anyone) => Wire::Anyone(name),
            Sharing::Shared(Writers::Peers(peers)) => Wire::Peers(name, peers.clone()),
            Sharing::Of(owner) => Wire::Of(name, *owner),
        },
    };
    wire.serialize(to)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Key>, D::Error> {
    Ok(match Wire::deserialize(from)? {
        Wire::None => None,
        Wire::Own(name) => Some(Key::new(name)),
        Wire::Anyone(name) => Some(Key::shared(name, Writers::Anyone)),
        Wire::Peers(name, peers) => Some(Key::shared(name, Writers::Peers(peers))),
        Wire::Of(name, owner) => Some(Key::of(name, owner)),
    })
}
