//! Clients that send and receive as fast as they may.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures::{SinkExt, StreamExt};
use rand_core::UnwrapErr;
use taiinet_document::Timestamp;
use taiinet_identity::{Identity, PeerId, Signed, seal};
use taiinet_mesh::frame::{FromSignaller, Joined, Presence, Signal, ToSignaller, VERSION, codec};
use tokio::{net::TcpStream, sync::Semaphore, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};
use crate::process::Kind;

/// Signals on their way between two: more would only wait at the server.
const WINDOW: usize = 64;
/// What is sealed in each, about an ICE candidate.
const CONTENT: usize = 100;
const BATCH: usize = 16;

pub(crate) struct Client {
    socket: WebSocketStream<TcpStream>,
    identity: Identity,
}

fn network() -> taiinet_document::Network {
    "bench".parse().unwrap()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

fn signal(from: &Identity, to: PeerId) -> Signed<Signal> {
    let mut rng = UnwrapErr(getrandom::SysRng);
    let sealed = seal(&to, b"bench", &[7; CONTENT], &mut rng).unwrap();
    let sent_at = Timestamp::from_millis(now());
    Signed::new(from, &Signal { network: network(), to, sent_at, sealed })
}

/// How long the message of a signal is.
pub(crate) fn signal_bytes() -> usize {
    let identity = Identity::generate(&mut UnwrapErr(getrandom::SysRng));
    codec::encode(&ToSignaller::Signal(signal(&identity, identity.peer_id()))).len()
}

impl Client {
    async fn connect(address: SocketAddr, path: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(16 * 1024);
        let request = format!("ws://{address}/{path}");
        let (socket, _) = client_async_with_config(request, stream, Some(config)).await.unwrap();
        Self { socket, identity: Identity::generate(&mut UnwrapErr(getrandom::SysRng)) }
    }

    /// One that has joined.
    pub(crate) async fn join(address: SocketAddr, number: usize) -> Self {
        let mut client = Self::connect(address, "").await;
        let mut nonce = [0; 32];
        nonce[..8].copy_from_slice(&number.to_le_bytes());
        client.say(codec::encode(&ToSignaller::Knock { version: VERSION, nonce })).await;
        let FromSignaller::Welcome(welcome) = client.hear().await else { panic!("a welcome") };
        let presence = Presence {
            network: network(),
            joined: Some(Joined { signaller: welcome.signaller, challenge: welcome.challenge }),
            issued_at: Timestamp::from_millis(now()),
            expires_at: Timestamp::from_millis(now() + 600_000),
            address: None,
        };
        let presence = Signed::new(&client.identity, &presence);
        client.say(codec::encode(&ToSignaller::Join { presence, work: 0 })).await;
        assert_eq!(client.hear().await, FromSignaller::Joined);
        client
    }

    /// One that has introduced itself to the npm package `peer`.
    async fn open(address: SocketAddr, number: usize) -> Self {
        let path = format!("peerjs?key=peerjs&id=peer-{number}&token=token");
        let mut client = Self::connect(address, &path).await;
        let hello = client.socket.next().await.unwrap().unwrap();
        assert_eq!(hello.into_text().unwrap().as_str(), r#"{"type":"OPEN"}"#);
        client
    }

    async fn say(&mut self, bytes: Vec<u8>) {
        self.socket.send(Message::Binary(bytes.into())).await.unwrap();
    }

    async fn hear(&mut self) -> FromSignaller {
        let message = self.socket.next().await.unwrap().unwrap();
        codec::decode(&message.into_data()).unwrap()
    }
}

/// One that sends to another.
pub(crate) struct Pair {
    from: Client,
    to: Client,
    message: Message,
}

impl Pair {
    pub(crate) async fn connect(address: SocketAddr, number: usize, kind: Kind) -> Self {
        let (one, other) = (2 * number, 2 * number + 1);
        match kind {
            Kind::Desk => {
                let from = Client::join(address, one).await;
                let to = Client::join(address, other).await;
                let signal = signal(&from.identity, to.identity.peer_id());
                let message = codec::encode(&ToSignaller::Signal(signal));
                Self { from, to, message: Message::Binary(message.into()) }
            }
            Kind::Bare => {
                let mut from = Client::connect(address, "").await;
                let mut to = Client::connect(address, "").await;
                to.say([other.to_le_bytes(), one.to_le_bytes()].concat()).await;
                from.say([one.to_le_bytes(), other.to_le_bytes()].concat()).await;
                Self { from, to, message: Message::Binary(vec![7; signal_bytes()].into()) }
            }
            Kind::Peer => {
                let from = Client::open(address, one).await;
                let to = Client::open(address, other).await;
                // As long as a signal of ours, all in all.
                let frame = |payload: &str| {
                    format!(r#"{{"type":"OFFER","dst":"peer-{other}","payload":"{payload}"}}"#)
                };
                let room = signal_bytes() - frame("").len();
                Self { from, to, message: Message::Text(frame(&"7".repeat(room)).into()) }
            }
        }
    }
}

/// How many messages arrive, and in what time.
pub(crate) async fn measure(pairs: Vec<Pair>, time: Duration) -> (u64, Duration) {
    let arrived = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for Pair { from, to, message } in pairs {
        let room = Arc::new(Semaphore::new(WINDOW));
        let (mut sink, _rest) = from.socket.split();
        let (_sink, mut stream) = to.socket.split();
        let (counted, freed) = (arrived.clone(), room.clone());
        tasks.push(tokio::spawn(async move {
            while let Some(Ok(_)) = stream.next().await {
                counted.fetch_add(1, Relaxed);
                freed.add_permits(1);
            }
            drop(_sink);
        }));
        tasks.push(tokio::spawn(async move {
            loop {
                room.acquire().await.unwrap().forget();
                sink.feed(message.clone()).await.unwrap();
                for _ in 1..BATCH {
                    let Ok(permit) = room.try_acquire() else { break };
                    permit.forget();
                    sink.feed(message.clone()).await.unwrap();
                }
                sink.flush().await.unwrap();
            }
        }));
    }
    let forever = std::future::pending::<()>();
    let _ = timeout(time, forever).await;
    let (count, elapsed) = (arrived.load(Relaxed), begun.elapsed());
    for task in tasks {
        task.abort();
    }
    (count, elapsed)
}
