//! A history out of an archive to a subscriber, over one real WebRTC link: documents a second until the last one is
//! delivered, against the bare verification of the same documents on one thread; and how long a document that is
//! published meanwhile takes to the same subscriber.
//!
//! Documents are like short messages. `cargo bench -p taiinet --features archive --bench backlog`; `-- --quick` for fewer.

#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use taiinet::{
    ArchiveOptions, Backlog, Builder, Identity, SubscribeOptions, SubscriptionEvent, Timestamp,
    Value, VerifiedDocument, json, query,
};
use taiinet_document::{Content, Document, parse_map};
use taiinet_identity::{Domain, Seed};
use taiinet_query::Query;
use tokio::{runtime::Runtime, task::JoinHandle, time::interval};

use common::{median, peer, signaller};

/// How many are written at once while the archive is filled.
const COMMIT: usize = 1_000;
const AUTHORS: usize = 100;
/// How long a peer has known the others before it asks them.
const ACQUAINTANCE: Duration = Duration::from_millis(1500);
/// Between documents that are published while the history comes.
const LIVE: Duration = Duration::from_millis(10);

fn main() {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let (rounds, count) = if quick { (3, 20_000) } else { (5, 100_000) };
    let folder = tempfile::tempdir().unwrap();
    let (verifications, size) = fill(folder.path(), count, rounds);
    // One for each peer, as if they were processes, and one for what introduces them.
    let runtimes = [(); 4].map(|()| Runtime::new().unwrap());
    let mut histories = Vec::new();
    let mut late = Vec::new();
    for round in 1..=rounds {
        eprintln!("history {round} of {rounds} …");
        let (history, delays) = runtimes[3].block_on(history(count, folder.path(), &runtimes));
        histories.push(count as f64 / history.as_secs_f64());
        late.extend(delays);
    }
    let (history, verification) = (median(histories), median(verifications));
    late.sort_unstable();
    let at = |share: f64| late[((late.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{count} documents of {size} bytes on average, median of {rounds} rounds");
    println!("{:<52} {history:>9.0} /s", "a history out of an archive, verified, delivered");
    println!("{:<52} {verification:>9.0} /s", "bare verify_strict, one thread");
    println!("{:<52} {:>9.2}", "ratio", history / verification);
    println!(
        "{:<52} {:>9.1} ms (median {:.1}, most {:.1}, of {})",
        "p99 of documents published meanwhile",
        at(0.99),
        at(0.5),
        at(1.0),
        late.len()
    );
}

/// Fills an archive; how many documents a second are verified, in each round, and how large one is on average.
fn fill(store: &Path, count: usize, rounds: usize) -> (Vec<f64>, usize) {
    eprintln!("signing, verifying and keeping {count} documents …");
    let authors: Vec<Identity> = (0..AUTHORS)
        .map(|author| Identity::from_seed(&Seed::from_bytes([author as u8; 32])))
        .collect();
    let options = ArchiveOptions::new(store, vec![Query::all()]);
    let mut archive = options.open("bench".parse().unwrap()).unwrap();
    let start = Timestamp::from_millis(1_750_000_000_000);
    let (mut bytes, mut signed) = (0, Vec::with_capacity(count));
    for number in 0..count {
        let author = &authors[number * 7 % AUTHORS];
        let document = document(author, number, start);
        archive.admit(&document, now()).unwrap();
        if number % COMMIT == COMMIT - 1 {
            archive.commit().unwrap();
        }
        bytes += document.signed().size();
        let hash = blake3::hash(document.signed().body());
        signed.push((author.public_key(), hash, author.sign_hash(Domain::Document, &hash)));
    }
    archive.commit().unwrap();
    drop(archive);
    let verifications = (0..rounds).map(|_| {
        let begun = Instant::now();
        for (key, hash, signature) in &signed {
            key.verify_hash(Domain::Document, hash, signature).unwrap();
        }
        count as f64 / begun.elapsed().as_secs_f64()
    });
    (verifications.collect(), bytes / count)
}

fn document(author: &Identity, number: usize, start: Timestamp) -> VerifiedDocument {
    let words =
        "a mesh of peers that carries documents to everyone whose query matches and keeps them";
    let text: String =
        words.chars().cycle().skip(number % 40).take(60 + number * 31 % 140).collect();
    let fields = format!(
        r#"{{"type":"tweet","n":{number},"likes":{},"lang":"en","text":"{text}"}}"#,
        number * 7919 % 1000
    );
    let document = Document {
        network: "bench".parse().unwrap(),
        created_at: Timestamp::from_millis(start.as_millis() + number as u64 * 977),
        nonce: number as u32,
        expires_at: None,
        key: None,
        next_key: None,
        content: Content::Open(parse_map(&fields).unwrap()),
    };
    VerifiedDocument::sign(author, document).unwrap()
}

fn now() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    Timestamp::from_millis(since.as_millis() as u64)
}

/// How long a history of `count` documents takes, and how long each document that was published meanwhile.
async fn history(
    count: usize,
    store: &Path,
    [archive, reader, writer, _]: &[Runtime; 4],
) -> (Duration, Vec<Duration>) {
    let (url, signaller) = signaller().await;
    let kept = ArchiveOptions::new(store, vec![Query::all()]);
    let start = async |runtime: &Runtime, peer: Builder| {
        runtime.spawn(peer.connect()).await.unwrap().unwrap()
    };
    let keeping = start(archive, peer(&url).archive(kept)).await;
    let reading = start(reader, peer(&url)).await;
    let publishing = start(writer, peer(&url)).await;
    for net in [&keeping, &reading, &publishing] {
        net.wait_for_peers(2).await.unwrap();
    }
    // A peer that has just met its first neighbour waits for others to ask.
    tokio::time::sleep(ACQUAINTANCE).await;

    let mut live = reading.subscribe(query!({ "live": true })).unwrap();
    let begun = Instant::now();
    let publisher = publishing.clone();
    let talking: JoinHandle<()> = writer.spawn(async move {
        let mut ticks = interval(LIVE);
        loop {
            ticks.tick().await;
            let sent = begun.elapsed().as_micros() as u64;
            publisher.publish(json!({ "live": true, "sent": sent })).await.unwrap();
        }
    });
    let listening = reader.spawn(async move {
        let mut delays = Vec::new();
        while let Some(document) = live.next().await {
            let Value::Int(sent) = document.data()["sent"] else { continue };
            delays.push(begun.elapsed().saturating_sub(Duration::from_micros(sent as u64)));
        }
        delays
    });
    let options = SubscribeOptions {
        backlog: Some(Backlog::Since(Timestamp::from_millis(0))),
        ..SubscribeOptions::default()
    };
    let mut tweets = reading.subscribe_with(query!({ "type": "tweet" }), options).unwrap();
    let whole = reader.spawn(async move {
        let begun = Instant::now();
        let mut got = 0;
        loop {
            match tweets.next_event().await.unwrap() {
                SubscriptionEvent::Document(_) => got += 1,
                SubscriptionEvent::Ready(ready) => {
                    assert!(ready.complete && got == count, "{got} of {count}, {ready:?}");
                    return begun.elapsed();
                }
                _ => {}
            }
        }
    });
    let whole = whole.await.unwrap();
    talking.abort();
    reading.close().await;
    let delays = listening.await.unwrap();
    tokio::join!(keeping.close(), publishing.close());
    signaller.abort();
    (whole, delays)
}
