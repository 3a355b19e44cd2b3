//! The programs of a network.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::TcpStream,
    ops::{Deref, DerefMut},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::Value;

use crate::{Process, eventually, program, taiinet};

/// A running signaller.
#[derive(Debug)]
pub struct Signaller {
    process: Process,
    url: String,
    metrics: Option<String>,
}

impl Signaller {
    /// Starts one on a free port.
    pub fn start() -> Self {
        Self::start_at("127.0.0.1:0", &[])
    }

    /// Starts one at this address with these further arguments, and waits until it listens.
    ///
    /// # Panics
    /// If it does not say where it listens.
    pub fn start_at(address: &str, args: &[&str]) -> Self {
        let mut command = Command::new(program("taiinet-signaller"));
        Self::run(command.args(["--listen", address, "--json"]).args(args))
    }

    /// Runs one by this command, and waits until it listens.
    ///
    /// # Panics
    /// If it does not say where it listens.
    pub fn run(command: &mut Command) -> Self {
        let process = Process::start("signaller", command);
        let ready = process.eventually("ready", |process| {
            let ready: Value = serde_json::from_str(process.stdout().first()?).ok()?;
            ready["url"].is_string().then_some(ready)
        });
        let text = |name: &str| ready[name].as_str().map(ToOwned::to_owned);
        Self { process, url: text("url").unwrap_or_default(), metrics: text("metrics") }
    }

    /// Its address and key, as `ws://127.0.0.1:PORT#tn1…`.
    pub fn named_url(&self) -> String {
        self.url.clone()
    }

    /// Where it is, without its key.
    pub fn plain_url(&self) -> String {
        format!("ws://{}", self.address())
    }

    /// Its key.
    pub fn key(&self) -> &str {
        self.url.split('#').nth(1).unwrap_or_default()
    }

    /// The value of one of its metrics, `taiinet_signaller_NAME`, if it runs and tells them
    /// (`--metrics`).
    pub fn metric(&self, name: &str) -> Option<f64> {
        let mut stream = TcpStream::connect(self.metrics.as_ref()?).ok()?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let name = format!("taiinet_signaller_{name} ");
        answer.lines().find_map(|line| line.strip_prefix(&name)?.trim().parse().ok())
    }

    /// Where it is, as `ws://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it is, as `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        let rest = self.url.trim_start_matches("ws://");
        rest.split(['/', '#']).next().unwrap_or(rest)
    }
}

impl Deref for Signaller {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Signaller {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// A network of its own, and how to reach it.
#[derive(Debug, Clone)]
pub struct Mesh {
    network: String,
    signallers: Vec<String>,
}

impl Mesh {
    /// A network that no other test has, by this signaller.
    pub fn new(signaller: &Signaller) -> Self {
        Self::by(&[signaller.url()])
    }

    /// A network that no other test has, by these signallers.
    pub fn by(signallers: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let network = format!("test-{}-{count}", std::process::id());
        Self { network, signallers: signallers.iter().map(|url| (*url).to_owned()).collect() }
    }

    /// The same network, by these signallers.
    #[must_use]
    pub fn at(&self, signallers: &[&Signaller]) -> Self {
        let signallers = signallers.iter().map(|signaller| signaller.url.clone()).collect();
        Self { network: self.network.clone(), signallers }
    }

    /// The network's name.
    pub fn network(&self) -> &str {
        &self.network
    }

    /// `taiinet` with these arguments, on this network.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = taiinet(args);
        command.args(["--network", &self.network, "--bind", "127.0.0.1:0"]);
        for signaller in &self.signallers {
            command.args(["--signaller", signaller]);
        }
        command
    }

    /// A peer that runs `taiinet` with these arguments.
    pub fn run(&self, name: &str, args: &[&str]) -> Peer {
        Peer::start(name, &mut self.command(args))
    }

    /// A peer that subscribes, and reports.
    pub fn subscribe(&self, name: &str, query: &str) -> Peer {
        self.subscribe_with(name, query, &[])
    }

    /// A peer that subscribes with further arguments, and reports.
    pub fn subscribe_with(&self, name: &str, query: &str, args: &[&str]) -> Peer {
        self.run(name, &[&["subscribe", query, "--json", "--report"], args].concat())
    }

