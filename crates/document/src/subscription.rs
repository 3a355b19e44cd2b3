//! How others learn of recipients that they could seal a document to.

use serde::{Deserialize, Deserializer, Serialize, de};
use taiinet_identity::RecipientId;

use crate::limits;

/// Says that its author has a private subscription: what of it may be sealed, and to which key.
///
/// It is published under [`Subscription::key`], expires, and is published again while the
/// subscription lasts; a deletion under that key ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The query, as JSON text of at most [`limits::QUERY_BYTES`].
    #[serde(deserialize_with = "deserialize_query")]
    pub query: String,
    /// The key to seal to.
    pub recipient: RecipientId,
}

impl Subscription {
    /// The `key` of the documents that announce and withdraw it.
    pub fn key(&self) -> String {
        format!("subscription {}", self.recipient)
    }
}

fn deserialize_query<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let query = <&str>::deserialize(deserializer)?;
    if query.len() > limits::QUERY_BYTES {
        return Err(de::Error::custom("the query is too long"));
    }
    Ok(query.to_owned())
}
