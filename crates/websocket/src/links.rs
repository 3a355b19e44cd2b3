//! All links of one peer.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use taiinet_mesh::{Dial, Input, LinkFailure, LinkId, Negotiation, limits};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::timeout,
};

use crate::{
    bandwidth::Bandwidth,
    port::{CLOSE_GRACE, Command, Emitter, Place, Port},
};

/// How many inputs wait for the core at most; links that have more to say wait, each in its turn.
pub const INPUTS: usize = 256;

/// The bytes that may wait for one link. The core fills its window and may pass it by one message.
const QUEUE_BYTES: usize = limits::TRANSPORT_WINDOW + limits::WIRE_BYTES;

/// How long [`Links::shutdown`] takes at most: what a link may take to close, and some more.
const SHUTDOWN: Duration = CLOSE_GRACE.saturating_mul(2);

/// What carries the bytes of links.
pub trait Transport: Send + Sync + 'static {
    /// Runs one link from the dial to its end, and says how it ended.
    fn serve(&self, dial: Dial, port: Port) -> BoxFuture<'static, LinkFailure>;
}

/// All links of one peer: does what the core's outputs ask for.
///
/// Nothing here waits. Needs a tokio runtime with I/O and time; dropping it ends all links at once,
/// [`Links::shutdown`] does it with grace.
pub struct Links {
    transport: Box<dyn Transport>,
    inputs: mpsc::Sender<Input>,
    bandwidth: Bandwidth,
    links: BTreeMap<LinkId, Handle>,
    tasks: JoinSet<()>,
}

/// What the links have to say to the core.
#[derive(Debug)]
pub struct LinkInputs(mpsc::Receiver<Input>);

/// Our end of a link's task. Dropping it closes the link when what was sent is through.
#[derive(Debug)]
struct Handle {
    commands: mpsc::Sender<Command>,
    queued: Arc<AtomicUsize>,
    abandon: oneshot::Sender<LinkFailure>,
    place: Place,
}

impl LinkInputs {
    /// The next input, or none once the [`Links`] are gone and everything was taken.
    ///
    /// Cancel-safe.
    pub async fn recv(&mut self) -> Option<Input> {
        self.0.recv().await
    }

    /// The next input if there is one already.
    pub fn try_recv(&mut self) -> Option<Input> {
        self.0.try_recv().ok()
    }
}

impl Links {
    /// No links yet. Inputs not taken from the [`LinkInputs`] hold all links up.
    pub fn new(transport: impl Transport) -> (Self, LinkInputs) {
        Self::within(transport, Bandwidth::default())
    }

    /// The same, of which all together carry no more than that, nor with others that have it.
    pub fn within(transport: impl Transport, bandwidth: Bandwidth) -> (Self, LinkInputs) {
        let (inputs, receiver) = mpsc::channel(INPUTS);
        let transport = Box::new(transport);
        let links = BTreeMap::new();
        let links = Self { transport, inputs, bandwidth, links, tasks: JoinSet::new() };
        (links, LinkInputs(receiver))
    }

    /// Links that are dialled from now on are carried by this.
    pub fn carry_by(&mut self, transport: impl Transport) {
        self.transport = Box::new(transport);
    }

    /// Opens a link. Ends in exactly one [`Input::LinkDown`], whatever happens; the core gives up
    /// what takes too long.
    pub fn dial(&mut self, link: LinkId, dial: Dial) {
        // Links that ended by themselves leave their handle behind; the ids never come back.
        self.links.retain(|_, handle| !handle.commands.is_closed());
        while self.tasks.try_join_next().is_some() {}

        // The true bound is in bytes, and no message counts less than one.
        let (commands, receiver) = mpsc::channel(QUEUE_BYTES);
        let (abandon, closing) = oneshot::channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let emitter = Emitter::new(link, self.inputs.clone(), self.bandwidth.for_link());
        let place = Place::default();
        let port = Port::new(emitter.clone(), receiver, queued.clone(), closing, place.clone());
        self.tasks.spawn(run(link, self.transport.serve(dial, port), emitter));
        self.links.insert(link, Handle { commands, queued, abandon, place });
    }

    /// Gives the other end's description or candidate to a link being dialled.
    pub fn negotiate(&mut self, link: LinkId, part: Negotiation) {
        self.command(link, Command::Negotiate(part));
    }

    /// Sends a message on an open link; [`Input::Sent`] follows when the transport has taken it.
    pub fn send(&mut self, link: LinkId, bytes: Vec<u8>) {
        self.command(link, Command::Send(bytes));
    }

    /// Closes a link when what was sent is through, within a second or so.
    pub fn close(&mut self, link: LinkId) {
        self.links.remove(&link);
    }

    /// This machine has these addresses no more: ends the links that are known to hang on one of them.
    /// [`Input::LinkDown`] follows for each.
    pub fn forsake(&mut self, addresses: &BTreeSet<IpAddr>) {
        let over =
            |handle: &mut Handle| handle.place.get().is_some_and(|at| addresses.contains(&at));
        for (_, Handle { abandon, place, .. }) in
            self.links.extract_if(.., |_, handle| over(handle))
        {
            let address = place.get().map(|address| address.to_string()).unwrap_or_default();
            let cause = format!("this machine does not have the address {address} any more");
            // The task may have ended by itself meanwhile.
            let _ = abandon.send(LinkFailure::Unreachable(cause));
        }
    }

    /// Closes all links and waits, two seconds at most, for what was sent.
    pub async fn shutdown(mut self) {
        self.links.clear();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(SHUTDOWN, ended).await.is_err() {
            self.tasks.shutdown().await;
        }
    }

    fn command(&mut self, link: LinkId, command: Command) {
        // An unknown link has just ended; the core will learn it from the input on its way.
        let Some(handle) = self.links.get(&link) else { return };
        let weight = command.weight();
        let queued = handle.queued.fetch_add(weight, Ordering::Relaxed);
        let overflow = queued + weight > QUEUE_BYTES
            || matches!(handle.commands.try_send(command), Err(mpsc::error::TrySendError::Full(_)));
        if overflow && let Some(handle) = self.links.remove(&link) {
            let cause = "more was given to the link than its window holds".to_owned();
            // The task may have ended by itself meanwhile.
            let _ = handle.abandon.send(LinkFailure::Transport(cause));
        }
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").field("links", &self.links).finish_non_exhaustive()
    }
}

/// One link, from the dial to its one [`Input::LinkDown`].
async fn run(link: LinkId, served: BoxFuture<'static, LinkFailure>, emitter: Emitter) {
    // The protocol stack reads what strangers wrote. Should it ever panic, that is one link's end.
    let cause = AssertUnwindSafe(served)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| LinkFailure::Transport("a fault in the protocol stack".to_owned()));
    tracing::debug!(%link, %cause, "link down");
    emitter.down(cause).await;
}
