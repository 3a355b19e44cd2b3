//! Searches: recent documents that the neighbours have.

use std::time::Duration;

use taiinet_mesh::{TooManyFinds, limits};
use taiinet_query::SharedQuery;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use crate::{Delivery, Error, TaiiNet, net::Control};

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

/// The driver's end of a search; dropped when it is over.
pub(crate) type FoundSender = mpsc::UnboundedSender<Result<Delivery, TooManyFinds>>;

pub(crate) async fn find(
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
    deliveries.sort_by_key(|found| (std::cmp::Reverse(found.created_at()), found.id()));
    Ok(deliveries)
}
