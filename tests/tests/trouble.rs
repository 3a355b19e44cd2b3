//! What breaks, and what must go on all the same.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

use serde_json::{Value, json};
use taiinet_tests::{Mesh, Peer, Signaller, connected, eventually, generate_key};
use tokio_tungstenite::tungstenite::{self, Message};

fn ids(subscriber: &Peer) -> BTreeSet<String> {
    subscriber.deliveries().iter().map(|delivery| delivery["id"].to_string()).collect()
}

fn numbers(subscriber: &Peer) -> Vec<u64> {
    let mut numbers: Vec<u64> =
        subscriber.documents().iter().filter_map(|document| document["n"].as_u64()).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn without_its_signaller_a_mesh_goes_on_and_finds_it_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("signaller.key");
    generate_key(&key);
    // Its port may be taken for UDP by others while it is down.
    let args = ["--identity", &key.display().to_string(), "--stun", "off"];

    let mut signaller = Signaller::start_at("127.0.0.1:0", &args);
    let address = signaller.address().to_owned();
    let mesh = Mesh::new(&signaller);
    let subscribers = mesh.subscribers(3, "2,4");
    let mut publisher = mesh.publisher("publisher");
    publisher.has_neighbour();

    signaller.kill();
    for subscriber in &subscribers {
        subscriber.eventually("notices", |_| (!subscriber.has_joined()).then_some(()));
    }
    publisher.publish(&json!({ "when": "without a signaller" }));
    for subscriber in &subscribers {
        subscriber.receives_document(&json!({ "when": "without a signaller" }));
    }

    let _signaller = Signaller::start_at(&address, &args);
    for subscriber in &subscribers {
        subscriber.eventually("rejoins", |_| subscriber.has_joined().then_some(()));
    }
    let newcomer = mesh.subscribe("newcomer", "{}");
    newcomer.has_neighbour();
    publisher.publish(&json!({ "when": "after" }));
    for subscriber in subscribers.iter().chain([&newcomer]) {
        subscriber.receives_document(&json!({ "when": "after" }));
    }
}

#[test]
fn a_signaller_with_another_key_than_the_address_names_is_refused() {
    let other = Signaller::start();
    let (_, key) = other.url().split_once('#').expect("the address names the key");
    let signaller = Signaller::start();
    let bare = format!("ws://{}", signaller.address());

    let mesh = Mesh::by(&[&format!("{bare}#{key}")]);
    let subscriber = mesh.subscribe("subscriber", "{}");
    subscriber.eventually("refuses", |process| {
        process.report()?["signallers"][0]["failure"]
            .as_str()?
            .contains("its address names")
            .then_some(())
    });
    assert!(!subscriber.has_joined());

    // Without a key in the address there is nothing to hold it to.
    let mesh = Mesh::by(&[&bare]);
    let subscriber = mesh.subscribe("subscriber", "{}");
    subscriber.eventually("joins", |_| subscriber.has_joined().then_some(()));
}

#[test]
fn what_anybody_got_of_a_killed_publisher_everybody_gets() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let subscribers = mesh.subscribers(4, "2,3");
    let mut witness = mesh.publisher("witness");
    let mut publisher = mesh.publisher("publisher");
    publisher.has_neighbour();
    witness.has_neighbour();

    for n in 0..2000 {
        publisher.publish(&json!({ "n": n, "filler": "x".repeat(500) }));
        // The pipe holds some hundreds; the kill comes while others are on their way.
        if n % 50 == 0 && subscribers.iter().any(|subscriber| subscriber.stdout().len() > 300) {
            break;
        }
    }
    subscribers[0].receives(200);
    publisher.kill();

    let all_have_the_same = || {
        eventually("all have the same documents", || {
            let first = ids(&subscribers[0]);
            subscribers.iter().all(|subscriber| ids(subscriber) == first).then_some(())
        });
    };
    all_have_the_same();
    // A later document has come through the same mesh: what was still under way comes as well.
    witness.publish(&json!({ "last": true }));
    for subscriber in &subscribers {
        subscriber.receives_document(&json!({ "last": true }));
    }
    all_have_the_same();
    for subscriber in &subscribers {
        // At one moment, since more may come.
        let deliveries = subscriber.deliveries();
        let distinct: BTreeSet<String> =
            deliveries.iter().map(|delivery| delivery["id"].to_string()).collect();
        assert_eq!(deliveries.len(), distinct.len(), "each once");
    }
}

