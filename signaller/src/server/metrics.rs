//! Metrics for Prometheus.
//!
//! The text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). No label names a peer,
//! a network or an address: labels are few, and what is watched is the server and not its clients. Each series
//! is there from the start, so that the first of what it counts shows as a change.

use std::collections::BTreeMap;

use taiinet_daemon::{Exposition, resident};

use super::{desk_task::Picture, shared::Shared};
use crate::{BOUNDS, Histogram, Refused};

/// From what is counted, without waiting for the desk.
pub(super) fn text(shared: &Shared, picture: &Picture) -> String {
    let (status, age) = (&picture.status, shared.age(picture));
    let (counters, current) = (&shared.counters, shared.current());
    let mut out = Exposition::new("taiinet_signaller_");
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    out.family("build_info", "gauge", "What runs").sample(&version, 1);
    let uptime = shared.clock.uptime().as_secs();
    out.gauge("uptime_seconds", "Seconds since it started", uptime);
    if let Some(bytes) = resident() {
        out.gauge("resident_memory_bytes", "Memory that it has in RAM", bytes);
    }

    let behind = "Seconds since the desk last said how it is; many if it cannot keep up";
    out.seconds("desk_age_seconds", behind, age);

    out.gauge("connections", "Places taken, handshakes included", shared.gate.connections() as u64);
    out.gauge("connections_limit", "Places there are", current.config.gate.clients as u64);
    out.gauge("handshakes", "Connections in their handshake", shared.handshakes.taken() as u64);
    let most = current.config.gate.handshakes as u64;
    out.gauge("handshakes_limit", "Connections that may be in their handshake", most);
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
    for (reason, count) in counters.handshakes_failed() {
        out.sample(&[("reason", reason)], count);
    }
    let floods = "Connections closed because they sent WebSocket frames without end";
    out.counter("websocket_floods_total", floods, counters.frame_floods.get());
    let cut = "Connections ended because a new list does not serve their address";
    out.counter("connections_cut_total", cut, counters.cut_by_list.get());
    let crowded = "Connections of crowded addresses that gave way to others when it was full";
    out.counter("connections_crowded_out_total", crowded, counters.crowded_out.get());

    out.counter("joins_total", "Joins that held, renewals included", status.joins);
    out.family("refused_total", "counter", "What clients were refused, by reason");
    refusals(&mut out, &status.refused);
    out.gauge("blacklisted_peers", "Peers kept out for what they did", status.blacklisted as u64);
    let listed = "How often a peer came to be kept out for what it did";
    out.counter("blacklistings_total", listed, status.blacklistings);
    out.counter("introductions_total", "Presences told", status.introductions);
    out.family("signals_total", "counter", "Signals, by what became of them");
    out.sample(&[("result", "routed")], status.signals);
    out.sample(&[("result", "unreachable")], status.unreachable);
    out.sample(&[("result", "relayed")], status.relayed);

    out.gauge("relayed_links", "Links between clients that are relayed", status.circuits as u64);
    let most = "Links that may be relayed at once; none where nothing is relayed";
    out.gauge("relayed_links_limit", most, status.circuits_limit as u64);
    let opened = "Links that were relayed, so far";
    out.counter("relayed_links_total", opened, status.circuits_opened);
    out.counter("relayed_bytes_total", "Bytes that were relayed", status.circuit_bytes);
    let most = "Bytes that may be relayed each second";
    out.gauge("relayed_bytes_limit", most, status.circuit_bytes_limit.into());

    out.gauge("pool_members", "Other signallers that are linked", status.members as u64);
    out.gauge("pool_presences", "Peers of other signallers", status.remote as u64);
    out.family("pool_refused_total", "counter", "What other signallers were refused, by reason");
    refusals(&mut out, &status.refused_of_pool);
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
    out.gauge("waiting_bytes_limit", most, current.config.outbox_total as u64);
    let slow = "Clients dropped because they did not read";
    out.counter("slow_readers_total", slow, counters.slow_readers.get());
    let dropped = "Messages, signals among them, lost with clients that did not read";
    out.counter("messages_dropped_total", dropped, counters.messages_dropped.get());

    let took = "Seconds from a connection to its WebSocket";
    times(&mut out, "handshake_seconds", took, &counters.handshakes_took.histogram());
    let took = "Seconds from a WebSocket to its peer's first join, the peer's own time included";
    times(&mut out, "join_seconds", took, &status.joins_took);
    let took = "Seconds from the arrival of what a client said until the desk was done with it";
    times(&mut out, "desk_seconds", took, &picture.took);
    let took = "Seconds from the arrival of a message until what follows from it, such as a signal for \
                another, is written to a client";
    times(&mut out, "delivery_seconds", took, &counters.deliveries_took.histogram());

    if let Some(until) = shared.certificate_until() {
        let ends =
            "When the certificate, or one that vouches for it, expires, in seconds since 1970";
        out.gauge("tls_certificate_not_after_timestamp_seconds", ends, until);
    }
    out.family("reloads_total", "counter", "Reloads, by whether all files could be used");
    out.sample(&[("result", "ok")], counters.reloads.get());
    out.sample(&[("result", "failed")], counters.reload_failures.get());
    out.finish()
}

/// How long something took.
fn times(out: &mut Exposition, name: &'static str, help: &str, took: &Histogram) {
    out.histogram(name, help, &BOUNDS, &took.counts, took.sum);
}

/// Of each reason there is.
fn refusals(out: &mut Exposition, counts: &BTreeMap<Refused, u64>) {
    for why in Refused::ALL {
        out.sample(&[("reason", why.name())], counts.get(&why).copied().unwrap_or_default());
    }
}
