//! Live result sets: the documents that match a query, in an order, kept true.

mod event;
mod feed;

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use futures::Stream;
use taiinet_mesh::{TooManySubscriptions, limits};
use taiinet_query::{Query, SharedQuery};
use taiinet_session::{LIVE_LIMIT, LIVE_SETS, LiveError, LiveOptions};

use crate::{control::Control, error::Error, net::TaiiNet, query::IntoQuery};
pub use event::{LiveEvent, LiveSnapshot};
pub(crate) use feed::Feed;
use feed::{Reader, feed};

impl TaiiNet {
    /// The documents that match `query`, in an order, the first so many of them, kept true from now on: what is
    /// published, replaced, deleted or expires changes it, and what was published before is looked for once there is
    /// a neighbour. Equal queries with equal options share their work.
    ///
    /// ```no_run
    /// # use taiinet::{LiveEvent, LiveOptions, TaiiNet, query};
    /// # async fn example(net: TaiiNet) -> Result<(), Box<dyn std::error::Error>> {
    /// let options = LiveOptions { sort: "likes:desc".parse()?, limit: 50, ..Default::default() };
    /// let mut tweets = net.live(query!({ "type": "tweet" }), options)?;
    /// // The whole list, whenever it has changed:
    /// while let Some(snapshot) = tweets.changed().await {
    ///     println!("{:?}, all of them: {}", snapshot.state.phase, snapshot.state.complete);
    ///     for tweet in snapshot.documents.iter() {
    ///         println!("{}", tweet.json());
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Query`], also for regular expressions so large that neighbours would not evaluate them;
    /// [`Error::Live`] for a limit that is none, or too many sets; [`Error::TooManySubscriptions`];
    /// [`Error::Closed`]
    pub fn live(&self, query: impl IntoQuery, options: LiveOptions) -> Result<Live, Error> {
        let query: SharedQuery = query.into_query()?.try_into()?;
        let LiveOptions { limit, private, .. } = options;
        if !(1..=LIVE_LIMIT).contains(&limit) {
            return Err(LiveError::Limit { limit }.into());
        }
        let place = Arc::clone(&self.inner.lives);
        if Arc::strong_count(&place) > LIVE_SETS + 1 {
            return Err(LiveError::TooMany.into());
        }
        self.count_live(private)?;
        let id = self.inner.next_subscription.fetch_add(1, Ordering::Relaxed);
        let (feed, reader) = feed();
        let live = Live {
            net: self.clone(),
            id,
            query: query.clone().into_query(),
            private,
            reader,
            place,
        };
        let begins = Control::Live { id, query, options, feed };
        self.inner.controls.send(begins).map_err(|_| Error::Closed)?;
        Ok(live)
    }

    /// It counts as a subscription, until the driver has ended it.
    fn count_live(&self, private: bool) -> Result<(), TooManySubscriptions> {
        let (all, ours) = (&self.inner.subscriptions, &self.inner.private);
        count_one_more(all, limits::SUBSCRIPTIONS)?;
        if private && let Err(error) = count_one_more(ours, limits::PRIVATE_SUBSCRIPTIONS) {
            all.fetch_sub(1, Ordering::AcqRel);
            return Err(error);
        }
        Ok(())
    }
}

fn count_one_more(count: &AtomicUsize, most: usize) -> Result<(), TooManySubscriptions> {
    if count.fetch_add(1, Ordering::AcqRel) < most {
        return Ok(());
    }
    count.fetch_sub(1, Ordering::AcqRel);
    Err(TooManySubscriptions)
}

/// The documents that match a query, in an order, kept true: see [`TaiiNet::live`]. It is read event by event, also
/// as a [`Stream`] of [`LiveEvent`], or as a whole whenever it has [`changed`](Self::changed). Dropping it ends it.
///
/// Read slowly, it slows nobody down: what was in between is passed over then, and the events lead from what was
/// read to what it is by now.
#[derive(Debug)]
pub struct Live {
    net: TaiiNet,
    id: u64,
    query: Query,
    private: bool,
    reader: Reader,
    #[expect(dead_code, reason = "it is counted")]
    place: Arc<()>,
}

impl Live {
    /// Waits for the next event; `None` once the peer is closed. Cancel-safe.
    pub async fn next(&mut self) -> Option<LiveEvent> {
        poll_fn(|cx| self.reader.poll_next(cx)).await
    }

    /// The next event if one is here already.
    pub fn try_next(&mut self) -> Option<LiveEvent> {
        self.reader.try_next()
    }

    /// Waits until the set is not what it was when this was last asked, at first as soon as something is known;
    /// `None` once the peer is closed. It does not matter what was read meanwhile. Cancel-safe.
    pub async fn changed(&mut self) -> Option<LiveSnapshot> {
        poll_fn(|cx| self.reader.poll_changed(cx)).await
    }

    /// The set as it is now, whatever was read of its events.
    pub fn snapshot(&self) -> LiveSnapshot {
        self.reader.snapshot()
    }

    /// What it matches.
    pub const fn query(&self) -> &Query {
        &self.query
    }

    /// The peer it belongs to.
    pub const fn net(&self) -> &TaiiNet {
        &self.net
    }
}

impl Stream for Live {
    type Item = LiveEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<LiveEvent>> {
        self.reader.poll_next(cx)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.net.control(Control::EndLive { id: self.id, private: self.private });
    }
}
