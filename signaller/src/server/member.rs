//! A WebSocket that another signaller has opened to our pool.

use std::net::IpAddr;

use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use taiinet_mesh::{Input, LinkFailure, LinkId};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::{
    outbox::{Next, Waiting},
    shared::Shared,
    websocket::WebSocket,
};
use crate::limits;

/// Serves another signaller until it leaves or is closed.
pub(super) async fn serve(socket: WebSocket, address: IpAddr, shared: &Shared) {
    let (outbox, waiting) = shared.member_outbox();
    let Some(link) = shared.desk.accept(address, outbox).await else { return };
    tracing::debug!(%link, "a signaller of the pool has connected");
    let (sink, mut stream) = socket.split();
    let mut lists = shared.lists.clone();
    tokio::select! {
        // The desk closes by dropping the outbox.
        () = write(sink, &waiting, link, shared) => {}
        () = read(&mut stream, link, shared) => {}
        // A new list of the operator's ends also members that are here already.
        Ok(_) = lists.wait_for(|lists| !lists.admit_address(address)) => {
            shared.counters.cut_by_list.add(1);
        }
    }
    shared.desk.pool(Input::LinkDown { link, cause: LinkFailure::Remote }).await;
    tracing::debug!(%link, "a signaller of the pool has gone");
}

async fn read(stream: &mut SplitStream<WebSocket>, link: LinkId, shared: &Shared) {
    while let Some(Ok(message)) = stream.next().await {
        match message {
            Message::Binary(bytes) => {
                let bytes: Vec<u8> = bytes.into();
                shared.counters.pool_bytes_in.add(bytes.len());
                shared.desk.pool(Input::Message { link, bytes }).await;
            }
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            Message::Text(_) | Message::Close(_) => return,
        }
    }
}

async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    waiting: &Waiting,
    link: LinkId,
    shared: &Shared,
) {
    let mut batch = Vec::new();
    loop {
        match waiting.next(&mut batch).await {
            Next::Write => {}
            Next::Close => break,
            Next::Cut => return,
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
            sent = timeout(shared.config.write_timeout, send) => sent,
            () = waiting.cut() => return,
        };
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
        waiting.written(bytes);
        shared.counters.pool_bytes_out.add(bytes);
        // This is what makes room for more.
        shared.desk.pool(Input::Sent { link, bytes }).await;
    }
    let _ = timeout(limits::CLOSE, sink.close()).await;
}
