//! Searches: recent documents that the neighbours have.

use std::time::Duration;

use taiinet_mesh::limits;
use taiinet_query::SharedQuery;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use crate::{
    control::Control,
    delivery::{Delivery, keep_newest},
    error::Error,
    net::TaiiNet,
    query::IntoQuery,
};

/// How far a search goes; see [`TaiiNet::find`](crate::TaiiNet::find).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindOptions {
    /// How many documents at most.
    pub limit: u16,
    /// How long to wait for a first neighbour and the answers; what has come by then is given. More
    /// than four seconds are as good as four: before a peer is [`connected`](TaiiNet::connected),
    /// wait for that.
    pub timeout: Duration,
}

impl Default for FindOptions {
    /// A hundred documents, within four seconds.
    fn default() -> Self {
        Self { limit: 100, timeout: limits::FIND_TIMEOUT }
    }
}

impl TaiiNet {
    /// Looks for recent documents that match `query`: this peer's own and its neighbours', those of
    /// about the last five minutes, and those that the neighbours themselves published under a key while they run.
    /// Gives each once, the newest first.
    ///
    /// It is a look at what is there now: nothing is delivered to subscriptions, and
    /// [`Delivery::hops`] and [`Delivery::via`] say nothing. Each document is checked as any that is
    /// delivered. Neighbours answer with their newest 4096 documents and 1 MiB at most.
    ///
    /// ```no_run
    /// # use taiinet::{FindOptions, TaiiNet, query};
    /// # async fn example(net: TaiiNet) -> Result<(), taiinet::Error> {
    /// let query = query!({ "type": "tweet" });
    /// for tweet in net.find(query, FindOptions { limit: 20, ..FindOptions::default() }).await? {
    ///     println!("{}", tweet.json());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Query`], also for regular expressions so large that neighbours would not evaluate them;
    /// [`Error::TooManyFinds`] if sixteen are under way; [`Error::Closed`]
    pub async fn find(
        &self,
        query: impl IntoQuery,
        options: FindOptions,
    ) -> Result<Vec<Delivery>, Error> {
        search(self, query.into_query()?.try_into()?, options).await
    }
}

async fn search(
    net: &TaiiNet,
    query: SharedQuery,
    options: FindOptions,
) -> Result<Vec<Delivery>, Error> {
    let deadline = Instant::now() + options.timeout;
    // Bounded by the limit.
    let (sender, mut found) = mpsc::unbounded_channel();
    net.control(Control::Find { query, limit: options.limit, found: sender });
    let mut deliveries = Vec::new();
    while let Ok(Some(delivery)) = timeout_at(deadline, found.recv()).await {
        deliveries.push(delivery?);
    }
    if net.is_closed() {
        return Err(Error::Closed);
    }
    keep_newest(&mut deliveries);
    Ok(deliveries)
}
