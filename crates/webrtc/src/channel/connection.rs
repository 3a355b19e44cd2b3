//! A peer connection with the settings that make `webrtc` fast, and its certain end.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use rtc::{
    ice::mdns::MulticastDnsMode,
    mdns::MulticastSocket,
    peer_connection::{
        configuration::setting_engine::SctpMaxMessageSize, transport::RTCIceCandidatePair,
    },
};
use taiinet_mesh::LinkFailure;
use tokio::{
    runtime::Handle,
    sync::{Notify, mpsc, watch},
    time::timeout,
};
use webrtc::{
    data_channel::{DataChannel, RTCDataChannelInit},
    error::Error,
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
        RTCIceCandidate, RTCIceServer, RTCPeerConnectionIceEvent, RTCPeerConnectionState,
        SettingEngineBuilder,
    },
    runtime::AsyncUdpSocket,
};

use super::runtime::LinkRuntime;

/// Bytes sent and not acknowledged, beyond which sending waits. More is faster between native
/// peers, but slow towards Chromium.
const SEND_BUFFER: usize = 64 * 1024;
/// Announced to the other end, and the bound of what is put together for it.
const MESSAGE_BYTES: u32 = 64 * 1024;
/// A pair of addresses is tried so often, for four seconds: candidates trickle in on both sides, a pair may
/// only work once the other end has tried it too, and a TURN server that is reached by TLS over a long line
/// takes two.
const ICE_ATTEMPTS: (Duration, u16) = (Duration::from_millis(20), 200);
/// How long after the first try a pair that works has to wait for a better one: that behind a NAT for one
/// within it, and that through a TURN server for a direct one (the library's own would be half a second and
/// two).
const WAIT_BEHIND_NAT: Duration = Duration::from_millis(100);
const WAIT_FOR_DIRECT: Duration = Duration::from_millis(500);
/// Candidates gathered and not yet taken: some for each address, more are not needed.
const CANDIDATES: usize = 64;
/// How long the goodbye of a connection may take.
const CLOSE: Duration = Duration::from_secs(1);

/// A connection that does not outlive this value: the library's own handle, when dropped, leaves
/// its driver running.
#[derive(Default)]
pub(super) struct Connection {
    runtime: Arc<LinkRuntime>,
    peer: Option<Arc<dyn PeerConnection>>,
    is_direct_too: bool,
    /// DTLS's handshake is over.
    secured: Arc<Notify>,
}

/// What the library calls out.
pub(super) struct Signs {
    /// Candidates of ours.
    pub(super) candidates: mpsc::Receiver<String>,
    /// How the connection ended.
    pub(super) fate: watch::Receiver<Option<LinkFailure>>,
}

impl Connection {
    /// A connection that may go through `stand_in` as well, which is known by its address.
    pub(super) fn new(stand_in: Option<Arc<dyn AsyncUdpSocket>>) -> Self {
        let runtime = Arc::new(LinkRuntime::new(stand_in));
        Self { runtime, peer: None, is_direct_too: false, secured: Arc::default() }
    }

    /// Binds the sockets and prepares the channel.
    pub(super) async fn open(
        &mut self,
        addresses: &[IpAddr],
        ice_servers: Vec<RTCIceServer>,
    ) -> Result<(Arc<dyn DataChannel>, Signs), Error> {
        self.is_direct_too = !addresses.is_empty();
        let wait_for_direct = if self.is_direct_too { WAIT_FOR_DIRECT } else { Duration::ZERO };
        let hidden = self.runtime.stand_in();
        // The one whose port is known already comes first, before the system gives it to another.
        let sockets: Vec<SocketAddr> = hidden
            .into_iter()
            .chain(addresses.iter().map(|&address| SocketAddr::new(address, 0)))
            .collect();
        let (candidates, gathered) = mpsc::channel(CANDIDATES);
        let (fate, decided) = watch::channel(None);
        let (interval, attempts) = ICE_ATTEMPTS;
        let settings = SettingEngineBuilder::new()
            .with_ice_connection_attempts(Some(interval), Some(attempts))
            .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
            .with_srflx_acceptance_min_wait(Some(WAIT_BEHIND_NAT))
            .with_relay_acceptance_min_wait(Some(wait_for_direct))
            .with_sctp_max_message_size(SctpMaxMessageSize::Bounded(MESSAGE_BYTES))
            .with_multicast_dns_mode(multicast_dns(addresses))
            .build();
        let configuration =
            RTCConfigurationBuilder::default().with_ice_servers(ice_servers).build();
        let peer = PeerConnectionBuilder::new()
            .with_configuration(configuration)
            .with_setting_engine(settings)
            .with_runtime(self.runtime.clone())
            .with_handler(Arc::new(Caller {
                candidates,
                fate,
                hidden,
                secured: Arc::clone(&self.secured),
            }))
            .with_udp_addrs(sockets)
            .with_data_channel_send_buffer_limit(SEND_BUFFER)
            .build()
            .await?;
        let peer = Arc::new(peer);
        self.peer = Some(peer.clone());
        let known_to_both = RTCDataChannelInit { negotiated: Some(0), ..Default::default() };
        let channel = peer.create_data_channel("taiinet", Some(known_to_both)).await?;
        Ok((channel, Signs { candidates: gathered, fate: decided }))
    }

