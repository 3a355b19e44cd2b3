//! What can be subscribed to.

use taiinet_document::Value;
use taiinet_query::Query;

use crate::error::Error;

/// Makes a [`Query`] of JSON-like syntax with Rust expressions in it; a `Result`, because it is
/// checked when it runs. [`TaiiNet::subscribe`](crate::TaiiNet::subscribe) takes it as it is.
///
/// ```
/// use taiinet::query;
///
/// let least = 4;
/// let query = query!({ "type": "tweet", "likes": { "$gt": least } })?;
/// assert!(query!({ "likes": { "$more": 4 } }).is_err());
/// # Ok::<_, taiinet::Error>(())
/// ```
#[macro_export]
macro_rules! query {
    ($($json:tt)+) => {
        $crate::IntoQuery::into_query($crate::json!($($json)+))
    };
}

/// Whatever can become a [`Query`]: one that is ready, [`query!`](crate::query!),
/// [`json!`](crate::json), or JSON text.
pub trait IntoQuery {
    /// The query.
    ///
    /// # Errors
    /// [`Error::Query`]
    fn into_query(self) -> Result<Query, Error>;
}

impl IntoQuery for Query {
    fn into_query(self) -> Result<Query, Error> {
        Ok(self)
    }
}

impl IntoQuery for &Query {
    fn into_query(self) -> Result<Query, Error> {
        Ok(self.clone())
    }
}

/// What [`query!`](crate::query!) gives.
impl<E: Into<Error>> IntoQuery for Result<Query, E> {
    fn into_query(self) -> Result<Query, Error> {
        self.map_err(Into::into)
    }
}

/// JSON text.
impl IntoQuery for &str {
    fn into_query(self) -> Result<Query, Error> {
        Ok(self.parse()?)
    }
}

impl IntoQuery for &Value {
    fn into_query(self) -> Result<Query, Error> {
        Ok(Query::parse(self)?)
    }
}

impl IntoQuery for serde_json::Value {
    fn into_query(self) -> Result<Query, Error> {
        // As text, so that faults are named as in a query that came as text.
        Ok(Query::from_json(&self.to_string())?)
    }
}
