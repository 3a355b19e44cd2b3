//! `taiinet demo`, as the README shows it.

use std::process::Command;

use serde_json::Value;
use taiinet_tests::{Process, eventually, taiinet};

fn demo(args: &[&str]) -> Process {
    Process::start("demo", &mut taiinet([&["demo"], args].concat()))
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
    let started = || processes_with(&network).len() == 7;
    eventually("six peers and the demo itself run", || started().then_some(()));
    // The guard is the last to start.
    let guard = format!("-c\0read -r _ || kill -9 \"$@\"\0taiinet-demo-guard\0");
    eventually("the guard runs", || (!processes_with(&guard).is_empty()).then_some(()));
    demo.kill();
    eventually("none of them runs any more", || processes_with(&network).is_empty().then_some(()));
}

#[cfg(target_os = "linux")]
#[test]
fn it_stays_up_until_it_is_interrupted() {
    let network = format!("standing-demo-{}", std::process::id());
    let mut demo = demo(&["--network", &network, "--rate", "0"]);
    let join = demo.eventually("invites", |demo| {
        demo.stderr().into_iter().find(|line| line.contains(" subscribe "))
    });
    // The printed command, as a user would paste it.
    let mut guest = Process::start("guest", Command::new("sh").args(["-c", &format!("exec {join} --count 1")]));
    let publish = demo.stderr().into_iter().find(|line| line.contains(" publish ")).expect("its line");
    let mut author = Process::start("author", Command::new("sh").args(["-c", &publish]));
    author.succeeds();
    guest.kill();
    demo.signal("INT");
    demo.succeeds();
    assert_eq!(processes_with(&network), [0; 0]);
}

/// The ids of the processes whose command line contains `text`, this one left out.
#[cfg(target_os = "linux")]
fn processes_with(text: &str) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    processes
        .filter_map(|entry| entry.file_name().to_string_lossy().parse().ok())
        .filter(|id| *id != std::process::id())
        .filter(|id| {
            // One that ends while we look has none.
            let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(text)
        })
        .collect()
}
