//! What can be published.

use std::time::Duration;

use taiinet_document::{Key, Map, Value, parse_map};

use taiinet_mesh::Audience;
use taiinet_session::Until;

use crate::error::Error;

/// What an author may add to a document; see [`TaiiNet::publish_with`](crate::TaiiNet::publish_with).
///
/// A document that others write as well, and a version of one of somebody else's:
///
/// ```no_run
/// # use taiinet::{Error, Key, PeerId, PeerSet, PublishOptions, TaiiNet, Writers, json};
/// # async fn example(net: TaiiNet, ann: PeerId, bob: PeerId) -> Result<(), Error> {
/// let under = |key| PublishOptions { key: Some(key), ..PublishOptions::default() };
/// // Ann opens a list to Bob,
/// let writers = Writers::Peers(PeerSet::new([bob])?);
/// net.publish_with(json!({ "buy": [] }), under(Key::shared("list", writers))).await?;
/// // Bob writes the next version of it,
/// net.publish_with(json!({ "buy": ["milk"] }), under(Key::of("list", ann))).await?;
/// // and Ann takes the right back. What the document is from then on, the same version says.
/// net.publish_with(json!({ "buy": ["milk"] }), under(Key::new("list"))).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishOptions {
    /// The newest version under one key replaces the older: `Some("profile".into())`. See [`Key`] for those that
    /// others write as well. What somebody without the right writes is a document of its own.
    pub key: Option<Key>,
    /// How long it is worth something; for ever if none. Nobody promises to hold it for so long: others keep it for
    /// the five minutes of the live window, and this peer, if it has a key, for as long as it runs, for neighbours
    /// that search.
    pub expires: Option<Duration>,
    /// Who may read it: everyone, the peers that [subscribed privately](crate::TaiiNet::subscribe_privately)
    /// to it, or the peers that are named. At most 1,000 at once.
    pub to: Audience,
    /// The names of fields that every peer may read, also if it is not for everyone: by these it is
    /// found and routed.
    pub public: Vec<String>,
    /// How long to wait for a peer to subscribe privately to it, if none is known.
    pub wait: Duration,
    /// How far it is to come before it counts as published: to a neighbour, which takes milliseconds, or into the
    /// network, which takes about a second more, five where little is published. See [`Until`].
    pub until: Until,
}

impl Default for PublishOptions {
    /// For everyone, for ever, under no key, until a neighbour has it.
    fn default() -> Self {
        Self {
            key: None,
            expires: None,
            to: Audience::Everyone,
            public: Vec::new(),
            wait: Duration::from_secs(2),
            until: Until::Neighbour,
        }
    }
}

/// Whatever can become the fields of a document: a JSON object as [`json!`](crate::json) makes it,
/// JSON text, or a [`Map`].
pub trait IntoDocument {
    /// The fields.
    ///
    /// # Errors
    /// [`Error::NotADocument`] or [`Error::Json`].
    fn into_document(self) -> Result<Map, Error>;
}

impl IntoDocument for Map {
    fn into_document(self) -> Result<Map, Error> {
        Ok(self)
    }
}

impl IntoDocument for Value {
    fn into_document(self) -> Result<Map, Error> {
        match self {
            Self::Map(map) => Ok(map),
            other => Err(Error::NotADocument { found: other.type_name() }),
        }
    }
}

impl IntoDocument for serde_json::Value {
    fn into_document(self) -> Result<Map, Error> {
        Value::try_from(self).map_err(taiinet_document::DocumentError::from)?.into_document()
    }
}

/// JSON text.
impl IntoDocument for &str {
    fn into_document(self) -> Result<Map, Error> {
        Ok(parse_map(self)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_becomes_a_document_if_it_is_an_object() {
        let map = serde_json::json!({ "n": 1 }).into_document().expect("an object");
        assert_eq!(map["n"], Value::Int(1));
        assert_eq!(r#"{"n": 1}"#.into_document().expect("an object"), map);
        assert!(matches!(
            serde_json::json!([1]).into_document(),
            Err(Error::NotADocument { found: "array" })
        ));
        assert!(matches!("{".into_document(), Err(Error::Json(_))));
    }
}
