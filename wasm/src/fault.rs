//! Errors as JavaScript gets them.

use serde::Serialize;
use taiinet_document::{DocumentError, JsonError, SealError};
use taiinet_identity::EnvelopeError;
use taiinet_mesh::PublishError;
use taiinet_query::QueryError;
use wasm_bindgen::JsValue;

/// What went wrong: thrown as its JSON text, of which the package makes an `Error`.
#[derive(Debug, Serialize)]
pub(crate) struct Fault {
    /// What kind of thing is wrong, for programs.
    pub(crate) code: Code,
    /// What is wrong and what to do, for people.
    pub(crate) message: String,
    /// Where in the argument.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
}

/// The kinds of faults.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Code {
    Seed,
    Options,
    Query,
    Document,
    Recipients,
    Busy,
    Lost,
    Unconfirmed,
    Closed,
}

impl Fault {
    pub(crate) fn new(code: Code, message: impl ToString) -> Self {
        Self { code, message: message.to_string(), path: None }
    }

    pub(crate) fn closed() -> Self {
        Self::new(Code::Closed, "the peer is closed")
    }

    pub(crate) fn options(message: impl ToString) -> Self {
        Self::new(Code::Options, message)
    }

    /// Of one option.
    pub(crate) fn option(path: &str, message: impl core::fmt::Display) -> Self {
        Self { path: Some(path.to_owned()), ..Self::options(format!("{path}: {message}")) }
    }
}

impl From<QueryError> for Fault {
    fn from(error: QueryError) -> Self {
        let path = error.place().map(|place| place.as_str().to_owned());
        Self { path, ..Self::new(Code::Query, error) }
    }
}

impl From<JsonError> for Fault {
    fn from(error: JsonError) -> Self {
        match error.place() {
            // Lines and columns are of our own text, not of the page's.
            Some(place) => {
                Self { path: Some(place.to_owned()), ..Self::new(Code::Document, error.message()) }
            }
            None => Self::new(Code::Document, error),
        }
    }
}

impl From<DocumentError> for Fault {
    fn from(error: DocumentError) -> Self {
        Self::new(Code::Document, error)
    }
}

impl From<PublishError> for Fault {
    fn from(error: PublishError) -> Self {
        let code = match error {
            PublishError::Busy => Code::Busy,
            PublishError::NoRecipient => {
                let advice = "wait longer by options.waitMs, or name peers in options.to";
                return Self::new(Code::Recipients, format!("{error}; {advice}"));
            }
            PublishError::Seal(SealError::Envelope(
                EnvelopeError::NoRecipient
                | EnvelopeError::TooManyRecipients { .. }
                | EnvelopeError::Unusable(_),
            )) => Code::Recipients,
            _ => Code::Document,
        };
        Self::new(code, error)
    }
}

impl From<Fault> for JsValue {
    fn from(fault: Fault) -> Self {
        serde_json::to_string(&fault).unwrap_or(fault.message).into()
    }
}
