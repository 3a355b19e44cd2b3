//! How many documents a second a peer takes in: frames in → verified, matched against 1,000 local
//! queries, routed to 6 links; beside the bare `verify_strict` of the same documents, in the same
//! run.
//!
//! `cargo bench -p taiinet-mesh --bench ingest [-- --quick]`

mod bed;

use std::{hint::black_box, time::Instant};

use bed::{Bed, LINKS, authors, documents, queries};
use ed25519_dalek::VerifyingKey;

const ROUNDS: usize = 5;
/// Documents that are handed over before the outputs are taken, as a busy driver does.
const BATCH: usize = 8;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let count = if quick { 500 } else { 4000 };
    let authors = authors();
    let documents = documents(&authors, count);
    let queries = queries(1000);

    let (mut ours, mut bare) = (f64::MAX, f64::MAX);
    let mut deliveries = 0;
    // Alternating rounds, the best of each: a busy neighbour on the machine spoils both alike.
    for _ in 0..ROUNDS {
        let checks: Vec<_> = documents.iter().map(bed::bare).collect();
        let keys: Vec<VerifyingKey> = checks.iter().map(|check| check.key).collect();
        let start = Instant::now();
        for (check, key) in checks.iter().zip(&keys) {
            black_box(key.verify_strict(black_box(&check.message), &check.signature))
                .expect("an honest document");
        }
        bare = bare.min(start.elapsed().as_secs_f64());

        let mut bed = Bed::new(&queries);
        let messages: Vec<_> = documents.iter().map(bed::push).collect();
        let mut took = 0.0;
        for batch in messages.chunks(BATCH) {
            took += bed.take_in(batch);
        }
        assert_eq!(bed.forwarded, count * LINKS, "each document goes to each link");
        deliveries = bed.deliveries;
        ours = ours.min(took);
    }
    let rate = |seconds: f64| count as f64 / seconds;
    let bytes: usize = documents.iter().map(|document| document.signed().size()).sum();
    println!("ingest: {count} documents of {} bytes, 1000 queries, {LINKS} links", bytes / count);
    println!("  deliveries a document            {:10.2}", deliveries as f64 / count as f64);
    println!("  bare verify_strict, keys ready   {:10.0} documents/s", rate(bare));
    println!("  peer                             {:10.0} documents/s", rate(ours));
    println!("  ratio                            {:10.3}   (aim: 0.85)", bare / ours);
}
