//! `taiinet-signaller status`: what an operator is shown of a signaller that runs.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::{
    client::Client,
    program::{Folder, Program, eventually, get, run, text},
};

fn control(folder: &Folder) -> String {
    folder.path().join("control").to_str().unwrap().to_owned()
}

fn shown(args: &[&str]) -> String {
    let output = run(&[&["status"], args].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

fn complaint(args: &[&str], code: i32) -> String {
    let output = run(&[&["status"], args].concat());
    assert_eq!(output.status.code(), Some(code), "{args:?} {}", text(&output.stdout));
    assert_eq!(text(&output.stdout), "");
    text(&output.stderr).to_owned()
}

#[tokio::test]
async fn who_is_here_is_shown_by_numbers_and_by_name_to_its_owner_alone() {
    let folder = Folder::new();
    let socket = control(&folder);
    let program = Program::start(&["--control", &socket, "--metrics", "127.0.0.1:0"]);
    let mut peers = Vec::new();
    for network in ["tweets", "tweets", "tweets", "chess"] {
        peers.push(Client::joined(program.address(), network).await);
    }
    let mut joining = Client::connect(program.address()).await;
    joining.greet().await.unwrap();
    let _connecting = Client::connect(program.address()).await;
    program.metric_is("connections", 6);
    program.metric_is("clients", 6);
    let metrics = program.metrics_address().to_string();

    // Over TCP, to whoever asks: no names.
    let told = shown(&["--metrics", &metrics]);
    for line in [
        "connections   6 of 10 000 (0 %)",
        "4 joined, 1 joining, 1 connecting",
        "3 peers",
        "1 peer",
    ] {
        assert!(told.contains(line), "{line} is not in\n{told}");
    }
    let json = shown(&["--metrics", &metrics, "--json"]);
    for text in [&told, &json, &shown(&["--control", &socket])] {
        for name in ["tweets", "chess", "tn1", "127.0.0.1:7", &peers[0].id().to_string()] {
            assert!(!text.contains(name), "{name} is in\n{text}");
        }
    }
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["connections"], serde_json::json!({ "now": 6, "limit": 10_000 }));
    assert_eq!(report["here"]["networks"], serde_json::json!([{ "peers": 3 }, { "peers": 1 }]));
    assert_eq!(report["refused"]["flood"], 0);
    let refused = get(program.metrics_address(), "/status?names", "");
    assert!(refused.starts_with("HTTP/1.1 403 ") && !refused.contains("tweets"), "{refused}");

    // At the socket, to its owner: with names, if they are asked for.
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let told = shown(&["--control", &socket, "--names"]);
    let first = peers[0].id().to_string();
    for name in ["3 peers        tweets", "1 peer         chess", &first] {
        assert!(told.contains(name), "{name} is not in\n{told}");
    }
    assert!(!told.contains('\u{1b}'), "no colours where there is no terminal");
    drop(program);
}

#[test]
fn it_is_found_by_its_file_of_options() {
    let folder = Folder::new();
    let socket = control(&folder);
    let config = folder.write("config.toml", &format!("control = {socket:?}\nmax-clients = 7\n"));
    let program = Program::start(&["--config", &config]);
    assert!(shown(&["--config", &config]).contains("0 of 7 (0 %)"));
    assert!(shown(&["--config", &config, "--names"]).contains("0 of 7 (0 %)"));
    drop(program);
}

#[test]
fn a_pool_is_shown_with_who_cannot_be_reached() {
    let folder = Folder::new();
    let socket = control(&folder);
    let other = Program::start(&["--pool", "--public-url", "ws://other.example"]);
    let program =
        Program::start(&["--control", &socket, "--peer", other.url(), "--metrics", "127.0.0.1:0"]);
    program.metric_is("pool_members", 1);
    let told = eventually("the link is shown", || {
        let told = shown(&["--control", &socket, "--names"]);
        told.contains(&format!(" {}", other.peer_id())).then_some(told)
    });
    assert!(told.contains("pool          1 linked"), "{told}");
    assert!(told.contains("linked for "), "{told}");
    let told = shown(&["--control", &socket]);
    assert!(told.contains("linked for ") && !told.contains("tn1"), "{told}");
}

#[test]
fn what_cannot_be_shown_names_the_next_step() {
    let folder = Folder::new();
    let gone = control(&folder);
    let told = complaint(&["--control", &gone], 1);
    assert!(told.contains("does it run, and with this --control"), "{told}");
    // A port at which nothing listens any more.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let told = complaint(&["--metrics", &free.to_string()], 1);
    assert!(told.contains("does it run"), "{told}");
    let told = complaint(&["--metrics", &free.to_string(), "--names"], 2);
    assert!(told.contains("at the control socket only"), "{told}");
    let told = complaint(&["--metrics", "127.0.0.1:0"], 2);
    assert!(told.contains("the one that it said at its start"), "{told}");
    let bare = folder.write("bare.toml", "max-clients = 7\n");
    let told = complaint(&["--config", &bare], 2);
    assert!(told.contains("neither control nor metrics"), "{told}");
    let absent = folder.path().join("absent.toml").to_str().unwrap().to_owned();
    assert!(complaint(&["--config", &absent], 2).contains("absent.toml"));
    // It answers, but it is not what was looked for.
    let program = Program::start(&[]);
    let told = complaint(&["--metrics", &program.address().to_string()], 1);
    assert!(told.contains("knows no /status"), "{told}");
}

#[test]
fn a_control_socket_that_is_taken_or_no_socket_is_left_alone() {
    let folder = Folder::new();
    let socket = control(&folder);
    let mut program = Program::start(&["--control", &socket]);
    let output = run(&["--listen", "127.0.0.1:0", "--control", &socket]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("another program answers there already"));
    assert!(shown(&["--control", &socket]).contains("connections"), "it answers on");
    program.signal("TERM");
    assert!(program.ends().success());
    assert!(!folder.path().join("control").exists(), "it goes with its signaller");
    // One that was left behind, as by SIGKILL, is replaced.
    let program = Program::start(&["--control", &socket]);
    drop(program);
    assert!(folder.path().join("control").exists());
    let _program = Program::start(&["--control", &socket]);
    assert!(shown(&["--control", &socket]).contains("connections"));
}
