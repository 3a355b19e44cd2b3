//! How a link's WebSocket ends (RFC 6455, sections 5.5.1 and 7.1), as the bytes on a server's socket say.

mod common;

use common::{A, DEADLINE, End};
use taiinet_mesh::{Dial, Input, LinkFailure};
use taiinet_websocket::{WebSockets, probe};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::accept_async;

/// The end of a server, and nothing that answers by itself.
async fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().await.expect("a connection");
    accept_async(stream).await.expect("a handshake").into_inner()
}

/// An open link and the server's end of it.
async fn connect() -> (End, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("ws://{}", listener.local_addr().expect("an address"));
    let mut end = End::over(WebSockets::new(b""));
    end.links.dial(A, Dial::Signaller { url });
    let server = accept(&listener).await;
    assert!(matches!(end.next().await, Input::LinkUp { .. }));
    (end, server)
}

/// The code of the Close frame that a client sends, and after which it closes; 1005 stands for none.
async fn code(server: &mut TcpStream) -> u16 {
    let mut sent = Vec::new();
    let _ = timeout(DEADLINE, server.read_to_end(&mut sent)).await.expect("it closes");
    let [0x88, length, m0, m1, _, _, payload @ ..] = &sent[..] else { panic!("{sent:?}") };
    match (length & 0x7f, payload) {
        (0, []) => 1005,
        (_, [high, low, ..]) => u16::from_be_bytes([high ^ m0, low ^ m1]),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_goodbye_is_answered_with_its_code() {
    for (payload, expected) in [(&[][..], 1005), (&[0x03, 0xe9], 1001), (&[0x0f, 0xa1, b'!'], 4001)]
    {
        let (mut end, mut server) = connect().await;
        let length = u8::try_from(payload.len()).expect("short");
        server.write_all(&[&[0x88, length], payload].concat()).await.expect("sent");
        assert_eq!(code(&mut server).await, expected);
        assert_eq!(end.down(A).await, LinkFailure::Remote);
    }
}

#[tokio::test]
async fn what_breaks_the_protocol_is_told_by_its_code() {
    let long = [&[0x82, 127][..], &(1_u64 << 40).to_be_bytes()].concat();
    for (bytes, expected) in [
        (vec![0x82, 0x81, 0, 0, 0, 0, 7], 1002),
        (vec![0xc2, 0], 1002),
        (vec![0x88, 1, 3], 1002),
        (vec![0x81, 1, 0xff], 1007),
        (long, 1009),
        (vec![0x81, 1, b'x'], 1003),
    ] {
        let (mut end, mut server) = connect().await;
        server.write_all(&bytes).await.expect("sent");
        assert_eq!(code(&mut server).await, expected, "{bytes:?}");
        assert!(matches!(end.down(A).await, LinkFailure::Transport(_)), "{bytes:?}");
    }
}

#[tokio::test]
async fn a_flood_is_told_that_it_breaks_a_policy() {
    let (mut end, mut server) = connect().await;
    server.write_all(&[0x89, 0].repeat(20_000)).await.expect("sent");
    let mut sent = Vec::new();
    let _ = timeout(DEADLINE, server.read_to_end(&mut sent)).await.expect("it closes");
    // It has answered some; the last frame is the Close, of two bytes and masked.
    let [.., 0x88, 0x82, m0, m1, _, _, high, low] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(u16::from_be_bytes([high ^ m0, low ^ m1]), 1008);
    assert!(matches!(end.down(A).await, LinkFailure::Transport(_)));
}

#[tokio::test]
async fn who_only_looks_says_goodbye_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("ws://{}", listener.local_addr().expect("an address"));
    let sockets = WebSockets::new(b"");
    let server = async {
        let mut server = accept(&listener).await;
        code(&mut server).await
    };
    let (probed, code) = tokio::join!(probe(&url, &sockets, DEADLINE), server);
    assert!(probed.is_ok() && code == 1000, "{probed:?} {code}");
}
