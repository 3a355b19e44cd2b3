//! `taiinet doctor` tells what works and what does not.

use serde_json::Value;
use taiinet_tests::{Process, Signaller, taiinet};

/// What it reports, and its exit code.
fn report(args: &[&str]) -> (Value, i32) {
    let mut command = taiinet([&["doctor", "--json", "--bind", "127.0.0.1"], args].concat());
    let mut doctor = Process::start("doctor", &mut command);
    let code = doctor.exit_code();
    let lines = doctor.stdout();
    let report = lines.first().map(|line| serde_json::from_str(line).expect("a line of JSON"));
    assert!(lines.len() <= 1, "one report: {lines:?}");
    (report.unwrap_or_default(), code)
}

/// What it finds, by check, and its exit code.
fn examine(args: &[&str]) -> (Vec<Value>, i32) {
    let (mut report, code) = report(args);
    let findings = report["findings"].as_array_mut().map(std::mem::take).unwrap_or_default();
    (findings, code)
}

fn state<'a>(findings: &'a [Value], check: &str) -> &'a str {
    let finding = findings.iter().find(|finding| finding["check"] == check);
    finding.and_then(|finding| finding["state"].as_str()).unwrap_or("not said")
}

#[test]
fn where_all_is_well_it_says_so() {
    let signaller = Signaller::start();
    let (report, code) = report(&["--signaller", signaller.url()]);
    assert_eq!((code, &report["ok"]), (0, &Value::Bool(true)), "{report}");
    let findings = report["findings"].as_array().expect("a list");
    for check in ["signaller", "clock", "join", "IPv4", "links", "path"] {
        assert_eq!(state(findings, check), "good", "{check}: {report}");
    }
    let turn = findings.iter().find(|finding| finding["check"] == "TURN").expect("said");
    assert_eq!(turn["state"], "note", "no TURN server is named");
    assert!(turn["do"].as_str().is_some_and(|cure| cure.contains("--turn")), "{turn}");

    assert_eq!(report["nat"]["ipv4"]["kind"], "open", "{report}");
    assert_eq!(report["paths"]["host"]["state"], "works", "{report}");
    assert_eq!(report["paths"]["turn"]["state"], "missing", "{report}");
    let (plain, key) = signaller.url().rsplit_once('#').expect("a key");
    assert_eq!(report["signallers"][0]["url"], plain, "{report}");
    assert_eq!(report["signallers"][0]["key"], key, "{report}");
    assert_eq!(report["signallers"][0]["joined"], true, "{report}");
}

/// Both ports of its STUN are asked, so that one signaller is enough to know a NAT by.
#[test]
fn one_signaller_names_two_ports_to_know_a_nat_by() {
    let signaller = Signaller::start();
    let (findings, _) = examine(&["--signaller", signaller.url()]);
    let nat = findings.iter().find(|finding| finding["check"] == "IPv4").expect("said");
    let says = nat["says"].as_str().expect("words");
    assert_eq!(says.matches(" sees this machine as ").count(), 2, "{says}");
    let signaller = Signaller::start_at("127.0.0.1:0", &["--stun-second", "off"]);
    let (findings, _) = examine(&["--signaller", signaller.url()]);
    let nat = findings.iter().find(|finding| finding["check"] == "IPv4").expect("said");
    let says = nat["says"].as_str().expect("words");
    assert_eq!(says.matches(" sees this machine as ").count(), 1, "{says}");
}

#[test]
fn a_signaller_that_is_not_there_or_does_not_serve_us_is_named_with_what_to_do() {
    let (findings, code) = examine(&["--signaller", "ws://127.0.0.1:9"]);
    assert_eq!((code, state(&findings, "signaller")), (1, "bad"));
    assert!(findings[0]["do"].is_string(), "{findings:?}");

    let picky = Signaller::start_at("127.0.0.1:0", &["--allow-network", "another one"]);
    let (findings, code) = examine(&["--signaller", picky.url(), "--timeout", "3"]);
    assert_eq!((code, state(&findings, "join")), (1, "bad"), "{findings:?}");
    assert_eq!(state(&findings, "signaller"), "good");

    let (findings, code) = examine(&[]);
    assert!(findings.is_empty() && code == 2, "no signaller was given");
}

