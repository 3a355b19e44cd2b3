//! Real WebSockets on loopback, against servers that are well or ill behaved.

mod common;

use std::sync::Arc;

use common::{A, DEADLINE, End};
use futures::{SinkExt, StreamExt};
use taiinet_mesh::{ChannelBinding, Dial, Input, LinkFailure, limits};
use taiinet_websocket::WebSockets;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};

type Server = WebSocketStream<TcpStream>;

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("ws://{}", listener.local_addr().expect("an address"));
    (listener, url)
}

fn signaller(url: &str) -> Dial {
    Dial::Signaller { url: url.to_owned() }
}

/// An open link [`A`] and the server's end of it.
async fn connect() -> (End, Server) {
    let (listener, url) = listen().await;
    let mut end = End::over(WebSockets::new(b""));
    end.links.dial(A, signaller(&url));
    let (stream, _) = listener.accept().await.expect("a connection");
    let server = accept_async(stream).await.expect("a handshake");
    match end.next().await {
        Input::LinkUp { link: A, binding } => assert_eq!(binding, ChannelBinding::NONE),
        other => panic!("{other:?}"),
    }
    (end, server)
}

async fn received(server: &mut Server) -> Message {
    timeout(DEADLINE, server.next()).await.expect("in time").expect("a message").expect("no error")
}

#[tokio::test]
async fn messages_go_both_ways_in_order_and_are_reported_as_sent() {
    let (mut end, mut server) = connect().await;
    let sizes = [1, 100, limits::MESSAGE_BYTES];
    for number in 0..60 {
        end.links.send(A, vec![number; sizes[usize::from(number) % 3]]);
        if number % 3 == 2 {
            for earlier in number - 2..=number {
                let expected = vec![earlier; sizes[usize::from(earlier) % 3]];
                assert_eq!(received(&mut server).await, Message::binary(expected));
            }
            end.sent(sizes.iter().sum()).await;
        }
    }
    for number in 0..60_u8 {
        server.send(Message::binary(vec![number; 5000])).await.expect("sent");
        assert_eq!(end.message().await, vec![number; 5000]);
    }
}

#[tokio::test]
async fn a_server_that_does_not_read_stops_the_sender() {
    let (mut end, mut server) = connect().await;
    let (mut handed, mut window) = (0_usize, 0);
    loop {
        while window + limits::MESSAGE_BYTES <= limits::TRANSPORT_WINDOW {
            end.links.send(A, vec![0; limits::MESSAGE_BYTES]);
            window += limits::MESSAGE_BYTES;
            handed += 1;
        }
        match timeout(std::time::Duration::from_secs(2), end.inputs.recv()).await {
            Ok(Some(Input::Sent { bytes, .. })) => window -= bytes,
            Ok(other) => panic!("{other:?}"),
            Err(_no_room) => break,
        }
        assert!(handed < 4096, "64 MiB went to a server that reads nothing");
    }
    for _ in 0..handed {
        assert_eq!(received(&mut server).await.len(), limits::MESSAGE_BYTES);
    }
    end.sent(window).await;
}

#[tokio::test]
async fn closing_right_after_sending_loses_nothing_and_says_goodbye() {
    let (mut end, mut server) = connect().await;
    for number in 0..8 {
        end.links.send(A, vec![number; limits::MESSAGE_BYTES]);
    }
    end.links.close(A);
    for number in 0..8 {
        let expected = Message::binary(vec![number; limits::MESSAGE_BYTES]);
        assert_eq!(received(&mut server).await, expected);
    }
    assert!(matches!(received(&mut server).await, Message::Close(_)));
    // The answer to the goodbye is sent when the server reads on.
    assert!(timeout(DEADLINE, server.next()).await.expect("in time").is_none());
    assert_eq!(end.down(A).await, LinkFailure::Local);
}

#[tokio::test]
async fn a_server_that_ignores_the_goodbye_does_not_hold_the_link() {
    let (mut end, _server) = connect().await;
    end.links.close(A);
    assert_eq!(timeout(DEADLINE, end.down(A)).await.expect("in time"), LinkFailure::Local);
}

#[tokio::test]
async fn what_a_server_said_before_it_closed_is_heard() {
    let (mut end, mut server) = connect().await;
    for number in 0..20 {
        server.feed(Message::binary(vec![number; 1000])).await.expect("sent");
    }
    server.close(None).await.expect("closed");
    for number in 0..20 {
        assert_eq!(end.message().await, vec![number; 1000]);
    }
    assert_eq!(end.down(A).await, LinkFailure::Remote);
}

#[tokio::test]
async fn a_server_that_dies_is_seen_at_once() {
    let (mut end, server) = connect().await;
    drop(server);
    assert_eq!(end.down(A).await, LinkFailure::Remote);
    end.links.send(A, vec![1]);
    end.links.close(A);
    end.links.shutdown().await;
    assert!(end.inputs.recv().await.is_none(), "one LinkDown is all");
}

#[tokio::test]
async fn a_server_that_floods_large_messages_or_text_is_cut_off() {
    for message in [Message::binary(vec![0; 1 << 20]), Message::text("{\"hello\":1}")] {
        let (mut end, server) = connect().await;
        let (mut sink, _stream) = server.split();
        let flood = async move {
            // Until the other end closes.
            while sink.send(message.clone()).await.is_ok() {}
        };
        let (cause, ()) = timeout(DEADLINE, async { tokio::join!(end.down(A), flood) })
            .await
            .expect("cut off in time");
        assert!(matches!(cause, LinkFailure::Transport(_)), "{cause:?}");
    }
}

