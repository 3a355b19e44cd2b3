//! One link between two ends in this process, against the bare `webrtc` channel with the same
//! settings: throughput by message size, and the time from the offer to the open channel.
//!
//! Run with `cargo bench -p taiinet-webrtc --bench link`.

#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../src/channel/connection.rs"]
#[allow(dead_code)]
mod connection;
#[path = "../src/channel/runtime.rs"]
#[allow(dead_code)]
mod runtime;

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use common::{A, connect, end};
use connection::{Connection, Signs};
use taiinet_mesh::{Input, limits};
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent},
    peer_connection::{PeerConnection, RTCIceCandidateInit},
};

/// Rounds of each measurement; ours and the bare one take turns, and medians are shown.
const ROUNDS: usize = 5;
/// Bytes of a message, and how many of them make a round.
const LOADS: [(usize, usize); 3] = [(100, 200_000), (1024, 100_000), (16 * 1024, 12_000)];
const SET_UPS: usize = 20;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        println!(
            "{:>8} {:>22} {:>22} {:>6}",
            "bytes", "link msg/s, MB/s", "bare msg/s, MB/s", "ratio"
        );
        for (size, count) in LOADS {
            let (mut links, mut bares) = (vec![], vec![]);
            for _ in 0..ROUNDS {
                links.push(link_throughput(size, count).await);
                bares.push(bare_throughput(size, count).await);
            }
            let (link, bare) = (median(links), median(bares));
            let rate = |time: Duration| count as f64 / time.as_secs_f64();
            let show =
                |time| format!("{:>10.0} {:>9.1}", rate(time), rate(time) * size as f64 / 1e6);
            println!(
                "{size:>8} {:>22} {:>22} {:>6.2}",
                show(link),
                show(bare),
                rate(link) / rate(bare)
            );
        }
        let (mut links, mut bares) = (vec![], vec![]);
        for _ in 0..SET_UPS {
            links.push(link_set_up().await);
            bares.push(bare_set_up().await);
        }
        let (link, bare) = (median(links).as_secs_f64(), median(bares).as_secs_f64());
        println!(
            "offer to open, median of {SET_UPS}: link {:.0} ms, bare {:.0} ms, ratio {:.2}",
            link * 1e3,
            bare * 1e3,
            bare / link
        );
    });
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

async fn link_set_up() -> Duration {
    let (mut a, mut b) = (end(), end());
    let start = Instant::now();
    connect(&mut a, &mut b).await;
    let time = start.elapsed();
    tokio::join!(a.links.shutdown(), b.links.shutdown());
    time
}

async fn link_throughput(size: usize, count: usize) -> Duration {
    let (mut a, mut b) = (end(), end());
    connect(&mut a, &mut b).await;
    let start = Instant::now();
    let receiver = tokio::spawn(async move {
        let mut received = 0;
        while received < count {
            received += usize::from(matches!(b.next().await, Input::Message { .. }));
        }
        b
    });
    let mut window = 0;
    for _ in 0..count {
        while window >= limits::TRANSPORT_WINDOW {
            if let Input::Sent { bytes, .. } = a.next().await {
                window -= bytes;
            }
        }
        a.links.send(A, vec![1; size]);
        window += size;
        // As the core's driver does: take what is there, wait only without room.
        while let Some(input) = a.inputs.try_recv() {
            if let Input::Sent { bytes, .. } = input {
                window -= bytes;
            }
        }
    }
    let b = receiver.await.unwrap();
    let time = start.elapsed();
    tokio::join!(a.links.shutdown(), b.links.shutdown());
    time
}

struct Bare {
    connection: Connection,
    channel: Arc<dyn DataChannel>,
}

async fn bare_pair() -> (Bare, Bare, Duration) {
    let loopback = [IpAddr::from([127, 0, 0, 1])];
    let (mut one, mut other) = (Connection::default(), Connection::default());
    let start = Instant::now();
    let (one_channel, one_signs) = one.open(&loopback, vec![], false).await.unwrap();
    let a = one.peer().unwrap();
    let offer = a.create_offer(None).await.unwrap();
    a.set_local_description(offer.clone()).await.unwrap();
    let (other_channel, other_signs) = other.open(&loopback, vec![], false).await.unwrap();
    let b = other.peer().unwrap();
    b.set_remote_description(offer).await.unwrap();
    let answer = b.create_answer(None).await.unwrap();
    b.set_local_description(answer.clone()).await.unwrap();
    a.set_remote_description(answer).await.unwrap();
    trickle(one_signs, b);
    trickle(other_signs, a);
    for channel in [&one_channel, &other_channel] {
        while !matches!(channel.poll().await, Some(DataChannelEvent::OnOpen)) {}
    }
    let time = start.elapsed();
    (
        Bare { connection: one, channel: one_channel },
        Bare { connection: other, channel: other_channel },
        time,
    )
}

fn trickle(mut signs: Signs, to: Arc<dyn PeerConnection>) {
    tokio::spawn(async move {
        while let Some(candidate) = signs.candidates.recv().await {
            let init = RTCIceCandidateInit { candidate, ..Default::default() };
            let _ = to.add_ice_candidate(init).await;
        }
    });
}

async fn bare_set_up() -> Duration {
    let (a, b, time) = bare_pair().await;
    tokio::join!(a.connection.close(), b.connection.close());
    time
}

async fn bare_throughput(size: usize, count: usize) -> Duration {
    let (a, b, _) = bare_pair().await;
    let start = Instant::now();
    let channel = b.channel.clone();
    let receiver = tokio::spawn(async move {
        let mut received = 0;
        while received < count {
            let event = channel.poll().await.unwrap();
            received += usize::from(matches!(event, DataChannelEvent::OnMessage(_)));
        }
    });
    for _ in 0..count {
        a.channel.send(BytesMut::from(Bytes::from(vec![1; size]))).await.unwrap();
    }
    receiver.await.unwrap();
    let time = start.elapsed();
    tokio::join!(a.connection.close(), b.connection.close());
    time
}
