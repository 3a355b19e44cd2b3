//! Options whose form in a file is the one they have on the command line: serde writes a value by its [`Display`]
//! and reads it by its [`FromStr`].
//!
//! [`serde_as_text!`](crate::serde_as_text) does so for a type of one's own, `#[serde(with = "text")]` for a field
//! of another's.

use std::{fmt::Display, str::FromStr};

use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Writes a value as text.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// Reads a value from text.
///
/// # Errors
/// It is no text, or none that the type takes.
pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
    from: D,
) -> Result<T, D::Error> {
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}

/// The same of a field that may be left out.
pub mod option {
    use super::{Deserializer, Display, FromStr, Serializer};

    /// Writes a value as text, if there is one.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::serialize(value, to),
            None => to.serialize_none(),
        }
    }

    /// Reads the value of a field that is not left out.
    ///
    /// # Errors
    /// It is no text, or none that the type takes.
    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        super::deserialize(from).map(Some)
    }
}

/// Has serde write a type by its [`Display`] and read it by its [`FromStr`].
#[macro_export]
macro_rules! serde_as_text {
    ($type:ty) => {
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                $crate::text::serialize(self, to)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::text::deserialize(from)
            }
        }
    };
}
