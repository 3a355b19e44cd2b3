//! Slow readers.

use taiinet::{TaiiNet, json, query};

use crate::support::{Signaller, connect, next, number, within};

const DOCUMENTS: i64 = 10_000;
/// What may wait unread: high water (2 MiB, a document counting for 2 KiB), and what was on its way.
const UNREAD: u64 = 1_100 + 1_000;

async fn publish_all(writer: TaiiNet) {
    let text = "x".repeat(900);
    for n in 0..DOCUMENTS {
        writer.queue(json!({ "n": n, "text": text })).await.unwrap();
    }
    writer.flush().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_loses_nothing_and_nothing_piles_up() {
    let signaller = Signaller::start().await;
    let (reader, writer) = (connect(&signaller.url).await, connect(&signaller.url).await);
    let mut all = reader.subscribe(query!({})).unwrap();
    within("a neighbour", writer.connected()).await.unwrap();
    let publishing = tokio::spawn(publish_all(writer));

    let (mut read, mut most) = (0_u64, 0);
    let mut numbers = Vec::new();
    while numbers.len() < DOCUMENTS as usize {
        numbers.push(number(&next(&mut all).await));
        read += 1;
        // Asking for the status each time makes this reader slower than any writer.
        let delivered = within("a status", reader.status()).await.unwrap().counters.delivered;
        most = most.max(delivered - read);
    }
    within("all taken", publishing).await.unwrap();
    assert!(all.try_next().is_none());
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(0..DOCUMENTS), "each came, and once");
    assert!(most <= UNREAD, "{most} documents waited to be read");
}
