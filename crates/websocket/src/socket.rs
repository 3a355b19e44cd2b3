//! A WebSocket to a signaller (RFC 6455): each message is one binary message.

use std::{
    io,
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use futures::{
    FutureExt, SinkExt, StreamExt,
    future::BoxFuture,
    stream::{SplitSink, SplitStream},
};
use rustls::{ClientConfig, pki_types::ServerName};
use taiinet_mesh::{Budget, ChannelBinding, Dial, LinkFailure, Time, limits};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        error::{ProtocolError, TlsError, UrlError},
        handshake::client::Response,
        http::{StatusCode, Uri},
        protocol::{WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::{
    frames::Seen,
    goodbye::{close_code, say_goodbye},
    is_public,
    links::Transport,
    metered::{Meter, Metered},
    port::{Accepted, Command, Emitter, Ended, Place, Port, drain},
    tls,
};

/// The largest message that is read; more is a breach by the signaller.
const MESSAGE_BYTES: usize = 2 * limits::MESSAGE_BYTES;
/// So much is gathered before it is written, unless the queue is empty sooner.
const BATCH_BYTES: usize = 16 * 1024;
/// Resident for the whole life of the link: small, since a signaller says little.
const READ_BUFFER: usize = 4 * 1024;

/// WebSocket frames that are no message of their own (pings, fragments, empty ones) which may come at once,
/// and how many more each second: the library deals with these by itself. For messages the core has a budget.
const FRAMES: (u32, u32) = (1000, 100);

/// How long the goodbye of a link that the other end has ended may take: it may never close the connection.
const GOODBYE: Duration = Duration::from_millis(500);

pub(crate) type Socket = WebSocketStream<Metered<MaybeTlsStream<TcpStream>, FrameBudget>>;

/// What the end that we dialled may still send besides messages.
#[derive(Debug)]
pub(crate) struct FrameBudget {
    budget: Budget,
    since: Instant,
}

impl FrameBudget {
    fn new() -> Self {
        Self { budget: Budget::new(FRAMES, Time::default()), since: Instant::now() }
    }
}

impl Meter for FrameBudget {
    fn pay(&mut self, Seen { frames, messages }: Seen) -> bool {
        let elapsed = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.budget.take(frames.saturating_sub(messages), Time::from_millis(elapsed))
    }
}

/// TLS for `wss://`, or why there is none.
pub(crate) type Tls = Result<Arc<ClientConfig>, String>;

/// WebSockets to signallers, and between them.
#[derive(Debug, Clone)]
pub struct WebSockets {
    tls: Tls,
    /// Whether the first one led out to the internet. Signallers that others tell of are dialled later.
    outside: Arc<OnceLock<bool>>,
}

impl WebSockets {
    /// Trusts the web's certificate authorities for `wss://`, and those in `extra_roots` (PEM). Where
    /// these are none, each link over TLS says so.
    pub fn new(extra_roots: &[u8]) -> Self {
        Self { tls: tls::client_config(extra_roots), outside: Arc::default() }
    }

    /// TLS over a connection to `host`, with the same trust as `wss://`.
    ///
    /// # Errors
    /// Those of the connection, and what TLS finds wrong.
    pub async fn secure(&self, host: &str, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let tls = self.tls.clone().map_err(io::Error::other)?;
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        TlsConnector::from(tls).connect(name, stream).await
    }

    /// Whether the signaller that was reached first is out on the internet: what one there names has no business in
    /// a network of this machine's own.
    pub fn lead_outside(&self) -> bool {
        self.outside.get() == Some(&true)
    }

    /// Connects without a link.
    pub(crate) async fn connect(&self, url: &str) -> Result<(Socket, Response), LinkFailure> {
        connect(url, &self.tls).await
    }
}

impl Transport for WebSockets {
    fn serve(&self, dial: Dial, port: Port) -> BoxFuture<'static, LinkFailure> {
        let url = match dial {
            Dial::Signaller { url } => url,
            Dial::Direct { url } => format!("{}/pool", url.trim_end_matches('/')),
            Dial::Offer { .. } | Dial::Answer { .. } => {
                let cause = LinkFailure::Transport("there is no WebRTC here".to_owned());
                return async { cause }.boxed();
            }
        };
        serve(url, self.clone(), port).boxed()
    }
}

/// Runs the link to its end.
async fn serve(url: String, sockets: WebSockets, port: Port) -> LinkFailure {
    let Port { emitter, commands, accepted, mut closing, place } = port;
    tokio::select! {
        // First: an abandoned link finds its queue closed too.
        biased;
        cause = closing.deadline() => cause,
        Err(cause) = drive(&url, &sockets, emitter, accepted, commands, &place) => cause,
    }
}

/// The addresses of its two ends, ours first.
fn ends(socket: &Socket) -> Option<[IpAddr; 2]> {
    let tcp = match socket.get_ref().inner() {
        MaybeTlsStream::Plain(tcp) => tcp,
        MaybeTlsStream::Rustls(tls) => tls.get_ref().0,
        _ => return None,
    };
    Some([tcp.local_addr().ok()?.ip(), tcp.peer_addr().ok()?.ip()])
}

async fn drive(
    url: &str,
    sockets: &WebSockets,
    emitter: Emitter,
    accepted: Accepted,
    mut commands: mpsc::Receiver<Command>,
    place: &Place,
) -> Ended {
    let socket = tokio::select! {
        socket = connect(url, &sockets.tls) => socket?.0,
        // Nothing can be sent before the link is up: the other end of the queue was dropped.
        _ = commands.recv() => return Err(LinkFailure::Local),
    };
    if let Some([ours, theirs]) = ends(&socket) {
        place.is(ours);
        sockets.outside.get_or_init(|| is_public(theirs));
    }
    emitter.up(ChannelBinding::NONE).await?;
    let (mut sink, mut stream) = socket.split();
    let mut owed = None;
    let ended = {
        let reading = read(&mut stream, &emitter, &mut owed);
        tokio::pin!(reading);
        tokio::select! {
            ended = &mut reading => ended,
            ended = write(&mut sink, accepted, commands) => match ended {
                // Our close frame is out; the deadline bounds how long the answer to it may take.
                Err(LinkFailure::Local) => {
                    let _ = reading.await;
                    Err(LinkFailure::Local)
                }
                Err(cause) => Err(drain(reading, &emitter, cause).await),
            },
        }
    };
    if let Some(code) = owed
        && let Ok(socket) = stream.reunite(sink)
    {
        say_goodbye(socket, code, GOODBYE).await;
    }
    ended
}

async fn connect(url: &str, tls: &Tls) -> Result<(Socket, Response), LinkFailure> {
    let request = url.into_client_request().map_err(|error| failure(&error))?;
    let tls = match request.uri().scheme_str() {
        Some("wss") => Some(tls.clone().map_err(LinkFailure::Transport)?),
        Some("ws") => None,
        _ => {
            let cause = "a signaller's address begins with ws:// or wss://".to_owned();
            return Err(LinkFailure::Transport(cause));
        }
    };
    let stream = open(request.uri(), tls).await.map_err(|error| failure(&error))?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(BATCH_BYTES)
        .max_write_buffer_size(BATCH_BYTES + MESSAGE_BYTES)
        .max_message_size(Some(MESSAGE_BYTES))
        .max_frame_size(Some(MESSAGE_BYTES));
    let metered = Metered::dialling(stream, FrameBudget::new());
    client_async_with_config(request, metered, Some(config)).await.map_err(|error| failure(&error))
}

/// Opens the connection beneath the WebSocket.
async fn open(
    uri: &Uri,
    tls: Option<Arc<ClientConfig>>,
) -> Result<MaybeTlsStream<TcpStream>, Error> {
    let host = uri.host().ok_or(UrlError::NoHostName)?;
    // Addresses of IPv6 stand in brackets.
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let port = uri.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let Some(tls) = tls else { return Ok(MaybeTlsStream::Plain(stream)) };
    let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsError::InvalidDnsName)?;
    let stream = TlsConnector::from(tls).connect(name, stream).await?;
    Ok(MaybeTlsStream::Rustls(stream))
}

