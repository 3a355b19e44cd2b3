//! Reports of a peer's status for scripts.

use std::time::Duration;

use serde_json::{Value, json};
use taiinet::{Status, TaiiNet};
use taiinet_session::json::snake_case;

use crate::clock;

/// How often `--report` reports.
const REPORT_EVERY: Duration = Duration::from_millis(250);

/// Writes a status to stderr again and again until the peer is closed: one line of JSON each,
/// `{"status": …}`.
pub(crate) fn spawn(net: &TaiiNet) {
    let net = net.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(REPORT_EVERY);
        loop {
            tick.tick().await;
            let Ok(status) = net.status().await else { break };
            write(&net, &status);
        }
    });
}

/// Writes the last status of a run, so that its reader sees the end of it.
pub(crate) async fn finish(net: &TaiiNet) {
    if let Ok(status) = net.status().await {
        write(net, &status);
    }
}

fn write(net: &TaiiNet, status: &Status) {
    let line = json!({ "status": of(net, status) }).to_string();
    taiinet_terminal::say(taiinet_terminal::json(&line));
}

/// A status as scripts read it.
pub(crate) fn of(net: &TaiiNet, status: &Status) -> Value {
    snake_case::status(net.peer_id(), net.network().as_str(), status, clock::now())
}
