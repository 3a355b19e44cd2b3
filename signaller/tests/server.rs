//! The server over real sockets.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used)]

use std::{net::SocketAddr, time::Duration};

use futures::{SinkExt, StreamExt};
use rand_core::UnwrapErr;
use taiinet_identity::{Identity, Signed};
use taiinet_mesh::{
    session::{Answer, Declined, Dialler, Opening, Purpose, Session},
    wire::{FromSignaller, Joined, Presence, RefusalReason, Signal, ToSignaller, VERSION, codec},
};
use taiinet_signaller::{
    Budgets, DeskConfig,
    server::{SecondStun, Server, ServerConfig, StunAddress},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

const DEADLINE: Duration = Duration::from_secs(10);

struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<std::io::Result<()>>,
}

/// The desk keeps peers from flooding one another; these tests are of what comes behind it.
fn budgets() -> Budgets {
    let plenty = (u32::MAX, u32::MAX);
    Budgets {
        signals_to_one: plenty,
        signals_for_one: plenty,
        signal_bytes_for_one: plenty,
        ..Budgets::default()
    }
}

async fn start() -> Running {
    let config = ServerConfig {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        stun: StunAddress::Same,
        second_stun: SecondStun::Auto,
        desk: DeskConfig { budgets: budgets(), ..DeskConfig::default() },
    };
    let identity = Identity::generate(&mut UnwrapErr(getrandom::SysRng));
    let server = Server::bind(config, identity).await.unwrap();
    let address = server.addresses()[0];
    let (stop, stopped) = oneshot::channel();
    let server = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));
    Running { address, stop: Some(stop), server }
}

struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: Option<Session>,
    identity: Identity,
}

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        let (socket, _) = connect_async(format!("ws://{address}/")).await.unwrap();
        let identity = Identity::generate(&mut UnwrapErr(getrandom::SysRng));
        Self { socket, session: None, identity }
    }

    async fn say(&mut self, frame: &ToSignaller) {
        let sealed = self.session.as_mut().unwrap().seal(&codec::encode(frame)).unwrap();
        self.socket.send(Message::Binary(sealed.into())).await.unwrap();
    }

    /// The next message; none if the connection was closed.
    async fn message(&mut self) -> Option<Vec<u8>> {
        loop {
            match timeout(DEADLINE, self.socket.next()).await.expect("in time") {
                Some(Ok(Message::Binary(bytes))) => return Some(bytes.into()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next frame; none if the connection was closed.
    async fn receive(&mut self) -> Option<FromSignaller> {
        let message = self.message().await?;
        let Some(session) = &mut self.session else {
            let Declined { reason, retry_after_ms } = codec::decode(&message).unwrap();
            return Some(FromSignaller::Refused { reason, retry_after_ms });
        };
        Some(codec::decode(&session.open(&message).unwrap()).unwrap())
    }

    async fn join(address: SocketAddr) -> Self {
        let mut client = Self::connect(address).await;
        let opening = Opening { version: VERSION, dialled: format!("ws://{address}/") };
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).unwrap();
        let (dialler, first) = Dialler::new(Purpose::Client, &opening, seed).unwrap();
        client.socket.send(Message::Binary(first.into())).await.unwrap();
        let answer = dialler.answered(&client.message().await.unwrap());
        let Ok(Answer::Session(session)) = answer else { panic!() };
        let challenge = *session.hash();
        client.session = Some(session);
        let Some(FromSignaller::Welcome(welcome)) = client.receive().await else { panic!() };
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let millis = now.as_millis() as u64;
        let presence = Presence {
            network: "test".parse().unwrap(),
            joined: Some(Joined { signaller: welcome.signaller, challenge }),
            issued_at: taiinet_document::Timestamp::from_millis(millis),
            expires_at: taiinet_document::Timestamp::from_millis(millis + 60_000),
            address: None,
            next_key: None,
            archive: None,
            open: false,
        };
        client
            .say(&ToSignaller::Join { presence: Signed::new(&client.identity, &presence), work: 0 })
            .await;
        assert_eq!(client.receive().await, Some(FromSignaller::Joined));
        client
    }

    fn signal(&self, to: &Self, bytes: usize) -> ToSignaller {
        let signal = Signal {
            network: "test".parse().unwrap(),
            to: to.identity.peer_id(),
            sent_at: taiinet_document::Timestamp::from_millis(1),
            sealed: vec![7; bytes],
        };
        ToSignaller::Signal(Signed::new(&self.identity, &signal))
    }
}

#[tokio::test]
async fn two_peers_are_introduced_and_signal_each_other() {
    let running = start().await;
    let (mut a, mut b) = (Client::join(running.address).await, Client::join(running.address).await);
    a.say(&ToSignaller::Introduce { want: 4 }).await;
    let Some(FromSignaller::Introduced { presences, .. }) = a.receive().await else { panic!() };
    assert_eq!(presences.len(), 1);
    assert_eq!(presences[0].signer(), b.identity.peer_id());
    let ToSignaller::Signal(sent) = a.signal(&b, 5000) else { panic!() };
    a.say(&ToSignaller::Signal(sent.clone())).await;
    assert_eq!(b.receive().await, Some(FromSignaller::Signal(sent)));
}

#[tokio::test]
async fn garbage_and_oversize_close_one_connection_and_no_other() {
    let running = start().await;
    let mut honest = Client::join(running.address).await;
    let mut garbage = Client::connect(running.address).await;
    garbage.socket.send(Message::Text("hello?".into())).await.unwrap();
    let refused = garbage.receive().await;
    assert!(matches!(refused, Some(FromSignaller::Refused { reason: RefusalReason::Invalid, .. })));
    assert_eq!(garbage.receive().await, None);
    let mut oversize = Client::connect(running.address).await;
    let _ = oversize.socket.send(Message::Binary(vec![0; 100_000].into())).await;
    assert_eq!(oversize.receive().await, None);
    honest.say(&ToSignaller::Ping(7)).await;
    assert_eq!(honest.receive().await, Some(FromSignaller::Pong(7)));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped_and_the_others_go_on() {
    let running = start().await;
    let mut sleeper = Client::join(running.address).await;
    let mut other = Client::join(running.address).await;
    // Each sender has its budget, so it takes several to fill what the sleeper does not read.
    let mut gone = false;
    'flood: for _ in 0..40 {
        let mut sender = Client::join(running.address).await;
        for _ in 0..150 {
            let flood = sender.signal(&sleeper, 8_000);
            sender.say(&flood).await;
        }
        sender.say(&ToSignaller::Ping(1)).await;
        loop {
            match sender.receive().await {
                Some(FromSignaller::Unreachable(_)) => {
                    gone = true;
                    break 'flood;
                }
                Some(FromSignaller::Pong(1)) | None => break,
                Some(_) => {}
            }
        }
    }
    assert!(gone, "the sleeper is still there");
    other.say(&ToSignaller::Ping(7)).await;
    assert_eq!(other.receive().await, Some(FromSignaller::Pong(7)));
    while sleeper.receive().await.is_some() {}
}

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(DEADLINE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn health_is_told_and_so_is_what_this_is() {
    let running = start().await;
    let _peer = Client::join(running.address).await;
    let answer = get(running.address, "/healthz").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(get(running.address, "/").await.contains("TaiiNet signaller"));
    for path in ["/nothing", "/metrics", "/health"] {
        assert!(get(running.address, path).await.starts_with("HTTP/1.1 404"), "{path}");
    }
}

#[tokio::test]
async fn stun_tells_where_a_packet_came_from() {
    let running = start().await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut request = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    request.extend([3; 12]);
    socket.send_to(&request, running.address).await.unwrap();
    let mut answer = [0; 200];
    let (length, from) = timeout(DEADLINE, socket.recv_from(&mut answer)).await.unwrap().unwrap();
    assert_eq!(from, running.address);
    assert_eq!(answer[..2], [1, 1]);
    let port = u16::from_be_bytes([answer[26], answer[27]]) ^ 0x2112;
    assert_eq!(port, socket.local_addr().unwrap().port());
    assert_eq!(length, 32);
}

#[tokio::test]
async fn a_stopping_server_says_so() {
    let mut running = start().await;
    let mut peer = Client::join(running.address).await;
    running.stop.take().unwrap().send(()).unwrap();
    let told = peer.receive().await;
    assert!(matches!(told, Some(FromSignaller::Refused { reason: RefusalReason::Leaving, .. })));
    assert_eq!(peer.receive().await, None);
    timeout(DEADLINE, running.server).await.unwrap().unwrap().unwrap();
}
