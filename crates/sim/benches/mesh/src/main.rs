//! Twenty peers of the core on in-memory links against twenty of libp2p's gossipsub, in one run:
//! `cargo xtask bench mesh [--quick]`.
//!
//! All peers publish signed documents of 1 KiB in turn, at one rate in all, and all want everything.
//! What is compared is the processor time of a delivery (a document that comes to a peer other than its
//! author, for the first time) and the copies of a document that a peer receives. Ours run on the
//! simulator's virtual clock with links of 1 to 2 ms; gossipsub runs in real time on libp2p's memory
//! transport, as it ships (Noise) and without encryption (plaintext), since the links of the simulator
//! have none either.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

mod core;
mod gossipsub;

use std::time::Duration;

/// Peers in each mesh.
pub(crate) const PEERS: usize = 20;
/// The links that gossipsub's peers have before it chooses its mesh among them; ours have at most as many.
pub(crate) const LINKS: usize = 10;
/// Bytes of text in a document.
pub(crate) const TEXT_BYTES: usize = 1024;
/// How long each mesh carries documents before it is measured.
pub(crate) const WARM_UP: Duration = Duration::from_secs(10);

/// What a mesh did while it was measured.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Figures {
    /// Documents published.
    pub(crate) published: u64,
    /// First copies that came to others than the author.
    pub(crate) delivered: u64,
    /// All copies that came to any peer.
    pub(crate) received: u64,
    /// The processor time of the process.
    pub(crate) cpu: Duration,
}

impl Figures {
    fn micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.delivered.max(1) as f64
    }

    fn copies(&self) -> f64 {
        self.received as f64 / self.delivered.max(1) as f64
    }

    fn delivered_share(&self) -> f64 {
        self.delivered as f64 * 100.0 / (self.published * (PEERS as u64 - 1)).max(1) as f64
    }
}

fn main() {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let time = Duration::from_secs(if quick { 10 } else { 30 });
    println!(
        "{PEERS} peers, all publishing signed documents of {TEXT_BYTES} bytes; {} s each",
        time.as_secs()
    );
    println!(
        "{:<26} {:>10} {:>12} {:>8} {:>11} | {:>9}",
        "", "offered/s", "CPU µs each", "copies", "delivered %", "ours: CPU"
    );
    for rate in [50, 150] {
        let ours = core::measure(rate, time);
        let print = |name: &str, figures: &Figures, ratio: &str| {
            println!(
                "{name:<26} {rate:>10} {:>12.0} {:>8.2} {:>11.1} | {ratio:>9}",
                figures.micros(),
                figures.copies(),
                figures.delivered_share(),
            );
        };
        print("taiinet", &ours, "");
        for (name, security) in [
            ("gossipsub, noise", gossipsub::Security::Noise),
            ("gossipsub, plaintext", gossipsub::Security::Plaintext),
        ] {
            let theirs = gossipsub::measure(rate, time, security);
            print(name, &theirs, &format!("{:.2}×", ours.micros() / theirs.micros()));
        }
    }
    println!("(aim: at most 0.1 of gossipsub's processor time for each delivery)");
}

/// The processor time of this process so far.
pub(crate) fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}
