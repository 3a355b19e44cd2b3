//! `taiinet doctor` tells what works and what does not.

use serde_json::Value;
use taiinet_tests::{Process, Signaller, taiinet};

/// What it finds, by check, and its exit code.
fn examine(args: &[&str]) -> (Vec<Value>, i32) {
    let mut command = taiinet([&["doctor", "--json", "--bind", "127.0.0.1"], args].concat());
    let mut doctor = Process::start("doctor", &mut command);
    let code = doctor.exit_code();
    let parse = |line: &String| serde_json::from_str(line).expect("a line of JSON");
    (doctor.stdout().iter().map(parse).collect(), code)
}

fn state<'a>(findings: &'a [Value], check: &str) -> &'a str {
    let finding = findings.iter().find(|finding| finding["check"] == check);
    finding.and_then(|finding| finding["state"].as_str()).unwrap_or("not said")
}

#[test]
fn where_all_is_well_it_says_so() {
    let signaller = Signaller::start();
    let (findings, code) = examine(&["--signaller", signaller.url()]);
    assert_eq!(code, 0, "{findings:?}");
    for check in ["signaller", "clock", "join", "STUN", "links"] {
        assert_eq!(state(&findings, check), "good", "{check}: {findings:?}");
    }
    let turn = findings.iter().find(|finding| finding["check"] == "TURN").expect("said");
    assert_eq!(turn["state"], "note", "no TURN server is named");
    assert!(turn["do"].as_str().is_some_and(|cure| cure.contains("--turn")), "{turn}");
}

#[test]
fn a_signaller_that_is_not_there_or_does_not_serve_us_is_named_with_what_to_do() {
    let (findings, code) = examine(&["--signaller", "ws://127.0.0.1:9"]);
    assert_eq!((code, state(&findings, "signaller")), (1, "bad"));
    assert!(findings[0]["do"].is_string(), "{findings:?}");

    let picky = Signaller::start_at("127.0.0.1:0", &["--allow-network", "another one"]);
    let (findings, code) = examine(&["--signaller", picky.url(), "--timeout", "2"]);
    assert_eq!((code, state(&findings, "join")), (1, "bad"), "{findings:?}");
    assert_eq!(state(&findings, "signaller"), "good");

    let (findings, code) = examine(&[]);
    assert!(findings.is_empty() && code == 2, "no signaller was given");
}

/// What a signaller names is tried; where it does not work that is said, with what to do.
#[test]
fn servers_that_do_not_answer_are_named_with_what_to_do() {
    // Bound, so that no other is there; it answers nothing.
    let deaf = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let turn = format!("turn:{}?transport=udp", deaf.local_addr().expect("bound"));
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "a secret\n").expect("written");
    let secret = file.path().display().to_string();
    let args = ["--turn", &turn, "--turn-secret-file", &secret, "--stun", "off"];
    let signaller = Signaller::start_at("127.0.0.1:0", &args);
    let (findings, code) = examine(&["--signaller", signaller.url(), "--timeout", "2"]);
    assert_eq!((code, state(&findings, "TURN")), (1, "bad"), "{findings:?}");
    assert_eq!((state(&findings, "STUN"), state(&findings, "links")), ("note", "good"));
    for check in ["TURN", "STUN"] {
        let finding = findings.iter().find(|finding| finding["check"] == check).expect("said");
        assert!(finding["do"].is_string(), "{finding}");
    }
}
