use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use super::*;

/// The answer to a request, which tells that address (RFC 8489, section 14.2).
fn answer(request: &[u8], told: SocketAddr) -> Vec<u8> {
    const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    let SocketAddr::V4(told) = told else { panic!("the fake server speaks IPv4") };
    let port = told.port() ^ 0x2112;
    let masked = told.ip().octets().into_iter().zip(COOKIE).map(|(octet, mask)| octet ^ mask);
    let mut answer = vec![1, 1, 0, 12];
    answer.extend(&request[4..20]);
    answer.extend([0, 0x20, 0, 8, 0, 1]);
    answer.extend(port.to_be_bytes());
    answer.extend(masked);
    answer
}

/// A server that is deaf to so many requests at first, and then tells `told`, or what it sees itself.
async fn server(deaf: u32, told: Option<&str>) -> (String, Arc<AtomicU32>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let address = socket.local_addr().expect("bound").to_string();
    let told = told.map(|told| told.parse().expect("an address"));
    let asked = Arc::<AtomicU32>::default();
    let count = asked.clone();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            if count.fetch_add(1, Ordering::SeqCst) >= deaf {
                let answer = answer(&buffer[..length], told.unwrap_or(from));
                socket.send_to(&answer, from).await.expect("answered");
            }
        }
    });
    (address, asked)
}

async fn nat(servers: &[&str], patience: Duration) -> Nat {
    Nat::of(&ask(Family::V4, servers, patience).await.expect("a socket"))
}

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn the_kind_of_nat_is_told_by_two_ports() {
    let (here, _) = server(0, None).await;
    let (one, _) = server(0, Some("192.0.2.1:1000")).await;
    let (same, _) = server(0, Some("192.0.2.1:1000")).await;
    let (other_port, _) = server(0, Some("192.0.2.1:1001")).await;
    let (other_address, _) = server(0, Some("192.0.2.9:1000")).await;
    for (servers, expected) in [
        (&[&*here][..], Nat::Open),
        (&[&one], Nat::Unknown),
        (&[&one, &one], Nat::Cone),
        (&[&one, &same], Nat::Cone),
        (&[&one, &other_port], Nat::Symmetric),
        (&[&one, &other_address], Nat::Symmetric),
        // What one on this network sees says nothing of the NAT before the others.
        (&[&here, &one], Nat::Unknown),
        (&[&here, &one, &same], Nat::Cone),
        (&["[::1]:9"], Nat::Unasked),
        (&["no-such-host.invalid:3478"], Nat::Unasked),
        (&[], Nat::Unasked),
    ] {
        assert_eq!(nat(servers, LONG).await, expected, "{servers:?}");
    }
}

/// The times at which a server is asked that never answers, and when it is given up.
fn silence(patience: Duration) -> (Vec<u128>, Duration) {
    let server = "192.0.2.1:3478".parse().expect("an address");
    let mut inquiry = Inquiry::new(patience);
    inquiry.ask(server).expect("a request");
    let (mut now, mut times) = (Duration::ZERO, Vec::new());
    loop {
        while inquiry.poll_transmit(now).is_some() {
            times.push(now.as_millis());
        }
        let Some(due) = inquiry.poll_timeout(now) else { break };
        now = due;
    }
    assert!(matches!(inquiry.outcome(server), Err(StunError::Silent)));
    (times, now)
}

/// Some percent of all packets are lost on a bad line: that is no wall.
#[test]
fn whoever_is_silent_is_asked_again_and_again_and_then_given_up() {
    let (times, end) = silence(Duration::from_secs(100));
    assert_eq!(times, [0, 500, 1500, 3500, 7500, 15500, 31500], "RFC 8489, section 6.2.1");
    assert_eq!(end.as_millis(), 39_500);
    let (times, end) = silence(Duration::from_secs(4));
    assert_eq!(times, [0, 500, 1500, 3500]);
    assert_eq!(end.as_millis(), 4000, "the patience is kept");
}

#[tokio::test]
async fn a_lost_request_is_repeated() {
    let (lossy, asked) = server(2, Some("192.0.2.1:1000")).await;
    assert_eq!(nat(&[&lossy], LONG).await, Nat::Unknown);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    let (deaf, _) = server(u32::MAX, None).await;
    assert_eq!(nat(&[&deaf], Duration::from_millis(50)).await, Nat::Blocked);
}

/// One of two ports may be closed by a firewall: that holds nobody up for long.
#[test]
fn others_are_not_waited_for_much_longer() {
    let [deaf, good] = ["192.0.2.1:1", "192.0.2.1:2"].map(|text| text.parse().expect("an address"));
    let mut inquiry = Inquiry::new(LONG);
    inquiry.ask(deaf).expect("a request");
    inquiry.ask(good).expect("a request");
    let requests: Vec<_> = std::iter::from_fn(|| inquiry.poll_transmit(Duration::ZERO)).collect();
    assert_eq!(requests.iter().map(|(to, _)| *to).collect::<Vec<_>>(), [deaf, good]);
    let told = "192.0.2.9:9".parse().expect("an address");
    let mut now = Duration::from_millis(100);
    inquiry.received(good, &answer(&requests[1].1, told), now);
    while let Some(due) = inquiry.poll_timeout(now) {
        now = due;
        while inquiry.poll_transmit(now).is_some() {}
    }
    assert_eq!(now.as_millis(), 4100);
    assert!(matches!(inquiry.outcome(good), Ok(seen) if seen == told));
    assert!(matches!(inquiry.outcome(deaf), Err(StunError::Silent)));
}

#[tokio::test]
async fn only_those_who_were_asked_are_believed() {
    let liar = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let asked = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let address = asked.local_addr().expect("bound").to_string();
    let servers = [&*address];
    let asking = ask(Family::V4, &servers, LONG);
    let answering = async {
        let mut buffer = [0; 1500];
        let (length, from) = asked.recv_from(&mut buffer).await.expect("a request");
        let request = &buffer[..length];
        let told = "192.0.2.66:6".parse().expect("an address");
        liar.send_to(&answer(request, told), from).await.expect("sent");
        let mut other = answer(request, told);
        other[10] ^= 1;
        for wrong in [&other[..], request, b"junk", &[]] {
            asked.send_to(wrong, from).await.expect("sent");
        }
        let told = "192.0.2.1:1".parse().expect("an address");
        asked.send_to(&answer(request, told), from).await.expect("sent");
    };
    let (answers, ()) = tokio::join!(asking, answering);
    let seen = answers.expect("a socket").remove(0).seen.expect("an answer");
    assert_eq!(seen.mapped.to_string(), "192.0.2.1:1");
    assert_eq!(seen.local, Some(Ipv4Addr::LOCALHOST.into()));
}
