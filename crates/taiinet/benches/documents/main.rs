//! Documents per second over one real WebRTC link, from the publisher's queue to the subscriber,
//! against what bounds them in the same run: the bare verification of the same documents on one
//! thread, and the bare `webrtc` channel with messages of the same size.
//!
//! Run with `cargo bench -p taiinet --bench documents`; `-- --quick` for a shorter one.

#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../../../webrtc/benches/link/bare.rs"]
#[allow(dead_code)]
mod bare;
#[path = "../common/mod.rs"]
mod common;
#[path = "../../../webrtc/src/channel/connection.rs"]
#[allow(dead_code)]
mod connection;
#[path = "../../../webrtc/src/channel/runtime.rs"]
#[allow(dead_code)]
mod runtime;

use std::time::{Duration, Instant};

use taiinet::{Identity, PublishOptions, json, query};
use taiinet_identity::{Domain, Seed};
use tokio::runtime::Runtime;

use common::{median, peer, signaller};

/// About what is in a document besides its text.
const TEXT: usize = 1024 - 40;

fn main() {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let (rounds, count) = if quick { (3, 10_000) } else { (7, 30_000) };
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    // One for each peer, as if they were processes, and one for what introduces them.
    let (reader, writer, runtime) = (runtime(), runtime(), runtime());
    let (mut links, mut verifications, mut channels) = (vec![], vec![], vec![]);
    let mut size = 0;
    for _ in 0..rounds {
        let (link, verification, bytes) = runtime.block_on(documents(count, &reader, &writer));
        links.push(rate(count, link));
        verifications.push(rate(count, verification));
        size = bytes;
        channels.push(rate(count, runtime.block_on(bare::throughput(bytes, count))));
    }
    let (link, verification, channel) = (median(links), median(verifications), median(channels));
    println!("documents of {size} bytes, median of {rounds} rounds of {count}");
    println!("{:<44} {link:>9.0} /s", "published, verified, delivered over a link");
    println!("{:<44} {verification:>9.0} /s", "bare verify_strict, one thread");
    println!("{:<44} {channel:>9.0} /s", "bare webrtc channel");
    println!("{:<44} {:>9.2}", "ratio to the smaller", link / verification.min(channel));
}

fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

async fn on<T: Send + 'static>(
    runtime: &Runtime,
    future: impl Future<Output = T> + Send + 'static,
) -> T {
    runtime.spawn(future).await.unwrap()
}

/// The processor time that this process has used, where the system tells (Linux).
fn processor() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Fields 14 and 15, counted behind the name of the command in brackets, are in 1/100 s.
    let fields = stat.rsplit_once(')')?.1;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    Some(Duration::from_millis(10 * ticks.sum::<Result<u64, _>>().ok()?))
}

/// The time that `count` documents take over a link, the time that their bare verification takes, and
/// how many bytes one has.
async fn documents(
    count: usize,
    reader_runtime: &Runtime,
    writer_runtime: &Runtime,
) -> (Duration, Duration, usize) {
    let (url, signaller) = signaller().await;
    let reader = on(reader_runtime, peer(&url).connect()).await.unwrap();
    let writer = on(writer_runtime, peer(&url).connect()).await.unwrap();
    let mut all = reader.subscribe(query!({})).unwrap();
    writer.connected().await.unwrap();
    reader.connected().await.unwrap();

    let text = "x".repeat(TEXT);
    let prepared: Vec<_> = (0..count)
        .map(|n| {
            writer.prepare(json!({ "n": n, "text": text }), PublishOptions::default()).unwrap()
        })
        .collect();
    let identity = Identity::from_seed(&Seed::from_bytes([7; 32]));
    let (key, size) = (identity.public_key(), prepared[0].document().signed().size());
    let signed: Vec<_> = prepared
        .iter()
        .map(|document| blake3::hash(document.document().signed().body()))
        .map(|hash| (hash, identity.sign_hash(Domain::Document, &hash)))
        .collect();
    let begun = Instant::now();
    for (hash, signature) in &signed {
        key.verify_hash(Domain::Document, hash, signature).unwrap();
    }
    let verification = begun.elapsed();

    let before = processor();
    let begun = Instant::now();
    let reading = on(reader_runtime, async move {
        for _ in 0..count {
            all.next().await.unwrap();
        }
        begun.elapsed()
    });
    let published = writer.clone();
    let writing = on(writer_runtime, async move {
        for document in prepared {
            published.queue_prepared(document).await.unwrap();
        }
        published.flush().await.unwrap();
    });
    let (link, ()) = tokio::join!(reading, writing);
    if let (Some(before), Some(after)) = (before, processor()) {
        let each = (after - before).as_secs_f64() / count as f64;
        eprintln!("processor time a document, all told: {:.1} µs", each * 1e6);
    }
    tokio::join!(reader.close(), writer.close());
    signaller.abort();
    (link, verification, size)
}
