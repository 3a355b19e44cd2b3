//! How many documents a second a peer takes in: frames in → verified, matched against 1,000 local
//! queries, routed to 6 links; beside the bare `verify_strict` of the same documents, in the same
//! run.
//!
//! `cargo bench -p taiinet-mesh --bench ingest [-- --quick]`

mod fixture;

use std::{hint::black_box, time::Instant};

use fixture::{Fixture, LINKS, authors, documents, queries};

const ROUNDS: usize = 7;
/// Documents that are handed over before the outputs are taken, as a busy driver does.
const BATCH: usize = 8;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let count = if quick { 500 } else { 4000 };
    let authors = authors();
    let documents = documents(&authors, count);
    let queries = queries(1000);

    // The best of several rounds for each batch, and bare and peer in turn: what a busy neighbour on
    // the machine takes away falls out.
    let batches = documents.len().div_ceil(BATCH);
    let (mut ours, mut bare) = (vec![f64::MAX; batches], vec![f64::MAX; batches]);
    let mut deliveries = 0;
    let checks: Vec<_> = documents.iter().map(fixture::bare).collect();
    let messages: Vec<_> = documents.iter().map(fixture::push).collect();
    for _ in 0..ROUNDS {
        let mut fixture = Fixture::new(&queries);
        for (batch, (checks, messages)) in
            checks.chunks(BATCH).zip(messages.chunks(BATCH)).enumerate()
        {
            let start = Instant::now();
            for check in checks {
                black_box(check.key.verify_strict(black_box(&check.message), &check.signature))
                    .expect("an honest document");
            }
            bare[batch] = bare[batch].min(start.elapsed().as_secs_f64());
            ours[batch] = ours[batch].min(fixture.take_in(messages));
        }
        assert_eq!(fixture.forwarded, count * LINKS, "each document goes to each link");
        deliveries = fixture.deliveries;
    }
    let (ours, bare): (f64, f64) = (ours.iter().sum(), bare.iter().sum());
    let rate = |seconds: f64| count as f64 / seconds;
    let bytes: usize = documents.iter().map(|document| document.signed().size()).sum();
    println!("ingest: {count} documents of {} bytes, 1000 queries, {LINKS} links", bytes / count);
    println!("  deliveries a document            {:10.2}", deliveries as f64 / count as f64);
    println!("  bare verify_strict, keys ready   {:10.0} documents/s", rate(bare));
    println!("  peer                             {:10.0} documents/s", rate(ours));
    println!("  ratio                            {:10.3}   (aim: 0.85)", bare / ours);
}
