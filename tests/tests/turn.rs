//! Links through a real TURN server: Debian's coturn.

use std::{
    net::UdpSocket,
    process::{Command, Stdio},
};

use serde_json::json;
use taiinet_tests::{Mesh, Process, Signaller, eventually};

const SECRET: &str = "a secret that coturn and the signaller share";

/// coturn on loopback, at a free port.
fn coturn(secret: &str, more: &[&str]) -> (Process, String) {
    let found = Command::new("turnserver").arg("--version").stdout(Stdio::null()).status();
    assert!(found.is_ok(), "this needs coturn: sudo apt-get install coturn");
    let free = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let port = free.expect("a port").port().to_string();
    let mut command = Command::new("turnserver");
    command.args(["-n", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1"]);
    command.args(["--listening-port", &port, "--realm", "test", "--use-auth-secret"]);
    command.args(["--static-auth-secret", secret, "--allow-loopback-peers", "--no-cli"]);
    command.args(["--no-tls", "--no-dtls", "--log-file", "stdout", "--simple-log", "--verbose"]);
    command.args(more);
    let server = Process::start("coturn", &mut command);
    server.eventually("listens", |server| {
        server.stdout().iter().any(|line| line.contains("UDP listener opened")).then_some(())
    });
    (server, format!("turn:127.0.0.1:{port}?transport=udp"))
}

fn signaller(turn: &str, secret: &str) -> (Signaller, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), format!("{secret}\n")).expect("written");
    let path = file.path().display().to_string();
    let args = ["--turn", turn, "--turn-secret-file", &path, "--stun", "off"];
    (Signaller::start_at("127.0.0.1:0", &args), file)
}

#[test]
fn peers_that_show_nobody_their_addresses_meet_through_turn() {
    let (server, turn) = coturn(SECRET, &[]);
    let (signaller, _file) = signaller(&turn, SECRET);
    let mesh = Mesh::new(&signaller);
    let subscriber = mesh.subscribe_with("subscriber", "{}", &["--relay-only"]);
    let mut publisher = mesh.run("publisher", &["publish", "--report", "--relay-only"]);
    publisher.publish(&json!({ "through": "turn" }));
    subscriber.receives_document(&json!({ "through": "turn" }));
    let log = server.stdout().join("\n");
    assert!(log.contains("ALLOCATE processed, success"), "{log}");
    assert!(
        log.contains("CHANNEL_BIND processed, success")
            || log.contains("CREATE_PERMISSION processed, success"),
        "{log}"
    );
}

#[test]
fn a_wrong_secret_opens_nothing() {
    let (server, turn) = coturn("another secret", &[]);
    let (signaller, _file) = signaller(&turn, SECRET);
    let mesh = Mesh::new(&signaller);
    let _one = mesh.subscribe_with("one", "{}", &["--relay-only"]);
    let other = mesh.subscribe_with("other", "{}", &["--relay-only"]);
    eventually("they were refused", || {
        let refused = |line: &String| line.contains("401") || line.contains("Unauthorized");
        server.stdout().iter().any(refused).then_some(())
    });
    assert!(other.neighbours().is_empty());
}

/// It is no firewall, and says so.
#[test]
fn a_server_that_is_full_is_named_to_the_peers_that_it_refuses() {
    let (_server, turn) = coturn(SECRET, &["--total-quota", "1"]);
    let (signaller, _file) = signaller(&turn, SECRET);
    let mesh = Mesh::new(&signaller);
    let peers = ["one", "other"].map(|name| mesh.subscribe_with(name, "{}", &["--relay-only"]));
    eventually("one of them is told", || {
        let told = peers.iter().find_map(|peer| {
            let said = peer.stderr().join("\n");
            said.contains("486 Allocation Quota Reached").then_some(said)
        })?;
        assert!(told.contains(&turn) && told.contains("total-quota"), "{told}");
        assert!(!told.contains("firewall"), "{told}");
        Some(())
    });
}
