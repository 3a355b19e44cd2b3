//! What all connections share.

use std::{net::IpAddr, sync::Arc};

use tokio::sync::{Semaphore, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    clock::Clock,
    config::AcceptConfig,
    counters::Counters,
    desk_task::DeskHandle,
    gate::{Gate, Turned},
    handshakes::Handshakes,
    lists::Lists,
    outbox::{Outbox, OutboxLimits, Room, Waiting, outbox},
};
use crate::limits;

/// The server, as its connections see it.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: AcceptConfig,
    pub(super) clock: Clock,
    pub(super) desk: DeskHandle,
    pub(super) gate: Arc<Gate>,
    pub(super) lists: watch::Receiver<Arc<Lists>>,
    pub(super) tls: Option<watch::Receiver<Arc<rustls::ServerConfig>>>,
    pub(super) counters: Arc<Counters>,
    pub(super) handshakes: Arc<Handshakes>,
    pub(super) refusals: Arc<Semaphore>,
    pub(super) operators: Arc<Semaphore>,
    /// For what waits for clients.
    pub(super) room: Arc<Room>,
    /// Cancelled when no connection is taken in any more.
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
}

impl Shared {
    /// An address as it may stand in the log.
    pub(super) fn shown(&self, address: IpAddr) -> Option<String> {
        self.config.log_addresses.then(|| address.to_string())
    }

    /// Counts a visitor that is not let in.
    pub(super) fn turn(&self, turned: Turned, address: IpAddr) {
        self.counters.turned(turned);
        let address = self.shown(address);
        tracing::debug!(address, reason = turned.name(), "a connection is refused");
    }

    /// The two ends of what waits for a client.
    pub(super) fn client_outbox(&self) -> (Outbox, Waiting) {
        outbox(self.config.outbox_limits(), self.room.clone())
    }

    /// And for another signaller, of which there are few.
    pub(super) fn member_outbox(&self) -> (Outbox, Waiting) {
        let bytes = limits::OUTBOX_BYTES;
        let messages = limits::POOL_OUTBOX_MESSAGES;
        outbox(OutboxLimits { messages, bytes, share: bytes }, self.room.clone())
    }
}