    pub(super) fn peer(&self) -> Result<Arc<dyn PeerConnection>, LinkFailure> {
        self.peer.clone().ok_or_else(|| broken("no connection"))
    }

    /// Whether there are sockets of the system's, too.
    pub(super) const fn is_direct_too(&self) -> bool {
        self.is_direct_too
    }

    /// Has SCTP's INIT follow at once on the end of DTLS's handshake. The library (rtc 0.21.1) first sends what is to
    /// be sent, then takes notice of what has happened, and then sleeps: the INIT, which follows from that, would
    /// wait for its next packet, such as a copy of the handshake's last, or for a timer of two seconds.
    pub(super) async fn hurry(&self, channel: &dyn DataChannel) -> Infallible {
        loop {
            self.secured.notified().await;
            // The library's own value: that it is set wakes the driver. A channel that is gone is noticed elsewhere.
            let _ = channel.set_buffered_amount_high_threshold(u32::MAX).await;
        }
    }

    /// Whether a pair of addresses was chosen.
    pub(super) async fn has_path(&self) -> bool {
        self.chosen().await.is_some()
    }

    /// Whether the open connection goes another way than through the socket with this address. The library
    /// stays with the pair that it chose.
    pub(super) async fn is_without(&self, address: SocketAddr) -> bool {
        self.chosen().await.is_some_and(|pair| !is_at(pair.local(), address))
    }

    async fn chosen(&self) -> Option<RTCIceCandidatePair> {
        let ice = self.peer.as_ref()?.sctp().await?.transport().ice_transport();
        ice.get_selected_candidate_pair().await.ok()?
    }

    /// Tells the other end and frees everything.
    pub(super) async fn close(mut self) {
        if let Some(peer) = self.peer.take() {
            say_goodbye(&*peer).await;
        }
    }
}

impl Drop for Connection {
    /// The emergency exit, for a task that is aborted: the goodbye is said by another.
    fn drop(&mut self) {
        let runtime = self.runtime.clone();
        match (self.peer.take(), Handle::try_current()) {
            (Some(peer), Ok(handle)) => {
                handle.spawn(async move {
                    say_goodbye(&*peer).await;
                    runtime.abort();
                });
            }
            _ => runtime.abort(),
        }
    }
}

async fn say_goodbye(peer: &dyn PeerConnection) {
    match timeout(CLOSE, peer.close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "closing a connection"),
        Err(_) => tracing::debug!("closing a connection took too long"),
    }
}

/// Passes on what the library calls out. Runs within the library's driver, so it never waits.
struct Caller {
    candidates: mpsc::Sender<String>,
    fate: watch::Sender<Option<LinkFailure>>,
    /// Stands for a socket, and means nothing to others.
    hidden: Option<SocketAddr>,
    secured: Arc<Notify>,
}

fn is_at(candidate: &RTCIceCandidate, address: SocketAddr) -> bool {
    candidate.port == address.port() && candidate.address.parse() == Ok(address.ip())
}

impl Caller {
    /// The first cause stands.
    fn decide(&self, cause: LinkFailure) {
        self.fate.send_if_modified(|fate| {
            let first = fate.is_none();
            fate.get_or_insert(cause);
            first
        });
    }
}

#[async_trait]
impl PeerConnectionEventHandler for Caller {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if self.hidden.is_some_and(|address| is_at(&event.candidate, address)) {
            return;
        }
        // An empty one says that there are no more.
        if let Ok(init) = event.candidate.to_json()
            && init.candidate.len() > "candidate:".len()
            && self.candidates.try_send(init.candidate).is_err()
        {
            tracing::debug!("a candidate came too late or was one too many");
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        match state {
            RTCPeerConnectionState::Connected => self.secured.notify_one(),
            RTCPeerConnectionState::Failed => {
                let cause = "no pair of addresses works, or none any more".to_owned();
                self.decide(LinkFailure::Unreachable(cause));
            }
            RTCPeerConnectionState::Closed => self.decide(LinkFailure::Remote),
            _ => {}
        }
    }

    async fn on_data_channel(&self, _channel: Arc<dyn DataChannel>) {
        // The library keeps what arrives on channels that are not read.
        self.decide(broken("the other end opened a second channel"));
    }
}

/// Browsers hide their addresses behind mDNS names, which can be looked up where there is a network
/// with multicast; where there is none the library would fail.
fn multicast_dns(addresses: &[IpAddr]) -> MulticastDnsMode {
    let networked = addresses.iter().any(|address| !address.is_loopback());
    if networked && MulticastSocket::new().into_std().is_ok() {
        MulticastDnsMode::QueryOnly
    } else {
        MulticastDnsMode::Disabled
    }
}

/// What the library says went wrong.
pub(super) fn broken(error: impl ToString) -> LinkFailure {
    LinkFailure::Transport(error.to_string())
}
