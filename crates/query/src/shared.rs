//! Queries that others evaluate.

use core::{fmt, ops::Deref, str::FromStr};

use crate::{Query, QueryError};

/// A query that any peer evaluates for a stranger: it is within the tighter bound of
/// [`STRANGERS_REGEX_BYTES`](crate::limits::STRANGERS_REGEX_BYTES). Whatever sends a query to others
/// takes this type, since a peer that sends another one is charged for it.
///
/// ```
/// use taiinet_query::{Query, QueryError, SharedQuery};
///
/// let expensive: Query = r#"{"text": {"$regex": "^.{0,140}$"}}"#.parse()?;
/// assert!(matches!(SharedQuery::try_from(expensive), Err(QueryError::RegexTooLarge { .. })));
/// let query: SharedQuery = r#"{"text": {"$regex": "rust"}}"#.parse()?;
/// # Ok::<(), QueryError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SharedQuery(Query);

impl SharedQuery {
    /// The query `{}`.
    pub fn all() -> Self {
        Self(Query::all())
    }

    /// Reads a query that came from a stranger: as [`Query::from_json`], with the tighter bound.
    ///
    /// # Errors
    /// As [`Query::from_json`]. [`QueryError::RegexTooLarge`] comes sooner.
    pub fn parse_untrusted(text: &str) -> Result<Self, QueryError> {
        Query::parse_within(text, crate::limits::STRANGERS_REGEX_BYTES).map(Self)
    }

    /// The query without the promise.
    pub fn into_query(self) -> Query {
        self.0
    }
}

/// # Errors
/// Why others would not evaluate it: [`QueryError::RegexTooLarge`].
impl TryFrom<Query> for SharedQuery {
    type Error = QueryError;

    fn try_from(query: Query) -> Result<Self, QueryError> {
        // What is sent is the normal form, so that is what must pass.
        Self::parse_untrusted(&query.to_string())
    }
}

/// As [`SharedQuery::parse_untrusted`].
impl FromStr for SharedQuery {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        Self::parse_untrusted(text)
    }
}

impl Deref for SharedQuery {
    type Target = Query;

    fn deref(&self) -> &Query {
        &self.0
    }
}

impl fmt::Display for SharedQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for SharedQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedQuery({self})")
    }
}
