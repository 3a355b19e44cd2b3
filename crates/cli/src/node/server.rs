//! `/metrics`, `/healthz` and `/readyz` over HTTP, for the operator.

use std::{collections::VecDeque, convert::Infallible, net::IpAddr, time::Duration};

use axum::{
    Json,
    body::Body,
    http::{HeaderValue, Request, StatusCode, header, uri::Authority},
    response::{IntoResponse, Response},
};
use futures::future::join_all;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use taiinet::Bandwidth;
use tokio::{
    net::{TcpListener, TcpStream},
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};

use super::{
    members::Members,
    metrics::{self, View},
};

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// How many may ask at once; for one more, the one that came first is cut.
const CONNECTIONS: usize = 16;
/// How long one may take to ask.
const HEADERS: Duration = Duration::from_secs(5);
/// And until it has its answer.
const CONNECTION: Duration = Duration::from_secs(10);
/// How long a peer may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(2);
/// How soon it is tried again when no connection can be taken.
const AGAIN: Duration = Duration::from_millis(100);

/// What says how the node is; clones are the same.
#[derive(Clone)]
pub(super) struct Health {
    members: Members,
    bandwidth: Bandwidth,
    begun: Instant,
}

/// How a node is at one moment.
pub(super) struct Picture {
    views: Vec<View>,
    networks: usize,
}

impl Health {
    pub(super) fn new(members: Members, bandwidth: Bandwidth) -> Self {
        Self { members, bandwidth, begun: Instant::now() }
    }

    /// Asks all peers.
    pub(super) async fn look(&self) -> Picture {
        let looks = self.members.iter().map(|member| async {
            let status = timeout(PATIENCE, member.net.status()).await.ok()?.ok()?;
            Some(View { network: member.network.clone(), status })
        });
        let views = join_all(looks).await.into_iter().flatten().collect();
        Picture { views, networks: self.members.len() }
    }
}

impl Picture {
    /// Whether all peers answer.
    pub(super) fn is_alive(&self) -> bool {
        self.views.len() == self.networks
    }

    /// Whether each is with others, or with somebody who knows some.
    fn is_ready(&self) -> bool {
        let is_connected = |view: &View| view.neighbours() > 0 || view.joined() > 0;
        self.is_alive() && self.views.iter().all(is_connected)
    }

    fn neighbours(&self) -> usize {
        self.views.iter().map(View::neighbours).sum()
    }

    fn joined(&self) -> usize {
        self.views.iter().map(View::joined).sum()
    }

    /// In a few words.
    pub(super) fn sentence(&self) -> String {
        let (networks, neighbours, joined) = (self.networks, self.neighbours(), self.joined());
        format!("networks {networks}, neighbours {neighbours}, signallers joined {joined}")
    }
}

/// Answers for ever: one question for each connection.
pub(super) async fn serve(listener: TcpListener, health: Health) {
    let mut asking = VecDeque::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "metrics");
                sleep(AGAIN).await;
                continue;
            }
        };
        asking.retain(|one: &AbortHandle| !one.is_finished());
        if asking.len() >= CONNECTIONS
            && let Some(first) = asking.pop_front()
        {
            first.abort();
        }
        asking.push_back(tokio::spawn(ask(stream, health.clone())).abort_handle());
    }
}

async fn ask(stream: TcpStream, health: Health) {
    let is_own = stream.local_addr().is_ok_and(|address| address.ip().to_canonical().is_loopback());
    let service = service_fn(move |request: Request<Incoming>| {
        let health = health.clone();
        async move {
            // A page of somebody's, whose name leads to this machine, is not to read along.
            if is_own && !is_for_this_machine(request.headers().get(header::HOST)) {
                return Ok::<_, Infallible>(StatusCode::MISDIRECTED_REQUEST.into_response());
            }
            Ok(answer(&health, request.uri().path()).await)
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS).keep_alive(false);
    // Whoever breaks off has what it wanted, or did not want it.
    let _ = timeout(CONNECTION, http.serve_connection(TokioIo::new(stream), service)).await;
}

/// Whether a request was made to an address of this machine, and not to a name that leads to it.
fn is_for_this_machine(host: Option<&HeaderValue>) -> bool {
    let Some(host) = host else { return true };
    let Some(host) = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()) else {
        return false;
    };
    let name = host.host().trim_matches(['[', ']']);
    name == "localhost" || name.parse::<IpAddr>().is_ok()
}

async fn answer(health: &Health, path: &str) -> Response<Body> {
    let is_good = match path {
        "/metrics" => {
            let picture = health.look().await;
            let caps = health.bandwidth.caps();
            let uptime = health.begun.elapsed().as_secs();
            let text = metrics::text(&picture.views, &health.bandwidth, caps, uptime);
            return ([(header::CONTENT_TYPE, FORMAT)], text).into_response();
        }
        "/healthz" => Picture::is_alive,
        "/readyz" => Picture::is_ready,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let picture = health.look().await;
    let ok = is_good(&picture);
    let code = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "ok": ok,
        "version": env!("CARGO_PKG_VERSION"),
        "uptimeS": health.begun.elapsed().as_secs(),
        "networks": picture.networks,
        "neighbours": picture.neighbours(),
        "signallersJoined": picture.joined(),
    });
    (code, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_here_are_not_answered() {
        let is_ours =
            |host: &str| is_for_this_machine(Some(&HeaderValue::from_str(host).expect("a header")));
        for host in ["localhost", "localhost:9701", "127.0.0.1:9701", "[::1]:9701", "192.0.2.1"] {
            assert!(is_ours(host), "{host}");
        }
        for host in ["evil.example", "evil.example:9701", "localhost.evil.example", "", "a b"] {
            assert!(!is_ours(host), "{host}");
        }
        assert!(is_for_this_machine(None));
    }
}
