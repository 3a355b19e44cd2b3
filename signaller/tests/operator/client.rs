//! A peer, as far as a signaller sees one.

use std::net::SocketAddr;

use futures::{SinkExt, StreamExt};
use rand_core::UnwrapErr;
use taiinet_document::Timestamp;
use taiinet_identity::{Identity, PeerId, Signed};
use taiinet_mesh::{
    session::{Answer, Declined, Dialler, Opening, Purpose, Session},
    wire::{FromSignaller, Joined, Presence, ToSignaller, VERSION, Welcome, codec},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::Response},
};

use crate::program::DEADLINE;

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub(crate) struct Client {
    socket: WebSocketStream<Box<dyn Stream>>,
    session: Option<Session>,
    pub(crate) identity: Identity,
}

impl Client {
    /// Over any stream, with these further headers; or the answer of a server that refuses.
    pub(crate) async fn over(
        stream: Box<dyn Stream>,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Response<Option<Vec<u8>>>> {
        let mut request = "ws://localhost/".into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let identity = Identity::generate(&mut UnwrapErr(getrandom::SysRng));
        match timeout(DEADLINE, client_async(request, stream)).await.expect("in time") {
            Ok((socket, _)) => Ok(Self { socket, session: None, identity }),
            Err(Error::Http(response)) => Err(*response),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn try_connect(
        address: SocketAddr,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Response<Option<Vec<u8>>>> {
        Self::over(Box::new(TcpStream::connect(address).await.unwrap()), headers).await
    }

    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address, &[]).await.expect("it is let in")
    }

    pub(crate) fn id(&self) -> PeerId {
        self.identity.peer_id()
    }

    /// Makes a session; gives what the signaller says first, unless it does not take it.
    pub(crate) async fn greet(&mut self) -> Option<Welcome> {
        let opening = Opening { version: VERSION, dialled: "ws://localhost/".to_owned() };
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).unwrap();
        let (dialler, first) = Dialler::new(Purpose::Client, &opening, seed).unwrap();
        self.socket.send(Message::Binary(first.into())).await.ok()?;
        let Ok(Answer::Session(session)) = dialler.answered(&self.message().await?) else {
            return None;
        };
        self.session = Some(session);
        match self.receive().await {
            Some(FromSignaller::Welcome(welcome)) => Some(welcome),
            _ => None,
        }
    }

    /// Whether it could say so: its connection may be closed meanwhile.
    pub(crate) async fn try_say(&mut self, frame: &ToSignaller) -> bool {
        if self.session.is_none() && self.greet().await.is_none() {
            return false;
        }
        let sealed = self.session.as_mut().unwrap().seal(&codec::encode(frame)).unwrap();
        self.socket.send(Message::Binary(sealed.into())).await.is_ok()
    }

    pub(crate) async fn say(&mut self, frame: &ToSignaller) {
        assert!(self.try_say(frame).await);
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
    pub(crate) async fn receive(&mut self) -> Option<FromSignaller> {
        let message = self.message().await?;
        let Some(session) = &mut self.session else {
            let Declined { reason, retry_after_ms } = codec::decode(&message).unwrap();
            return Some(FromSignaller::Refused { reason, retry_after_ms });
        };
        Some(codec::decode(&session.open(&message).unwrap()).unwrap())
    }

    /// What the signaller answers to this peer's join.
    pub(crate) async fn join(&mut self, network: &str) -> Option<FromSignaller> {
        let welcome = self.greet().await.expect("a welcome");
        let challenge = *self.session.as_ref().unwrap().hash();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let millis = now.as_millis() as u64;
        let presence = Presence {
            network: network.parse().unwrap(),
            joined: Some(Joined { signaller: welcome.signaller, challenge }),
            issued_at: Timestamp::from_millis(millis),
            expires_at: Timestamp::from_millis(millis + 60_000),
            address: None,
            next_key: None,
            archive: None,
            open: false,
        };
        self.say(&ToSignaller::Join { presence: Signed::new(&self.identity, &presence), work: 0 })
            .await;
        self.receive().await
    }

    pub(crate) async fn joined(address: SocketAddr, network: &str) -> Self {
        let mut client = Self::connect(address).await;
        assert_eq!(client.join(network).await, Some(FromSignaller::Joined));
        client
    }

    /// One that has joined and reads nothing more; the system buffers little for it.
    pub(crate) async fn sleeper(address: SocketAddr, network: &str) -> Self {
        use socket2::{Domain, Socket, Type};
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        // By it the other end's system reckons how much it buffers.
        socket.set_tcp_mss(536).unwrap();
        socket.connect(&address.into()).unwrap();
        socket.set_nonblocking(true).unwrap();
        let stream = TcpStream::from_std(socket.into()).unwrap();
        let Ok(mut client) = Self::over(Box::new(stream), &[]).await else { panic!("let in") };
        assert_eq!(client.join(network).await, Some(FromSignaller::Joined));
        client
    }

    /// Sends bytes as they are, past the WebSocket.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        self.socket.get_mut().write_all(bytes).await.unwrap();
    }

    /// What is beneath the WebSocket.
    pub(crate) fn stream(&mut self) -> &mut impl Stream {
        self.socket.get_mut()
    }

    /// Whether it is still served.
    pub(crate) async fn is_served(&mut self) -> bool {
        self.try_say(&ToSignaller::Ping(7)).await
            && self.receive().await == Some(FromSignaller::Pong(7))
    }
}
