use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use taiinet_document::Timestamp;
use taiinet_identity::Signed;
use taiinet_mesh::wire::{FromSignaller, RefusalReason, Signal, ToSignaller};
use tokio_tungstenite::tungstenite::http::Response;

use crate::{
    client::Client,
    program::{DEADLINE, Program, eventually, get},
};

const METRICS: [&str; 2] = ["--metrics", "127.0.0.1:0"];

fn start(args: &[&str]) -> Program {
    Program::start(&[&METRICS[..], args].concat())
}

/// The status of a refusal, and after how many seconds to come again.
fn refusal(answer: Result<Client, Response<Option<Vec<u8>>>>) -> (u16, u64) {
    let Err(response) = answer else { panic!("it was let in") };
    let seconds = response.headers()["retry-after"].to_str().unwrap();
    (response.status().as_u16(), seconds.parse().unwrap())
}

#[tokio::test]
async fn places_for_one_address_are_limited_and_come_back() {
    let program = start(&["--max-clients-per-address", "2"]);
    let (one, mut two) =
        (Client::connect(program.address()).await, Client::connect(program.address()).await);
    let refused = Client::try_connect(program.address(), &[]).await;
    assert_eq!(refusal(refused), (429, 20));
    assert!(two.is_served().await);
    drop(one);
    program.metric_is("connections", 1);
    Client::connect(program.address()).await;
    program.metric_is("connections_refused_total{reason=\"address_full\"}", 1);
    program.metric_is("connections_total", 3);
}

#[tokio::test]
async fn places_in_all_are_limited() {
    let program = start(&["--max-clients", "1"]);
    let _held = Client::connect(program.address()).await;
    assert_eq!(refusal(Client::try_connect(program.address(), &[]).await), (503, 20));
    program.metric_is("connections_refused_total{reason=\"full\"}", 1);
}

