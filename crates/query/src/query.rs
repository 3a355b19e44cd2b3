//! A query, ready to match.

use core::{fmt, str::FromStr};
use std::sync::Arc;

use taiinet_document::{Map, Value, ValueError, VerifiedDocument, to_json_line};

use crate::{
    ast::{Clause, Tree},
    error::{Place, QueryError},
    fuel::{Fuel, OutOfFuel},
    heap, limits, parse,
    subject::{Attributes, Subject},
    text,
};

/// A valid query in its normal form; cheap to clone.
///
/// Two queries are equal if their normal forms are: that is so for most that say the same, and for
/// none that do not. Printed (`Display`, [`Self::to_value`]), it is the canonical form, which is
/// itself a query within all [`limits`] and parses to the same again.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Query(Arc<Clause>);

impl Query {
    /// The query `{}`, which every document matches but a deletion, a subscription, and content that only a
    /// later version can read.
    pub fn all() -> Self {
        Self(Arc::new(Tree::always()))
    }

    /// Reads a query.
    ///
    /// # Errors
    /// [`QueryError`] with what is wrong and where; all [`limits`] hold for what is accepted.
    pub fn parse(value: &Value) -> Result<Self, QueryError> {
        match value.to_json() {
            Ok(text) if text.len() > limits::QUERY_BYTES => {
                Err(QueryError::TooLong { bytes: text.len() })
            }
            Ok(_) => Self::normalised(value, limits::REGEX_BYTES),
            Err(ValueError::NotFinite) => Err(QueryError::NotFinite),
            // Each value takes two bytes of text at least.
            Err(ValueError::TooMany) => {
                Err(QueryError::TooLong { bytes: 2 * taiinet_document::limits::VALUES })
            }
            Err(_) => Err(QueryError::TooDeep { at: Place::default() }),
        }
    }

    /// From a value that is short enough, finite and not too deep.
    fn normalised(value: &Value, regex_bytes: usize) -> Result<Self, QueryError> {
        let clause = parse::query(value, regex_bytes)?;
        // Normalising seldom makes a query longer or deeper, but it can.
        let (canonical, depth) = text::canonical(&clause);
        match to_json_line(&canonical) {
            Ok(text) if text.len() > limits::QUERY_BYTES => {
                Err(QueryError::TooLong { bytes: text.len() })
            }
            Ok(_) if depth <= limits::DEPTH => Ok(Self(Arc::new(clause))),
            _ => Err(QueryError::TooDeep { at: Place::default() }),
        }
    }

    /// Reads a query from JSON, as [`Value::from_json`] reads it.
    ///
    /// # Errors
    /// As [`Self::parse`], and [`QueryError::Json`]. Text longer than [`limits::QUERY_BYTES`] is
    /// refused unread.
    pub fn from_json(text: &str) -> Result<Self, QueryError> {
        Self::parse_within(text, limits::REGEX_BYTES)
    }

    pub(crate) fn parse_within(text: &str, regex_bytes: usize) -> Result<Self, QueryError> {
        if text.len() > limits::QUERY_BYTES {
            return Err(QueryError::TooLong { bytes: text.len() });
        }
        Self::normalised(&Value::from_json(text)?, regex_bytes)
    }

    /// Whether a document's content matches; `_id` and the other reserved fields are fields like any.
    pub fn matches(&self, content: &Map) -> bool {
        self.0.matches(content, &Fuel::unlimited())
    }

    /// Whether a document matches. The reserved fields are `_id` (64 hex digits), `_author` (the text
    /// form `tn1…`), `_owner` (the peer whose document it is a version of, mostly its author), `_key` (if it has one) and `_created_at` (milliseconds since 1970); they hide
    /// fields of the content with the same names. A deletion matches nothing, nor does a subscription, nor
    /// content that only a later version can read.
    pub fn matches_document(&self, document: &VerifiedDocument) -> bool {
        Subject::of(document).is_some_and(|subject| self.0.matches(&subject, &Fuel::unlimited()))
    }

    /// As [`Self::matches_document`], for a document that is not signed yet or that was sealed.
    pub fn matches_fields(&self, attributes: Attributes<'_>, content: &Map) -> bool {
        self.0.matches(&Subject::new(attributes, content), &Fuel::unlimited())
    }

    /// As [`Self::matches_fields`], but no more work is done than there is fuel for.
    ///
    /// # Errors
    /// [`OutOfFuel`]. The fuel is of no use then: take what it has left for another.
    pub fn matches_within(
        &self,
        attributes: Attributes<'_>,
        content: &Map,
        fuel: &Fuel,
    ) -> Result<bool, OutOfFuel> {
        self.within(&Subject::new(attributes, content), fuel)
    }

    /// As [`Self::matches_document`], but no more work is done than there is fuel for.
    ///
    /// # Errors
    /// As [`Self::matches_within`].
    pub fn matches_document_within(
        &self,
        document: &VerifiedDocument,
        fuel: &Fuel,
    ) -> Result<bool, OutOfFuel> {
        Subject::of(document).map_or(Ok(false), |subject| self.within(&subject, fuel))
    }

    fn within(&self, subject: &Subject<'_>, fuel: &Fuel) -> Result<bool, OutOfFuel> {
        let matches = fuel.query() && self.0.matches(subject, fuel);
        if fuel.ran_out() { Err(OutOfFuel) } else { Ok(matches) }
    }

    /// About how many bytes it occupies in memory, rather more than less; much more than its text where
    /// that has regular expressions.
    pub fn heap_bytes(&self) -> usize {
        heap::of_query(&self.0)
    }

    /// The canonical form.
    pub fn to_value(&self) -> Value {
        Value::Map(text::canonical(&self.0).0)
    }

    /// The tree.
    pub(crate) fn clause(&self) -> &Clause {
        &self.0
    }
}

/// As [`Query::from_json`].
impl FromStr for Query {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        Self::from_json(text)
    }
}

/// The canonical form as JSON on one line.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = to_json_line(&text::canonical(&self.0).0).map_err(|_| fmt::Error)?;
        f.pad(&text)
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Query({self})")
    }
}
