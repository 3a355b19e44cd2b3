//! One WebSocket: what comes in goes to the desk, what the desk says goes out.

use std::{net::IpAddr, sync::atomic::Ordering::Relaxed};

use axum::extract::ws::{Message, WebSocket};
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::time::timeout;

use super::{
    front::Front,
    outbox::{Waiting, outbox},
};
use crate::{ClientId, limits};

pub(super) async fn serve(socket: WebSocket, address: IpAddr, front: &Front) {
    let (outbox, mut waiting) = outbox(front.config.outbox_messages, front.config.outbox_bytes);
    let Some(client) = front.desk.connect(address, outbox).await else { return };
    front.counters.connections.add(1);
    tracing::debug!(?client, address = front.shown(address), "connected");
    let (sink, mut stream) = socket.split();
    let mut lists = front.lists.clone();
    let told = tokio::select! {
        // The desk closes by dropping the outbox.
        told = write(sink, &mut waiting, front) => told,
        () = read(&mut stream, client, front) => false,
        // A new list of the operator's ends who is here already.
        Ok(_) = lists.wait_for(|lists| !lists.admit_address(address)) => {
            front.counters.cut_by_list.add(1);
            false
        }
    };
    front.desk.disconnect(client).await;
    if told {
        // What it still says is read, lest the system throws away what it was told last.
        let rest = async { while let Some(Ok(_)) = stream.next().await {} };
        let _ = timeout(limits::CLOSE, rest).await;
    }
    tracing::debug!(?client, "disconnected");
}

async fn read(stream: &mut SplitStream<WebSocket>, client: ClientId, front: &Front) {
    while let Some(Ok(message)) = stream.next().await {
        let bytes = match message {
            Message::Binary(bytes) => bytes.into(),
            // What is no frame is for the desk to refuse.
            Message::Text(text) => text.as_bytes().to_vec(),
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Close(_) => return,
        };
        front.counters.messages_in.add(1);
        front.counters.bytes_in.add(bytes.len());
        if !front.desk.message(client, bytes).await {
            // The desk is closed. What it said last is still to be written.
            return std::future::pending().await;
        }
    }
}

/// Writes all that waits, then flushes once. Whether the client was told all.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    waiting: &mut Waiting,
    front: &Front,
) -> bool {
    let mut batch = Vec::new();
    let most = front.config.outbox_messages;
    loop {
        let count = tokio::select! {
            biased;
            () = waiting.cut.cancelled() => return false,
            count = waiting.messages.recv_many(&mut batch, most) => count,
        };
        if count == 0 {
            break;
        }
        let bytes: usize = batch.iter().map(Vec::len).sum();
        let send = async {
            for bytes in batch.drain(..) {
                sink.feed(Message::Binary(bytes.into())).await?;
            }
            sink.flush().await
        };
        let sent = tokio::select! {
            biased;
            () = waiting.cut.cancelled() => return false,
            sent = timeout(front.config.write_timeout, send) => sent,
        };
        match sent {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return false,
            Err(_) => {
                front.counters.slow_readers.add(1);
                front.counters.messages_dropped.add(count);
                return false;
            }
        }
        waiting.bytes.fetch_sub(bytes, Relaxed);
        front.counters.messages_out.add(count);
        front.counters.bytes_out.add(bytes);
    }
    matches!(timeout(limits::CLOSE, sink.close()).await, Ok(Ok(())))
}
