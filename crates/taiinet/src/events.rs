//! What happens to a peer, as a stream.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures::{Stream, StreamExt};
use taiinet_mesh::Event;
use tokio::sync::broadcast;
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};

/// How many events wait for a slow reader; then the oldest give way.
pub(crate) const EVENTS: usize = 1024;

/// What happens from now on, from [`TaiiNet::events`](crate::TaiiNet::events): a [`Stream`] that ends
/// when the peer is closed. A reader that is too slow misses the oldest and is told so ([`Missed`]).
#[derive(Debug)]
pub struct Events {
    events: BroadcastStream<Event>,
}

impl Events {
    pub(crate) fn new(receiver: broadcast::Receiver<Event>) -> Self {
        Self { events: BroadcastStream::new(receiver) }
    }

    /// The stream of a peer that is closed: it ends at once.
    pub(crate) fn none() -> Self {
        Self::new(broadcast::channel(1).1)
    }

    /// Waits for the next event; `None` once the peer is closed. Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<Event, Missed>> {
        StreamExt::next(self).await
    }
}

impl Stream for Events {
    type Item = Result<Event, Missed>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events
            .poll_next_unpin(cx)
            .map_err(|BroadcastStreamRecvError::Lagged(events)| Missed(events))
    }
}

/// So many events were missed, because they were read too slowly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} events were missed: read them faster")]
pub struct Missed(pub u64);
