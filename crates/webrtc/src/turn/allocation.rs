//! One allocation on a TURN server (RFC 8656): an address of the server's that leads to us.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use bytes::BytesMut;
use rtc::{
    crypto::default_provider,
    sansio::Protocol,
    shared::{TaggedBytesMut, TransportContext, TransportProtocol, error::Error},
    stun::{
        error_code::{CODE_STALE_NONCE, CODE_UNAUTHORIZED, ErrorCodeAttribute},
        message::{CLASS_ERROR_RESPONSE, Getter, Message, TransactionId, is_stun_message},
    },
    turn::client::{Client, ClientConfig, Event},
};
use taiinet_websocket::{WebSockets, is_public};
use tokio::time::{sleep_until, timeout};

use super::{carrier::Carrier, server::TurnServer, socket::Packet, trouble::TurnTrouble};

/// How long a server may take to answer all that an allocation needs: connection, TLS, and two questions.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often an allocation is given back, and how long each answer is waited for.
const RELEASE: (u32, Duration) = (2, Duration::from_millis(250));
/// How many addresses may be let through it. Those that the other end names are fewer; beside them are the
/// ports that a NAT shows in their stead.
const PEERS: usize = 64;

/// An allocation.
pub(super) struct Allocation {
    carrier: Carrier,
    client: Client,
    local: SocketAddr,
    server: SocketAddr,
    relayed: SocketAddr,
    /// Hosts that the other end named, and whose packets are let through.
    hosts: BTreeSet<IpAddr>,
    /// Addresses of theirs that were asked for.
    peers: BTreeSet<SocketAddr>,
    asked: BTreeMap<[u8; 12], SocketAddr>,
    /// Addresses to which nothing is sent yet.
    withheld: BTreeSet<SocketAddr>,
}

impl Allocation {
    /// Asks a server at one of its addresses for an allocation.
    pub(super) async fn make(
        server: &TurnServer,
        address: SocketAddr,
        bind: &[IpAddr],
        tls: &WebSockets,
    ) -> Result<Self, TurnTrouble> {
        let made = timeout(PATIENCE, Self::ask(server, address, bind, tls)).await;
        made.unwrap_or(Err(TurnTrouble::Silent))
    }

    async fn ask(
        server: &TurnServer,
        address: SocketAddr,
        bind: &[IpAddr],
        tls: &WebSockets,
    ) -> Result<Self, TurnTrouble> {
        let broken = |error: Error| TurnTrouble::Unreachable(error.to_string());
        let (carrier, local) = Carrier::open(server, address, bind, tls).await?;
        let transport_protocol =
            if carrier.is_stream() { TransportProtocol::TCP } else { TransportProtocol::UDP };
        let config = ClientConfig {
            turn_serv_addr: address.to_string(),
            local_addr: local,
            transport_protocol,
            username: server.username.clone(),
            password: server.credential.clone(),
            ..ClientConfig::default()
        };
        let provider =
            default_provider().map_err(|error| TurnTrouble::Unreachable(error.to_string()))?;
        let client = Client::new(config, provider).map_err(broken)?;
        let mut allocation = Self {
            carrier,
            client,
            local,
            server: address,
            relayed: SocketAddr::new(address.ip(), 0),
            hosts: BTreeSet::new(),
            peers: BTreeSet::new(),
            asked: BTreeMap::new(),
            withheld: BTreeSet::new(),
        };
        allocation.client.allocate(Instant::now()).map_err(broken)?;
        // The first question is asked without credentials, to be told the realm.
        let mut is_first = true;
        loop {
            allocation.flush().await?;
            while let Some(event) = allocation.client.poll_event() {
                match event {
                    Event::AllocateResponse(_, relayed) => {
                        allocation.relayed = relayed;
                        return Ok(allocation);
                    }
                    Event::AllocateError(..) => return Err(TurnTrouble::Nonsense),
                    Event::TransactionTimeout(_) => return Err(TurnTrouble::Silent),
                    _ => {}
                }
            }
            let Some(message) = allocation.wait().await? else { continue };
            if let Some(error) = allocation.refusal(&message) {
                if !is_first || error.code != CODE_UNAUTHORIZED {
                    return Err(TurnTrouble::of_code(error.code));
                }
                is_first = false;
            }
            allocation.take(message);
        }
    }

    /// The error with which a question of ours is answered.
    fn refusal(&self, message: &[u8]) -> Option<ErrorCodeAttribute> {
        let message = decoded(message)?;
        self.client.has_transaction(&message.transaction_id).then(|| error_of(&message)).flatten()
    }

    /// The server's address that leads to us.
    pub(super) const fn relayed(&self) -> SocketAddr {
        self.relayed
    }

