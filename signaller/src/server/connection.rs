//! One WebSocket: what comes in goes to the desk, what the desk says goes out.

use std::{net::IpAddr, time::Duration};

use futures::{
    FutureExt, SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use taiinet_websocket::{close_code, say_goodbye};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::{Message, protocol::frame::coding::CloseCode};
use tokio_util::sync::CancellationToken;

use super::{
    outbox::{Batch, Next, Waiting},
    shared::Shared,
    websocket::{self, WebSocket},
};
use crate::{ClientId, Parting, limits};

/// Serves a client until it leaves, is closed, or its place is needed for another.
pub(super) async fn serve(
    socket: WebSocket,
    address: IpAddr,
    needed: &CancellationToken,
    shared: &Shared,
) {
    let (outbox, waiting) = shared.client_outbox();
    let Some(client) = shared.desk.connect(address, outbox).await else {
        return say_goodbye(socket, CloseCode::Away, limits::CLOSE).await;
    };
    shared.counters.connections.add(1);
    tracing::debug!(?client, address = shared.shown(address), "connected");
    let (mut sink, mut stream) = socket.split();
    let mut watched = shared.watched.clone();
    let patience = shared.current().config.write_timeout;
    let goodbye = tokio::select! {
        // The desk closes by way of the outbox.
        goodbye = write(&mut sink, &waiting, patience, shared) => goodbye,
        goodbye = read(&mut stream, client, shared) => goodbye,
        () = give_way(client, needed, shared) => Some(Parting::Full.into()),
        // A new list of the operator's ends also clients that are here already.
        Ok(_) = watched.wait_for(|current| !current.lists.admit_address(address)) => {
            shared.counters.cut_by_list.add(1);
            Some(Parting::Refused.into())
        }
    };
    drop(waiting);
    shared.desk.disconnect(client).await;
    if let Some(code) = goodbye {
        websocket::close(sink, stream, code).await;
    }
    tracing::debug!(?client, "disconnected");
}

/// Has a client told that its place is needed for another, once it is.
async fn give_way(client: ClientId, needed: &CancellationToken, shared: &Shared) {
    needed.cancelled().await;
    shared.counters.crowded_out.add(1);
    shared.desk.crowded_out(client).await;
    sleep(limits::GIVING_WAY).await;
}

/// Reads until it ends; with what goodbye, unless the connection is gone.
async fn read(
    stream: &mut SplitStream<WebSocket>,
    client: ClientId,
    shared: &Shared,
) -> Option<CloseCode> {
    loop {
        let mut end = None;
        let (mut messages, mut bytes) = (Vec::new(), 0);
        let mut next = stream.next().await;
        // What came together is handed over together.
        loop {
            let message: Vec<u8> = match next {
                Some(Ok(Message::Binary(message))) => message.into(),
                // What is no frame is for the desk to refuse.
                Some(Ok(Message::Text(text))) => text.as_bytes().to_vec(),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => break,
                Some(Ok(Message::Close(_))) => {
                    end = Some(Some(CloseCode::Normal));
                    break;
                }
                Some(Err(error)) => {
                    end = Some(close_code(&error));
                    break;
                }
                None => {
                    end = Some(None);
                    break;
                }
            };
            bytes += message.len();
            messages.push(message);
            if bytes >= limits::TOGETHER_BYTES || messages.len() >= limits::TOGETHER_MESSAGES {
                break;
            }
            let Some(more) = stream.next().now_or_never() else { break };
            next = more;
        }
        if !messages.is_empty() {
            shared.counters.messages_in.add(messages.len());
            shared.counters.bytes_in.add(bytes);
            if !shared.desk.messages(client, messages).await {
                // The desk is closed. What it said last is still to be written.
                return std::future::pending().await;
            }
        }
        if let Some(goodbye) = end {
            return goodbye;
        }
    }
}

/// Writes all that waits, then flushes once; until it ends, with what goodbye, unless the client does not
/// read.
async fn write(
    sink: &mut SplitSink<WebSocket, Message>,
    waiting: &Waiting,
    patience: Duration,
    shared: &Shared,
) -> Option<CloseCode> {
    let mut batch = Batch::default();
    loop {
        match waiting.next(&mut batch).await {
            Next::Write => {}
            Next::Close(why) => return Some(why.into()),
            Next::Cut => return None,
        }
        let count = batch.messages.len();
        let bytes: usize = batch.messages.iter().map(Vec::len).sum();
        let send = async {
            for bytes in batch.messages.drain(..) {
                sink.feed(Message::Binary(bytes.into())).await?;
            }
            sink.flush().await
        };
        let sent = tokio::select! {
            // Most are out at once: first of all.
            biased;
            sent = timeout(patience, send) => sent,
            () = waiting.cut() => return None,
        };
        match sent {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return None,
            Err(_) => {
                shared.counters.slow_readers.add(1);
                shared.counters.messages_dropped.add(count);
                return None;
            }
        }
        waiting.written(bytes);
        if let Some(since) = batch.since.take() {
            shared.counters.deliveries_took.observe(since.elapsed());
        }
        shared.counters.messages_out.add(count);
        shared.counters.bytes_out.add(bytes);
    }
}
