//! The task's end of a link: what every link has in common, whatever carries its bytes.

use std::{
    convert::Infallible,
    net::IpAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use taiinet_mesh::{ChannelBinding, Input, LinkFailure, LinkId, Negotiation, limits};
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};

use crate::bandwidth::Bandwidth;

/// How long a link that is closed may take to send what it was given.
pub(crate) const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// How long is read on after a link broke.
const DRAIN: Duration = Duration::from_millis(500);

/// Bytes accepted by the transport are reported at the latest when they are so many.
const REPORT_BYTES: usize = 16 * 1024;

/// How a link ends: it never returns otherwise.
pub type Ended = Result<Infallible, LinkFailure>;

/// What a link is asked to do, in order.
#[derive(Debug)]
pub enum Command {
    /// Take a part of the other end's negotiation.
    Negotiate(Negotiation),
    /// Send a message.
    Send(Vec<u8>),
}

impl Command {
    /// Bytes it counts in the queue; never nothing, so that bytes bound messages too.
    pub fn weight(&self) -> usize {
        match self {
            Self::Negotiate(Negotiation::Description(text) | Negotiation::Candidate(text)) => {
                text.len().max(1)
            }
            Self::Send(bytes) => bytes.len().max(1),
        }
    }
}

/// The task's end of a link: all that a transport needs to know of the peer that it serves.
#[derive(Debug)]
pub struct Port {
    /// Tells the core what happens.
    pub emitter: Emitter,
    /// What the core wants sent, in order; closed when the link is to be closed.
    pub commands: mpsc::Receiver<Command>,
    /// Accounts for what was taken out of `commands`.
    pub accepted: Accepted,
    /// Says when the link must end.
    pub closing: Closing,
    /// Takes our address, once it is known.
    pub place: Place,
}

/// The address of this machine that a link hangs on: when the machine has it no more, the link is over.
#[derive(Debug, Clone, Default)]
pub struct Place(Arc<OnceLock<IpAddr>>);

impl Place {
    /// The link hangs on this address from now on.
    pub fn is(&self, address: IpAddr) {
        // One that changes later is as good as none: then silence tells.
        let _ = self.0.set(address);
    }

    pub(crate) fn get(&self) -> Option<IpAddr> {
        self.0.get().copied()
    }
}

impl Port {
    /// A port for one link. `queued` counts the bytes in `commands`, and those that were taken out but
    /// not accepted by the transport.
    pub(crate) fn new(
        emitter: Emitter,
        commands: mpsc::Receiver<Command>,
        queued: Arc<AtomicUsize>,
        abandoned: oneshot::Receiver<LinkFailure>,
        place: Place,
    ) -> Self {
        let accepted = Accepted { emitter: emitter.clone(), queued, unreported: 0 };
        Self { emitter, commands, accepted, closing: Closing(abandoned), place }
    }
}

/// Says to the core what happens on one link. Waits while the core is behind.
#[derive(Debug, Clone)]
pub struct Emitter {
    link: LinkId,
    inputs: mpsc::Sender<Input>,
    bandwidth: Bandwidth,
}

impl Emitter {
    pub(crate) const fn new(
        link: LinkId,
        inputs: mpsc::Sender<Input>,
        bandwidth: Bandwidth,
    ) -> Self {
        Self { link, inputs, bandwidth }
    }

    /// The link is open.
    ///
    /// # Errors
    /// [`LinkFailure::Local`], as for all that is told, if the core is gone: then the link has no
    /// purpose.
    pub async fn up(&self, binding: ChannelBinding) -> Result<(), LinkFailure> {
        self.emit(Input::LinkUp { link: self.link, binding }).await
    }

    /// A part of our negotiation is for the other end.
    ///
    /// # Errors
    /// As [`up`](Self::up).
    pub async fn negotiation(&self, part: Negotiation) -> Result<(), LinkFailure> {
        self.emit(Input::Negotiation { link: self.link, part }).await
    }

    /// A message came. Waits, too, until the bandwidth's cap lets it in.
    ///
    /// # Errors
    /// As [`up`](Self::up).
    pub async fn message(&self, bytes: Vec<u8>) -> Result<(), LinkFailure> {
        self.bandwidth.download(bytes.len()).await;
        self.emit(Input::Message { link: self.link, bytes }).await
    }

    async fn sent(&self, bytes: usize) -> Result<(), LinkFailure> {
        self.emit(Input::Sent { link: self.link, bytes }).await
    }

    pub(crate) async fn down(&self, cause: LinkFailure) {
        // Without a core there is no one to tell.
        let _ = self.emit(Input::LinkDown { link: self.link, cause }).await;
    }

    async fn emit(&self, input: Input) -> Result<(), LinkFailure> {
        self.inputs.send(input).await.map_err(|_| LinkFailure::Local)
    }
}

/// Counts what the transport has accepted and reports it to the core, in lumps.
#[derive(Debug)]
pub struct Accepted {
    emitter: Emitter,
    queued: Arc<AtomicUsize>,
    unreported: usize,
}

impl Accepted {
    /// A command was done.
    pub fn done(&self, weight: usize) {
        self.queued.fetch_sub(weight, Ordering::Relaxed);
    }

    /// The bandwidth of the links, which is asked for each message before the transport is given it.
    pub const fn bandwidth(&self) -> &Bandwidth {
        &self.emitter.bandwidth
    }

    /// The transport took a message of so many bytes.
    ///
    /// # Errors
    /// [`LinkFailure::Local`] if the core is gone.
    pub async fn accepted(&mut self, bytes: usize) -> Result<(), LinkFailure> {
        self.unreported += bytes;
        if self.due() >= REPORT_BYTES { self.report().await } else { Ok(()) }
    }

    /// Says what was not said yet.
    ///
    /// # Errors
    /// [`LinkFailure::Local`] if the core is gone.
    pub async fn report(&mut self) -> Result<(), LinkFailure> {
        let due = self.due();
        self.unreported -= due;
        if due == 0 { Ok(()) } else { self.emitter.sent(due).await }
    }

    /// What is to be said of what was not said yet. The core fills its window; to keep less waiting than that, where
    /// a cap makes waiting long, the difference is never said.
    fn due(&self) -> usize {
        let window = self.bandwidth().window().min(limits::TRANSPORT_WINDOW);
        self.unreported.saturating_sub(limits::TRANSPORT_WINDOW - window)
    }
}

/// Whether and how the link was closed from our side.
#[derive(Debug)]
pub struct Closing(oneshot::Receiver<LinkFailure>);

impl Closing {
    /// Returns when the link must end whatever it is at: at once if it is abandoned, and
    /// a second after it was closed.
    pub async fn deadline(&mut self) -> LinkFailure {
        match (&mut self.0).await {
            Ok(cause) => cause,
            Err(_closed) => {
                sleep(CLOSE_GRACE).await;
                LinkFailure::Local
            }
        }
    }
}

/// Reads on after a link broke: what the other end said before still counts, and its goodbye is the
/// better cause. Ends when nothing comes for a moment, but not while it is the core that is behind.
pub async fn drain(
    reading: impl Future<Output = Ended>,
    emitter: &Emitter,
    cause: LinkFailure,
) -> LinkFailure {
    let silence = async {
        loop {
            sleep(DRAIN).await;
            if emitter.inputs.capacity() > 0 {
                break;
            }
        }
    };
    tokio::select! {
        Err(better) = reading => better,
        () = silence => cause,
    }
}