#[tokio::test]
async fn an_address_that_comes_too_often_is_told_and_then_not_even_told() {
    let program = start(&["--max-new-per-minute", "3"]);
    let mut first = Client::connect(program.address()).await;
    for _ in 0..2 {
        Client::connect(program.address()).await;
    }
    for _ in 0..3 {
        let (status, seconds) = refusal(Client::try_connect(program.address(), &[]).await);
        assert_eq!(status, 429);
        assert!((1..=60).contains(&seconds));
    }
    let mut stream = TcpStream::connect(program.address()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    assert!(matches!(stream.read(&mut [0; 64]), Ok(0) | Err(_)));
    program.metric_is("connections_refused_total{reason=\"too_often\"}", 3);
    program.metric_is("connections_refused_total{reason=\"flood\"}", 1);
    assert!(first.is_served().await);
}

#[test]
fn a_request_that_comes_drop_by_drop_is_cut_and_holds_nobody_up() {
    let program = start(&["--handshake-timeout", "4s", "--max-handshakes", "3"]);
    let mut slow: Vec<_> = (0..3).map(|_| TcpStream::connect(program.address()).unwrap()).collect();
    program.metric_is("handshakes", 3);
    // There is room for no more: the oldest makes room, and is counted.
    let answer = get(program.address(), "/healthz", "");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let told = answer_to(slow.remove(0));
    assert!(told.starts_with("HTTP/1.1 503 "), "{told}");
    assert!(told.contains("\r\nretry-after: 20\r\n"), "{told}");
    program.metric_is("handshakes_failed_total{reason=\"crowded\"}", 1);
    // Each drop comes in time; it is the whole that does not.
    let request = b"GET /healthz HTTP/1.1\r\nHost: test\r\nX-Padding: ";
    let mut drops = request.iter().chain(std::iter::repeat(&b'a'));
    eventually("they are cut", || {
        let drop = [*drops.next()?];
        slow.retain_mut(|stream| stream.write_all(&drop).is_ok());
        slow.is_empty().then_some(())
    });
    program.metric_is("handshakes", 0);
    program.metric_is("handshakes_failed_total{reason=\"timeout\"}", 2);
    assert!(get(program.address(), "/healthz", "").starts_with("HTTP/1.1 200"));
}

/// All that is said on a connection until it ends.
pub(crate) fn answer_to(mut stream: TcpStream) -> String {
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an end, and no reset");
    answer
}

/// Silent ones, and such as begin their request and say no more, are told why they are cut.
#[test]
fn a_handshake_that_takes_too_long_is_told_so() {
    let program = start(&["--handshake-timeout", "1s"]);
    let silent = TcpStream::connect(program.address()).unwrap();
    let mut begun = TcpStream::connect(program.address()).unwrap();
    begun.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n").unwrap();
    for stream in [silent, begun] {
        let told = answer_to(stream);
        assert!(told.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{told}");
        assert!(told.contains("\r\nconnection: close\r\n"), "{told}");
    }
    program.metric_is("handshakes_failed_total{reason=\"timeout\"}", 2);
}

#[test]
fn a_handshake_under_way_is_told_that_the_signaller_stops() {
    let mut program = start(&[]);
    let stalled = TcpStream::connect(program.address()).unwrap();
    program.metric_is("handshakes", 1);
    program.signal("TERM");
    let told = answer_to(stalled);
    assert!(told.starts_with("HTTP/1.1 503 ") && told.contains("retry-after: 2\r\n"), "{told}");
    assert!(program.ends().success());
}

/// Those that are refused and say nothing keep nobody from hearing why, and take no client's place.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn who_is_refused_is_told_however_many_others_are_slow_to_hear_it() {
    let folder = crate::program::Folder::new();
    let block = folder.write("block", "127.0.9.0/24\n");
    let program =
        start(&["--block", &block, "--max-clients-per-address", "1", "--handshake-timeout", "1m"]);
    let mut served = Client::connect(program.address()).await;
    let mut silent = Vec::new();
    for number in 0..300 {
        silent.push(connect_from([127, 0, 9, 1 + number as u8 % 8], &program));
        if number % 50 == 49 {
            assert_eq!(refusal(Client::try_connect(program.address(), &[]).await), (429, 20));
        }
    }
    program.metric_is("connections_refused_total{reason=\"blocked\"}", 300);
    assert_eq!(program.metric("handshakes"), 0, "they take no places of clients");
    assert!(program.metric("handshakes_failed_total{reason=\"crowded\"}") >= 200);
    assert!(served.is_served().await);
}

/// From another address of this host.
pub(crate) fn connect_from(host: [u8; 4], program: &Program) -> TcpStream {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((host, 0)).into()).unwrap();
    socket.connect(&program.address().into()).unwrap();
    socket.into()
}

/// Slots run out, and honest clients come in nevertheless, each with its first attempt.
#[cfg(target_os = "linux")]
#[test]
fn few_addresses_with_many_silent_connections_keep_nobody_out() {
    let program = start(&["--max-handshakes", "24", "--handshake-timeout", "1m"]);
    let mut silent = Vec::new();
    for round in 0..40 {
        for host in 1..=8 {
            silent.push(connect_from([127, 0, 9, host], &program));
        }
        let mut honest = connect_from([127, 0, 10, round], &program);
        // It takes its time, in which the others go on.
        for host in 1..=2 {
            silent.push(connect_from([127, 0, 9, host], &program));
        }
        honest.set_read_timeout(Some(DEADLINE)).unwrap();
        honest.write_all(b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
        let mut answer = String::new();
        honest.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "round {round}: {answer}");
    }
    assert!(program.metric("handshakes_failed_total{reason=\"crowded\"}") >= 300);
}

