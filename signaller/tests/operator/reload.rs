//! SIGHUP: what counts anew, what takes a start, and what becomes of a reload of which a part cannot be used.

use std::net::TcpStream;

use taiinet_mesh::wire::{FromSignaller, RefusalReason};

use crate::{
    client::Client,
    program::{Folder, Program, command, eventually},
};

/// A signaller with this file of options; metrics, and a log that tells of reloads.
fn start(folder: &Folder, options: &str) -> Program {
    let config = folder.write("config.toml", &with_log(options));
    Program::start(&["--config", &config, "--metrics", "127.0.0.1:0"])
}

fn with_log(options: &str) -> String {
    format!("log = 'info'\n{options}\n")
}

/// Has it read this, and waits until it has.
fn reload(program: &Program, folder: &Folder, options: &str) {
    let before = program.metric("reloads_total{result=\"ok\"}");
    folder.write("config.toml", &with_log(options));
    program.signal("HUP");
    program.metric_is("reloads_total{result=\"ok\"}", before + 1);
}

#[tokio::test]
async fn limits_count_anew_for_newcomers() {
    let folder = Folder::new();
    let program = start(&folder, "max-clients-per-address = 1");
    let mut first = Client::connect(program.address()).await;
    assert!(Client::try_connect(program.address(), &[]).await.is_err());
    reload(&program, &folder, "max-clients-per-address = 2\nmax-clients = 5\nmax-handshakes = 7");
    program.logs("these options count anew: max-clients, max-clients-per-address, max-handshakes");
    let mut second = Client::connect(program.address()).await;
    assert!(Client::try_connect(program.address(), &[]).await.is_err());
    assert_eq!(program.metric("connections_limit"), 5);
    assert_eq!(program.metric("handshakes_limit"), 7);
    reload(&program, &folder, "max-clients = 1\nhandshake-timeout = '1s'");
    assert!(Client::try_connect(program.address(), &[]).await.is_err());
    let _slow = TcpStream::connect(program.address()).unwrap();
    for client in [&mut first, &mut second] {
        assert!(client.is_served().await, "who is here stays");
    }
}

