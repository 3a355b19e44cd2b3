//! A document from a line.

use std::collections::BTreeMap;

use taiinet_document::{
    Content, Document, Key, Map, Network, Timestamp, Value, VerifiedDocument, parse_map,
};
use taiinet_identity::{Identity, PeerId, PublicKey};

use crate::{clock, signed};

/// How many authors' keys are kept at hand.
const KEYS: usize = 4096;

/// How plain lines become documents.
pub(super) struct Signer {
    pub(super) identity: Option<Identity>,
    pub(super) network: Option<Network>,
    pub(super) key_field: Option<String>,
    pub(super) time_field: Option<String>,
}

impl Signer {
    /// Whether the time of a plain line is that of its file.
    pub(super) const fn goes_by_files(&self) -> bool {
        self.identity.is_some() && self.time_field.is_none()
    }

    /// The same line at the same time always becomes the same document.
    fn sign(&self, line: &str, at: Option<Timestamp>) -> Result<VerifiedDocument, String> {
        let content = parse_map(line)
            .map_err(|error| format!("column {}: {}", error.column(), error.message()))?;
        let Some(identity) = &self.identity else {
            return Err("the line has no signature: give --identity FILE to sign it".to_owned());
        };
        let Some(network) = self.network.clone() else {
            return Err("of which network is the line? Give --network NAME".to_owned());
        };
        let key = self.key_field.as_deref().map(|name| key(name, &content)).transpose()?;
        let created_at = match &self.time_field {
            Some(name) => time(name, &content)?,
            None => at.ok_or("when was the line published? What is no file needs --time-field")?,
        };
        let document = Document {
            network,
            created_at,
            nonce: nonce(line),
            expires_at: None,
            key,
            next_key: None,
            content: Content::Open(content),
        };
        VerifiedDocument::sign(identity, document).map_err(|error| error.to_string())
    }
}

fn nonce(line: &str) -> u32 {
    let hash = blake3::hash(line.as_bytes());
    u32::from_le_bytes(*hash.as_bytes().first_chunk().unwrap_or(&[0; 4]))
}

fn field<'a>(name: &str, content: &'a Map) -> Result<&'a Value, String> {
    content.get(name).ok_or_else(|| format!("there is no field {name:?}"))
}

fn key(name: &str, content: &Map) -> Result<Key, String> {
    match field(name, content)? {
        Value::String(text) => Ok(Key::new(text)),
        number @ (Value::Int(_) | Value::Float(_)) => {
            number.to_json().map(Key::new).map_err(|error| error.to_string())
        }
        other => Err(format!("{name:?} is {}, no text for a key", other.type_name())),
    }
}

fn time(name: &str, content: &Map) -> Result<Timestamp, String> {
    let wrong = || {
        format!(
            "{name:?} is no time: neither milliseconds since 1970 nor one like 2026-11-27T12:00:00Z"
        )
    };
    match field(name, content)? {
        Value::Int(millis) => {
            u64::try_from(*millis).map(Timestamp::from_millis).map_err(|_| wrong())
        }
        Value::String(text) => clock::time(text).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

/// Checks lines; each thread has one.
#[derive(Default)]
pub(super) struct Checker {
    keys: BTreeMap<PeerId, PublicKey>,
}

impl Checker {
    /// The document of a line, whose signature holds; `at` is when it was published, if its file says so.
    pub(super) fn check(
        &mut self,
        signer: &Signer,
        line: &str,
        at: Option<Timestamp>,
    ) -> Result<VerifiedDocument, String> {
        let Some(signed) = signed::read(line) else { return signer.sign(line, at) };
        let signed = signed?;
        let author = signed.author();
        let key = match self.keys.get(&author) {
            Some(key) => key,
            None => {
                let key = author.public_key();
                let key = key.map_err(|error| format!("the author {author}: {error}"))?;
                if self.keys.len() >= KEYS {
                    self.keys.clear();
                }
                self.keys.entry(author).or_insert(key)
            }
        };
        signed.verify(key).map_err(|error| error.to_string())
    }
}
