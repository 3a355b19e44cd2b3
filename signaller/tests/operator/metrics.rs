use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use taiinet_document::Timestamp;
use taiinet_identity::Signed;
use taiinet_mesh::wire::{FromSignaller, Signal, ToSignaller};

use crate::{
    client::Client,
    program::{Program, get},
};

fn start() -> Program {
    Program::start(&["--metrics", "127.0.0.1:0", "--max-clients-per-address", "3"])
}

fn exposition(program: &Program) -> String {
    let answer = get(program.metrics_address(), "/metrics", "");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    body.to_owned()
}

/// The names of all metrics, with their types.
fn names(exposition: &str) -> BTreeMap<String, String> {
    let types = exposition.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
        .collect()
}

#[tokio::test]
async fn what_happens_is_counted() {
    let program = start();
    let mut a = Client::joined(program.address(), "test").await;
    let mut b = Client::joined(program.address(), "test").await;
    let mut stranger = Client::connect(program.address()).await;
    assert!(Client::try_connect(program.address(), &[]).await.is_err());
    stranger.say(&ToSignaller::Introduce { want: 1 }).await;
    while stranger.receive().await.is_some() {}
    a.say(&ToSignaller::Introduce { want: 4 }).await;
    assert!(matches!(a.receive().await, Some(FromSignaller::Introduced { .. })));
    for to in [b.id(), stranger.id()] {
        let signal = Signal {
            network: "test".parse().unwrap(),
            to,
            sent_at: Timestamp::from_millis(1),
            sealed: vec![7; 5000],
        };
        a.say(&ToSignaller::Signal(Signed::new(&a.identity, &signal))).await;
    }
    assert!(matches!(b.receive().await, Some(FromSignaller::Signal(_))));
    assert!(matches!(a.receive().await, Some(FromSignaller::Unreachable(_))));

    for (name, value) in [
        ("clients", 2),
        ("connections", 2),
        ("connections_limit", 10_000),
        ("joined_peers", 2),
        ("networks", 1),
        ("joins_total", 2),
        ("introductions_total", 1),
        ("signals_total{result=\"routed\"}", 1),
        ("signals_total{result=\"unreachable\"}", 1),
        ("refused_total{reason=\"out_of_turn\"}", 1),
        ("connections_total", 3),
        ("connections_refused_total{reason=\"address_full\"}", 1),
        ("slow_readers_total", 0),
        ("handshakes", 0),
    ] {
        program.metric_is(name, value);
    }
    for (name, range) in [
        ("resident_memory_bytes", 1_000_000..1_000_000_000),
        ("received_bytes_total", 10_000..20_000),
        ("sent_bytes_total", 5_000..20_000),
        ("received_messages_total", 8..20),
        ("sent_messages_total", 7..20),
    ] {
        let value = program.metric(name);
        assert!(range.contains(&value), "{name} {value}");
    }
}

#[tokio::test]
async fn the_text_is_as_prometheus_wants_it_and_names_nobody() {
    let program = start();
    let client = Client::joined(program.address(), "secret").await;
    let text = exposition(&program);
    let names = names(&text);
    let mut seen = BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        value.parse::<u64>().unwrap();
        let name = series.split('{').next().unwrap();
        assert_eq!(names[name] == "counter", name.ends_with("_total"), "{name}");
        assert!(seen.insert(series), "{series} comes twice");
        let labels = series.strip_prefix(name).unwrap();
        assert!(labels.is_empty() || labels.ends_with("\"}"), "{series}");
    }
    assert_eq!(text.matches("# HELP ").count(), names.len());
    for word in ["tn1", "127.0", "secret", &client.id().to_string(), program.peer_id()] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn they_are_at_an_address_of_their_own() {
    let program = start();
    for path in ["/metrics", "/health"] {
        assert!(get(program.address(), path, "").starts_with("HTTP/1.1 404"));
        assert!(get(program.metrics_address(), path, "").starts_with("HTTP/1.1 200"));
    }
    let answer = get(program.metrics_address(), "/health", "");
    let health: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(health["ok"], true);
    assert_eq!(health["joined"], 0);
    for path in ["/", "/ws", "/healthz"] {
        assert!(get(program.metrics_address(), path, "").starts_with("HTTP/1.1 404"));
    }
}

#[test]
fn each_query_of_the_dashboard_names_a_metric_that_exists() {
    let text = exposition(&start());
    let names = names(&text);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/grafana.json");
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut used = BTreeSet::new();
    let panels = dashboard["panels"].as_array().unwrap();
    for panel in panels {
        for target in panel["targets"].as_array().unwrap() {
            let query = target["expr"].as_str().unwrap();
            let words =
                query.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            let ours: Vec<_> = words.filter(|word| word.starts_with("taiinet_")).collect();
            assert!(!ours.is_empty(), "{query}");
            for name in ours {
                assert!(names.contains_key(name), "{name} in {query}");
                let counts = names[name] == "counter";
                assert_eq!(query.contains(&format!("rate({name}")), counts, "{query}");
                used.insert(name.to_owned());
            }
        }
    }
    let unused: Vec<_> = names.keys().filter(|name| !used.contains(*name)).collect();
    assert!(unused.is_empty(), "not in the dashboard: {unused:?}");
}
