//! Attackers with real links, and what all others do meanwhile.
//!
//! `cargo nextest run -p taiinet-tests attackers --no-capture` prints what each attack cost.

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::Command,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use taiinet_mesh::limits;
use taiinet_tests::{Mesh, Peer, Process, Signaller, program, resident};

/// How often an attacker's link may end for another reason than its flood.
const ATTEMPTS: usize = 5;

/// A peer that floods one victim.
struct Attacker {
    process: Process,
    name: String,
}

impl Attacker {
    fn link_to(victim: &Peer, mesh: &Mesh, signaller: &Signaller) -> Self {
        let id = victim.peer_id().expect("it has reported");
        let mut command = Command::new(program("hostile"));
        let process =
            Process::start("hostile", command.args([signaller.url(), mesh.network(), &id]));
        let name = process.eventually("started", |process| {
            Some(event(process, 0, &["started"])?["peer"].as_str()?.to_owned())
        });
        let attacker = Self { process, name };
        attacker.is_linked();
        attacker
    }

    fn is_linked(&self) {
        self.process
            .eventually("is linked to its victim", |process| is_linked(process).then_some(()));
    }

    /// Floods until the attack has ended as it is to; how many messages that took.
    ///
    /// Two peers that dial each other at once keep one link of two, and on a machine that is busy enough one may
    /// seem gone: a link that ends without the offence proves nothing, and the flood begins anew on the next.
    fn floods(&mut self, word: &str, count: u32, end: End, victim: &Peer) -> u64 {
        let over = if end == End::Ignored { "flooded" } else { "closed" };
        let mut messages = 0;
        for _ in 0..ATTEMPTS {
            let before = self.process.stdout().len();
            self.process.write(&format!("{word} {count}\n"));
            let last = self.process.eventually(&format!("{word}: {over}"), |process| {
                event(process, before, &[over, "closed", "refused"])
            });
            messages += last["messages"].as_u64().unwrap_or_default();
            let now = unix_millis();
            victim.eventually("reports", |victim| {
                (victim.report()?["now"].as_u64()? >= now).then_some(())
            });
            // The victim may still have to read what came before its link ended.
            let is_reached = self.process.eventually("has met its end or a new link", |process| {
                let is_reached = end.is_reached(victim, &self.name);
                (is_reached || is_linked(process)).then_some(is_reached)
            });
            if is_reached {
                return messages;
            }
            let why = event(&self.process, before, &["disconnected"]).unwrap_or_default();
            eprintln!("{word}: its link ended otherwise: {last}, {why}");
        }
        panic!("{word}: in {ATTEMPTS} attempts it did not end as {end:?}");
    }
}

/// Whether the attacker has a link to its victim.
fn is_linked(process: &Process) -> bool {
    event(process, 0, &["linked", "closed"]).is_some_and(|last| last["event"] == "linked")
}

/// The last of these events that a process told of after so many lines.
fn event(process: &Process, after: usize, names: &[&str]) -> Option<Value> {
    let lines = process.stdout();
    let mut events =
        lines.iter().skip(after).filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events.rfind(|event| names.iter().any(|name| event["event"] == *name))
}

fn blacklist(peer: &Peer) -> Vec<String> {
    let report = peer.report().unwrap_or_default();
    let listed = report["blacklist"].as_array().cloned().unwrap_or_default();
    listed.iter().filter_map(|listed| Some(listed["peer"].as_str()?.to_owned())).collect()
}

fn counted(peer: &Peer, what: &str) -> u64 {
    peer.report().unwrap_or_default()["counters"]["rejected"][what].as_u64().unwrap_or_default()
}

/// How an attack ends for the attacker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Its link is cut and it is blacklisted, for this.
    Blacklisted(&'static str),
    /// Its link is cut once it has done this so many times; a second time leads to the blacklist.
    Cut(&'static str, u64),
    /// It is held to a budget or waits for nothing; that costs no peer anything.
    Ignored,
}

impl End {
    /// Whether the victim has done to the attacker what it is to do, by its last report.
    fn is_reached(self, victim: &Peer, attacker: &str) -> bool {
        match self {
            Self::Blacklisted(what) => {
                blacklist(victim).iter().any(|listed| listed == attacker)
                    && counted(victim, what) > 0
            }
            Self::Cut(what, times) => counted(victim, what) >= times,
            Self::Ignored => true,
        }
    }
}

fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("not in so many years")
}

