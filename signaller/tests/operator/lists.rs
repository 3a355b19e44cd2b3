use taiinet_mesh::wire::{FromSignaller, RefusalReason};

use crate::{
    client::Client,
    program::{Folder, Program, run, text},
};

fn is_refused(answer: Option<FromSignaller>) -> bool {
    matches!(answer, Some(FromSignaller::Refused { reason: RefusalReason::Network, .. }))
}

#[tokio::test]
async fn blocked_peers_and_networks_are_refused_and_those_that_are_there_are_closed() {
    let folder = Folder::new();
    let file = folder.write("block", "# none yet\n");
    let program = Program::start(&["--block", &file, "--log", "info", "--metrics", "127.0.0.1:0"]);
    let mut blocked = Client::joined(program.address(), "test").await;
    let mut elsewhere = Client::joined(program.address(), "other place").await;
    let mut other = Client::joined(program.address(), "test").await;

    let list = format!("{}  # spam\nnetwork other place\n", blocked.id());
    folder.write("block", &list);
    program.signal("HUP");
    for client in [&mut blocked, &mut elsewhere] {
        assert!(is_refused(client.receive().await));
        assert_eq!(client.receive().await, None);
    }
    assert!(other.is_served().await);

    // And they do not come again.
    let mut again = Client::connect(program.address()).await;
    again.identity = blocked.identity;
    assert!(is_refused(again.join("test").await));
    let mut again = Client::connect(program.address()).await;
    assert!(is_refused(again.join("other place").await));
    program.metric_is("refused_total{reason=\"not_admitted\"}", 4);
}

#[tokio::test]
async fn only_allowed_peers_may_join() {
    let folder = Folder::new();
    let file = folder.write("allow", "network test\n127.0.0.0/8\n");
    let program = Program::start(&["--allow", &file]);
    Client::joined(program.address(), "test").await;
    let mut other = Client::connect(program.address()).await;
    assert!(is_refused(other.join("other").await));
}

#[tokio::test]
async fn blocked_addresses_are_cut_and_refused_and_a_bad_list_changes_nothing() {
    let folder = Folder::new();
    let file = folder.write("block", "192.0.2.0/24\n");
    let program = Program::start(&["--block", &file, "--log", "info", "--metrics", "127.0.0.1:0"]);
    let mut client = Client::joined(program.address(), "test").await;

    folder.write("block", "127.0.0.0/8\n10.0.0.0/99\n");
    program.signal("HUP");
    program.logs("not reloaded, what was read before counts on: lists");
    assert!(program.log().contains("block, line 2"));
    assert!(!program.log().contains("10.0.0.0"), "what stands there may be an address");
    program.metric_is("reloads_total{result=\"failed\"}", 1);
    assert!(client.is_served().await);

    folder.write("block", "127.0.0.0/8\n");
    program.signal("HUP");
    assert_eq!(client.receive().await, None);
    let Err(refused) = Client::try_connect(program.address(), &[]).await else { panic!() };
    assert_eq!(refused.status().as_u16(), 403);
    program.metric_is("connections_refused_total{reason=\"blocked\"}", 1);
    program.metric_is("connections_cut_total", 1);

    folder.write("block", "");
    program.signal("HUP");
    program.metric_is("reloads_total{result=\"ok\"}", 2);
    Client::joined(program.address(), "test").await;
}

/// What is left of a list when a script fails at the wrong moment serves none, or is not taken.
#[tokio::test]
async fn an_allow_list_that_is_cut_short_or_becomes_empty_lets_nobody_in() {
    let folder = Folder::new();
    let whole = "127.0.0.0/8\nnetwork test\n";
    let file = folder.write("allow", whole);
    let program = Program::start(&["--allow", &file, "--metrics", "127.0.0.1:0"]);
    let mut client = Client::joined(program.address(), "test").await;

    // Without the networks, all of them would be served; the half of a range is a range.
    for (times, cut, told) in [
        (1, "127.0.0.0/8\n", "no network any more"),
        (2, "127.0.0.0/8\nnetwork te", "allow, line 2"),
    ] {
        folder.write("allow", cut);
        program.signal("HUP");
        program.logs("not reloaded, what was read before counts on: lists");
        program.metric_is("reloads_total{result=\"failed\"}", times);
        program.logs(told);
        assert!(client.is_served().await);
        let mut other = Client::connect(program.address()).await;
        assert!(is_refused(other.join("other").await));
    }

    folder.write("allow", "# nobody\n");
    program.signal("HUP");
    program.logs("the allow-list has no entries: no client is served");
    // By the desk, which says so, or by its address.
    while client.receive().await.is_some() {}
    let Err(refused) = Client::try_connect(program.address(), &[]).await else { panic!() };
    assert_eq!(refused.status().as_u16(), 403);
    // And back.
    folder.write("allow", whole);
    program.signal("HUP");
    program.metric_is("reloads_total{result=\"ok\"}", 2);
    Client::joined(program.address(), "test").await;
}

#[tokio::test]
async fn an_empty_allow_list_serves_nobody_from_the_start_and_says_so() {
    let folder = Folder::new();
    let file = folder.write("allow", "");
    let checked = run(&["--allow", &file, "--check-config"]);
    assert!(checked.status.success());
    assert!(text(&checked.stderr).contains("no client is served"), "{}", text(&checked.stderr));
    let program = Program::start(&["--allow", &file]);
    program.logs("the allow-list has no entries: no client is served");
    assert!(Client::try_connect(program.address(), &[]).await.is_err());
}