#[test]
fn others_get_everything_though_peers_between_them_are_killed() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let mut subscribers = mesh.subscribers(6, "2,3");
    let mut publisher = mesh.publisher("publisher");
    publisher.has_neighbour();

    const COUNT: u64 = 300;
    for n in 0..COUNT {
        publisher.publish(&json!({ "n": n }));
        if n == 100 {
            subscribers[0].receives(20);
            // A neighbour of the publisher, on whose links documents are under way.
            let neighbours = publisher.neighbours();
            let is_between =
                |peer: &Peer| peer.peer_id().is_some_and(|id| neighbours.contains(&id));
            let between = subscribers.iter().position(is_between).expect("it has a neighbour");
            drop(subscribers.remove(between));
        }
        if n == 200 {
            drop(subscribers.pop());
        }
    }
    for subscriber in &subscribers {
        subscriber.receives(COUNT as usize);
        assert_eq!(numbers(subscriber), (0..COUNT).collect::<Vec<_>>());
    }
}

#[test]
fn a_dead_signaller_among_two_does_not_matter() {
    // Bound and never accepting would hang; closed refuses. Both are tried.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = |port: &TcpListener| format!("ws://{}", port.local_addr().expect("an address"));
    let (silent_url, closed_url) = (url(&silent), url(&closed));
    drop(closed);

    let signaller = Signaller::start();
    let mesh = Mesh::by(&[&silent_url, &closed_url, signaller.url()]);
    let subscriber = mesh.subscribe("subscriber", "{}");
    let mut publisher = mesh.publisher("publisher");
    publisher.publish(&json!({ "n": 1 }));
    subscriber.receives_document(&json!({ "n": 1 }));
}

#[test]
fn garbage_at_the_signaller_does_not_disturb_its_peers() {
    let mut signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let subscriber = mesh.subscribe("subscriber", "{}");

    // Kept open: what a hostile client holds must not be missing elsewhere.
    let mut held = Vec::new();
    for n in 0..24_u8 {
        let Ok((mut socket, _)) = tungstenite::connect(signaller.url()) else { continue };
        let noise: Vec<u8> =
            (0..4096_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> n) as u8).collect();
        let message = match n % 6 {
            0 => Message::binary(noise),
            1 => Message::text("{\"join\": true}"),
            2 => Message::binary(vec![0xff; 300_000]),
            3 => Message::Ping(vec![0; 125].into()),
            4 => Message::binary(Vec::new()),
            _ => Message::binary(vec![n]),
        };
        // It may be closed on us at any of these.
        for _ in 0..8 {
            if socket.send(message.clone()).is_err() {
                break;
            }
        }
        held.push(socket);
    }
    let mut raw = Vec::new();
    for bytes in
        [&b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"[..], b"\x16\x03\x01\x02", b"\0"]
    {
        let mut socket = TcpStream::connect(signaller.address()).expect("it listens");
        let _ = socket.write_all(bytes);
        raw.push(socket);
    }

    let mut publisher = mesh.publisher("publisher");
    publisher.publish(&json!({ "n": 1 }));
    subscriber.receives_document(&json!({ "n": 1 }));
    assert!(healthz(signaller.address()).starts_with("HTTP/1.1 200"));
    assert!(signaller.is_running());
    assert_eq!(subscriber.documents().len(), 1);
}

fn healthz(address: &str) -> String {
    let mut socket = TcpStream::connect(address).expect("it listens");
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("it answers");
    answer
}

#[cfg(unix)]
#[test]
fn an_interrupted_peer_says_goodbye() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let (mut leaving, staying) = (mesh.subscribe("leaving", "{}"), mesh.subscribe("staying", "{}"));
    connected(&[&leaving, &staying]);
    leaving.signal("INT");
    leaving.succeeds();
    staying.eventually("sees it leave", |_| staying.neighbours().is_empty().then_some(()));
}

#[cfg(unix)]
#[test]
fn every_command_ends_well_when_interrupted() {
    let mut signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let mut subscriber = mesh.subscribe("subscriber", "{}");
    let mut peers = mesh.run("peers", &["peers", "--json"]);
    subscriber.has_neighbour();
    peers.eventually("prints", |peers| peers.stdout().first().map(|_| ()));
    for process in [&mut *peers, &mut *subscriber] {
        process.signal("INT");
        process.succeeds();
    }
    signaller.signal("TERM");
    signaller.succeeds();
}

#[test]
fn a_line_that_is_no_document_is_named_and_what_came_before_is_published() {
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let subscriber = mesh.subscribe("subscriber", "{}");
    let lines = "{\"n\":1}\n\n{\"n\":2,\"n\":3}\n{\"n\":4}\n";

    let mut publisher = mesh.run("publisher", &["publish"]);
    publisher.write(lines);
    publisher.end_input();
    assert_eq!(publisher.exit_code(), 1);
    let said = publisher.stderr().join("\n");
    assert!(said.contains("stdin:3"), "{said}");
    subscriber.receives_document(&json!({ "n": 1 }));

    let mut publisher = mesh.run("publisher", &["publish", "--skip-invalid"]);
    publisher.write(lines);
    publisher.end_input();
    publisher.succeeds();
    subscriber.receives_document(&json!({ "n": 4 }));
    let received: Vec<Value> = subscriber.documents();
    assert_eq!(received.len(), 3, "{received:?}");
}
