//! Takes connections in: counts them, speaks TLS and HTTP with them, and hands WebSockets on.
//!
//! A client that has not said what it wants by a deadline is cut, so a slow one holds nothing up but itself.
//! Each connection is for one request.

use std::{
    convert::Infallible,
    io,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderValue, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::OwnedSemaphorePermit,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{
    connection,
    gate::{Arrival, Turned},
    handshakes::Slot,
    member, metrics,
    shared::Shared,
    upgrade::{self, Asked},
    websocket::{self, Charged, Meter},
};
use crate::limits;

/// What a connection is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// WebSockets.
    Public,
    /// Metrics.
    Metrics,
}

/// A visitor that came by a door.
#[derive(Debug)]
enum Visitor {
    /// A client, if it is let in to say what it wants.
    Client { address: IpAddr, admitted: Result<Arrival, Refusal> },
    /// A proxy: its client is known when it has said so.
    Proxy { address: IpAddr },
    /// A reader of the metrics, and one of the few places for that.
    Operator(OwnedSemaphorePermit),
}

/// A visitor that has come in, and from where.
#[derive(Debug, Clone, Copy)]
enum Guest {
    Client(IpAddr),
    /// Another signaller, which is yet to prove it.
    Signaller(IpAddr),
}

/// Why a visitor is refused, and one of the few places of those that are told.
#[derive(Debug)]
struct Refusal {
    turned: Turned,
    _telling: OwnedSemaphorePermit,
}