/// The library answers pings and puts fragments together by itself: no message comes of them.
#[tokio::test]
async fn a_server_that_floods_what_is_no_message_is_cut_off() {
    const PING: [u8; 2] = [0x89, 0];
    const EMPTY_FRAGMENT: [u8; 2] = [0, 0];
    for (first, frame) in [(&[][..], PING), (&[0x02, 0], EMPTY_FRAGMENT)] {
        let (mut end, mut server) = connect().await;
        let flood = async move {
            let stream = server.get_mut();
            let _ = stream.write_all(first).await;
            // Until the other end closes.
            while stream.write_all(&frame.repeat(1000)).await.is_ok() {}
        };
        let (cause, ()) = timeout(DEADLINE, async { tokio::join!(end.down(A), flood) })
            .await
            .expect("cut off in time");
        let LinkFailure::Transport(cause) = cause else { panic!("{cause:?}") };
        assert!(cause.contains("flood"), "{cause}");
    }
}

#[tokio::test]
async fn pings_now_and_then_are_answered() {
    let (mut end, mut server) = connect().await;
    for number in 0..20 {
        server.send(Message::Ping(vec![number].into())).await.expect("sent");
        server.send(Message::binary(vec![number])).await.expect("sent");
        assert_eq!(end.message().await, [number]);
        assert_eq!(received(&mut server).await, Message::Pong(vec![number].into()));
    }
}

#[tokio::test]
async fn a_flood_stops_while_the_core_does_not_read() {
    let (end, mut server) = connect().await;
    let flood = async {
        let mut sent = 0_usize;
        while timeout(
            std::time::Duration::from_secs(1),
            server.send(Message::binary(vec![0; 16384])),
        )
        .await
        .is_ok()
        {
            sent += 1;
            assert!(sent < 4096, "64 MiB are buffered");
        }
        sent
    };
    assert!(flood.await >= taiinet_websocket::INPUTS);
    drop(end);
}

#[tokio::test]
async fn a_refused_or_wrong_address_gives_a_clear_cause() {
    let (listener, url) = listen().await;
    drop(listener);
    let mut end = End::over(WebSockets::new(b""));
    end.links.dial(A, signaller(&url));
    match end.down(A).await {
        LinkFailure::Unreachable(cause) => assert!(cause.contains("refused"), "{cause}"),
        other => panic!("{other:?}"),
    }
    end.links.dial(A, signaller("ws://no-such-host.invalid:1"));
    assert!(matches!(end.down(A).await, LinkFailure::Unreachable(_)));
    for url in ["", "not a url", "http://127.0.0.1:1", "ws://", "ws://[::", "ws://:0/\u{0}"] {
        end.links.dial(A, signaller(url));
        assert!(matches!(end.down(A).await, LinkFailure::Transport(_)), "{url:?}");
    }
}

#[tokio::test]
async fn what_is_no_signaller_gives_a_clear_cause() {
    let answers = [
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned(), "404"),
        ("SSH-2.0-OpenSSH_9\r\n\r\n".to_owned(), ""),
        (format!("HTTP/1.1 101 X\r\n{}\r\n", "x: y\r\n".repeat(100_000)), ""),
    ];
    for (answer, named) in answers {
        let (listener, url) = listen().await;
        let mut end = End::over(WebSockets::new(b""));
        end.links.dial(A, signaller(&url));
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(answer.as_bytes()).await;
        match end.down(A).await {
            LinkFailure::Mistaken { what, .. } => assert!(what.contains(named), "{what}"),
            LinkFailure::Transport(_) if named.is_empty() => {}
            LinkFailure::Remote | LinkFailure::Unreachable(_) if named.is_empty() => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_link_can_be_closed_while_it_waits_for_the_server() {
    let (listener, url) = listen().await;
    let mut end = End::over(WebSockets::new(b""));
    end.links.dial(A, signaller(&url));
    let (_silent, _) = listener.accept().await.expect("a connection");
    end.links.close(A);
    assert_eq!(end.down(A).await, LinkFailure::Local);
}

/// A certificate authority of our own and a server that it vouches for.
struct Authority {
    pem: String,
    server: Arc<rustls::ServerConfig>,
}

fn authority() -> Authority {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(vec![]).expect("parameters");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).expect("a certificate");
    let issuer = rcgen::Issuer::new(params, key);
    let key = rcgen::KeyPair::generate().expect("a key");
    let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
        .expect("parameters")
        .signed_by(&key, &issuer)
        .expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .expect("a certificate and its key");
    Authority { pem: root.pem(), server: Arc::new(server) }
}

#[tokio::test]
async fn tls_trusts_extra_roots_and_nobody_else() {
    let (ours, other) = (authority(), authority());
    for (roots, trusted) in [(&ours.pem, true), (&other.pem, false)] {
        let (listener, _) = listen().await;
        let port = listener.local_addr().expect("an address").port();
        let extra_roots = roots.clone().into_bytes();
        let mut end = End::over(WebSockets::new(&extra_roots));
        end.links.dial(A, signaller(&format!("wss://localhost:{port}")));
        let acceptor = tokio_rustls::TlsAcceptor::from(ours.server.clone());
        let server = async {
            let (stream, _) = listener.accept().await.ok()?;
            let stream = acceptor.accept(stream).await.ok()?;
            let mut socket = accept_async(stream).await.ok()?;
            socket.send(Message::binary(b"in private".to_vec())).await.ok()?;
            Some(socket)
        };
        let kept = timeout(DEADLINE, server).await.expect("in time");
        assert_eq!(kept.is_some(), trusted);
        if trusted {
            assert!(matches!(end.next().await, Input::LinkUp { .. }));
            assert_eq!(end.message().await, b"in private");
        } else {
            match end.down(A).await {
                LinkFailure::Mistaken { what, .. } => assert!(what.contains("issuer"), "{what}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
