//! Real WebRTC on loopback, both ends in this process.

mod common;
// The library without what we put around it, to play an end that does not keep the rules.
#[path = "../src/channel/connection.rs"]
#[allow(dead_code, unreachable_pub)]
mod connection;
#[path = "../src/channel/runtime.rs"]
#[allow(dead_code)]
mod runtime;

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use bytes::BytesMut;
use common::{A, B, DEADLINE, End, answer, connect, end, end_with, loopback, offer};
use taiinet_mesh::{Dial, Input, LinkFailure, Negotiation, limits, wire::IceServer};
use taiinet_webrtc::WebRtcConfig;
use tokio::time::{sleep, timeout};
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent},
    peer_connection::{RTCIceCandidateInit, RTCSessionDescription},
    runtime::{AsyncUdpSocket, RecvMeta, Runtime, Transmit},
};

/// A peer on the bare library, connected to link [`B`] of `end`.
async fn bare(
    end: &mut End,
    second_channel: bool,
) -> (connection::Connection, Arc<dyn DataChannel>) {
    let mut connection = connection::Connection::default();
    let (channel, _signs) =
        connection.open(&[IpAddr::from([127, 0, 0, 1])], vec![]).await.expect("a connection");
    let peer = connection.peer().expect("a peer");
    if second_channel {
        peer.create_data_channel("second", None).await.expect("a channel");
    }
    let offer = peer.create_offer(None).await.expect("an offer");
    peer.set_local_description(offer.clone()).await.expect("set");
    end.links.dial(B, answer(offer.sdp));
    let text = end.description().await;
    let text = RTCSessionDescription::answer(text).expect("an answer");
    peer.set_remote_description(text).await.expect("set");
    match end.next().await {
        Input::Negotiation { part: Negotiation::Candidate(candidate), .. } => {
            let init = RTCIceCandidateInit { candidate, ..Default::default() };
            peer.add_ice_candidate(init).await.expect("added");
        }
        other => panic!("no candidate but {other:?}"),
    }
    while !matches!(channel.poll().await, Some(DataChannelEvent::OnOpen)) {}
    (connection, channel)
}