impl Shared {
    /// Takes in visitors until it is stopped.
    pub(super) async fn listen(self: Arc<Self>, listener: TcpListener, door: Door) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.stop.cancelled() => return,
            };
            match accepted {
                Ok((stream, from)) => self.arrive(stream, from.ip().to_canonical(), door),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Most likely out of descriptors: it gets better when a client leaves.
                    tracing::error!(%error, "cannot accept connections");
                    let _ = timeout(Duration::from_secs(1), self.stop.cancelled()).await;
                }
            }
        }
    }

    /// A visitor that finds no room at all is closed here, before it costs anything.
    fn arrive(self: &Arc<Self>, stream: TcpStream, address: IpAddr, door: Door) {
        if door == Door::Metrics {
            if let Ok(place) = self.operators.clone().try_acquire_owned() {
                self.tasks.spawn(self.clone().visit(stream, Visitor::Operator(place), None));
            }
            return;
        }
        let (visitor, slot) = if self.config.proxies.trust(address) {
            (Visitor::Proxy { address }, self.handshakes.enter_for_another())
        } else {
            let admitted = match self.admit(address) {
                Ok(arrival) => Ok(arrival),
                Err(turned) => match self.refusals.clone().try_acquire_owned() {
                    Ok(telling) if turned != Turned::Flood => {
                        Err(Refusal { turned, _telling: telling })
                    }
                    _ => return,
                },
            };
            (Visitor::Client { address, admitted }, self.handshakes.enter(address))
        };
        let _ = stream.set_nodelay(true);
        self.tasks.spawn(self.clone().visit(stream, visitor, Some(slot)));
    }

    /// Lets a client from here say what it wants, if its address is served.
    fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Arrival, Turned> {
        let listed = || self.lists.borrow().admit_address(address);
        let arrival = self.gate.admit(address, listed, self.clock.now());
        arrival.inspect_err(|turned| self.turn(*turned, address))
    }

    async fn visit(self: Arc<Self>, stream: TcpStream, visitor: Visitor, slot: Option<Slot>) {
        let tls = self.tls.as_ref().filter(|_| !matches!(visitor, Visitor::Operator(_)));
        let tls = tls.map(|tls| TlsAcceptor::from(tls.borrow().clone()));
        let serve = async {
            let Some(tls) = tls else { return self.http(stream, visitor).await };
            match tls.accept(stream).await {
                Ok(stream) => self.http(stream, visitor).await,
                Err(error) => {
                    tracing::debug!(%error, "TLS failed");
                    self.counters.tls_failures.add(1);
                }
            }
        };
        tokio::select! {
            served = timeout(self.handshakes.patience(self.config.handshake_timeout), serve) => {
                if served.is_err() {
                    tracing::debug!("a handshake took too long");
                    self.counters.handshake_timeouts.add(1);
                }
            }
            () = cancelled(slot.as_ref().map(Slot::needed)) => {
                tracing::debug!("a handshake's place was needed for another address");
                self.counters.handshakes_crowded_out.add(1);
            }
            () = self.stop.cancelled() => {}
        }
    }

    /// One request and its answer.
    async fn http(
        self: &Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        visitor: Visitor,
    ) {
        let visitor = Mutex::new(Some(visitor));
        let answer = service_fn(|request: Request<hyper::body::Incoming>| {
            let visitor = visitor.lock().unwrap_or_else(PoisonError::into_inner).take();
            let shared = self.clone();
            async move {
                let mut answer = shared.answer(request.map(Body::new), visitor).await;
                if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
                    let close = HeaderValue::from_static("close");
                    answer.headers_mut().append(header::CONNECTION, close);
                }
                Ok::<_, Infallible>(answer)
            }
        });
        let served = http1::Builder::new()
            .max_buf_size(limits::REQUEST_BYTES)
            .serve_connection(TokioIo::new(stream), answer)
            .with_upgrades()
            .await;
        if let Err(error) = served {
            tracing::debug!(%error, "no HTTP request");
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Body>, visitor: Option<Visitor>) -> Response {
        let (address, arrival) = match visitor {
            Some(Visitor::Operator(_place)) => {
                return metrics::answer(&self, request.uri().path()).await;
            }
            Some(Visitor::Client { address, admitted }) => match admitted {
                Ok(arrival) => (address, arrival),
                Err(refusal) => return refused(refusal.turned),
            },
            Some(Visitor::Proxy { address }) => {
                let address = self.config.proxies.client(address, request.headers());
                match self.admit(address) {
                    Ok(arrival) => (address, arrival),
                    Err(turned) => return refused(turned),
                }
            }
            None => return StatusCode::BAD_REQUEST.into_response(),
        };
        match request.uri().path() {
            "/" | "/ws" => self.enter(request, Guest::Client(address), arrival),
            "/pool" if self.config.pool => self.enter(request, Guest::Signaller(address), arrival),
            "/healthz" => "ok\n".into_response(),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }

    /// A WebSocket, if there is a place for it, or a word for a visitor with a browser.
    fn enter(
        self: Arc<Self>,
        mut request: Request<Body>,
        guest: Guest,
        arrival: Arrival,
    ) -> Response {
        let (answer, upgraded) = match upgrade::asked(&mut request) {
            Asked::WebSocket(answer, upgraded) => (answer, upgraded),
            Asked::Wrongly(answer) => return answer,
            Asked::Otherwise => {
                return "This is a TaiiNet signaller. Peers connect to it by WebSocket.\n"
                    .into_response();
            }
        };
        let (Guest::Client(address) | Guest::Signaller(address)) = guest;
        let taken = match guest {
            Guest::Client(_) => {
                arrival.take_place().map(|(place, needed)| (Charged::All, place, Some(needed)))
            }
            Guest::Signaller(_) => {
                arrival.take_place_in_pool().map(|place| (Charged::AllButMessages, place, None))
            }
        };
        let (charged, place, needed) = match taken {
            Ok(taken) => taken,
            Err(turned) => {
                self.turn(turned, address);
                return refused(turned);
            }
        };
        let each = self.config.gate.frames;
        let meter = Meter::new(charged, each, place, self.clock, self.counters.clone());
        let shared = self.clone();
        self.tasks.spawn(async move {
            let Ok(upgraded) = upgraded.await else { return };
            let socket = websocket::open(upgraded, meter, shared.config.read_buffer).await;
            match needed {
                Some(needed) => connection::serve(socket, address, &needed, &shared).await,
                None => member::serve(socket, address, &shared).await,
            }
        });
        answer
    }
}

/// Waits until a place is needed for another; for ever, if there is none.
async fn cancelled(needed: Option<&CancellationToken>) {
    match needed {
        Some(needed) => needed.cancelled().await,
        None => std::future::pending().await,
    }
}

/// What is told to a visitor that does not come in.
fn refused(turned: Turned) -> Response {
    let full = limits::FULL_RETRY_AFTER;
    let (status, retry_after) = match turned {
        Turned::Blocked => return StatusCode::FORBIDDEN.into_response(),
        Turned::Full => (StatusCode::SERVICE_UNAVAILABLE, full),
        Turned::AddressFull | Turned::Flood => (StatusCode::TOO_MANY_REQUESTS, full),
        Turned::TooOften { wait } => (StatusCode::TOO_MANY_REQUESTS, wait),
    };
    let seconds = retry_after.as_secs().max(1).to_string();
    (status, [(header::RETRY_AFTER, seconds)]).into_response()
}

/// Whether an error of `accept` is about a connection that is gone already.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
