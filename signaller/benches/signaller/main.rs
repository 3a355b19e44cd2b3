//! A signaller against a bare relay of the same bytes and the npm package `peer`:
//! `cargo bench -p taiinet-signaller [-- --quick]`. `cargo xtask bench signaller` installs `peer`.
//!
//! Each server is a process of its own, so that its processor time and memory can be read from
//! outside; the clients share the machine with it. All is on 127.0.0.1.
#![allow(clippy::unwrap_used)]

mod clients;
mod joins;
mod process;
mod servers;

use std::time::Duration;

use clients::{Client, Pair, measure};
use process::{Kind, Server};
use tokio::runtime::{Builder, Runtime};

/// As in the command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Pairs of clients, of which one sends and the other receives.
const PAIRS: usize = 64;
const IDLE_PEERS: usize = 5000;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let is_given = |wanted: &str| args.iter().any(|arg| arg == wanted);
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    if is_given("serve-bare") {
        return runtime.block_on(servers::bare());
    }
    if is_given("serve-desk") {
        return runtime.block_on(servers::desk());
    }
    servers::raise_descriptors();
    let quick = is_given("--quick");
    signals(&runtime, quick);

    let each = memory(&runtime, IDLE_PEERS);
    println!(
        "memory of each idle joined peer, {IDLE_PEERS} of them: {each:.1} KiB   (aim: at most 16)"
    );
    joins::measure(quick);
}

fn signals(runtime: &Runtime, quick: bool) {
    let (count, seconds) = if quick { (1, 2) } else { (5, 3) };
    println!(
        "signals of {} bytes between {PAIRS} pairs; median of {count} rounds of {seconds} s",
        clients::signal_bytes()
    );
    // Each in turn: a busy neighbour on the machine slows all alike.
    let (mut desk, mut bare, mut peer) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..count {
        let time = Duration::from_secs(seconds);
        bare.extend(round(Kind::Bare, runtime, time));
        desk.extend(round(Kind::Desk, runtime, time));
        peer.extend(round(Kind::Peer, runtime, time));
    }
    println!(
        "{:<12} {:>10} {:>16} | {:>11} {:>9}",
        "", "signals/s", "server µs each", "ours: rate", "µs each"
    );
    let ours = median(desk);
    let print = |name: &str, theirs: &Round, aim: &str| {
        let (rate, micros) = (theirs.rate, theirs.micros);
        println!(
            "{name:<12} {rate:>10.0} {micros:>16.2} | {:>10.2}× {:>8.2}×   {aim}",
            ours.rate / rate,
            ours.micros / micros
        );
    };
    print("signaller", &ours, "(aim: at most 2.5 µs)");
    print("bare relay", &median(bare), "(aim: at least 0.5 of its rate)");
    if peer.is_empty() {
        println!(
            "{:<12} left out: it takes Node.js and `cargo xtask bench signaller`, which installs it",
            "npm peer"
        );
    } else {
        print("npm peer", &median(peer), "(aim: at least 10 times its rate)");
    }
}

/// What a round measured.
struct Round {
    /// Signals a second.
    rate: f64,
    /// The server's processor time for each, in microseconds.
    micros: f64,
}

/// None if there is no such server here.
fn round(kind: Kind, runtime: &Runtime, time: Duration) -> Option<Round> {
    let server = Server::start(kind)?;
    runtime.block_on(async {
        let mut pairs = Vec::new();
        for number in 0..PAIRS {
            pairs.push(Pair::connect(server.address, number, kind).await);
        }
        let before = server.cpu();
        let (count, elapsed) = measure(pairs, time).await;
        let cpu = server.cpu() - before;
        let rate = count as f64 / elapsed.as_secs_f64();
        Some(Round { rate, micros: cpu.as_secs_f64() * 1e6 / count as f64 })
    })
}

fn median(mut rounds: Vec<Round>) -> Round {
    rounds.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    rounds.swap_remove(rounds.len() / 2)
}

/// What each joined peer that says nothing takes, in KiB.
fn memory(runtime: &Runtime, peers: usize) -> f64 {
    let server = Server::start(Kind::Desk).unwrap();
    runtime.block_on(async {
        let before = server.memory();
        let mut joined = Vec::new();
        for number in 0..peers {
            joined.push(Client::idle(server.address, number).await);
        }
        let after = server.memory();
        (after - before) as f64 / peers as f64
    })
}
