use std::{net::TcpStream, time::Instant};

use taiinet_mesh::wire::{FromSignaller, RefusalReason};

use crate::{
    client::Client,
    limits::flood,
    program::{DEADLINE, Program, get},
};

#[tokio::test]
async fn a_signal_to_stop_tells_everybody_and_ends_well() {
    for signal in ["TERM", "INT"] {
        let mut program = Program::start(&[]);
        let mut peers = Vec::new();
        for _ in 0..20 {
            peers.push(Client::joined(program.address(), "test").await);
        }
        let stalled = TcpStream::connect(program.address()).unwrap();
        program.signal(signal);
        for peer in &mut peers {
            let told = peer.receive().await;
            let Some(FromSignaller::Refused { reason: RefusalReason::Leaving, .. }) = told else {
                panic!("{told:?}")
            };
            assert_eq!(peer.receive().await, None);
        }
        drop(peers);
        assert!(program.ends().success());
        assert!(TcpStream::connect(program.address()).is_err());
        drop(stalled);
    }
}

/// A signaller with a client that reads nothing of the much that waits for it.
async fn with_a_sleeper(args: &[&str]) -> (Program, Client) {
    let all = [&["--write-timeout", "10m", "--log", "info"][..], args];
    let program = Program::start(&all.concat());
    let sleeper = Client::sleeper(program.address(), "test").await;
    // More than the system buffers for its socket.
    flood(&program, &sleeper, "test").await;
    (program, sleeper)
}

#[tokio::test]
async fn a_client_that_does_not_go_holds_the_end_up_no_longer_than_the_deadline() {
    let (mut program, _sleeper) = with_a_sleeper(&["--drain-timeout", "1s"]).await;
    program.signal("TERM");
    assert!(program.ends().success());
    program.logs("some did not go in time left=1");
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let args = ["--drain-timeout", "10m", "--metrics", "127.0.0.1:0"];
    let (mut program, _sleeper) = with_a_sleeper(&args).await;
    assert!(get(program.metrics_address(), "/health", "").starts_with("HTTP/1.1 200"));
    program.signal("TERM");
    program.logs("stopping");
    let start = Instant::now();
    program.signal("TERM");
    assert_eq!(program.ends().code(), Some(1));
    assert!(start.elapsed() < DEADLINE);
    program.logs("second signal");
}
