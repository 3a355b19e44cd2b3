use serde_json::Value;
use taiinet_mesh::wire::ToSignaller;

use crate::{
    client::Client,
    program::{Folder, Program, get},
};

/// The log of a signaller to which all happens that is logged.
async fn eventful(args: &[&str]) -> String {
    let folder = Folder::new();
    let block = folder.write("block", "");
    let common = [
        "--log",
        "trace",
        "--max-clients-per-address",
        "2",
        "--block",
        &block,
        "--metrics",
        "127.0.0.1:0",
        "--handshake-timeout",
        "1s",
    ];
    let program = Program::start(&[&common, args].concat());
    let mut one = Client::joined(program.address(), "test").await;
    let two = Client::connect(program.address()).await;
    let refused = [("x-forwarded-for", "192.0.2.77")];
    assert!(Client::try_connect(program.address(), &refused).await.is_err());
    drop(two);
    program.metric_is("connections", 1);
    let _stalled = std::net::TcpStream::connect(program.address()).unwrap();
    one.say(&ToSignaller::Leave).await;
    while one.receive().await.is_some() {}
    get(program.address(), "/nothing", "");
    program.metric_is("handshakes_failed_total{reason=\"timeout\"}", 1);
    folder.write("block", "127.0.0.1 and more\n");
    program.signal("HUP");
    program.metric_is("reloads_total{result=\"failed\"}", 1);
    program.logs("not reloaded");
    program.log()
}

#[tokio::test]
async fn addresses_are_logged_only_if_the_operator_wants_it() {
    let log = eventful(&[]).await;
    for word in ["connected", "a connection is refused", "a handshake took too long"] {
        assert!(log.contains(word), "{word} is not in\n{log}");
    }
    for address in ["127.0.0.1", "192.0.2.77"] {
        let line = log.lines().find(|line| line.contains(address));
        assert_eq!(line, None, "an address is in the log");
    }
    assert!(eventful(&["--log-addresses"]).await.contains("address=\"127.0.0.1\""));
}

#[tokio::test]
async fn each_line_is_json_if_the_operator_wants_it() {
    let log = eventful(&["--log-format", "json"]).await;
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let refused = |line: &&Value| line["fields"]["message"] == "a connection is refused";
    let refused = lines.iter().find(refused).expect("a refusal");
    assert_eq!(refused["fields"]["reason"], "address_full");
    assert_eq!(refused["level"], "DEBUG");
}

#[test]
fn no_secret_is_logged() {
    let folder = Folder::new();
    let key = folder.write("key", "no key file: hunter2\n");
    let passphrase = folder.write("passphrase", "correct horse\n");
    let output = crate::program::run(&[
        "--log",
        "trace",
        "--identity",
        &key,
        "--passphrase-file",
        &passphrase,
    ]);
    assert_eq!(output.status.code(), Some(1));
    let said = crate::program::text(&output.stderr);
    assert!(!said.contains("hunter2") && !said.contains("correct horse"), "{said}");
}
