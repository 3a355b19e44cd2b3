//! How a WebSocket ends (RFC 6455, sections 5.5.1 and 7.1): a Close frame is answered by one, and who ends
//! a connection says why in one before it closes TCP.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error,
        error::ProtocolError,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use crate::metered::{Meter, Metered};

/// What the other end still says is read up to so much: a system that closes with bytes unread resets the
/// connection, and throws away what was written last.
const UNREAD_BYTES: u64 = 256 * 1024;

/// The code that tells the other end what was wrong with what it sent (RFC 6455, section 7.4.1); none if
/// the connection is broken and nothing more can be said.
pub fn close_code(error: &Error) -> Option<CloseCode> {
    match error {
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(CloseCode::Protocol),
        Error::Utf8(_) => Some(CloseCode::Invalid),
        Error::Capacity(_) => Some(CloseCode::Size),
        // More frames than are paid for ([`Metered`]).
        Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => Some(CloseCode::Policy),
        _ => None,
    }
}

/// Says goodbye with this code, or answers the goodbye of the other end, which had the first word; then
/// closes the connection. Takes at most `patience`.
pub async fn say_goodbye<S, M>(
    mut socket: WebSocketStream<Metered<S, M>>,
    code: CloseCode,
    patience: Duration,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    M: Meter + Unpin,
{
    let said = async {
        // To say it first fails where the other end has done so: then the answer is written here.
        let _ = socket.close(Some(CloseFrame { code, reason: "".into() })).await;
        let _ = futures::SinkExt::close(&mut socket).await;
        let stream = socket.get_mut().unmetered();
        stream.shutdown().await?;
        let mut unread = stream.take(UNREAD_BYTES);
        tokio::io::copy(&mut unread, &mut tokio::io::sink()).await
    };
    let _ = timeout(patience, said).await;
}