    /// Lets packets of this host through, and some to this address of it.
    pub(super) fn permit(&mut self, peer: SocketAddr) {
        self.withheld.remove(&peer);
        // A server out there leads into no network of its own, and coturn ends an allocation whose packets find
        // no way.
        let has_sense = match (peer.ip(), self.server.ip()) {
            (ip, _) if ip.is_unspecified() || ip.is_multicast() => false,
            (ip, server) if ip.is_loopback() => server.is_loopback(),
            (ip, server) if is_public(server) && !is_public(ip) => false,
            (ip, _) => ip.is_ipv4() == self.relayed.is_ipv4(),
        };
        if has_sense && self.peers.len() < PEERS {
            self.hosts.insert(peer.ip());
            self.admit(peer);
        }
    }

    /// Sends nothing to this address until it [is permitted](Self::permit), whatever else its host is.
    pub(super) fn withhold(&mut self, peer: SocketAddr) {
        if self.withheld.len() < PEERS {
            self.withheld.insert(peer);
        }
    }

    fn admit(&mut self, peer: SocketAddr) {
        if self.peers.len() >= PEERS || !self.peers.insert(peer) {
            return;
        }
        let asked = self
            .client
            .relay(self.relayed)
            .and_then(|mut relay| relay.create_permission(Instant::now(), peer));
        if let Ok(Some(TransactionId(id))) = asked {
            self.asked.insert(id, peer);
        }
    }

    /// Sends a packet, if its recipient is let through already.
    pub(super) fn send(&mut self, to: SocketAddr, packet: &[u8]) {
        if !self.hosts.contains(&to.ip()) || self.withheld.contains(&to) {
            return;
        }
        // A NAT may show the other end under a port that it did not name.
        self.admit(to);
        if let Ok(mut relay) = self.client.relay(self.relayed) {
            let _ = relay.send_to(Instant::now(), packet, to);
        }
    }

    /// Sends what is due. Must not be given up half-way: a stream would be torn.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        while let Some(transmit) = self.client.poll_write() {
            self.carrier.send(&transmit.message).await?;
        }
        Ok(())
    }

    /// Waits for the server, or for the time at which something is due; [`take`](Self::take) has to be
    /// given what came. May be given up.
    pub(super) async fn wait(&mut self) -> io::Result<Option<BytesMut>> {
        let due = self.client.poll_timeout();
        let sleep = async {
            match due {
                Some(due) => sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = self.carrier.receive() => message.map(Some),
            () = sleep => {
                let _ = self.client.handle_timeout(Instant::now());
                Ok(None)
            }
        }
    }

    /// Takes a message of the server's.
    pub(super) fn take(&mut self, message: BytesMut) {
        let transport = TransportContext {
            local_addr: self.local,
            peer_addr: self.server,
            ..TransportContext::default()
        };
        if let Err(error) =
            self.client.handle_read(TaggedBytesMut { now: Instant::now(), transport, message })
        {
            tracing::debug!(%error, "what a TURN server says is left out");
        }
    }

    /// The next packet that came through.
    pub(super) fn arrived(&mut self) -> Option<Packet<BytesMut>> {
        while let Some(event) = self.client.poll_event() {
            match event {
                // Others have no permission, whatever the server says.
                Event::DataIndicationOrChannelData(_, from, packet)
                    if self.hosts.contains(&from.ip()) =>
                {
                    return Some((from, packet));
                }
                Event::CreatePermissionResponse(TransactionId(id), _)
                | Event::TransactionTimeout(TransactionId(id)) => {
                    self.asked.remove(&id);
                }
                Event::CreatePermissionError(TransactionId(id), error) => {
                    let peer = self.asked.remove(&id);
                    // With the nonce that came along, it is worth asking again.
                    if let (Some(peer), Error::ErrTryAgain) = (peer, &error) {
                        self.peers.remove(&peer);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Gives the allocation back (RFC 8656, section 8: a lifetime of nothing), so that its place is free
    /// for others at once and not in ten minutes.
    pub(super) async fn release(mut self) {
        let (times, patience) = RELEASE;
        for _ in 0..times {
            let Ok(mut relay) = self.client.relay(self.relayed) else { return };
            if relay.close(Instant::now()).is_err() || self.flush().await.is_err() {
                return;
            }
            let answered = timeout(patience, async {
                loop {
                    let Some(message) = self.wait().await? else { continue };
                    let error = self.refusal(&message);
                    let is_stale = error.is_some_and(|error| error.code == CODE_STALE_NONCE);
                    self.take(message);
                    if is_stale || self.client.relay(self.relayed).is_err() {
                        return io::Result::Ok(());
                    }
                }
            });
            if matches!(answered.await, Ok(Err(_))) {
                return;
            }
        }
    }
}

fn decoded(message: &[u8]) -> Option<Message> {
    if !is_stun_message(message) {
        return None;
    }
    let mut decoded = Message { raw: message.to_vec(), ..Message::default() };
    decoded.decode().is_ok().then_some(decoded)
}

fn error_of(message: &Message) -> Option<ErrorCodeAttribute> {
    let mut code = ErrorCodeAttribute::default();
    let is_error = message.typ.class == CLASS_ERROR_RESPONSE && code.get_from(message).is_ok();
    is_error.then_some(code)
}
