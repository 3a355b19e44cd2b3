//! Metrics for Prometheus, and health, at an address of their own.
//!
//! The text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). No label names a peer,
//! a network or an address: labels are few, and what is watched is the server and not its clients.

mod exposition;

use std::time::Duration;

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::shared::Shared;
use crate::{DeskStatus, limits};
use exposition::Exposition;

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `/metrics` or `/health`, from what is counted, without waiting for the desk, which may be busy.
pub(super) async fn answer(shared: &Shared, path: &str) -> Response {
    let picture = shared.desk.picture();
    let status = &picture.status;
    let (uptime, age) = (shared.clock.uptime(), shared.clock.now().since(picture.taken_at));
    match path {
        "/metrics" => {
            ([(header::CONTENT_TYPE, FORMAT)], metrics(shared, status, uptime, age)).into_response()
        }
        "/health" => health(status, uptime, age).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn health(
    status: &DeskStatus,
    uptime: Duration,
    age: Duration,
) -> (StatusCode, Json<serde_json::Value>) {
    let is_well = age < limits::STALLED;
    let code = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({
        "ok": is_well,
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_s": uptime.as_secs(),
        "age_s": age.as_secs(),
        "clients": status.clients,
        "joined": status.joined,
        "networks": status.networks,
    });
    (code, Json(body))
}

fn metrics(shared: &Shared, status: &DeskStatus, uptime: Duration, age: Duration) -> String {
    let counters = &shared.counters;
    let mut out = Exposition::default();
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    out.family("build_info", "gauge", "What runs").sample(&version, 1);
    out.gauge("uptime_seconds", "Seconds since it started", uptime.as_secs());
    if let Some(bytes) = resident() {
        out.gauge("resident_memory_bytes", "Memory that it has in RAM", bytes);
    }

    let behind = "Milliseconds since the desk last said how it is; thousands if it cannot keep up";
    out.gauge("desk_age_milliseconds", behind, u64::try_from(age.as_millis()).unwrap_or(u64::MAX));

    out.gauge("connections", "Places taken, handshakes included", shared.gate.connections() as u64);
    out.gauge("connections_limit", "Places there are", shared.config.gate.clients as u64);
    out.gauge("handshakes", "Connections in their handshake", shared.handshakes.taken() as u64);
    out.gauge("clients", "WebSockets", status.clients as u64);
    out.gauge("joined_peers", "Peers that have joined", status.joined as u64);
    out.gauge("networks", "Networks that have peers", status.networks as u64);

    out.counter("connections_total", "WebSockets so far", counters.connections.get());
    let refused = "Connections that were not let in, by reason";
    out.family("connections_refused_total", "counter", refused);
    for (reason, count) in counters.all_turned() {
        out.sample(&[("reason", reason)], count);
    }
    let failed = "Handshakes that came to nothing, by reason";
    out.family("handshakes_failed_total", "counter", failed);
    out.sample(&[("reason", "timeout")], counters.handshake_timeouts.get());
    out.sample(&[("reason", "tls")], counters.tls_failures.get());
    out.sample(&[("reason", "crowded")], counters.handshakes_crowded_out.get());
    let floods = "Connections closed because they sent WebSocket frames without end";
    out.counter("websocket_floods_total", floods, counters.frame_floods.get());
    let cut = "Connections ended because a new list does not serve their address";
    out.counter("connections_cut_total", cut, counters.cut_by_list.get());
    let crowded = "Connections of crowded addresses that gave way to others when it was full";
    out.counter("connections_crowded_out_total", crowded, counters.crowded_out.get());

    out.counter("joins_total", "Joins that held, renewals included", status.joins);
    out.family("refused_total", "counter", "What clients were refused, by reason");
    for (reason, count) in &status.refused {
        out.sample(&[("reason", &snake_case(&format!("{reason:?}")))], *count);
    }
    out.gauge("blacklisted_peers", "Peers kept out for what they did", status.blacklisted as u64);
    let listed = "How often a peer came to be kept out for what it did";
    out.counter("blacklistings_total", listed, status.blacklistings);
    out.counter("introductions_total", "Presences told", status.introductions);
    out.family("signals_total", "counter", "Signals, by what became of them");
    out.sample(&[("result", "routed")], status.signals);
    out.sample(&[("result", "unreachable")], status.unreachable);
    out.sample(&[("result", "relayed")], status.relayed);

    out.gauge("relayed_links", "Links between clients that are relayed", status.circuits as u64);
    let opened = "Links that were relayed, so far";
    out.counter("relayed_links_total", opened, status.circuits_opened);
    out.counter("relayed_bytes_total", "Bytes that were relayed", status.circuit_bytes);

    out.gauge("pool_members", "Other signallers that are linked", status.members as u64);
    out.gauge("pool_presences", "Peers of other signallers", status.remote as u64);
    out.family("pool_refused_total", "counter", "What other signallers were refused, by reason");
    for (reason, count) in &status.refused_of_pool {
        out.sample(&[("reason", &snake_case(&format!("{reason:?}")))], *count);
    }
    out.counter(
        "pool_received_bytes_total",
        "Bytes from signallers that have dialled this one",
        counters.pool_bytes_in.get(),
    );
    out.counter(
        "pool_sent_bytes_total",
        "Bytes to signallers that have dialled this one",
        counters.pool_bytes_out.get(),
    );

    let frames = "WebSocket frames of any kind, from clients and from other signallers";
    out.counter("received_frames_total", frames, counters.frames_in.get());
    out.counter("received_messages_total", "Messages from clients", counters.messages_in.get());
    out.counter("received_bytes_total", "Their bytes", counters.bytes_in.get());
    out.counter("sent_messages_total", "Messages to clients", counters.messages_out.get());
    out.counter("sent_bytes_total", "Their bytes", counters.bytes_out.get());
    let waiting = "Bytes that wait for clients to read them";
    out.gauge("waiting_bytes", waiting, shared.room.waiting() as u64);
    let most = "Bytes that may wait, besides a share for each client";
    out.gauge("waiting_bytes_limit", most, shared.config.outbox_total as u64);
    let slow = "Clients dropped because they did not read";
    out.counter("slow_readers_total", slow, counters.slow_readers.get());
    let dropped = "Messages, signals among them, lost with clients that did not read";
    out.counter("messages_dropped_total", dropped, counters.messages_dropped.get());

    out.family("reloads_total", "counter", "Files reloaded, by whether they could be used");
    out.sample(&[("result", "ok")], counters.reloads.get());
    out.sample(&[("result", "failed")], counters.reload_failures.get());
    out.finish()
}

/// `OutOfTurn` as `out_of_turn`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// The memory that this process has in RAM, where the system tells it in Linux's way.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desk_from_which_nothing_is_heard_is_not_well() {
        let health = |age| {
            let (code, body) = health(&DeskStatus::default(), Duration::from_secs(60), age);
            (code.as_u16(), body.0["ok"] == true)
        };
        assert_eq!(health(limits::CHECK_EVERY + limits::STATUS_EVERY), (200, true));
        assert_eq!(health(limits::STALLED), (503, false));
    }
}
