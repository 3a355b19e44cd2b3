//! How a server is set up.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use taiinet_daemon::serde_as_text;

use super::{
    gate::GateConfig, lists::ListFiles, outbox::OutboxLimits, proxies::Proxies, stun::SecondStun,
    tls::TlsFiles,
};
use crate::{DeskConfig, limits};

/// Where a server listens, and how its desk serves.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where to listen for WebSockets; a port of 0 takes any free one.
    pub listen: Vec<SocketAddr>,
    /// Where to answer STUN.
    pub stun: StunAddress,
    /// And at which second port.
    pub second_stun: SecondStun,
    /// How to serve.
    pub desk: DeskConfig,
}

/// Where STUN is answered, over UDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StunAddress {
    /// At the addresses of the WebSockets, same ports.
    Same,
    /// Here.
    At(SocketAddr),
    /// Nowhere.
    Off,
}

impl FromStr for StunAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "same" => Ok(Self::Same),
            "off" => Ok(Self::Off),
            _ => text.parse().map(Self::At).map_err(|_| "expected ADDR:PORT, `same` or `off`"),
        }
    }
}

serde_as_text!(StunAddress);

impl fmt::Display for StunAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("same"),
            Self::At(address) => address.fmt(f),
            Self::Off => f.write_str("off"),
        }
    }
}

/// How connections are taken in, before and beside the desk.
#[derive(Debug, Clone)]
pub struct AcceptConfig {
    /// The certificate; without it the WebSockets are plain.
    pub tls: Option<TlsFiles>,
    /// The reverse proxies that are believed.
    pub proxies: Proxies,
    /// What is served and what is not.
    pub lists: ListFiles,
    /// How many may come in.
    pub gate: GateConfig,
    /// From a connection to the end of its HTTP request, TLS included.
    pub handshake_timeout: Duration,
    /// How long a batch of messages may take to be written to a client.
    pub write_timeout: Duration,
    /// How long telling all clients may take at the end.
    pub drain_timeout: Duration,
    /// Messages that may wait for one client.
    pub outbox_messages: usize,
    /// Their bytes.
    pub outbox_bytes: usize,
    /// Bytes that may wait for all clients together; with more, each has its share of them, at least a
    /// message.
    pub outbox_total: usize,
    /// What a WebSocket reads at once.
    pub read_buffer: usize,
    /// Where metrics are told, if anywhere.
    pub metrics: Option<SocketAddr>,
    /// A socket in the file system at which the same is told, with names, to those who may use our files.
    pub control: Option<PathBuf>,
    /// Whether clients' addresses go into the log.
    pub log_addresses: bool,
    /// Whether other signallers may connect; as the desk's own configuration says.
    pub pool: bool,
    /// Certificate authorities of other signallers besides the web's, in PEM.
    pub pool_roots: Vec<u8>,
}

impl Default for AcceptConfig {
    fn default() -> Self {
        Self {
            tls: None,
            proxies: Proxies::default(),
            lists: ListFiles::default(),
            gate: GateConfig::default(),
            handshake_timeout: limits::HANDSHAKE_TIMEOUT,
            write_timeout: limits::WRITE_TIMEOUT,
            drain_timeout: limits::DRAIN,
            outbox_messages: limits::OUTBOX_MESSAGES,
            outbox_bytes: limits::OUTBOX_BYTES,
            outbox_total: limits::OUTBOX_TOTAL,
            read_buffer: limits::READ_BUFFER,
            metrics: None,
            control: None,
            log_addresses: false,
            pool: false,
            pool_roots: Vec::new(),
        }
    }
}

impl AcceptConfig {
    /// How much may wait for one client.
    pub(super) fn outbox_limits(&self) -> OutboxLimits {
        let (messages, bytes) = (self.outbox_messages, self.outbox_bytes);
        let share = self.outbox_total / self.clients_at_once();
        let share = share.max(taiinet_mesh::limits::WIRE_BYTES).min(bytes);
        OutboxLimits { messages, bytes, share }
    }

    /// Clients that have a place, and those that are giving theirs to others.
    const fn clients_at_once(&self) -> usize {
        self.gate.clients.saturating_add(limits::GIVING_WAY_AT_ONCE)
    }

    /// The memory in bytes that a server takes at most, whatever its clients do. What a pool's members
    /// tell is not in it, nor are lists and certificates of an uncommon size.
    pub fn most_memory(&self) -> usize {
        let message = taiinet_mesh::limits::WIRE_BYTES;
        let tls = if self.tls.is_some() { limits::TLS_MEMORY } else { 0 };
        // A frame that is read, the message that it is a fragment of, what is being written, what waits.
        let buffers = self.read_buffer + 2 * message + limits::WRITE_BUFFER;
        let client = limits::CLIENT_MEMORY + tls + buffers + self.outbox_limits().share;
        let handshake = limits::CLIENT_MEMORY + tls + limits::REQUEST_BYTES;
        let inbox = limits::INBOX * (limits::TOGETHER_BYTES + message);
        client
            .saturating_mul(self.clients_at_once())
            .saturating_add(handshake.saturating_mul(self.gate.handshakes + limits::ASIDE))
            .saturating_add(self.outbox_total + inbox + limits::TABLES_MEMORY)
    }
}
