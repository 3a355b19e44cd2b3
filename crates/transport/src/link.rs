//! What every link's task has in common.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::FutureExt;
use rustls::ClientConfig;
use taiinet_mesh::{ChannelBinding, Dial, Input, LinkFailure, LinkId, Negotiation};
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};

#[cfg(feature = "webrtc")]
use crate::channel;
use crate::{TransportConfig, websocket};

/// How long a link that is closed may take to send what it was given.
pub(crate) const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// How long is read on after a link broke.
const DRAIN: Duration = Duration::from_millis(500);

/// Bytes accepted by the transport are reported at the latest when they are so many.
pub(crate) const REPORT_BYTES: usize = 16 * 1024;

/// How a link ends: it never returns otherwise.
pub(crate) type Ended = Result<Infallible, LinkFailure>;

/// What all links share.
#[derive(Debug)]
pub(crate) struct Settings {
    #[cfg_attr(not(feature = "webrtc"), expect(dead_code, reason = "about WebRTC"))]
    pub(crate) config: TransportConfig,
    pub(crate) tls: Result<Arc<ClientConfig>, String>,
}

/// What a link is asked to do, in order.
#[derive(Debug)]
pub(crate) enum Command {
    Negotiate(Negotiation),
    Send(Vec<u8>),
}

impl Command {
    /// Bytes it counts in the queue; never nothing, so that bytes bound messages too.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Negotiate(Negotiation::Description(text) | Negotiation::Candidate(text)) => {
                text.len().max(1)
            }
            Self::Send(bytes) => bytes.len().max(1),
        }
    }
}

/// The task's end of a link.
pub(crate) struct Port {
    pub(crate) emitter: Emitter,
    pub(crate) commands: mpsc::Receiver<Command>,
    /// Bytes in `commands`, and taken out but not accepted by the transport.
    pub(crate) queued: Arc<AtomicUsize>,
    pub(crate) closing: Closing,
    pub(crate) settings: Arc<Settings>,
}

/// Says to the core what happens on one link. Waits while the core is behind.
#[derive(Debug, Clone)]
pub(crate) struct Emitter {
    link: LinkId,
    inputs: mpsc::Sender<Input>,
}

impl Emitter {
    pub(crate) const fn new(link: LinkId, inputs: mpsc::Sender<Input>) -> Self {
        Self { link, inputs }
    }

    pub(crate) async fn up(&self, binding: ChannelBinding) -> Result<(), LinkFailure> {
        self.emit(Input::LinkUp { link: self.link, binding }).await
    }

    #[cfg(feature = "webrtc")]
    pub(crate) async fn negotiation(&self, part: Negotiation) -> Result<(), LinkFailure> {
        self.emit(Input::Negotiation { link: self.link, part }).await
    }

    pub(crate) async fn message(&self, bytes: Vec<u8>) -> Result<(), LinkFailure> {
        self.emit(Input::Message { link: self.link, bytes }).await
    }

    async fn sent(&self, bytes: usize) -> Result<(), LinkFailure> {
        self.emit(Input::Sent { link: self.link, bytes }).await
    }

    async fn down(&self, cause: LinkFailure) {
        // Without a core there is nobody to tell.
        let _ = self.emit(Input::LinkDown { link: self.link, cause }).await;
    }

    /// An error if the core is gone: then the link has no purpose.
    async fn emit(&self, input: Input) -> Result<(), LinkFailure> {
        self.inputs.send(input).await.map_err(|_| LinkFailure::Local)
    }
}

/// Counts what the transport has accepted and reports it to the core, in lumps.
pub(crate) struct Accepted {
    emitter: Emitter,
    queued: Arc<AtomicUsize>,
    unreported: usize,
}

impl Accepted {
    pub(crate) const fn new(emitter: Emitter, queued: Arc<AtomicUsize>) -> Self {
        Self { emitter, queued, unreported: 0 }
    }

    /// A command was done.
    pub(crate) fn done(&self, weight: usize) {
        self.queued.fetch_sub(weight, Ordering::Relaxed);
    }

    /// The transport took a message of so many bytes.
    pub(crate) async fn accepted(&mut self, bytes: usize) -> Result<(), LinkFailure> {
        self.unreported += bytes;
        if self.unreported >= REPORT_BYTES { self.report().await } else { Ok(()) }
    }

    /// Says what was not said yet.
    pub(crate) async fn report(&mut self) -> Result<(), LinkFailure> {
        match std::mem::take(&mut self.unreported) {
            0 => Ok(()),
            bytes => self.emitter.sent(bytes).await,
        }
    }
}

/// Whether and how the link was closed from our side.
#[derive(Debug)]
pub(crate) struct Closing(oneshot::Receiver<LinkFailure>);

impl Closing {
    pub(crate) const fn new(receiver: oneshot::Receiver<LinkFailure>) -> Self {
        Self(receiver)
    }

    /// Returns when the link must end whatever it is at: at once if it is abandoned, and
    /// [`CLOSE_GRACE`] after it was closed.
    pub(crate) async fn deadline(&mut self) -> LinkFailure {
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
pub(crate) async fn drain(
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

/// One link, from the dial to its one [`Input::LinkDown`].
pub(crate) async fn run(dial: Dial, port: Port) {
    let emitter = port.emitter.clone();
    let served = async {
        match dial {
            #[cfg(feature = "webrtc")]
            Dial::Offer { ice_servers, .. } => channel::serve(None, ice_servers, port).await,
            #[cfg(feature = "webrtc")]
            Dial::Answer { offer, ice_servers, .. } => {
                channel::serve(Some(offer), ice_servers, port).await
            }
            #[cfg(not(feature = "webrtc"))]
            Dial::Offer { .. } | Dial::Answer { .. } => {
                LinkFailure::Transport("this build has no WebRTC".to_owned())
            }
            Dial::Signaller { url } => websocket::serve(&url, port).await,
            Dial::Direct { url } => {
                websocket::serve(&format!("{}/pool", url.trim_end_matches('/')), port).await
            }
        }
    };
    // The protocol stack reads what strangers wrote. Should it ever panic, that is one link's end.
    let cause = AssertUnwindSafe(served)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| LinkFailure::Transport("a fault in the protocol stack".to_owned()));
    tracing::debug!(link = %emitter.link, %cause, "link down");
    emitter.down(cause).await;
}
