//! A document of 1 KiB sealed to several recipients, beside bare HPKE (the crate `hpke`, the same
//! suite) in the same run: the whole content to each in turn, and only a content key to each.
//!
//! `cargo bench -p taiinet-identity --bench seal [-- --quick]`
#![allow(clippy::unwrap_used)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use hpke::{
    Kem as _, OpModeR, OpModeS, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::X25519HkdfSha256 as Kem, single_shot_open, single_shot_seal_with_rng,
};
use rand_core::UnwrapErr;
use taiinet_identity::{
    Context, Envelope, Identity, OpeningKey, RECIPIENTS, Recipient, RecipientKey,
};

const CONTENT: usize = 1024;
const CONTENT_KEY: usize = 32;
/// As long as ours is: purpose, author, network.
const INFO: [u8; 68] = [7; 68];

type PublicKey = <Kem as hpke::Kem>::PublicKey;
type PrivateKey = <Kem as hpke::Kem>::PrivateKey;
type EncappedKey = <Kem as hpke::Kem>::EncappedKey;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    // Seals of one recipient in each measurement; never less than one seal.
    let (seals, rounds) = if quick { (200, 3) } else { (2000, 7) };
    println!("{CONTENT} bytes sealed, µs; \"of …\": our time divided by it");
    println!(
        "{:>10} {:>10} {:>12} {:>6} {:>12} {:>6} | {:>10} {:>12} {:>6}",
        "recipients", "seal", "HPKE content", "of it", "HPKE key", "of it", "open", "HPKE", "of it"
    );
    for recipients in [1, 10, 100, RECIPIENTS] {
        row(recipients, (seals / recipients).max(1), rounds);
    }
}

fn row(recipients: usize, times: usize, rounds: usize) {
    let rng = &mut UnwrapErr(getrandom::SysRng);
    let author = Identity::generate(rng).peer_id();
    let context = Context { author, network: "bench" };
    let keys: Vec<RecipientKey> = (0..recipients).map(|_| RecipientKey::generate(rng)).collect();
    let to: Vec<Recipient> = keys.iter().map(|key| Recipient::Subscription(key.id())).collect();
    let bare: Vec<(PrivateKey, PublicKey)> =
        (0..recipients).map(|_| Kem::gen_keypair_with_rng(rng)).collect();
    let content = [7; CONTENT];
    let envelope = Envelope::seal(&content, &to, &context, rng).unwrap();
    let (secret, public) = &bare[0];
    let (encapped, sealed) = seal(public, &content);

    // The best of several rounds, and each in turn: what a busy neighbour on the machine takes away
    // falls out.
    let [mut ours, mut whole, mut key, mut open, mut bare_open] = [Duration::MAX; 5];
    for _ in 0..rounds {
        best(&mut ours, times, || {
            Envelope::seal(black_box(&content), black_box(&to), &context, rng).unwrap();
        });
        best(&mut whole, times, || {
            bare.iter().for_each(|(_, public)| drop(seal(public, &content)));
        });
        best(&mut key, times, || {
            bare.iter().for_each(|(_, public)| drop(seal(public, &content[..CONTENT_KEY])));
        });
        // By the last of them, whose key tells it nothing about where its slot is.
        best(&mut open, 200, || {
            let opening = keys.last().map(OpeningKey::Subscription);
            let opened = black_box(&envelope).open(opening, &context).unwrap();
            assert_eq!(*opened.content, content);
        });
        best(&mut bare_open, 200, || {
            assert_eq!(bare_opened(secret, &encapped, &sealed), content);
        });
    }
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let [ours, whole, key, open, bare_open] = [ours, whole, key, open, bare_open].map(micros);
    println!(
        "{recipients:>10} {ours:>10.1} {whole:>12.1} {:>6.2} {key:>12.1} {:>6.2} | {open:>10.1} {bare_open:>12.1} {:>6.2}",
        ours / whole,
        ours / key,
        open / bare_open,
    );
}

fn best(best: &mut Duration, times: usize, mut work: impl FnMut()) {
    let begun = Instant::now();
    (0..times).for_each(|_| work());
    *best = (*best).min(begun.elapsed() / u32::try_from(times).unwrap());
}

fn seal(public: &PublicKey, content: &[u8]) -> (EncappedKey, Vec<u8>) {
    let rng = &mut UnwrapErr(getrandom::SysRng);
    black_box(
        single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
            &OpModeS::Base,
            black_box(public),
            &INFO,
            black_box(content),
            &[],
            rng,
        )
        .unwrap(),
    )
}

fn bare_opened(secret: &PrivateKey, encapped: &EncappedKey, sealed: &[u8]) -> Vec<u8> {
    single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeR::Base,
        secret,
        encapped,
        &INFO,
        black_box(sealed),
        &[],
    )
    .unwrap()
}
