//! Real WebRTC on loopback, both ends in this process.

mod common;

use std::time::Duration;

use common::{A, B, DEADLINE, End, answer, connect, loopback, offer};
use taiinet_mesh::{Input, LinkFailure, Negotiation, limits};
use tokio::time::{sleep, timeout};

fn message(number: usize, length: usize) -> Vec<u8> {
    let mut bytes = vec![(number % 251) as u8; length.max(8)];
    bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opens_with_trickled_candidates_and_both_ends_bind_to_the_same_channel() {
    let (mut a, mut b) = (End::new(), End::new());
    let (one, other) = connect(&mut a, &mut b).await;
    assert_eq!(one, other);

    a.links.send(A, b"there".to_vec());
    b.links.send(B, b"and back".to_vec());
    assert_eq!(b.message().await, b"there");
    assert_eq!(a.message().await, b"and back");

    let (mut c, mut d) = (End::new(), End::new());
    assert_ne!(connect(&mut c, &mut d).await.0, one, "another channel, another binding");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_messages_of_mixed_size_both_ways_at_once_arrive_in_order() {
    const MESSAGES: usize = 2000;
    let sizes = [10, 100, 1024, 5000, limits::MESSAGE_BYTES];
    let (mut a, mut b) = (End::new(), End::new());
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
    let (mut a, mut b) = (End::new(), End::new());
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
        match timeout(Duration::from_secs(3), a.inputs.recv()).await {
            Ok(Some(Input::Sent { bytes, .. })) => window -= bytes,
            Ok(Some(Input::Negotiation { .. })) => {}
            Ok(other) => panic!("{other:?}"),
            Err(_no_room) => break,
        }
        assert!(handed < 4000, "16 MiB went to an end that reads nothing");
    }
    // What lies about: 256 inputs, 512 messages in the library, SCTP's window of 1 MiB, and ours.
    eprintln!("{handed} handed");
    assert!(handed < 256 + 512 + 256 + 64, "{handed} messages of 4 KiB are buffered");

    let start=std::time::Instant::now();
    // It goes on when it is read, and nothing is missing.
    for number in 0..handed {
        assert_eq!(b.message().await, message(number, SIZE));
    }
    eprintln!("{:?}", start.elapsed());
    a.sent(window).await;
    eprintln!("{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_right_after_sending_loses_nothing() {
    let (mut a, mut b) = (End::new(), End::new());
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
    let (mut a, mut b) = (End::new(), End::new());
    connect(&mut a, &mut b).await;
    for number in 0..MESSAGES {
        a.links.send(A, message(number, 1000));
        a.sent(1000).await;
    }
    a.links.close(A);
    assert_eq!(a.down(A).await, LinkFailure::Local);
    for number in 0..MESSAGES {
        assert_eq!(b.message().await, message(number, 1000));
    }
    assert_eq!(b.down(B).await, LinkFailure::Remote);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_end_learns_that_a_peer_was_dropped_or_shut_down() {
    for graceful in [true, false] {
        let (mut a, mut b) = (End::new(), End::new());
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
        let mut end = End::new();
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
        let mut end = End::new();
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
    let (mut a, mut b) = (End::new(), End::new());
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
    let mut end = End::new();
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
    let (mut a, mut b) = (End::new(), End::new());
    connect(&mut a, &mut b).await;
    for number in 0..1000 {
        a.links.send(A, message(number, limits::MESSAGE_BYTES));
    }
    assert!(matches!(a.down(A).await, LinkFailure::Transport(_)));
    assert_eq!(b.down(B).await, LinkFailure::Remote);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_dial_ends_in_one_link_down_whatever_is_done_to_it() {
    let (mut a, mut b) = (End::new(), End::new());
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
            let (mut a, mut b) = (End::new(), End::new());
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
    let (mut a, mut b) =
        (End::with(taiinet_transport::TransportConfig::default()), End::with(loopback()));
    connect(&mut a, &mut b).await;
    a.links.send(A, b"over whichever".to_vec());
    assert_eq!(b.message().await, b"over whichever");
}
