//! Values and JSON, without loss.

/// Why a text is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a document")]
pub struct JsonError;
