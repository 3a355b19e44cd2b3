//! A WebSocket that another signaller has opened to our pool.

use std::{net::IpAddr, time::Duration};

use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use taiinet_mesh::{Input, LinkFailure, LinkId};
use taiinet_websocket::{close_code, say_goodbye};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Message, protocol::frame::coding::CloseCode};

use super::{
    outbox::{Batch, Next, Waiting},
    shared::Shared,
    websocket::{self, WebSocket},
};
use crate::{Parting, limits};

/// Serves another signaller until it leaves or is closed.
pub(super) async fn serve(socket: WebSocket, address: IpAddr, shared: &Shared) {
    let (outbox, waiting) = shared.member_outbox();
    let Some(link) = shared.desk.accept(address, outbox).await else {
        let code = goodbye(Parting::Full, shared);
        return say_goodbye(socket, code, limits::CLOSE).await;
    };
    tracing::debug!(%link, "a signaller of the pool has connected");
    let (mut sink, mut stream) = socket.split();
    let mut watched = shared.watched.clone();
    let patience = shared.current().config.write_timeout;
    let goodbye = tokio::select! {
        // The desk closes by way of the outbox.
        goodbye = write(&mut sink, &waiting, link, patience, shared) => goodbye,
        goodbye = read(&mut stream, link, shared) => goodbye,
        // A new list of the operator's ends also members that are here already.
        Ok(_) = watched.wait_for(|current| !current.lists.admit_address(address)) => {
            shared.counters.cut_by_list.add(1);
            Some(Parting::Refused.into())
        }
    };
    drop(waiting);
    shared.desk.pool(Input::LinkDown { link, cause: LinkFailure::Remote }).await;
    if let Some(code) = goodbye {
        websocket::close(sink, stream, code).await;
    }
    tracing::debug!(%link, "a signaller of the pool has gone");
}

/// What the transport says when the desk ends a link.
fn goodbye(why: Parting, shared: &Shared) -> CloseCode {
    if shared.stop.is_cancelled() { CloseCode::Away } else { why.into() }
}

/// Reads until it ends; with what goodbye, unless the connection is gone.
async fn read(
    stream: &mut SplitStream<WebSocket>,
    link: LinkId,
    shared: &Shared,
) -> Option<CloseCode> {
    loop {
        match stream.next().await? {
            Ok(Message::Binary(bytes)) => {
                let bytes: Vec<u8> = bytes.into();
                shared.counters.pool_bytes_in.add(bytes.len());
                shared.desk.pool(Input::Message { link, bytes }).await;
            }
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
            Ok(Message::Text(_)) => return Some(CloseCode::Unsupported),
            Ok(Message::Close(_)) => return Some(CloseCode::Normal),
            Err(error) => return close_code(&error),
        }
    }
}

async fn write(
    sink: &mut SplitSink<WebSocket, Message>,
    waiting: &Waiting,
    link: LinkId,
    patience: Duration,
    shared: &Shared,
) -> Option<CloseCode> {
    let mut batch = Batch::default();
    loop {
        match waiting.next(&mut batch).await {
            Next::Write => {}
            Next::Close(why) => return Some(goodbye(why, shared)),
            Next::Cut => return None,
        }
        let bytes: usize = batch.messages.iter().map(Vec::len).sum();
        let send = async {
            for bytes in batch.messages.drain(..) {
                sink.feed(Message::Binary(bytes.into())).await?;
            }
            sink.flush().await
        };
        let sent = tokio::select! {
            biased;
            sent = timeout(patience, send) => sent,
            () = waiting.cut() => return None,
        };
        if !matches!(sent, Ok(Ok(()))) {
            return None;
        }
        waiting.written(bytes);
        shared.counters.pool_bytes_out.add(bytes);
        // This is what makes room for more.
        shared.desk.pool(Input::Sent { link, bytes }).await;
    }
}
