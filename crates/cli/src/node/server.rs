//! `/metrics`, `/healthz` and `/readyz` over HTTP, for the operator.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    http::{Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::future::join_all;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use taiinet::Bandwidth;
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};

use super::{
    members::Members,
    metrics::{self, View},
};

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// How many may ask at once; others wait.
const CONNECTIONS: usize = 16;
/// How long one may take to ask.
const HEADERS: Duration = Duration::from_secs(5);
/// And all that it asks.
const CONNECTION: Duration = Duration::from_secs(60);
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
    fn is_alive(&self) -> bool {
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

/// Answers for ever.
pub(super) async fn serve(listener: TcpListener, health: Health) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "metrics");
                sleep(AGAIN).await;
                continue;
            }
        };
        let health = health.clone();
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(move |request: Request<Incoming>| {
                let health = health.clone();
                async move { Ok::<_, Infallible>(answer(&health, request.uri().path()).await) }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEADERS);
            // Whoever breaks off has what it wanted, or did not want it.
            let _ = timeout(CONNECTION, http.serve_connection(TokioIo::new(stream), service)).await;
        });
    }
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
