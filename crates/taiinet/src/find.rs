//! Searches: documents that neighbours and archives have.

use std::{fmt, ops::Deref, str::FromStr, time::Duration};

use taiinet_document::{Timestamp, Value};
use taiinet_mesh::limits;
use taiinet_query::{
    Query, SharedQuery,
    sort::{Place, Sort},
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use crate::{
    control::{Control, Finding},
    delivery::Delivery,
    error::Error,
    net::TaiiNet,
    query::IntoQuery,
};

/// How long the peer may take to end a search.
const GRACE: Duration = Duration::from_secs(1);

/// How a search is to be done; see [`TaiiNet::find`](crate::TaiiNet::find).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindOptions {
    /// How many documents at most.
    pub limit: u16,
    /// How long to wait for a first neighbour and the answers; what has come by then is given. More
    /// than four seconds are as good as four: before a peer is [`connected`](TaiiNet::connected),
    /// wait for that.
    pub timeout: Duration,
    /// In which order; the newest first, if nothing is said: `"likes:desc".parse()?`.
    pub sort: Sort,
    /// Only documents that were published then or later.
    pub since: Option<Timestamp>,
    /// Only documents that were published before.
    pub until: Option<Timestamp>,
    /// From where an earlier search of the same query and order has ended.
    pub after: Option<Cursor>,
}

impl Default for FindOptions {
    /// The newest hundred documents, within four seconds.
    fn default() -> Self {
        Self {
            limit: 100,
            timeout: limits::FIND_TIMEOUT,
            sort: Sort::newest(),
            since: None,
            until: None,
            after: None,
        }
    }
}

/// What a search has found, in the order that was asked for.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Found {
    /// The documents, each once.
    pub documents: Vec<Delivery>,
    /// Whether that is all that matches, as far as those that answered know: none of them has left out anything, and
    /// all have answered.
    pub complete: bool,
    /// From where to go on, if there may be more: see [`FindOptions::after`].
    pub cursor: Option<Cursor>,
}

impl Deref for Found {
    type Target = [Delivery];

    fn deref(&self) -> &[Delivery] {
        &self.documents
    }
}

impl IntoIterator for Found {
    type Item = Delivery;
    type IntoIter = std::vec::IntoIter<Delivery>;

    fn into_iter(self) -> Self::IntoIter {
        self.documents.into_iter()
    }
}

/// A place in an order, where a search ended and another may go on. It belongs to the query and the order that it
/// was made for. As text it is hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub(crate) Place);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Text that is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no cursor; give it as a search has printed it, in full")]
pub struct CursorError;

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        Place::from_hex(text).map(Self).ok_or(CursorError)
    }
}

impl TaiiNet {
    /// Looks for documents that match `query`: this peer's own, its neighbours' and those of archives among them.
    /// Neighbours have those of about the last five minutes, and those that they themselves published under a key
    /// while they run; archives have what they keep.
    ///
    /// It is a look at what is there now: nothing is delivered to subscriptions, and
    /// [`Delivery::hops`] and [`Delivery::via`] say nothing. Each document is checked as any that is
    /// delivered, and comes once, in the order that is asked for.
    ///
    /// ```no_run
    /// # use taiinet::{FindOptions, TaiiNet, query};
    /// # async fn example(net: TaiiNet) -> Result<(), Box<dyn std::error::Error>> {
    /// let query = query!({ "type": "tweet" })?;
    /// let mut options = FindOptions { limit: 20, sort: "likes:desc".parse()?, ..Default::default() };
    /// loop {
    ///     let page = net.find(query.clone(), options.clone()).await?;
    ///     for tweet in page.iter() {
    ///         println!("{}", tweet.json());
    ///     }
    ///     options.after = page.cursor.clone();
    ///     if options.after.is_none() {
    ///         println!("that was all: {}", page.complete);
    ///         break;
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Query`], also for regular expressions so large that neighbours would not evaluate them;
    /// [`Error::TooManyFinds`] if sixteen are under way; [`Error::Closed`]
    pub async fn find(&self, query: impl IntoQuery, options: FindOptions) -> Result<Found, Error> {
        let query = within(query.into_query()?, options.since, options.until)?;
        search(self, query.try_into()?, options).await
    }
}

/// What matches and was published at that time.
fn within(
    query: Query,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<Query, Error> {
    if since.is_none() && until.is_none() {
        return Ok(query);
    }
    let bound = |name: &str, time: Option<Timestamp>| {
        let time = i64::try_from(time?.as_millis()).unwrap_or(i64::MAX);
        Some((name.to_owned(), Value::Int(time)))
    };
    let time = [bound("$gte", since), bound("$lt", until)].into_iter().flatten().collect();
    let time = [("_created_at".to_owned(), Value::Map(time))].into_iter().collect();
    let both = Value::List(vec![query.to_value(), Value::Map(time)]);
    let both = [("$and".to_owned(), both)].into_iter().collect();
    Ok(Query::parse(&Value::Map(both))?)
}

async fn search(net: &TaiiNet, query: SharedQuery, options: FindOptions) -> Result<Found, Error> {
    // The peer ends it in time, and gives what it has by then.
    let deadline = Instant::now() + options.timeout.saturating_add(GRACE);
    // Bounded by the limit.
    let (sender, mut findings) = mpsc::unbounded_channel();
    let FindOptions { sort, after, limit, timeout: wait, .. } = options;
    let after = after.map(|Cursor(place)| place);
    let options = taiinet_mesh::FindOptions { sort, after, limit, wait };
    net.control(Control::Find { query, options, found: sender });
    let mut found = Found::default();
    while let Ok(Some(finding)) = timeout_at(deadline, findings.recv()).await {
        match finding? {
            Finding::Document(delivery) => found.documents.push(delivery),
            Finding::Done { complete, cursor } => {
                found.complete = complete;
                found.cursor = cursor.map(Cursor);
            }
        }
    }
    if net.is_closed() {
        return Err(Error::Closed);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_printed_and_nothing_else_is() {
        let place = Place::from_bytes(&[0xab; 40]).expect("a place");
        let text = Cursor(place.clone()).to_string();
        assert_eq!(text.parse(), Ok(Cursor(place)));
        for wrong in ["", "ab", "x", "é", &text[1..], &text[..20], &format!("{text}g0")] {
            assert_eq!(wrong.parse::<Cursor>(), Err(CursorError), "{wrong}");
        }
    }

    #[test]
    fn a_search_may_be_bounded_in_time() {
        let query = || r#"{"a": 1}"#.parse::<Query>().expect("a query");
        let at = |millis| Some(Timestamp::from_millis(millis));
        assert_eq!(within(query(), None, None).ok(), Some(query()));
        let bounded = within(query(), at(5), at(9)).expect("valid");
        let expected = r#"{"a": 1, "_created_at": {"$gte": 5, "$lt": 9}}"#;
        assert_eq!(bounded, expected.parse().expect("a query"));
    }
}
