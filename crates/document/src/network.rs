//! The name of a network.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{heap, limits};

/// The name of a network: 1 to 64 bytes of text without control characters. Peers of one network
/// exchange documents; nothing crosses from one to another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Network(String);

impl Network {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) const fn heap_size(&self) -> usize {
        heap::block(self.0.capacity())
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(name: &str) -> Result<Self, NetworkError> {
        if name.is_empty() || name.len() > limits::NETWORK_BYTES {
            return Err(NetworkError::Length);
        }
        if name.chars().any(char::is_control) {
            return Err(NetworkError::Control);
        }
        Ok(Self(name.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl de::Visitor<'_> for Name {
            type Value = Network;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a network")
            }

            // Checked before it is copied.
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Network, E> {
                name.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Name)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({})", self.0)
    }
}

/// Why a text cannot name a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Empty or too long.
    #[error("a network's name has 1 to {} bytes", limits::NETWORK_BYTES)]
    Length,
    /// Contains control characters.
    #[error("a network's name has no control characters")]
    Control,
}