/// Reads until it ends; then `owed` is the goodbye that the other end is to be told, if any is.
async fn read(
    stream: &mut SplitStream<Socket>,
    emitter: &Emitter,
    owed: &mut Option<CloseCode>,
) -> Ended {
    while let Some(message) = stream.next().await {
        let message = message.map_err(|error| {
            *owed = close_code(&error);
            failure(&error)
        })?;
        match message {
            Message::Binary(bytes) => emitter.message(bytes.into()).await?,
            Message::Text(_) => {
                *owed = Some(CloseCode::Unsupported);
                let cause = "a text message came where only binary ones belong".to_owned();
                return Err(LinkFailure::Transport(cause));
            }
            Message::Close(_) => {
                *owed = Some(CloseCode::Normal);
                return Err(LinkFailure::Remote);
            }
            // Pings are answered by the library.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
    Err(LinkFailure::Remote)
}

/// Writes until the queue is closed and empty, then says goodbye.
async fn write(
    sink: &mut SplitSink<Socket, Message>,
    mut accepted: Accepted,
    mut commands: mpsc::Receiver<Command>,
) -> Ended {
    let mut batch = Vec::new();
    while commands.recv_many(&mut batch, 64).await > 0 {
        let (mut done, mut written) = (0, 0);
        for command in batch.drain(..) {
            done += command.weight();
            // Nothing is negotiated on a WebSocket.
            let Command::Send(bytes) = command else { continue };
            written += bytes.len();
            if accepted.bandwidth().is_upload_capped() {
                // What was gathered does not wait with it.
                sink.flush().await.map_err(|error| failure(&error))?;
            }
            accepted.bandwidth().upload(bytes.len()).await;
            sink.feed(Message::binary(bytes)).await.map_err(|error| failure(&error))?;
        }
        sink.flush().await.map_err(|error| failure(&error))?;
        accepted.done(done);
        accepted.accepted(written).await?;
        accepted.report().await?;
    }
    // Whether the goodbye gets through or not, this link has ended.
    let _ = sink.close().await;
    Err(LinkFailure::Local)
}

/// What an error of the library means to the core, and to its user.
fn failure(error: &Error) -> LinkFailure {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => LinkFailure::Remote,
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => LinkFailure::Remote,
        Error::Io(error) if is_cut(error.kind()) => LinkFailure::Remote,
        // The server is there, but not the one that we expect (TLS), or it floods ([`Metered`]).
        Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            let tls = error.get_ref().and_then(|error| error.downcast_ref());
            tls.map_or_else(|| LinkFailure::Transport(error.to_string()), tls::mistrust)
        }
        Error::Io(error) => LinkFailure::Unreachable(error.to_string()),
        Error::Http(response) => answered(response.status()),
        Error::Protocol(ProtocolError::HttparseError(_)) => LinkFailure::Mistaken {
            what: "no HTTP is spoken at this address".to_owned(),
            cure: "is it one of wss:// and not ws://, and is the port right?".to_owned(),
        },
        other => LinkFailure::Transport(other.to_string()),
    }
}

/// What it means that a request for a WebSocket is answered in plain HTTP.
fn answered(status: StatusCode) -> LinkFailure {
    let (what, cure) = match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => (
            format!("the signaller has no room (HTTP {status})"),
            "others are tried, and it again later",
        ),
        StatusCode::FORBIDDEN => (
            format!("the signaller does not serve this device's address (HTTP {status})"),
            "ask its operator, or name another",
        ),
        _ => (
            format!("no signaller at this address: it answers HTTP {status}"),
            "is the address right, with its port and wss:// or ws://, and does a proxy there pass on \
             WebSockets?",
        ),
    };
    LinkFailure::Mistaken { what, cure: cure.to_owned() }
}

const fn is_cut(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    )
}
