//! One link between two ends in this process, against the bare `webrtc` channel with the same
//! settings: throughput by message size, and the time from the offer to the open channel.
//!
//! Run with `cargo bench -p taiinet-webrtc --bench link`.

#![allow(missing_docs, clippy::unwrap_used)]

mod bare;
#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../../src/channel/connection.rs"]
#[allow(dead_code)]
mod connection;
#[path = "../../src/channel/runtime.rs"]
#[allow(dead_code)]
mod runtime;

use std::time::{Duration, Instant};

use common::{A, connect, end};
use taiinet_mesh::{Input, limits};

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
                bares.push(bare::throughput(size, count).await);
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
            bares.push(bare::set_up().await);
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
