//! Streams whose WebSocket frames are paid for before they are read.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::frames::{FrameScanner, Seen};

/// What pays for frames.
pub trait Meter {
    /// Pays for frames whose headers have come; whether it can.
    fn pay(&mut self, seen: Seen) -> bool;
}

/// A stream that hands on only what was paid for. Otherwise reading fails.
#[derive(Debug)]
pub struct Metered<S, M> {
    inner: S,
    scanner: FrameScanner,
    meter: M,
}

impl<S, M> Metered<S, M> {
    /// For the end that was dialled, once the connection is a WebSocket.
    pub fn new(inner: S, meter: M) -> Self {
        Self { inner, scanner: FrameScanner::default(), meter }
    }

    /// For the end that dials, from the request on.
    pub(crate) fn dialling(inner: S, meter: M) -> Self {
        Self { inner, scanner: FrameScanner::behind_an_answer(), meter }
    }

    /// The stream beneath, to ask it about itself.
    pub(crate) const fn inner(&self) -> &S {
        &self.inner
    }

    /// The stream beneath, once what comes over it is no more looked at.
    pub(crate) const fn unmetered(&mut self) -> &mut S {
        &mut self.inner
    }
}

impl<S: AsyncRead + Unpin, M: Meter + Unpin> AsyncRead for Metered<S, M> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if let Poll::Ready(Ok(())) = read {
            let seen = self.scanner.scan(buffer.filled().get(before..).unwrap_or_default());
            if seen.frames > 0 && !self.meter.pay(seen) {
                buffer.set_filled(before);
                let flood =
                    io::Error::new(io::ErrorKind::InvalidData, "a flood of WebSocket frames");
                return Poll::Ready(Err(flood));
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin, M: Unpin> AsyncWrite for Metered<S, M> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