    /// A peer that publishes what the test writes to its stdin, and reports.
    pub fn publisher(&self, name: &str) -> Peer {
        self.run(name, &["publish", "--report"])
    }

    /// As many subscribers to everything, all of them one mesh; `links` as for `--links`.
    pub fn subscribers(&self, count: usize, links: &str) -> Vec<Peer> {
        let peers: Vec<Peer> = (0..count)
            .map(|n| self.subscribe_with(&format!("peer {n}"), "{}", &["--links", links]))
            .collect();
        connected(&peers.iter().collect::<Vec<_>>());
        peers
    }
}

/// Waits until these peers are one mesh.
///
/// # Panics
/// If they are not within a minute.
pub fn connected(peers: &[&Peer]) {
    eventually("the peers are one mesh", || {
        let ids: Vec<String> = peers.iter().map(|peer| peer.peer_id()).collect::<Option<_>>()?;
        let links: Vec<BTreeSet<String>> = peers.iter().map(|peer| peer.neighbours()).collect();
        let linked = |a: usize, b: usize| links[a].contains(&ids[b]) || links[b].contains(&ids[a]);
        let (mut reached, mut ahead) = (BTreeSet::from([0]), vec![0]);
        while let Some(here) = ahead.pop() {
            let next = (0..peers.len()).filter(|&there| linked(here, there));
            ahead.extend(next.filter(|&there| reached.insert(there)));
        }
        (reached.len() == peers.len()).then_some(())
    });
}

/// A running `taiinet` that takes part in a network.
#[derive(Debug)]
pub struct Peer {
    process: Process,
}

impl Peer {
    /// One that is run by this command.
    pub fn start(name: &str, command: &mut Command) -> Self {
        Self { process: Process::start(name, command) }
    }

    /// Its name in the network, once it has reported.
    pub fn peer_id(&self) -> Option<String> {
        Some(self.report()?["peer_id"].as_str()?.to_owned())
    }

    /// Its active links, by its last report.
    pub fn neighbours(&self) -> BTreeSet<String> {
        let report = self.report().unwrap_or_default();
        let links = report["links"].as_array().into_iter().flatten();
        links
            .filter(|link| link["state"] == "active")
            .filter_map(|link| Some(link["peer"].as_str()?.to_owned()))
            .collect()
    }

    /// Whether a signaller has accepted it, by its last report.
    pub fn has_joined(&self) -> bool {
        let report = self.report().unwrap_or_default();
        let mut signallers = report["signallers"].as_array().into_iter().flatten();
        signallers.any(|signaller| signaller["joined"] == true)
    }

    /// Waits for its first neighbour.
    pub fn has_neighbour(&self) {
        self.eventually("has a neighbour", |_| (!self.neighbours().is_empty()).then_some(()));
    }

    /// What a subscriber was delivered so far, with author, id and times.
    ///
    /// # Panics
    /// If it printed something else.
    pub fn deliveries(&self) -> Vec<Value> {
        let parse = |line: &String| {
            serde_json::from_str(line).unwrap_or_else(|_| panic!("not a delivery: {line}"))
        };
        self.stdout().iter().map(parse).collect()
    }

    /// The documents that a subscriber was delivered so far, in order.
    pub fn documents(&self) -> Vec<Value> {
        self.deliveries().into_iter().map(|mut delivery| delivery["data"].take()).collect()
    }

    /// Waits until so many documents are here; gives all that are.
    pub fn receives(&self, count: usize) -> Vec<Value> {
        self.eventually(&format!("got {count} documents"), |process| {
            (process.stdout().len() >= count).then_some(())
        });
        self.documents()
    }

    /// Waits until a document is here.
    pub fn receives_document(&self, document: &Value) {
        self.eventually(&format!("got {document}"), |_| {
            // Comparing only the newest keeps this cheap.
            self.stdout().iter().rev().find_map(|line| {
                let delivery: Value = serde_json::from_str(line).ok()?;
                (delivery["data"] == *document).then_some(())
            })
        });
    }

    /// Publishes one more document.
    pub fn publish(&mut self, document: &Value) {
        self.write(&format!("{document}\n"));
    }
}

impl Deref for Peer {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Peer {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}
