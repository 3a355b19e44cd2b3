//! A signaller against a bare relay of the same bytes: `cargo bench -p taiinet-signaller`.
//!
//! Each server is a process of its own, so that its processor time and memory can be read from
//! outside; the clients share the machine with it.
#![allow(clippy::unwrap_used)]

mod clients;
mod joins;
mod servers;

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use clients::{Pair, measure};

/// Pairs of clients, of which one sends and the other receives.
const PAIRS: usize = 64;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let quick = args.iter().any(|arg| arg == "--quick");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if args.iter().any(|arg| arg == "serve-bare") {
        return runtime.block_on(servers::bare());
    }
    if args.iter().any(|arg| arg == "serve-desk") {
        return runtime.block_on(servers::desk());
    }
    let (rounds, time) = if quick { (1, 2) } else { (3, 4) };
    let time = Duration::from_secs(time);

    println!(
        "signals of {} bytes between {PAIRS} pairs, median of {rounds} rounds",
        clients::signal_bytes()
    );
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        bare.push(round("serve-bare", &runtime, time));
        ours.push(round("serve-desk", &runtime, time));
    }
    let (ours, bare) = (median(ours), median(bare));
    print("signaller", &ours, bare.0);
    print("bare relay", &bare, bare.0);

    let joined = if quick { 1000 } else { 5000 };
    let (idle, each) = memory(&runtime, joined);
    println!("memory: {idle} KiB idle, {each:.1} KiB for each of {joined} joined peers");
    joins::measure(quick);
}

fn print(name: &str, (rate, micros): &(f64, f64), of: f64) {
    println!(
        "{name:<20} {rate:>10.0} /s   {micros:>6.2} µs of server CPU each   {:>6.2}",
        rate / of
    );
}

fn median(mut rounds: Vec<(f64, f64)>) -> (f64, f64) {
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    rounds[rounds.len() / 2]
}

/// Signals a second, and the server's processor time for each in microseconds.
fn round(kind: &str, runtime: &tokio::runtime::Runtime, time: Duration) -> (f64, f64) {
    let server = Server::start(kind);
    runtime.block_on(async {
        let mut pairs = Vec::new();
        for number in 0..PAIRS {
            pairs.push(Pair::connect(server.address, number, kind == "serve-desk").await);
        }
        let before = server.cpu();
        let (count, elapsed) = measure(pairs, time).await;
        let cpu = server.cpu() - before;
        (count as f64 / elapsed.as_secs_f64(), cpu.as_secs_f64() * 1e6 / count as f64)
    })
}

/// Memory without anybody, and for each joined peer, in KiB.
fn memory(runtime: &tokio::runtime::Runtime, peers: usize) -> (u64, f64) {
    let server = Server::start("serve-desk");
    runtime.block_on(async {
        let before = server.memory();
        let mut joined = Vec::new();
        for number in 0..peers {
            joined.push(clients::Client::join(server.address, number).await);
        }
        let after = server.memory();
        (before, (after - before) as f64 / peers as f64)
    })
}

/// A server in a process of its own.
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(kind: &str) -> Self {
        let program = std::env::current_exe().unwrap();
        let mut process = Command::new(program).arg(kind).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { address: line.trim().parse().unwrap(), process }
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).unwrap()
    }

    /// Processor time so far (proc_pid_stat(5): utime and stime, in hundredths of a second).
    fn cpu(&self) -> Duration {
        let stat = self.proc("stat");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks = |at: usize| fields[at].parse::<u64>().unwrap();
        Duration::from_millis((ticks(11) + ticks(12)) * 10)
    }

    /// Resident, in KiB.
    fn memory(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
