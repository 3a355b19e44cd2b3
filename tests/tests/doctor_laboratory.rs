//! `taiinet doctor` behind every kind of NAT and firewall: it names what is there, and fails where no path is left.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use serde_json::Value;
use taiinet_tests::{
    Process,
    laboratory::{Access, Home, Laboratory, missing},
    taiinet,
};

/// How long a report may take, on a machine that is busy with other tests, too.
const LONGEST: Duration = Duration::from_secs(20);

/// One with this signaller, with or without TURN; nothing where there can be none.
fn laboratory(signaller: &[&str], turn: bool) -> Option<Laboratory> {
    if let Some(missing) = missing() {
        eprintln!("SKIPPED: {missing}");
        return None;
    }
    Some(Laboratory::with(signaller, turn))
}

/// What the doctor reports in each of these homes, and its exit code.
fn examine<const N: usize>(laboratory: &Laboratory, homes: [Access; N]) -> [(Value, i32); N] {
    let begun = Instant::now();
    let doctors: [(Home, Process); N] = homes.map(|access| {
        let home = laboratory.home(access);
        let command = taiinet(["doctor", "--json", "--signaller", &laboratory.url_for(&home)]);
        let doctor = Process::start("doctor", &mut home.command(&command));
        (home, doctor)
    });
    doctors.map(|(home, mut doctor)| {
        let code = doctor.exit_code();
        assert!(begun.elapsed() < LONGEST, "{}: {:?}", home.access(), begun.elapsed());
        let report = doctor.stdout().first().map(|line| serde_json::from_str(line));
        let report: Value = report.expect("a report").expect("JSON");
        eprintln!("{} ({code}): {report:#}", home.access());
        (report, code)
    })
}

fn finding<'a>(report: &'a Value, check: &str) -> &'a Value {
    let findings = report["findings"].as_array().expect("a list");
    findings.iter().find(|finding| finding["check"] == check).unwrap_or(&Value::Null)
}

#[test]
fn each_kind_of_nat_is_named_by_one_signaller_and_all_is_well_with_turn() {
    let Some(laboratory) = laboratory(&[], true) else { return };
    let homes = [
        Access::Open,
        Access::FullCone,
        Access::PortRestricted,
        Access::Symmetric,
        Access::Ipv6Only,
    ];
    let kinds = ["open", "cone", "cone", "symmetric", "open"];
    let families = ["ipv4", "ipv4", "ipv4", "ipv4", "ipv6"];
    let reports = examine(&laboratory, homes);
    for (((report, code), kind), family) in reports.iter().zip(kinds).zip(families) {
        assert_eq!(report["nat"][family]["kind"], kind, "{report:#}");
        assert_eq!((code, &report["ok"]), (&0, &Value::Bool(true)), "{report:#}");
        assert_eq!(report["paths"]["turn"]["state"], "works", "{report:#}");
        assert_eq!(finding(report, "path")["state"], "good", "{report:#}");
    }
}

#[test]
fn a_symmetric_nat_alone_is_told_what_it_takes() {
    let Some(laboratory) = laboratory(&[], false) else { return };
    let [(report, code)] = examine(&laboratory, [Access::Symmetric]);
    assert_eq!((code, &report["nat"]["ipv4"]["kind"]), (0, &"symmetric".into()), "{report:#}");
    assert_eq!(finding(&report, "path")["state"], "note", "{report:#}");
    let next = report["nextStep"].as_str().expect("a next step");
    assert!(next.contains("--relay") && next.contains("--turn"), "{next}");
}

#[test]
fn where_udp_is_blocked_and_nothing_is_left_it_fails() {
    // TURN is there, and cannot be reached by UDP either.
    for turn in [false, true] {
        let Some(laboratory) = laboratory(&[], turn) else { return };
        let [(report, code)] = examine(&laboratory, [Access::UdpBlocked]);
        assert_eq!((code, &report["ok"]), (1, &Value::Bool(false)), "{report:#}");
        assert_eq!(report["nat"]["ipv4"]["kind"], "blocked", "{report:#}");
        let path = finding(&report, "path");
        assert_eq!(path["state"], "bad", "{report:#}");
        assert!(path["says"].as_str().expect("words").contains("no path to other peers"));
        assert!(path["do"].as_str().expect("words").contains("--relay"), "{path}");
    }
}

#[test]
fn where_udp_is_blocked_a_signaller_that_relays_is_a_path() {
    let Some(laboratory) = laboratory(&["--relay"], false) else { return };
    let [(report, code)] = examine(&laboratory, [Access::UdpBlocked]);
    assert_eq!((code, &report["ok"]), (0, &Value::Bool(true)), "{report:#}");
    assert_eq!(report["nat"]["ipv4"]["kind"], "blocked", "{report:#}");
    assert_eq!(report["paths"]["relay"]["state"], "works", "{report:#}");
    let says = finding(&report, "path")["says"].as_str().expect("words");
    assert!(says.contains("links go through the signaller"), "{says}");
}

/// 80 ms there and back, give or take, and three of a hundred packets lost.
#[test]
fn a_bad_line_is_no_fault() {
    let Some(laboratory) = laboratory(&[], false) else { return };
    for (report, code) in examine(&laboratory, [Access::Lossy; 4]) {
        assert_eq!((code, &report["nat"]["ipv4"]["kind"]), (0, &"open".into()), "{report:#}");
        assert_eq!(report["paths"]["host"]["state"], "works", "{report:#}");
    }
}
