//! One WebSocket: what comes in goes to the desk, what the desk says goes out.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::extract::ws::{Message, WebSocket};
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{sync::mpsc, time::timeout};

use super::desk_task::DeskHandle;
use crate::{ClientId, DeskStatus, limits};

pub(super) async fn serve(socket: WebSocket, address: IpAddr, desk: Arc<DeskHandle>) {
    let Some((client, messages)) = desk.connect(address).await else { return };
    let (sink, stream) = socket.split();
    // Whichever ends first ends the other: the desk closes by dropping the outbox.
    tokio::select! {
        () = write(sink, messages) => {}
        () = read(stream, client, &desk) => {}
    }
    desk.disconnect(client).await;
}

async fn read(mut stream: SplitStream<WebSocket>, client: ClientId, desk: &DeskHandle) {
    while let Some(Ok(message)) = stream.next().await {
        let bytes = match message {
            Message::Binary(bytes) => bytes.into(),
            // What is no frame is for the desk to refuse.
            Message::Text(text) => text.as_bytes().to_vec(),
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Close(_) => return,
        };
        if !desk.message(client, bytes).await {
            return;
        }
    }
}

/// Writes all that waits, then flushes once.
async fn write(mut sink: SplitSink<WebSocket, Message>, mut messages: mpsc::Receiver<Vec<u8>>) {
    let mut batch = Vec::new();
    while messages.recv_many(&mut batch, limits::OUTBOX_MESSAGES).await > 0 {
        let send = async {
            for bytes in batch.drain(..) {
                sink.feed(Message::Binary(bytes.into())).await?;
            }
            sink.flush().await
        };
        if !matches!(timeout(limits::WRITE_TIMEOUT, send).await, Ok(Ok(()))) {
            return;
        }
    }
    let _ = timeout(limits::DRAIN, sink.close()).await;
}

/// What `/healthz` says.
pub(super) fn health(status: &DeskStatus, uptime: Duration) -> serde_json::Value {
    let refused: serde_json::Map<String, serde_json::Value> = status
        .refused
        .iter()
        .map(|(refused, count)| (refused.to_string(), (*count).into()))
        .collect();
    serde_json::json!({
        "ok": true,
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_s": uptime.as_secs(),
        "clients": status.clients,
        "joined": status.joined,
        "networks": status.networks,
        "joins": status.joins,
        "introductions": status.introductions,
        "signals": status.signals,
        "unreachable": status.unreachable,
        "refused": refused,
    })
}
