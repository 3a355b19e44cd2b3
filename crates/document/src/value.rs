//! The values a document is made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Named values with unique, sorted names.
pub type Map = BTreeMap<String, Value>;

/// JSON's model and a little more: integers are told from floats, and there are bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// Nothing, on purpose.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite floating-point number.
    Float(f64),
    /// Text.
    String(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Values in order.
    List(Vec<Value>),
    /// Named values.
    Map(Map),
}

/// Why something is no [`Value`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// NaN or an infinity.
    #[error("a number must be finite")]
    NotFinite,
    /// Nested deeper than [`crate::limits::VALUE_DEPTH`].
    #[error("nested deeper than {} levels", crate::limits::VALUE_DEPTH)]
    TooDeep,
}