fn message(number: usize, length: usize) -> Vec<u8> {
    let mut bytes = vec![(number % 251) as u8; length.max(8)];
    bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opens_with_trickled_candidates_and_both_ends_bind_to_the_same_channel() {
    let (mut a, mut b) = (end(), end());
    let (one, other) = connect(&mut a, &mut b).await;
    assert_eq!(one, other);

    a.links.send(A, b"there".to_vec());
    b.links.send(B, b"and back".to_vec());
    assert_eq!(b.message().await, b"there");
    assert_eq!(a.message().await, b"and back");

    let (mut c, mut d) = (end(), end());
    assert_ne!(connect(&mut c, &mut d).await.0, one, "another channel, another binding");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_messages_of_mixed_size_both_ways_at_once_arrive_in_order() {
    const MESSAGES: usize = 2000;
    let sizes = [10, 100, 1024, 5000, limits::MESSAGE_BYTES];
    let (mut a, mut b) = (end(), end());
    connect(&mut a, &mut b).await;

    let exchange = async |mut end: End, link, give_back: tokio::sync::oneshot::Sender<End>| {
        let (mut next, mut window, mut expected) = (0, 0, 0);
        while next < MESSAGES || expected < MESSAGES || window > 0 {
            while next < MESSAGES && window < limits::TRANSPORT_WINDOW {
                let bytes = message(next, sizes[next % sizes.len()]);
                window += bytes.len();
                end.links.send(link, bytes);
                next += 1;
            }
            match end.next().await {
                Input::Sent { bytes, .. } => window -= bytes,
                Input::Message { bytes, .. } => {
                    assert_eq!(bytes, message(expected, sizes[expected % sizes.len()]));
                    expected += 1;
                }
                Input::Negotiation { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        let _ = give_back.send(end);
    };
    let (a_done, a_back) = tokio::sync::oneshot::channel();
    let (b_done, b_back) = tokio::sync::oneshot::channel();
    // Both ends live until both are done.
    tokio::join!(exchange(a, A, a_done), exchange(b, B, b_done));
    drop((a_back.await, b_back.await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_does_not_read_stops_the_sender() {
    let (mut a, mut b) = (end(), end());
    connect(&mut a, &mut b).await;

    const SIZE: usize = 4096;
    // Send all that the window allows until no room has come for a while.
    let (mut handed, mut window) = (0, 0);
    loop {
        while window + SIZE <= limits::TRANSPORT_WINDOW {
            a.links.send(A, message(handed, SIZE));
            window += SIZE;
            handed += 1;
        }
        match timeout(Duration::from_secs(2), a.inputs.recv()).await {
            Ok(Some(Input::Sent { bytes, .. })) => window -= bytes,
            Ok(Some(Input::Negotiation { .. })) => {}
            Ok(other) => panic!("{other:?}"),
            Err(_no_room) => break,
        }
        assert!(handed < 4000, "16 MiB went to an end that reads nothing");
    }
    // What lies about: 256 inputs, 512 messages in the library, SCTP's window of 1 MiB, and ours.
    assert!(handed < 1300, "{handed} messages of 4 KiB are buffered");

    // It goes on when it is read, and nothing is missing.
    for number in 0..handed {
        assert_eq!(b.message().await, message(number, SIZE));
    }
    a.sent(window).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_right_after_sending_loses_nothing() {
    let (mut a, mut b) = (end(), end());
    connect(&mut a, &mut b).await;
    for number in 0..8 {
        a.links.send(A, message(number, limits::MESSAGE_BYTES));
    }
    a.links.close(A);
    for number in 0..8 {
        assert_eq!(b.message().await, message(number, limits::MESSAGE_BYTES));
    }
    assert_eq!(b.down(B).await, LinkFailure::Remote);
    assert_eq!(a.down(A).await, LinkFailure::Local);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_gets_all_of_a_link_that_was_closed() {
    const MESSAGES: usize = 400;
    let (mut a, mut b) = (end(), end());
    connect(&mut a, &mut b).await;
    for number in 0..MESSAGES {
        a.links.send(A, message(number, 1000));
        a.sent(1000).await;
    }
    a.links.close(A);
    assert_eq!(a.down(A).await, LinkFailure::Local);
    // The link is gone, and what it brought is more than there is room for: nothing but time shows
    // that it is kept.
    sleep(Duration::from_secs(1)).await;
    for number in 0..MESSAGES {
        assert_eq!(b.message().await, message(number, 1000));
    }
    assert_eq!(b.down(B).await, LinkFailure::Remote);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_end_learns_that_a_peer_was_dropped_or_shut_down() {
    for graceful in [true, false] {
        let (mut a, mut b) = (end(), end());
        connect(&mut a, &mut b).await;
        if graceful {
            timeout(DEADLINE, a.links.shutdown()).await.expect("in time");
        } else {
            drop(a);
        }
        let seen = timeout(Duration::from_secs(5), b.down(B)).await;
        assert_eq!(seen.expect("seen without keep-alive"), LinkFailure::Remote);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_for_a_description_brings_the_link_down() {
    let good = {
        let mut end = end();
        end.links.dial(A, offer());
        end.description().await
    };
    let garbage = [
        String::new(),
        "garbage".to_owned(),
        "\0\u{ffff}\n\n\r".to_owned(),
        "v=0\r\n".repeat(100),
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n".to_owned(),
        good.replace("webrtc-datachannel", "something-else"),
        good.replace("m=application", "m=audio"),
        format!("{good}m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"),
        good.replace("sha-256", "sha-512"),
        good.replace("fingerprint", "finger"),
        good.replace("a=ice-pwd", "a=pwd"),
        format!("{good}a=x:{}\r\n", "y".repeat(limits::NEGOTIATION_BYTES)),
        good[..good.len() / 2].to_owned(),
    ];
    for text in &garbage {
        let mut end = end();
        end.links.dial(B, answer(text.clone()));
        let cause = timeout(DEADLINE, end.down(B)).await.expect("down");
        assert!(matches!(cause, LinkFailure::Transport(_)), "{cause:?} for {text:?}");

        end.links.dial(A, offer());
        end.links.negotiate(A, Negotiation::Description(text.clone()));
        let cause = timeout(DEADLINE, end.down(A)).await.expect("down");
        assert!(matches!(cause, LinkFailure::Transport(_)), "{cause:?} for {text:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_comes_up_among_garbage_candidates() {
    let (mut a, mut b) = (end(), end());
    a.links.dial(A, offer());
    let text = a.description().await;
    b.links.dial(B, answer(text));
    let garbage = [
        "",
        "candidate:",
        "junk",
        "candidate:1 1 udp 1 256.256.256.256 5000 typ host",
        "candidate:1 1 udp 99999999999 127.0.0.1 5000 typ host",
        "candidate:1 1 tcp 1 127.0.0.1 22 typ host tcptype passive",
        "candidate:1 1 udp 1 127.0.0.1 5000 typ",
        "candidate:1 1 udp 1 nowhere.local 5000 typ host",
        "candidate:1 1 udp 1 127.0.0.1 5000 typ srflx raddr",
        "\0\n\u{ffff}",
    ];
    for text in garbage {
        a.links.negotiate(A, Negotiation::Candidate(text.to_owned()));
        b.links.negotiate(B, Negotiation::Candidate(text.to_owned()));
    }
    let (mut up_a, mut up_b) = (false, false);
    while !(up_a && up_b) {
        tokio::select! {
            input = a.next() => match input {
                Input::Negotiation { part, .. } => b.links.negotiate(B, part),
                Input::LinkUp { .. } => up_a = true,
                other => panic!("{other:?}"),
            },
            input = b.next() => match input {
                Input::Negotiation { part, .. } => a.links.negotiate(A, part),
                Input::LinkUp { .. } => up_b = true,
                other => panic!("{other:?}"),
            },
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_stream_of_candidates_is_bounded() {
    let mut end = end();
    end.links.dial(A, offer());
    end.description().await;
    for port in 1..20_000 {
        let text = format!("candidate:1 1 udp 1 127.0.0.1 {port} typ host {}", "x".repeat(400));
        end.links.negotiate(A, Negotiation::Candidate(text));
    }
    assert!(matches!(end.down(A).await, LinkFailure::Transport(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sending_more_than_the_window_costs_the_link() {
    let (mut a, mut b) = (end(), end());
    connect(&mut a, &mut b).await;
    for number in 0..1000 {
        a.links.send(A, message(number, limits::MESSAGE_BYTES));
    }
    assert!(matches!(a.down(A).await, LinkFailure::Transport(_)));
    assert_eq!(b.down(B).await, LinkFailure::Remote);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_dial_ends_in_one_link_down_whatever_is_done_to_it() {
    let (mut a, mut b) = (end(), end());
    connect(&mut a, &mut b).await;
    a.links.close(A);
    a.links.close(A);
    b.links.close(B);
    a.links.send(A, b"too late".to_vec());
    a.links.negotiate(A, Negotiation::Candidate("too late".to_owned()));
    a.links.dial(B, answer("garbage".to_owned()));
    a.links.close(B);
    timeout(DEADLINE, a.links.shutdown()).await.expect("in time");
    timeout(DEADLINE, b.links.shutdown()).await.expect("in time");
    let mut downs = vec![];
    for inputs in [&mut a.inputs, &mut b.inputs] {
        let before = downs.len();
        while let Some(input) = timeout(DEADLINE, inputs.recv()).await.expect("in time") {
            if let Input::LinkDown { link, .. } = input {
                downs.push(link);
            }
        }
        downs[before..].sort();
    }
    assert_eq!(downs, [A, B, B], "A and B of one end, B of the other");
}

#[test]
fn no_task_outlives_its_links() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let idle = async || {
            while tasks() > 0 {
                sleep(Duration::from_millis(10)).await;
            }
        };
        for graceful in [true, false] {
            let (mut a, mut b) = (end(), end());
            connect(&mut a, &mut b).await;
            // Links at every stage: open, waiting for an answer, just dialled.
            a.links.dial(B, offer());
            while !matches!(a.next().await, Input::Negotiation { link: B, .. }) {}
            b.links.dial(A, offer());
            assert!(tasks() > 0);
            if graceful {
                a.links.shutdown().await;
                b.links.shutdown().await;
            } else {
                drop((a, b));
            }
            timeout(DEADLINE, idle()).await.expect("all tasks end");
        }
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_address_of_this_machine_is_offered_when_none_is_chosen() {
    let (mut a, mut b) = (end_with(WebRtcConfig::default()), end_with(loopback()));
    connect(&mut a, &mut b).await;
    a.links.send(A, b"over whichever".to_vec());
    assert_eq!(b.message().await, b"over whichever");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_channel_costs_the_link() {
    let mut end = end();
    let (_connection, _channel) = bare(&mut end, true).await;
    match end.down(B).await {
        LinkFailure::Transport(cause) => assert!(cause.contains("second channel"), "{cause}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_larger_than_allowed_is_left_to_the_core_to_judge() {
    let mut end = end();
    let (_connection, channel) = bare(&mut end, false).await;
    assert!(matches!(end.next().await, Input::LinkUp { .. }));
    let large = vec![9; 3 * limits::MESSAGE_BYTES];
    channel.send(BytesMut::from(&large[..])).await.expect("sent");
    assert_eq!(end.message().await, large);
    channel.send_text("text").await.expect("sent");
    assert_eq!(end.message().await, b"text");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_named_stun_server_is_asked_and_not_waited_for() {
    let server = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let url = format!("stun:{}", server.local_addr().expect("an address"));
    let mut end = end();
    end.links.dial(
        A,
        Dial::Offer {
            to: common::somebody(),
            ice_servers: vec![IceServer::stun("junk"), IceServer::stun(url)],
        },
    );
    end.description().await;
    assert!(matches!(end.next().await, Input::Negotiation { part: Negotiation::Candidate(_), .. }));
    let request = tokio::task::spawn_blocking(move || {
        server.set_read_timeout(Some(DEADLINE)).expect("a time-out");
        let mut buffer = [0; 1500];
        server.recv(&mut buffer).expect("a request");
        buffer
    });
    let request = request.await.expect("a request");
    // A binding request and the magic cookie (RFC 8489, section 5).
    assert_eq!(request[..2], [0, 1]);
    assert_eq!(request[4..8], [0x21, 0x12, 0xa4, 0x42]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opens_over_ipv6_where_there_is_any() {
    if UdpSocket::bind("[::1]:0").is_err() {
        return;
    }
    let config = || WebRtcConfig {
        bind: vec!["::1".parse().expect("an address")],
        ..WebRtcConfig::default()
    };
    let (mut a, mut b) = (end_with(config()), end_with(config()));
    connect(&mut a, &mut b).await;
    a.links.send(A, b"over IPv6".to_vec());
    assert_eq!(b.message().await, b"over IPv6");
}

/// A socket of which only what is sent over it is looked at, as that of a way through a TURN server.
#[derive(Debug)]
struct Recorder(SocketAddr, Mutex<Vec<Vec<u8>>>);

impl AsyncUdpSocket for Recorder {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0)
    }

    fn poll_send(&self, _: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        self.1.lock().expect("no panic").push(transmit.contents.to_vec());
        Poll::Ready(Ok(transmit.contents.len()))
    }

    fn poll_recv(
        &self,
        _: &mut Context<'_>,
        _: &mut [IoSliceMut<'_>],
        _: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        Poll::Pending
    }
}

/// A lost one costs a second, or the link.
#[tokio::test]
async fn a_packet_of_dtls_handshake_is_sent_thrice_and_all_others_once() {
    // Change of cipher, handshake; application data, STUN, nothing (RFC 7983).
    let packets = [&[20, 1][..], &[22, 2], &[23, 3], &[0, 4], &[]];
    let counts =
        |came: &[Vec<u8>]| packets.map(|packet| came.iter().filter(|one| *one == packet).count());
    let bound = || UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let (ours, theirs) = (bound(), bound());
    let to = theirs.local_addr().expect("an address");
    let recorder = Arc::new(Recorder(ours.local_addr().expect("an address"), Mutex::default()));
    let stand_in = runtime::LinkRuntime::new(Some(recorder.clone()));
    let stand_in = stand_in.wrap_udp_socket(ours).expect("wrapped");
    let socket = runtime::LinkRuntime::default().wrap_udp_socket(bound()).expect("wrapped");
    for packet in packets {
        socket.send_to(packet, to).await.expect("sent");
        stand_in.send_to(packet, to).await.expect("sent");
    }
    theirs.set_nonblocking(true).expect("set");
    let theirs = tokio::net::UdpSocket::from_std(theirs).expect("a socket");
    let mut came = Vec::new();
    let mut buffer = [0; 8];
    while came.len() < 9 {
        let got = timeout(DEADLINE, theirs.recv(&mut buffer)).await;
        came.push(buffer[..got.expect("in time").expect("a packet")].to_vec());
    }
    assert_eq!(counts(&came), [3, 3, 1, 1, 1]);
    let recorded = || recorder.1.lock().expect("no panic").clone();
    timeout(DEADLINE, async {
        while recorded().len() < 9 {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("in time");
    assert_eq!(counts(&recorded()), [3, 3, 1, 1, 1]);
}
