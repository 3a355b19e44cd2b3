//! What a request is answered.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    connection,
    gate::{Arrival, Turned},
    member, operators,
    shared::Shared,
    upgrade::{self, Asked},
    visitor::Visitor,
    websocket::{self, Charged, Meter},
};
use crate::limits;

/// A visitor that has come in, and from where.
#[derive(Debug, Clone, Copy)]
enum Guest {
    Client(IpAddr),
    /// Another signaller, which is yet to prove it.
    Signaller(IpAddr),
}

impl Shared {
    /// What a visitor's request is answered, whose connection came then.
    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request<Body>,
        visitor: Option<Visitor>,
        came: Instant,
    ) -> Response {
        let (address, arrival) = match visitor {
            Some(Visitor::Operator) => return operators::answer(&self, request.uri(), false).await,
            Some(Visitor::Owner) => return operators::answer(&self, request.uri(), true).await,
            Some(Visitor::Client { address, arrival }) => (address, arrival),
            Some(Visitor::Refused(turned)) => return refused(turned),
            Some(Visitor::Proxy { address }) => {
                let address = self.current().config.proxies.client(address, request.headers());
                match self.admit(address) {
                    Ok(arrival) => (address, arrival),
                    Err(turned) => return refused(turned),
                }
            }
            None => return StatusCode::BAD_REQUEST.into_response(),
        };
        let is_in_pool = self.current().config.pool;
        match request.uri().path() {
            "/" | "/ws" => self.enter(request, Guest::Client(address), arrival, came),
            "/pool" if is_in_pool => self.enter(request, Guest::Signaller(address), arrival, came),
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
        came: Instant,
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
        let current = self.current();
        let (each, read_buffer) = (current.config.gate.frames, current.config.read_buffer);
        drop(current);
        let meter = Meter::new(charged, each, place, self.clock, self.counters.clone());
        let shared = self.clone();
        self.tasks.spawn(async move {
            let Ok(upgraded) = upgraded.await else { return };
            shared.counters.handshakes_took.observe(came.elapsed());
            let socket = websocket::open(upgraded, meter, read_buffer).await;
            match needed {
                Some(needed) => connection::serve(socket, address, &needed, &shared).await,
                None => member::serve(socket, address, &shared).await,
            }
        });
        answer
    }
}

/// What is told to a visitor that does not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) status: StatusCode,
    /// After how long to come again.
    pub(super) wait: Option<Duration>,
}

impl Word {
    /// Of a visitor that is turned away.
    pub(super) const fn of(turned: Turned) -> Self {
        let (status, wait) = match turned {
            Turned::Blocked => (StatusCode::FORBIDDEN, None),
            Turned::Full => (StatusCode::SERVICE_UNAVAILABLE, Some(limits::FULL_RETRY_AFTER)),
            Turned::AddressFull | Turned::Flood => {
                (StatusCode::TOO_MANY_REQUESTS, Some(limits::FULL_RETRY_AFTER))
            }
            Turned::TooOften { wait } => (StatusCode::TOO_MANY_REQUESTS, Some(wait)),
        };
        Self { status, wait }
    }

    /// In whole seconds, as the header has it (RFC 9110, section 10.2.3).
    pub(super) fn seconds(&self) -> Option<u64> {
        self.wait.map(|wait| wait.as_secs().max(1))
    }
}

fn refused(turned: Turned) -> Response {
    let word = Word::of(turned);
    match word.seconds() {
        None => word.status.into_response(),
        Some(seconds) => {
            (word.status, [(header::RETRY_AFTER, seconds.to_string())]).into_response()
        }
    }
}
