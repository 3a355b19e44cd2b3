//! What all connections share.

use std::{net::IpAddr, sync::Arc, time::Duration};

use taiinet_mesh::Time;
use tokio::{sync::Semaphore, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    clock::Clock,
    counters::Counters,
    current::{Current, Watched},
    desk_task::{DeskHandle, Picture},
    gate::{Gate, Turned},
    handshakes::Handshakes,
    outbox::{Outbox, OutboxLimits, Room, Waiting, outbox},
};
use crate::{DeskView, limits};

/// The server, as its connections see it.
#[derive(Debug)]
pub(super) struct Shared {
    /// What the operator has set, and news of it.
    pub(super) watched: Watched,
    pub(super) clock: Clock,
    pub(super) desk: DeskHandle,
    pub(super) gate: Arc<Gate>,
    pub(super) counters: Arc<Counters>,
    /// Places of clients in their handshake; of those that are only told why they are refused; of operators.
    pub(super) handshakes: Arc<Handshakes>,
    pub(super) refusals: Arc<Handshakes>,
    pub(super) operators: Arc<Handshakes>,
    /// For telling those that are cut why.
    pub(super) goodbyes: Semaphore,
    /// Who was here when somebody asked last, and when that was: to say it takes the desk's time.
    pub(super) seen: tokio::sync::Mutex<Option<(Time, DeskView)>>,
    /// For what waits for clients.
    pub(super) room: Arc<Room>,
    /// Cancelled when no connection is taken in any more.
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
}

impl Shared {
    /// What the operator has set, as it counts now.
    pub(super) fn current(&self) -> Arc<Current> {
        self.watched.borrow().clone()
    }

    /// How old a picture of the desk is.
    pub(super) fn age(&self, picture: &Picture) -> Duration {
        self.clock.now().since(picture.taken_at)
    }

    /// Who is here, as it was at most a second ago; nothing if the desk is too busy to say so.
    pub(super) async fn view(&self) -> Option<DeskView> {
        let looking = async {
            let mut seen = self.seen.lock().await;
            let now = self.clock.now();
            if let Some((at, view)) = &*seen
                && now.since(*at) < limits::VIEW_EVERY
            {
                return Some(view.clone());
            }
            let view = self.desk.view(false).await?;
            *seen = Some((self.clock.now(), view.clone()));
            Some(view)
        };
        timeout(limits::VIEW_TIMEOUT, looking).await.ok().flatten()
    }

    /// Until when the certificate is good, in seconds since 1970.
    pub(super) fn certificate_until(&self) -> Option<u64> {
        Some(self.current().tls.as_ref()?.validity?.until())
    }

    /// An address as it may stand in the log.
    pub(super) fn shown(&self, address: IpAddr) -> Option<String> {
        self.current().config.log_addresses.then(|| address.to_string())
    }

    /// Counts a visitor that is not let in.
    pub(super) fn turn(&self, turned: Turned, address: IpAddr) {
        self.counters.turned(turned);
        let address = self.shown(address);
        tracing::debug!(address, reason = turned.name(), "a connection is refused");
    }

    /// The two ends of what waits for a client.
    pub(super) fn client_outbox(&self) -> (Outbox, Waiting) {
        outbox(self.current().config.outbox_limits(), self.room.clone())
    }

    /// And for another signaller, of which there are few.
    pub(super) fn member_outbox(&self) -> (Outbox, Waiting) {
        let bytes = limits::OUTBOX_BYTES;
        let messages = limits::POOL_OUTBOX_MESSAGES;
        outbox(OutboxLimits { messages, bytes, share: bytes }, self.room.clone())
    }
}