/// As files of environments hand them over: spaces behind commas, the end of the line, any case.
#[test]
fn an_environment_is_read_as_it_is_meant() {
    let signaller = Signaller::start();
    let address = signaller.url().replacen("ws://", "WS://", 1);
    let mut command = taiinet(["doctor", "--json", "--bind", "127.0.0.1"]);
    command.env("TAIINET_SIGNALLER", format!(" {address} ,\n {address}\n"));
    command.env("TAIINET_NETWORK", "n\n");
    let mut doctor = Process::start("doctor", &mut command);
    assert_eq!(doctor.exit_code(), 0, "{:?} {:?}", doctor.stdout(), doctor.stderr());
    assert_eq!(doctor.stdout().join("").matches(" answers in ").count(), 2);
}

#[test]
fn another_scheme_than_the_signallers_is_named() {
    let signaller = Signaller::start();
    let wrong = signaller.url().replace("ws://", "wss://");
    let (findings, code) = examine(&["--signaller", &wrong]);
    assert_eq!((code, state(&findings, "signaller")), (1, "bad"), "{findings:?}");
    let says = findings[0]["says"].as_str().expect("words");
    assert!(says.contains("no TLS is spoken at this address"), "{says}");
    let cure = findings[0]["do"].as_str().expect("words");
    assert!(cure.contains("ws:// and not wss://"), "{cure}");
}

#[test]
fn another_key_than_the_signallers_is_named() {
    let (signaller, other) = (Signaller::start(), Signaller::start());
    let key = |signaller: &Signaller| signaller.url().rsplit_once('#').expect("a key").1.to_owned();
    let (ours, theirs) = (key(&signaller), key(&other));
    let wrong = signaller.url().replace(&ours, &theirs);
    let (findings, code) = examine(&["--signaller", &wrong, "--timeout", "2"]);
    assert_eq!((code, state(&findings, "join")), (1, "bad"), "{findings:?}");
    let join = findings.iter().find(|finding| finding["check"] == "join").expect("said");
    let says = join["says"].as_str().expect("words");
    assert!(says.contains(&ours) && says.contains(&theirs), "{says}");
    assert!(says.contains("ask its operator"), "{says}");
}

#[test]
fn certificate_authorities_that_are_none_are_refused_at_the_start_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (name, bytes, says) in [
        ("empty.pem", &b""[..], "no certificate in it"),
        ("words.pem", b"no certificate\n", "no certificate in it"),
        ("key.pem", key.as_bytes(), "a key in it and no certificate"),
        ("binary.der", &[0x30, 0x82, 1, 2, 3], "openssl x509 -inform der"),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).expect("written");
        let file = file.display().to_string();
        for command in [&["doctor"][..], &["subscribe", "{}"], &["publish"]] {
            let options =
                ["--network", "n", "--signaller", "wss://localhost:1", "--ca-file", &file];
            let mut command = taiinet([command, &options].concat());
            let mut command = Process::start("taiinet", &mut command);
            assert_eq!(command.exit_code(), 1);
            let said = command.stderr().join("\n");
            assert!(said.contains(name) && said.contains(says), "{said}");
        }
    }
}

/// A host may have both, and each may be kept from us by another wall.
#[test]
fn stun_is_asked_over_ipv6_too() {
    let signaller = Signaller::start_at("[::1]:0", &[]);
    let (findings, _) = examine(&["--signaller", signaller.url()]);
    let stun = findings.iter().find(|finding| finding["check"] == "IPv6").expect("said");
    assert_eq!(stun["state"], "good", "{findings:?}");
    assert!(stun["says"].as_str().is_some_and(|says| says.contains("as [::1]:")), "{stun}");
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
    let (findings, code) = examine(&["--signaller", signaller.url(), "--timeout", "5"]);
    assert_eq!((code, state(&findings, "TURN")), (1, "bad"), "{findings:?}");
    assert_eq!((state(&findings, "STUN"), state(&findings, "links")), ("note", "good"));
    for check in ["TURN", "STUN"] {
        let finding = findings.iter().find(|finding| finding["check"] == check).expect("said");
        assert!(finding["do"].is_string(), "{finding}");
    }
}