/// All places are taken by few addresses; a client from another gets in with its first attempt.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn few_addresses_with_many_clients_keep_no_newcomer_out() {
    let program = start(&["--max-clients", "24", "--join-work", "0"]);
    let connect = async |host| {
        let stream = connect_from(host, &program);
        stream.set_nonblocking(true).unwrap();
        let stream = tokio::net::TcpStream::from_std(stream).unwrap();
        Client::over(Box::new(stream), &[]).await
    };
    let mut crowd = Vec::new();
    for number in 0..24 {
        let mut client = connect([127, 0, 11, 1 + number % 2]).await.expect("there is room");
        assert_eq!(client.join("test").await, Some(FromSignaller::Joined));
        crowd.push(client);
    }
    assert_eq!(refusal(connect([127, 0, 11, 1]).await), (503, 20));
    // A connection alone takes nobody's place.
    let silent: Vec<_> = (1..=30).map(|host| connect_from([127, 0, 13, host], &program)).collect();
    program.metric_is("handshakes", 30);
    for client in &mut crowd {
        assert!(client.is_served().await);
    }
    let mut honest = Vec::new();
    for host in 1..=4 {
        let mut client = connect([127, 0, 12, host]).await.expect("another gives way");
        assert_eq!(client.join("test").await, Some(FromSignaller::Joined));
        honest.push(client);
    }
    // A client that gave way is told when to come again: those do that came last.
    let told = crowd[23].receive().await;
    let Some(FromSignaller::Refused { reason, retry_after_ms }) = told else { panic!("{told:?}") };
    assert_eq!((reason, retry_after_ms), (RefusalReason::Full, 20_000));
    program.metric_is("connections_crowded_out_total", 4);
    program.metric_is("connections", 24);
    program.metric_is("joined_peers", 24);
    for client in crowd[..20].iter_mut().chain(&mut honest) {
        assert!(client.is_served().await);
    }
    drop(silent);
}

#[test]
fn a_request_without_end_is_refused() {
    let program = start(&[]);
    let answer = get(program.address(), "/", &format!("X-Padding: {}\r\n", "a".repeat(60_000)));
    assert!(!answer.contains("200 OK"), "{answer}");
    program.metric_is("handshakes", 0);
}

#[test]
fn a_connection_is_for_one_request() {
    let program = start(&[]);
    let request = "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n";
    let answer = get(program.address(), "/healthz", &format!("\r\n{request}"));
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 1, "{answer}");
}

/// Sends all signals to a peer that it may be sent, by as many senders as it takes.
pub(crate) async fn flood(program: &Program, to: &Client, network: &str) {
    for _ in 0..60 {
        let mut sender = Client::joined(program.address(), network).await;
        let signal = Signal {
            network: network.parse().unwrap(),
            to: to.id(),
            sent_at: Timestamp::from_millis(1),
            sealed: vec![7; 8_000],
        };
        let signal = ToSignaller::Signal(Signed::new(&sender.identity, &signal));
        for _ in 0..50 {
            sender.say(&signal).await;
        }
        sender.say(&ToSignaller::Ping(1)).await;
        while let Some(frame) = sender.receive().await {
            match frame {
                FromSignaller::Unreachable(_) => return,
                FromSignaller::Pong(_) => break,
                _ => {}
            }
        }
    }
    panic!("the flood went on");
}

/// Others cannot have it dropped, whatever they send to it; what it asks for and does not read can.
#[tokio::test]
async fn a_client_that_does_not_read_is_dropped_for_what_it_asked_for_itself() {
    let program = start(&["--write-timeout", "10m"]);
    let mut sleeper = Client::sleeper(program.address(), "test").await;
    flood(&program, &sleeper, "test").await;
    program.metric_is("joined_peers", 1);
    assert_eq!(program.metric("slow_readers_total"), 0);
    for number in 0..350 {
        // It may be dropped before it has asked for all.
        if !sleeper.try_say(&ToSignaller::Ping(number)).await {
            break;
        }
    }
    program.metric_is("slow_readers_total", 1);
    let dropped = program.metric("messages_dropped_total");
    assert!((200..=257).contains(&dropped), "{dropped} of the 256 that may wait");
    // Its place is free at once, though it reads nothing still.
    program.metric_is("joined_peers", 0);
    program.metric_is("connections", 0);
}

/// However little may wait for a client.
#[tokio::test]
async fn what_others_send_to_a_client_is_less_than_may_wait_for_it() {
    let program = start(&["--max-waiting-bytes", "65536", "--write-timeout", "10m"]);
    let sleeper = Client::sleeper(program.address(), "test").await;
    flood(&program, &sleeper, "test").await;
    program.metric_is("joined_peers", 1);
    assert_eq!(program.metric("slow_readers_total"), 0);
}
