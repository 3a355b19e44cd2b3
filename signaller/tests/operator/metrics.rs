use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use taiinet_document::Timestamp;
use taiinet_identity::Signed;
use taiinet_mesh::wire::{FromSignaller, Signal, ToSignaller};

use crate::{
    client::Client,
    program::{Folder, Program, get},
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

/// The metric that a sample is of.
fn family<'a>(names: &BTreeMap<String, String>, sample: &'a str) -> &'a str {
    let parts = ["_bucket", "_sum", "_count"].map(|part| sample.strip_suffix(part));
    let histogram = parts.into_iter().flatten().find(|name| names.contains_key(*name));
    histogram.unwrap_or(sample)
}

/// Each value by its series.
fn series(exposition: &str) -> BTreeMap<&str, f64> {
    let samples = exposition.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(series, value)| (series, value.parse().unwrap()))
        .collect()
}

/// A counter that first shows itself with its first event never rises, as `rate()` and `increase()` see it.
#[tokio::test]
async fn each_series_is_there_from_the_start() {
    let program = start();
    let before = exposition(&program);
    let before: BTreeSet<_> = series(&before).into_keys().collect();
    for reason in ["flood", "over_budget", "false_name", "connections", "out_of_time"] {
        for family in ["refused_total", "pool_refused_total"] {
            let name = format!("taiinet_signaller_{family}{{reason=\"{reason}\"}}");
            assert!(before.contains(&*name), "{name}");
        }
    }
    let mut client = Client::joined(program.address(), "test").await;
    client.say(&ToSignaller::Join { presence: forged(&client), work: 0 }).await;
    while client.receive().await.is_some() {}
    program.metric_is("refused_total{reason=\"challenge\"}", 1);
    let after = exposition(&program);
    let after: BTreeSet<_> = series(&after).into_keys().collect();
    assert_eq!(after, before, "nothing comes later");
}

/// A presence that answers no challenge.
fn forged(client: &Client) -> Signed<taiinet_mesh::wire::Presence> {
    let presence = taiinet_mesh::wire::Presence {
        network: "test".parse().unwrap(),
        joined: None,
        issued_at: Timestamp::from_millis(1),
        expires_at: Timestamp::from_millis(2),
        address: None,
        next_key: None,
        archive: None,
        open: false,
    };
    Signed::new(&client.identity, &presence)
}