/// Each kind of flood hits one of five peers while another publishes: all get everything, no
/// memory grows, the attacker is cut as it deserves, and no honest peer is blamed.
#[test]
fn floods_of_every_kind_disturb_nobody() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let quota = ["--author-quota", "50,200", "--links", "3,8"];
    let peers: Vec<Peer> = (0..4)
        .map(|number| {
            mesh.subscribe_with(&format!("peer {number}"), r#"{"n": {"$gte": 0}}"#, &quota)
        })
        .collect();
    taiinet_tests::connected(&peers.iter().collect::<Vec<_>>());
    let mut publisher = mesh.run("publisher", &[&["publish", "--report"], &quota[..]].concat());
    publisher.has_neighbour();
    let honest: Vec<String> = peers.iter().filter_map(Peer::peer_id).collect();
    let victim = &peers[0];

    eprintln!(
        "{:<12} {:>9} {:>8} {:>9} {:>10} {:>8}",
        "attack", "messages", "cut", "delivered", "slowest ms", "KiB more"
    );
    let mut published = 0_u64;
    for (word, count, end) in [
        ("signatures", 2_000, End::Blacklisted("InvalidSignature")),
        ("quota", 10_000, End::Blacklisted("AuthorFlood")),
        ("random", 2_000, End::Cut("Undecodable", 1)),
        ("giant", 2_000, End::Cut("Oversize", 1)),
        ("replays", 2_000, End::Cut("LongOver", u64::from(limits::LINK_TOLERANCE.0))),
        ("promises", 2_000, End::Blacklisted("AnnouncementFlood")),
        ("searches", 2_000, End::Blacklisted("FindFlood")),
        ("shuffles", 2_000, End::Blacklisted("ExchangeFlood")),
        ("tiny", 20_000, End::Ignored),
    ] {
        let mut attacker = Attacker::link_to(victim, &mesh, &signaller);
        let before = resident(victim.id());
        let first = published;
        let publish = |publisher: &mut Peer, published: &mut u64, count: u64| {
            for _ in 0..count {
                publisher.publish(&json!({ "n": *published }));
                *published += 1;
            }
        };
        publish(&mut publisher, &mut published, 10);
        let messages = attacker.floods(word, count, end, victim);
        publish(&mut publisher, &mut published, 10);
        for peer in &peers {
            peer.receives(usize::try_from(published).expect("few"));
        }
        if !matches!(end, End::Blacklisted(_)) {
            assert!(!blacklist(victim).contains(&attacker.name), "{word}");
        }
        if end == End::Ignored {
            assert!(event(&attacker.process, 0, &["closed"]).is_none(), "{word}");
        }
        let deliveries = peers.iter().flat_map(Peer::deliveries);
        let latency = |delivery: &Value| {
            Some(delivery["received_at"].as_i64()? - delivery["created_at"].as_i64()?)
        };
        let of_this = deliveries.filter(|one| one["data"]["n"].as_u64() >= Some(first));
        let latencies: Vec<i64> = of_this.filter_map(|one| latency(&one)).collect();
        let more = resident(victim.id()).saturating_sub(before);
        eprintln!(
            "{word:<12} {messages:>9} {:>8} {:>9} {:>10} {more:>8}",
            if end == End::Ignored { "no" } else { "yes" },
            format!("{}/{}", latencies.len(), 4 * (published - first)),
            latencies.iter().max().copied().unwrap_or_default(),
        );
        assert!(more < 48 * 1024, "{word}: {more} KiB more");
    }
    for peer in &peers {
        for listed in blacklist(peer) {
            assert!(!honest.contains(&listed), "an honest peer was blacklisted");
        }
        let documents = peer.documents();
        assert_eq!(documents.len() as u64, published, "each once");
    }
    publisher.end_input();
    publisher.succeeds();
}

/// A thousand idle connections from one address: it may have so many and no more, and others join and meet
/// as ever.
#[test]
fn a_thousand_connections_from_one_address_keep_nobody_out() {
    let signaller = Signaller::start_at("127.0.0.1:0", &["--max-clients-per-address", "100"]);
    let mesh = Mesh::new(&signaller);
    let before = resident(signaller.id());
    let address: SocketAddr = signaller.address().parse().expect("an address");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("one");
    let held = runtime.block_on(async {
        let mut held = Vec::new();
        for _ in 0..1000 {
            let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
            socket.bind((Ipv4Addr::new(127, 0, 0, 9), 0).into()).expect("loopback");
            if let Ok(stream) = socket.connect(address).await {
                held.push(stream);
            }
        }
        held
    });
    let begun = Instant::now();
    let reader = mesh.subscribe("reader", "{}");
    let mut publisher = mesh.run("publisher", &["publish"]);
    publisher.publish(&json!({ "through": "the crowd" }));
    publisher.end_input();
    publisher.succeeds();
    reader.receives_document(&json!({ "through": "the crowd" }));
    eprintln!(
        "{} connections held, {} KiB more, an honest pair met in {} ms",
        held.len(),
        resident(signaller.id()).saturating_sub(before),
        begun.elapsed().as_millis()
    );
    assert!(resident(signaller.id()).saturating_sub(before) < 32 * 1024);
    assert!(begun.elapsed() < Duration::from_secs(30));
}
