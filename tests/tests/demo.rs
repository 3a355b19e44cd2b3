//! `taiinet-demo`, as the README shows it.

#[cfg(target_os = "linux")]
use std::process::Command;

use serde_json::Value;
use taiinet_tests::{Process, command};
#[cfg(target_os = "linux")]
use taiinet_tests::{eventually, taiinet};

fn demo(args: &[&str]) -> Process {
    Process::start("demo", &mut command("taiinet-demo", args))
}

#[test]
fn every_subscriber_gets_exactly_what_its_query_matches() {
    let mut demo = demo(&["--once", "--json", "--rate", "500"]);
    demo.succeeds();
    let result: Value = serde_json::from_str(&demo.stdout().join("\n")).expect("one JSON value");
    assert_eq!(result["ok"], true);
    assert_eq!(result["published"], 1707);
    let peers = result["peers"].as_array().expect("a list of peers");
    assert_eq!(peers.len(), 6);
    let mut expected: Vec<u64> = Vec::new();
    for peer in peers {
        assert_eq!(peer["delivered"], peer["expected"], "{peer}");
        assert_eq!(peer["delivered_twice"], 0, "{peer}");
        assert!(peer["most_links"].as_u64().is_some_and(|most| (1..5).contains(&most)), "{peer}");
        expected.extend(peer["expected"].as_u64());
    }
    // Computed apart from TaiiNet, from the data set, by the queries of the demo.
    expected.sort_unstable();
    assert_eq!(expected, [0, 85, 108, 359, 757, 1707]);
}

#[cfg(target_os = "linux")]
#[test]
fn its_processes_end_with_it_even_if_it_is_killed() {
    let network = format!("killed-demo-{}", std::process::id());
    let mut demo = demo(&["--network", &network]);
    let peers = eventually("six peers and the demo itself run", || {
        Some(processes_with(&[&network])).filter(|processes| processes.len() == 7)
    });
    let peer = peers.iter().find(|id| **id != demo.id()).expect("a peer");
    let guarded = format!("\0{peer}\0");
    eventually("they are guarded", || {
        (!processes_with(&["taiinet-demo-guard", &guarded]).is_empty()).then_some(())
    });
    demo.kill();
    eventually("none of them runs any more", || {
        processes_with(&[&network]).is_empty().then_some(())
    });
}

#[cfg(target_os = "linux")]
#[test]
fn it_stays_up_until_it_is_interrupted() {
    let network = format!("standing-demo-{}", std::process::id());
    let mut demo = demo(&["--network", &network, "--rate", "0"]);
    let join = demo.eventually("invites", |demo| {
        demo.stderr().into_iter().find(|line| line.contains(" subscribe "))
    });
    // The printed commands, as a user would paste them.
    let mut guest = pasted("guest", &format!("exec {join} --report"));
    guest.eventually("has a neighbour", |guest| {
        let report = guest.report()?;
        report["links"].as_array()?.iter().any(|link| link["state"] == "active").then_some(())
    });
    let publish = demo.stderr().into_iter().find(|line| line.contains(" publish "));
    pasted("author", &publish.expect("its line")).succeeds();
    guest.eventually("got the author's document", |guest| guest.stdout().first().map(|_| ()));
    guest.kill();
    demo.signal("INT");
    demo.succeeds();
    assert_eq!(processes_with(&[&network]), [0; 0]);
}

#[cfg(target_os = "linux")]
#[test]
fn with_pages_it_serves_them_and_publishes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["index.html", "index.js"] {
        std::fs::write(folder.path().join(file), file).expect("a file");
    }
    let folder = folder.path().to_str().expect("UTF-8");
    let network = format!("pages-demo-{}", std::process::id());
    let args = ["--network", &network, "--rate", "0", "--http", "127.0.0.1:0"];
    let mut demo = demo(&[&args[..], &["--pages", folder, "--package", folder]].concat());
    let url = demo.eventually("invites to its pages", |demo| {
        let stderr = demo.stderr();
        let line = stderr.iter().find(|line| line.contains("http://"))?;
        line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned)
    });
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    assert!(get(address, "/").ends_with("index.html"));
    assert!(get(address, "/taiinet/index.js").ends_with("index.js"));
    let config = get(address, "/config.json");
    let config = config.lines().last().expect("a body");
    let config: Value = serde_json::from_str(config).expect("JSON");
    assert_eq!(config["network"], network.as_str());

    // What a page is told is enough to join, and there is something to see.
    let signaller = config["signallers"][0].as_str().expect("a signaller");
    let guest =
        ["subscribe", r#"{"type":"earthquake"}"#, "--network", &network, "--signaller", signaller];
    let mut guest = Process::start("guest", &mut taiinet(guest));
    guest.eventually("got earthquakes", |guest| (guest.stdout().len() > 3).then_some(()));
    guest.kill();
    demo.signal("INT");
    demo.succeeds();
}

/// The answer to a request, head and body.
#[cfg(target_os = "linux")]
fn get(address: &str, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

#[cfg(target_os = "linux")]
fn pasted(name: &str, line: &str) -> Process {
    Process::start(name, Command::new("sh").args(["-c", line]))
}

/// The ids of the processes whose command line contains all of these, this one left out.
#[cfg(target_os = "linux")]
fn processes_with(texts: &[&str]) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    processes
        .filter_map(|entry| entry.file_name().to_string_lossy().parse().ok())
        .filter(|id| *id != std::process::id())
        .filter(|id| {
            // One that ends while we look has none.
            let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            texts.iter().all(|text| line.contains(text))
        })
        .collect()
}