#[tokio::test]
async fn networks_work_and_the_secret_of_turn_count_anew() {
    let folder = Folder::new();
    let secret = folder.write("secret", "north\n");
    let turn = format!("turn = ['turn:turn.example:3478']\nturn-secret-file = {secret:?}");
    let program = start(&folder, &turn);
    let credential = async |program: &Program| {
        let mut client = Client::joined(program.address(), "a").await;
        let Some(FromSignaller::Turn(servers)) = client.receive().await else { panic!("TURN") };
        (servers[0].url.clone(), servers[0].credential.clone(), client)
    };
    let (_, before, mut client) = credential(&program).await;
    folder.write("secret", "south\n");
    // A network that is not served any more takes its peers with it.
    let mut other = Client::joined(program.address(), "b").await;
    assert!(matches!(other.receive().await, Some(FromSignaller::Turn(_))));
    let options = format!("allow-network = ['a']\njoin-work = 4\njoin-work-from = 0\n{turn}");
    reload(&program, &folder, &options);
    let refused = other.receive().await;
    let Some(FromSignaller::Refused { reason: RefusalReason::Network, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert!(client.is_served().await);
    let mut third = Client::connect(program.address()).await;
    assert_eq!(third.greet().await.unwrap().work, 4);
    reload(&program, &folder, &options.replace("join-work = 4", "join-work = 0"));
    let (url, after, _) = credential(&program).await;
    assert_eq!(url, "turn:turn.example:3478");
    assert_ne!(before, after, "it is computed with the other secret");
}

#[test]
fn how_much_is_logged_counts_anew_and_the_command_line_wins_as_at_the_start() {
    let folder = Folder::new();
    let program = start(&folder, "");
    folder.write("config.toml", "log = 'debug'\nlog-addresses = true\n");
    program.signal("HUP");
    program.logs("reloaded");
    eventually("a connection is logged", || {
        drop(TcpStream::connect(program.address()).unwrap());
        program.log().contains("no request").then_some(())
    });

    let config = folder.write("other.toml", "max-clients = 5\n");
    let args = ["--config", &config, "--max-clients", "6", "--metrics", "127.0.0.1:0"];
    let program = Program::start(&args);
    folder.write("other.toml", "max-clients = 8\n");
    program.signal("HUP");
    program.metric_is("reloads_total{result=\"ok\"}", 1);
    assert_eq!(program.metric("connections_limit"), 6);
}

#[tokio::test]
async fn what_takes_a_start_is_named_each_time_and_changes_nothing() {
    let folder = Folder::new();
    let program = start(&folder, "");
    for times in 1..3 {
        reload(&program, &folder, "ipv6-prefix = 56\nlog-format = 'json'\npool = true\n");
        let said = "these options have changed, and count from the next start: ipv6-prefix, log-format, pool";
        eventually(said, || (program.log().matches(said).count() == times).then_some(()));
    }
    Client::joined(program.address(), "test").await;
    reload(&program, &folder, "");
}

/// All of it or nothing.
#[tokio::test]
async fn a_reload_of_which_a_part_cannot_be_used_changes_nothing_and_says_so() {
    let folder = Folder::new();
    let block = folder.write("block", "192.0.2.0/24\n");
    let usual = format!("block = {block:?}");
    let program = start(&folder, &usual);
    let missing = folder.path().join("missing");
    let secret = format!("turn = ['turn:h']\nturn-secret-file = {missing:?}");
    let tls = format!("tls-cert = {missing:?}\ntls-key = {missing:?}");
    for (times, (options, wrong)) in [
        ("max-clients = 0", "max-clients: it takes at least one"),
        ("max-cleints = 7", "unknown field `max-cleints`"),
        (&*secret, "turn-secret-file: "),
        (&*format!("pool-ca = {missing:?}"), "pool-ca: "),
        (&*format!("allow = {missing:?}"), "lists: "),
        // It is read as a file of the next start would be; TLS itself waits for that.
        ("log = 'x=loud=very'", "log"),
    ]
    .into_iter()
    .enumerate()
    {
        let options =
            if options.starts_with("log") { options.to_owned() } else { with_log(options) };
        folder.write("config.toml", &format!("{options}\nmax-clients-per-address = 1\n"));
        program.signal("HUP");
        program.metric_is("reloads_total{result=\"failed\"}", times as u64 + 1);
        program.logs("not reloaded, what was read before counts on: ");
        program.logs(wrong);
    }
    let _two = [Client::connect(program.address()).await, Client::connect(program.address()).await];
    assert_eq!(program.metric("reloads_total{result=\"ok\"}"), 0);
    assert_eq!(program.metric("connections_limit"), 10_000);
    // TLS comes with the next start: the files are not read before.
    reload(&program, &folder, &format!("{usual}\n{tls}"));
    program.logs("count from the next start: tls-cert, tls-key");
    Client::connect(program.address()).await;
}

/// Members of the pool: whom to dial, and who may be one.
#[test]
fn members_of_the_pool_count_anew() {
    let folder = Folder::new();
    let member = |args: &[&str]| {
        Program::start(
            &[&["--pool", "--public-url", "ws://member.example", "--metrics", "127.0.0.1:0"], args]
                .concat(),
        )
    };
    let (one, two) = (member(&[]), member(&[]));
    let program = start(&folder, &format!("peer = ['{}']", one.url()));
    program.metric_is("pool_members", 1);
    reload(&program, &folder, &format!("peer = ['{}', '{}']", one.url(), two.url()));
    program.metric_is("pool_members", 2);
    two.metric_is("pool_members", 1);
    let only = format!("peer = ['{}']\nallow-member = ['{}']", two.url(), two.peer_id());
    reload(&program, &folder, &only);
    program.metric_is("pool_members", 1);
    one.metric_is("pool_members", 0);
    assert_eq!(two.metric("pool_members"), 1);
}

#[test]
fn without_a_file_of_options_the_files_that_were_named_are_read_anew() {
    let folder = Folder::new();
    let block = folder.write("block", "192.0.2.0/24\n");
    let mut command = command(&["--listen", "127.0.0.1:0", "--json", "--block", &block]);
    command.args(["--metrics", "127.0.0.1:0"]);
    let program = Program::spawn(command);
    folder.write("block", "127.0.0.0/8\n");
    program.signal("HUP");
    eventually("it is cut off", || {
        let answer = crate::program::get(program.address(), "/healthz", "");
        answer.starts_with("HTTP/1.1 403 ").then_some(())
    });
}