#[tokio::test]
async fn how_long_things_take_is_counted_in_buckets() {
    let program = start();
    let mut client = Client::joined(program.address(), "test").await;
    assert!(client.is_served().await);
    // The picture of the desk follows within a moment.
    crate::program::eventually("all are counted", || {
        let text = exposition(&program);
        let series = series(&text);
        let value = |name: &str| series.get(&*format!("taiinet_signaller_{name}")).copied();
        let counts = ["handshake", "join", "desk", "delivery"]
            .map(|name| value(&format!("{name}_seconds_count")).unwrap());
        let all = counts[..2] == [1.0, 1.0] && counts[2] >= 3.0 && counts[3] >= 3.0;
        all.then(|| {
            for (name, count) in ["handshake", "join", "desk", "delivery"].into_iter().zip(counts) {
                let bucket = |le: &str| value(&format!("{name}_seconds_bucket{{le=\"{le}\"}}"));
                assert_eq!(bucket("+Inf"), Some(count), "{name}");
                let each = ["0.0001", "0.0005", "0.0025", "0.01", "0.05", "0.25", "1", "5", "+Inf"];
                let each = each.map(|le| bucket(le).unwrap());
                assert!(each.is_sorted(), "{name} {each:?}");
                let sum = value(&format!("{name}_seconds_sum")).unwrap();
                // A second is much for anything here; the join is counted in milliseconds, and may take none.
                assert!(sum < 60.0 && (sum > 0.0 || name == "join"), "{name} {sum}");
            }
        })
    });
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
        value.parse::<f64>().unwrap();
        let sample = series.split('{').next().unwrap();
        let name = family(&names, sample);
        assert_eq!(names[name] == "counter", name.ends_with("_total"), "{name}");
        assert_eq!(names[name] == "histogram", name != sample, "{sample}");
        assert!(seen.insert(series), "{series} comes twice");
        let labels = series.strip_prefix(sample).unwrap();
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

/// A signaller that has all metrics there are: with TLS and a pool.
fn complete() -> (Folder, Program) {
    let folder = Folder::new();
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let cert = folder.write("cert.pem", &params.self_signed(&key).unwrap().pem());
    let key = folder.write("key.pem", &key.serialize_pem());
    let program = Program::start(&[
        "--metrics",
        "127.0.0.1:0",
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
        "--pool",
        "--public-url",
        "wss://one.example",
    ]);
    (folder, program)
}

/// The metrics that a query names, which must exist, and be counted as their kind is.
fn named(names: &BTreeMap<String, String>, query: &str) -> BTreeSet<String> {
    let words = query.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let ours: BTreeSet<_> = words.filter(|word| word.starts_with("taiinet_")).collect();
    assert!(!ours.is_empty(), "{query}");
    let each = ours.into_iter().map(|sample| {
        let name = family(names, sample);
        assert!(names.contains_key(name), "{name} in {query}");
        let counts = names[name] != "gauge";
        let rises =
            ["rate", "increase"].iter().any(|word| query.contains(&format!("{word}({sample}")));
        assert_eq!(rises, counts, "{query}");
        name.to_owned()
    });
    each.collect()
}

#[test]
fn each_query_of_the_dashboard_names_a_metric_that_exists() {
    let (_folder, program) = complete();
    let names = names(&exposition(&program));
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/grafana.json");
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut used = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            used.extend(named(&names, target["expr"].as_str().unwrap()));
        }
    }
    let unused: Vec<_> = names.keys().filter(|name| !used.contains(*name)).collect();
    assert!(unused.is_empty(), "not in the dashboard: {unused:?}");
}

/// `promtool check rules` says the rest.
#[test]
fn each_alert_names_a_metric_that_exists_and_says_what_to_do() {
    let (_folder, program) = complete();
    let names = names(&exposition(&program));
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/alerts.yml");
    let rules = std::fs::read_to_string(file).unwrap();
    let mut used = BTreeSet::new();
    let alerts: Vec<_> = rules.split("- alert: ").skip(1).collect();
    for alert in &alerts {
        let after = |key: &str| {
            let line = alert.lines().find_map(|line| line.trim_start().strip_prefix(key));
            line.unwrap_or_else(|| panic!("no {key} in {alert}"))
        };
        // `up` and the like are Prometheus' own.
        let query = after("expr: ");
        if query.contains("taiinet_") {
            used.extend(named(&names, query));
        }
        assert!(["warning", "critical"].contains(&after("severity: ")), "{alert}");
        for text in ["summary: ", "description: "] {
            assert!(after(text).len() > 20, "{alert}");
        }
    }
    assert!(alerts.len() >= 10, "{}", alerts.len());
    for name in ["tls_certificate_not_after_timestamp_seconds", "reloads_total", "desk_seconds"] {
        assert!(used.contains(&format!("taiinet_signaller_{name}")), "{name}");
    }
}

#[test]
fn metrics_that_others_can_reach_are_warned_of() {
    for (address, is_warned) in [
        ("127.0.0.1:9700", false),
        ("[::1]:9700", false),
        ("0.0.0.0:9700", true),
        ("[::]:9700", true),
        ("192.0.2.1:9700", true),
    ] {
        let said = crate::program::run(&["--metrics", address, "--check-config"]);
        assert!(said.status.success());
        let said = crate::program::text(&said.stderr).to_owned();
        assert_eq!(said.contains("whoever reaches"), is_warned, "{address}: {said}");
        assert_eq!(said.contains(&format!("whoever reaches {address}")), is_warned, "{said}");
    }
    let program = Program::start(&["--metrics", "0.0.0.0:0"]);
    program.logs("metrics: whoever reaches 0.0.0.0:0 can read them");
}
