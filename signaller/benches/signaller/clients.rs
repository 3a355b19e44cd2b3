//! Clients that send and receive as fast as they may.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::process::Kind;
use futures::{SinkExt, StreamExt};
use rand_core::UnwrapErr;
use taiinet_document::Timestamp;
use taiinet_identity::{Identity, PeerId, Signed, seal};
use taiinet_mesh::{
    session::{Answer, Dialler, Opening, Purpose, Session, TAG_BYTES},
    wire::{FromSignaller, Joined, Presence, Signal, ToSignaller, VERSION, codec},
};
use tokio::{net::TcpStream, sync::Semaphore, task::JoinSet};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

/// Signals on their way between two: more would only wait at the server.
const WINDOW: usize = 64;
/// What those read at once that have much to read.
const BUSY: usize = 32 * 1024;
/// What is sealed in each, about an ICE candidate.
const CONTENT: usize = 100;
/// How many are sent together.
const BATCH: u32 = 16;

pub(crate) struct Client {
    socket: WebSocketStream<TcpStream>,
    session: Option<Session>,
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
    /// `read` bytes at once.
    async fn connect(address: SocketAddr, path: &str, read: usize) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let config = WebSocketConfig::default().read_buffer_size(read).write_buffer_size(16 * 1024);
        let request = format!("ws://{address}/{path}");
        let (socket, _) = client_async_with_config(request, stream, Some(config)).await.unwrap();
        let identity = Identity::generate(&mut UnwrapErr(getrandom::SysRng));
        Self { socket, session: None, identity }
    }

    /// One that has joined and says nothing.
    pub(crate) async fn idle(address: SocketAddr, number: usize) -> Self {
        Self::join(address, number, 512).await
    }

    async fn join(address: SocketAddr, number: usize, read: usize) -> Self {
        let mut client = Self::connect(address, "", read).await;
        let opening = Opening { version: VERSION, dialled: format!("ws://{address}/") };
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        let (dialler, first) = Dialler::new(Purpose::Client, &opening, seed).unwrap();
        client.say(first).await;
        let answer = client.socket.next().await.unwrap().unwrap().into_data();
        let Ok(Answer::Session(session)) = dialler.answered(&answer) else { panic!("a session") };
        let challenge = *session.hash();
        client.session = Some(session);
        let FromSignaller::Welcome(welcome) = client.receive().await else { panic!("a welcome") };
        let now = now();
        let presence = Presence {
            network: network(),
            joined: Some(Joined { signaller: welcome.signaller, challenge }),
            issued_at: Timestamp::from_millis(now),
            expires_at: Timestamp::from_millis(now + 600_000),
            address: None,
            next_key: None,
            archive: None,
            open: false,
        };
        let presence = Signed::new(&client.identity, &presence);
        let join = codec::encode(&ToSignaller::Join { presence, work: 0 });
        let join = client.session.as_mut().unwrap().seal(&join).unwrap();
        client.say(join).await;
        assert_eq!(client.receive().await, FromSignaller::Joined);
        client
    }

    /// One that has introduced itself to the npm package `peer`.
    async fn open(address: SocketAddr, number: usize) -> Self {
        let path = format!("peerjs?key=peerjs&id=peer-{number}&token=token");
        let mut client = Self::connect(address, &path, BUSY).await;
        let hello = client.socket.next().await.unwrap().unwrap();
        assert_eq!(hello.into_text().unwrap().as_str(), r#"{"type":"OPEN"}"#);
        client
    }

    async fn say(&mut self, bytes: Vec<u8>) {
        self.socket.send(Message::Binary(bytes.into())).await.unwrap();
    }

    async fn receive(&mut self) -> FromSignaller {
        let message = self.socket.next().await.unwrap().unwrap().into_data();
        codec::decode(&self.session.as_mut().unwrap().open(&message).unwrap()).unwrap()
    }
}

/// One that sends to another.
pub(crate) struct Pair {
    from: Client,
    to: Client,
    message: Said,
}

/// What is said again and again: the same each time, or sealed again.
enum Said {
    Same(Message),
    Sealed(Session, Vec<u8>),
}

impl Said {
    fn next(&mut self) -> Message {
        match self {
            Self::Same(message) => message.clone(),
            Self::Sealed(session, frame) => Message::Binary(session.seal(frame).unwrap().into()),
        }
    }
}

impl Pair {
    pub(crate) async fn connect(address: SocketAddr, number: usize, kind: Kind) -> Self {
        let (one, other) = (2 * number, 2 * number + 1);
        match kind {
            Kind::Desk => {
                let mut from = Client::join(address, one, BUSY).await;
                let to = Client::join(address, other, BUSY).await;
                let signal = signal(&from.identity, to.identity.peer_id());
                let message = codec::encode(&ToSignaller::Signal(signal));
                let message = Said::Sealed(from.session.take().unwrap(), message);
                Self { from, to, message }
            }
            Kind::Bare => {
                let mut from = Client::connect(address, "", BUSY).await;
                let mut to = Client::connect(address, "", BUSY).await;
                to.say([other.to_le_bytes(), one.to_le_bytes()].concat()).await;
                from.say([one.to_le_bytes(), other.to_le_bytes()].concat()).await;
                let message = Message::Binary(vec![7; signal_bytes() + TAG_BYTES].into());
                Self { from, to, message: Said::Same(message) }
            }
            Kind::Peer => {
                let from = Client::open(address, one).await;
                let to = Client::open(address, other).await;
                // As long as a signal of ours, all in all.
                let frame = |payload: &str| {
                    format!(r#"{{"type":"OFFER","dst":"peer-{other}","payload":"{payload}"}}"#)
                };
                let room = signal_bytes() + TAG_BYTES - frame("").len();
                let message = Message::Text(frame(&"7".repeat(room)).into());
                Self { from, to, message: Said::Same(message) }
            }
        }
    }
}

/// How many messages arrive, and in what time.
///
/// The clients share the processors with the server, so they take and give in batches, as cheaply as
/// they can: what they cost would make all servers look alike.
pub(crate) async fn measure(pairs: Vec<Pair>, time: Duration) -> (u64, Duration) {
    let arrived = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for Pair { from, to, mut message } in pairs {
        let room = Arc::new(Semaphore::new(WINDOW));
        let (mut sink, _rest) = from.socket.split();
        let mut stream = to.socket.ready_chunks(WINDOW);
        let (counted, freed) = (arrived.clone(), room.clone());
        tasks.spawn(async move {
            while let Some(messages) = stream.next().await {
                assert!(messages.iter().all(Result::is_ok), "the server closed a connection");
                counted.fetch_add(messages.len() as u64, Relaxed);
                freed.add_permits(messages.len());
            }
        });
        tasks.spawn(async move {
            loop {
                room.acquire_many(BATCH).await.unwrap().forget();
                for _ in 0..BATCH {
                    sink.feed(message.next()).await.unwrap();
                }
                sink.flush().await.unwrap();
            }
        });
    }
    tokio::time::sleep(time).await;
    let measured = (arrived.load(Relaxed), begun.elapsed());
    // Before anything is dropped: its other end would be cut off in the middle.
    tasks.shutdown().await;
    measured
}
