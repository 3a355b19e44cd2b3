//! `taiinet node`: it carries what others publish, within its caps, and can be watched.
#![cfg(unix)]

use std::{
    io::{Read, Write},
    net::TcpStream,
    os::unix::net::UnixDatagram,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use taiinet_tests::{Mesh, Peer, Process, Signaller, generate_key, taiinet};

/// A node that runs, and where it tells metrics.
struct Node {
    process: Process,
    started: Value,
}

impl Node {
    /// Starts one with this file and these variables of its environment.
    fn start(config: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = taiinet(["node", "--json", "--metrics", "127.0.0.1:0", "--config"]);
        command.arg(config).envs(variables.iter().copied());
        let process = Process::start("node", &mut command);
        let started = process
            .eventually("started", |process| serde_json::from_str(process.stdout().first()?).ok());
        Self { process, started }
    }

    fn get(&self, path: &str) -> String {
        self.get_of("localhost", path)
    }

    /// The answer to a question for this host.
    fn get_of(&self, host: &str, path: &str) -> String {
        let address = self.started["metrics"].as_str().expect("it tells metrics");
        let mut stream = TcpStream::connect(address).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
            .expect("asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        answer
    }

    /// The value of a metric, `taiinet_node_NAME`, with its labels.
    fn metric(&self, name: &str) -> Option<u64> {
        let name = format!("taiinet_node_{name} ");
        self.get("/metrics").lines().find_map(|line| line.strip_prefix(&name)?.parse().ok())
    }

    fn metric_is(&self, name: &str, value: u64) {
        self.process.eventually(&format!("{name} is {value}"), |_| {
            (self.metric(name) == Some(value)).then_some(())
        });
    }

    /// Waits until it has so many neighbours in a network.
    fn has_neighbours(&self, mesh: &Mesh, count: u64) {
        self.metric_is(&of("neighbours", mesh), count);
    }
}

fn of(name: &str, mesh: &Mesh) -> String {
    format!("{name}{{network=\"{}\"}}", mesh.network())
}

fn config(signaller: &Signaller, networks: &[&Mesh], more: &str) -> String {
    let names: Vec<_> = networks.iter().map(|mesh| format!("{:?}", mesh.network())).collect();
    let (names, url) = (names.join(", "), signaller.url());
    format!("networks = [{names}]\nsignallers = [\"{url}\"]\nbind = [\"127.0.0.1\"]\n{more}\n")
}

/// A publisher and a subscriber that have room for one neighbour each, which is the node.
fn ends(node: &Node, mesh: &Mesh) -> (Peer, Peer) {
    let alone = ["--links", "1,1"];
    let publisher = mesh.run("publisher", &[&["publish", "--report"][..], &alone].concat());
    node.has_neighbours(mesh, 1);
    let subscriber = mesh.subscribe_with("subscriber", "{}", &alone);
    node.has_neighbours(mesh, 2);
    (publisher, subscriber)
}

#[test]
fn it_carries_several_networks_and_tells_what_it_does() {
    let signaller = Signaller::start();
    let (one, other) = (Mesh::new(&signaller), Mesh::new(&signaller));
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    generate_key(&path("key"));
    let more = format!("identity = {:?}\nstate = {:?}", path("key"), path("state"));
    std::fs::write(path("node.toml"), config(&signaller, &[&one, &other], &more)).expect("written");
    let told = UnixDatagram::bind(path("manager")).expect("a socket");
    let manager = path("manager").display().to_string();
    let variables = [("NOTIFY_SOCKET", &*manager), ("WATCHDOG_USEC", "600000000")];
    let mut node = Node::start(&path("node.toml"), &variables);
    told.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
    let says = |state: &str| {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut word = [0; 256];
        loop {
            let length = told.recv(&mut word).expect("a word");
            if word[..length].starts_with(state.as_bytes()) {
                return;
            }
            assert!(Instant::now() < deadline, "{state}");
        }
    };
    says("READY=1\nSTATUS=started");
    says("WATCHDOG=1");
    let names: Vec<&Value> =
        node.started["peers"].as_array().expect("a list").iter().map(|one| &one["peer"]).collect();
    assert!(names.len() == 2 && names[0] == names[1], "one name in all: {names:?}");

    // What may never have happened is there to be watched all the same.
    let reason = |reason| format!("network=\"{}\",reason=\"{reason}\"", one.network());
    let rejected = format!("rejected_total{{{}}}", reason("invalid_signature"));
    assert_eq!(node.metric(&rejected), Some(0));
    assert_eq!(node.metric(&of("documents_received_total", &one)), Some(0));

    for mesh in [&one, &other] {
        let (mut publisher, subscriber) = ends(&node, mesh);
        for number in 0..20 {
            publisher.publish(&json!({ "number": number, "network": mesh.network() }));
        }
        assert_eq!(subscriber.receives(20).len(), 20);
        node.metric_is(&of("documents_received_total", mesh), 20);
        let forwarded = node.metric(&of("documents_forwarded_total", mesh));
        assert!(forwarded >= Some(20), "{forwarded:?}");
        assert_eq!(node.metric(&of("signallers_joined", mesh)), Some(1));
    }
    assert!(node.metric("sent_bytes_total") > Some(20 * 100));
    assert!(node.metric("received_bytes_total") > Some(20 * 100));
    for path in ["/healthz", "/readyz"] {
        let answer = node.get(path);
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#""ok":true"#), "{answer}");
    }
    assert!(node.get("/other").starts_with("HTTP/1.1 404"));

    node.process.signal("HUP");
    says("RELOADING=1\nMONOTONIC_USEC=");
    says("READY=1\nSTATUS=reloaded");

    node.process.signal("TERM");
    assert_eq!(node.process.exit_code(), 0);
    says("STOPPING=1");
}

#[test]
fn nobody_to_meet_is_not_ready_and_alive_all_the_same() {
    let signaller = Signaller::start_at("127.0.0.1:0", &["--allow-network", "another one"]);
    let mesh = Mesh::new(&signaller);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("node.toml");
    std::fs::write(&file, config(&signaller, &[&mesh], "")).expect("written");
    let node = Node::start(&file, &[]);
    assert!(node.get("/healthz").starts_with("HTTP/1.1 200"));
    assert!(node.get("/readyz").starts_with("HTTP/1.1 503"));
    // A page may have a name that leads here, and is not to read along.
    assert!(node.get_of("page.example", "/metrics").starts_with("HTTP/1.1 421"));
}

/// What the cap lets through is measured by the clock of a burst that is far larger than what may go at once.
#[test]
fn its_caps_hold_and_lose_nothing() {
    const CAP: u64 = 200_000;
    let signaller = Signaller::start();
    for cap in ["upload", "download"] {
        let mesh = Mesh::new(&signaller);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("node.toml");
        let more = format!("{cap} = \"{}kB/s\"", CAP / 1000);
        std::fs::write(&file, config(&signaller, &[&mesh], &more)).expect("written");
        let node = Node::start(&file, &[]);
        let (mut publisher, subscriber) = ends(&node, &mesh);
        let text = "x".repeat(10_000);
        let begun = Instant::now();
        for number in 0..120 {
            publisher.publish(&json!({ "number": number, "text": text }));
        }
        let came = subscriber.receives(120);
        let took = begun.elapsed();
        let numbers: std::collections::BTreeSet<u64> =
            came.iter().filter_map(|document| document["number"].as_u64()).collect();
        assert_eq!((came.len(), numbers.len()), (120, 120), "none lost, none twice");
        // All but what may go in advance.
        let least = (120 * 10_000) as f64 * 0.9 / CAP as f64;
        assert!(took.as_secs_f64() > least, "{cap}: {took:?} is faster than the cap");
        // Nobody was given up for being slow.
        assert_eq!(node.metric(&of("neighbours", &mesh)), Some(2), "{cap}");
        let log = node.process.stderr().join("\n");
        assert!(!log.contains("neighbour lost"), "{cap}: {log}");
        let rejected = node.get("/metrics");
        let mut rejected =
            rejected.lines().filter(|line| line.starts_with("taiinet_node_rejected"));
        assert!(rejected.all(|line| line.ends_with(" 0")), "{cap}");
    }
}

#[test]
fn a_reload_applies_caps_and_blacklist_and_no_broken_file() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let (file, list) = (path("node.toml"), path("list"));
    let write = |more: &str| {
        let more = format!("blacklist = {list:?}\n{more}");
        std::fs::write(&file, config(&signaller, &[&mesh], &more)).expect("written");
    };
    write("");
    let node = Node::start(&file, &[]);
    let subscriber = mesh.subscribe("subscriber", "{}");
    node.has_neighbours(&mesh, 1);
    assert_eq!(node.metric("upload_cap_bytes_per_second"), Some(0));

    let blacklist = |verb: &str, peer: &str| {
        let list = list.display().to_string();
        let mut command = taiinet(["blacklist", "--blacklist", &list, verb, peer]);
        Process::start("blacklist", &mut command).succeeds();
    };
    let peer = subscriber.peer_id().expect("it has reported");
    blacklist("add", &peer);
    write("upload = \"1MB/s\"\nrelay-only = true");
    node.process.signal("HUP");
    node.metric_is("upload_cap_bytes_per_second", 1_000_000);
    node.has_neighbours(&mesh, 0);
    assert_eq!(node.metric(&of("blacklisted_peers", &mesh)), Some(1));
    node.process.eventually("says what takes a restart", |node| {
        node.stderr().iter().any(|line| line.contains("relay-only has changed")).then_some(())
    });

    std::fs::write(&file, "upload = 'broken").expect("written");
    node.process.signal("HUP");
    node.process.eventually("says so", |node| {
        node.stderr().iter().any(|line| line.contains("not reloaded")).then_some(())
    });
    assert_eq!(node.metric("upload_cap_bytes_per_second"), Some(1_000_000), "it stays");

    blacklist("unblock", &peer);
    write("");
    node.process.signal("HUP");
    node.metric_is("upload_cap_bytes_per_second", 0);
    node.metric_is(&of("blacklisted_peers", &mesh), 0);

    // The list counts from the start, and a file that names none lists nobody.
    blacklist("add", &peer);
    drop(node);
    let node = Node::start(&file, &[]);
    assert_eq!(node.metric(&of("blacklisted_peers", &mesh)), Some(1));
    std::fs::write(&file, config(&signaller, &[&mesh], "")).expect("written");
    node.process.signal("HUP");
    node.metric_is(&of("blacklisted_peers", &mesh), 0);
}
