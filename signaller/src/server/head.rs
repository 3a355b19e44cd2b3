//! The head of a request (RFC 9112, section 2), gathered before HTTP is spoken: whoever takes too long for it, or
//! whose place is needed for another, can still be told so.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

use crate::limits;

/// So much is read at once: most heads are shorter.
const AT_ONCE: usize = 1024;

/// Reads on until what was read is worth looking at: a head that is whole, one that is too long, or the beginning
/// of something else than a request. False if the connection ended before.
///
/// Whoever drops this loses nothing: what was read is in `read`.
pub(super) async fn gather(
    stream: &mut (impl AsyncRead + Unpin),
    read: &mut Vec<u8>,
) -> io::Result<bool> {
    let mut looked_at = 0;
    while !is_worth_looking_at(read, looked_at) {
        looked_at = read.len();
        read.reserve_exact(AT_ONCE);
        if stream.read_buf(read).await? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Of which so much was looked at before.
fn is_worth_looking_at(read: &[u8], looked_at: usize) -> bool {
    // A method is a token (RFC 9110, section 9.1), before which empty lines may stand.
    let is_request = |first: &u8| first.is_ascii_alphabetic() || b"\r\n".contains(first);
    if read.len() >= limits::REQUEST_BYTES || !read.first().is_none_or(is_request) {
        return true;
    }
    // Such lines end nothing: whoever sends them alone has said nothing yet.
    let begins = read.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or(read.len());
    // An empty line ends it, of which up to two bytes may have been there before.
    let rest = read.get(looked_at.saturating_sub(2).max(begins)..).unwrap_or_default();
    let ends = |end: &[u8]| rest.windows(end.len()).any(|window| window == end);
    ends(b"\n\r\n") || ends(b"\n\n")
}

/// A stream of which something was read already.
#[derive(Debug)]
pub(super) struct Begun<S> {
    begun: Vec<u8>,
    /// How much of that was read again.
    at: usize,
    stream: S,
}

impl<S> Begun<S> {
    pub(super) const fn new(begun: Vec<u8>, stream: S) -> Self {
        Self { begun, at: 0, stream }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Begun<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let rest = self.begun.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let (now, later) = rest.split_at(rest.len().min(buffer.remaining()));
        buffer.put_slice(now);
        let (read, is_all) = (now.len(), later.is_empty());
        self.at += read;
        if is_all {
            // A connection lives for long.
            self.begun = Vec::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Begun<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use futures::executor::block_on;
    use proptest::prelude::*;

    use super::*;

    /// Gives what it holds in these pieces, and then ends.
    struct Pieces(VecDeque<Vec<u8>>);

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            if let Some(mut piece) = self.0.pop_front() {
                let rest = piece.split_off(piece.len().min(buffer.remaining()));
                buffer.put_slice(&piece);
                if !rest.is_empty() {
                    self.0.push_front(rest);
                }
            }
            Poll::Ready(Ok(()))
        }
    }

    /// Whether it was worth looking at, what was gathered for that, and all that is read then.
    fn gathered(bytes: &[u8], each: usize) -> (bool, Vec<u8>, Vec<u8>) {
        let mut stream = Pieces(bytes.chunks(each.max(1)).map(<[u8]>::to_vec).collect());
        let mut read = Vec::new();
        let worth = block_on(gather(&mut stream, &mut read)).expect("no errors here");
        let mut all = Vec::new();
        let mut begun = Begun::new(read.clone(), stream);
        block_on(begun.read_to_end(&mut all)).expect("no errors here");
        (worth, read, all)
    }

    #[test]
    fn empty_lines_before_a_request_are_none() {
        for each in [1, 2, 100] {
            let (worth, _, all) = gathered(b"\r\n\r\n\r\n", each);
            assert!(!worth, "it says no more");
            assert_eq!(all, b"\r\n\r\n\r\n");
            let (worth, read, _) = gathered(b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", each);
            assert!(worth && read.ends_with(b"\r\n\r\n") && read.len() > 8, "{each}");
        }
    }

    #[test]
    fn a_head_is_whole_when_an_empty_line_has_come() {
        let head = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n";
        let bare = b"GET / HTTP/1.1\nHost: test\n\n";
        for each in 1..40 {
            for head in [&head[..], bare] {
                assert!(gathered(head, each).0, "{each}");
                assert!(!gathered(&head[..head.len() - 1], each).0, "{each}");
            }
        }
    }

    #[test]
    fn what_is_no_request_is_not_waited_for() {
        assert_eq!(gathered(&[22, 3, 1, 2, 0], 1).1, [22], "a record of TLS");
        assert!(!gathered(b"\r\nGET / HT", 3).0, "a request after an empty line");
        let endless = vec![b'a'; 100 * limits::REQUEST_BYTES];
        let (worth, read, _) = gathered(&endless, 700);
        assert!(worth && read.len() < limits::REQUEST_BYTES + AT_ONCE, "{}", read.len());
    }

    proptest! {
        #[test]
        fn however_it_comes_nothing_is_lost_and_the_end_is_found(
            text in "[A-Z\r\n a]{0,60}", each in 1_usize..20, rest: Vec<u8>,
        ) {
            let bytes = [text.as_bytes(), &rest].concat();
            let (worth, read, all) = gathered(&bytes, each);
            prop_assert_eq!(&all, &bytes);
            prop_assert!(bytes.starts_with(&read));
            prop_assert_eq!(worth, is_worth_looking_at(&bytes, 0));
        }
    }
}
