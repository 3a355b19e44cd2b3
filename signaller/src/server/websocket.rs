//! WebSockets whose frames are paid for before they are read.
//!
//! Each frame (a message, a fragment of one, a ping or pong, also an empty one) costs its connection and
//! its address one unit of a budget. A connection that has none left is closed.

use std::sync::Arc;

use futures::stream::{SplitSink, SplitStream};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use taiinet_mesh::Budget;
use taiinet_websocket::{Metered, Seen, say_goodbye};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        protocol::{Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use super::{clock::Clock, counters::Counters, gate::Place};
use crate::{Parting, limits};

/// A WebSocket that a client or member has opened to us.
pub(super) type WebSocket = WebSocketStream<Metered<TokioIo<Upgraded>, Meter>>;

/// Speaks WebSocket on a connection that was upgraded.
pub(super) async fn open(upgraded: Upgraded, meter: Meter, read_buffer: usize) -> WebSocket {
    let config = WebSocketConfig::default()
        .read_buffer_size(read_buffer)
        .write_buffer_size(limits::WRITE_GATHERED)
        .max_write_buffer_size(limits::WRITE_BUFFER)
        .max_message_size(Some(taiinet_mesh::limits::WIRE_BYTES))
        .max_frame_size(Some(taiinet_mesh::limits::WIRE_BYTES));
    let metered = Metered::new(TokioIo::new(upgraded), meter);
    WebSocketStream::from_raw_socket(metered, Role::Server, Some(config)).await
}

/// Ends a WebSocket that is still able to say so.
pub(super) async fn close(
    sink: SplitSink<WebSocket, Message>,
    stream: SplitStream<WebSocket>,
    code: CloseCode,
) {
    // The two are halves of one.
    if let Ok(socket) = stream.reunite(sink) {
        say_goodbye(socket, code, limits::CLOSE).await;
    }
}

/// What is said of each reason to close (RFC 6455, section 7.4.1, and its registry at the IANA).
impl From<Parting> for CloseCode {
    fn from(why: Parting) -> Self {
        match why {
            Parting::Left => Self::Normal,
            Parting::Stopping => Self::Away,
            Parting::Unreadable => Self::Unsupported,
            Parting::Refused => Self::Policy,
            Parting::Full => Self::Again,
        }
    }
}

/// Which frames are paid for here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charged {
    /// A client's: all.
    All,
    /// Another signaller's: all but whole messages, for which the mesh core charges its link.
    AllButMessages,
}

/// What one connection may still send.
#[derive(Debug)]
pub(super) struct Meter {
    charged: Charged,
    own: Budget,
    /// What it may send even when its address has nothing left.
    fair: Budget,
    place: Place,
    clock: Clock,
    counters: Arc<Counters>,
}

impl Meter {
    /// A full one, for a connection that has this place.
    pub(super) fn new(
        charged: Charged,
        each: (u32, u32),
        place: Place,
        clock: Clock,
        counters: Arc<Counters>,
    ) -> Self {
        let now = clock.now();
        let own = Budget::new(each, now);
        let fair = Budget::new(limits::WEBSOCKET_FRAMES_WHEN_CROWDED, now);
        Self { charged, own, fair, place, clock, counters }
    }
}

impl taiinet_websocket::Meter for Meter {
    fn pay(&mut self, Seen { frames, messages }: Seen) -> bool {
        self.counters.frames_in.add(frames);
        let cost = match self.charged {
            Charged::All => frames,
            Charged::AllButMessages => frames.saturating_sub(messages),
        };
        if cost == 0 {
            return true;
        }
        let now = self.clock.now();
        let own = self.own.take(cost, now);
        let is_fair = self.fair.take(cost, now);
        let pays = own && (self.place.take_frames(cost, now) || is_fair);
        if !pays {
            self.counters.frame_floods.add(1);
        }
        pays
    }
}
