//! What it takes two archives to find out what one of them lacks: bytes of questions and answers (without the
//! documents themselves), rounds, and the time that both take together in memory.
//!
//! `cargo bench -p taiinet-archive --bench reconcile [-- --quick]`

#[path = "../tests/model/exchange.rs"]
mod exchange;

use std::time::Instant;

use taiinet_archive::{Archive, Config, MemoryStore, Unwanted};
use taiinet_document::{Content, Document, Timestamp, VerifiedDocument, parse_map};
use taiinet_identity::{Identity, Seed};
use taiinet_query::Query;

const START: u64 = 1_800_000_000_000;
/// How many rows are read before other work has its turn.
const ROWS: usize = 4096;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let count = if quick { 10_000 } else { 100_000 };
    let documents: Vec<VerifiedDocument> = (0..count).map(sign).collect();
    let share = count / 100;
    let newest = |number: usize| number < count - share;
    // Multiplied by an odd number, the numbers are as good as shuffled.
    let random =
        |number: usize| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 >= (1 << 32) / 100;
    println!("| {count} documents | differing | bytes | a difference | rounds | time, ms |");
    println!("|---|---|---|---|---|---|");
    measure("equal", &documents, |_| true);
    measure("1 % newest missing", &documents, newest);
    measure("1 % random missing", &documents, random);
    measure("none there", &documents, |_| false);
}

fn measure(what: &str, documents: &[VerifiedDocument], has: impl Fn(usize) -> bool) {
    let now = Timestamp::from_millis(START + 1_000_000_000);
    let whole = archive(documents.iter(), now);
    let some = documents.iter().enumerate().filter(|(number, _)| has(*number));
    let mut some = archive(some.map(|(_, document)| document), now);
    let start = Instant::now();
    let (pulled, traffic) = exchange::pull(&mut some, &whole, &mut Unwanted::default(), ROWS, now);
    let taken = start.elapsed().as_millis();
    let each = match pulled.stored {
        0 => "–".to_owned(),
        stored => (traffic.bytes as u64 / stored).to_string(),
    };
    let exchange::Traffic { bytes, rounds, .. } = traffic;
    println!("| {what} | {} | {bytes} | {each} | {rounds} | {taken} |", pulled.stored);
    let (pulled, _) = exchange::pull(&mut some, &whole, &mut Unwanted::default(), ROWS, now);
    assert_eq!(pulled.stored, 0, "they are the same now");
}

fn archive<'a>(
    documents: impl Iterator<Item = &'a VerifiedDocument>,
    now: Timestamp,
) -> Archive<MemoryStore> {
    let config = Config::new("bench".parse().expect("a name"), vec![Query::all()]);
    let mut archive = Archive::open(MemoryStore::new(), config).expect("opens");
    for (number, document) in documents.enumerate() {
        archive.admit(document, now).expect("admits");
        if number % 1000 == 999 {
            archive.commit().expect("commits");
        }
    }
    archive.commit().expect("commits");
    archive
}

fn sign(number: usize) -> VerifiedDocument {
    let author = Identity::from_seed(&Seed::from_bytes([number as u8 % 20; 32]));
    let fields =
        format!(r#"{{"type": "tweet", "likes": {number}, "text": "{}"}}"#, "x".repeat(100));
    let document = Document {
        network: "bench".parse().expect("a name"),
        created_at: Timestamp::from_millis(START + number as u64 * 977),
        nonce: number as u32,
        expires_at: None,
        key: None,
        next_key: None,
        content: Content::Open(parse_map(&fields).expect("fields")),
    };
    VerifiedDocument::sign(&author, document).expect("signs")
}
