//! Links through a real TURN server, and what is said where there is none.

mod common;

use std::{
    net::UdpSocket,
    time::{Duration, Instant},
};

use common::{
    A, B, End,
    coturn::{Coturn, held, made, named},
    end_with, loopback, somebody,
};
use taiinet_mesh::{Dial, Input, LinkFailure, Negotiation, limits, wire::IceServer};
use taiinet_webrtc::WebRtcConfig;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

fn relay_only() -> WebRtcConfig {
    WebRtcConfig { relay_only: true, ..loopback() }
}

fn dials(end: &mut End, servers: &[IceServer]) {
    end.links.dial(A, Dial::Offer { to: somebody(), ice_servers: servers.to_vec() });
}

fn answers(end: &mut End, offer: String, servers: &[IceServer]) {
    let ice_servers = servers.to_vec();
    end.links.dial(B, Dial::Answer { to: somebody(), offer, ice_servers });
}

/// Links A of `a` to B of `b`, both with these servers; candidates that `passes` does not let by are lost.
/// Returns how long it took from the offer on, or what ended a link.
async fn link(
    a: &mut End,
    b: &mut End,
    servers: &[IceServer],
    mut passes: impl FnMut(&str) -> bool,
) -> Result<Duration, LinkFailure> {
    dials(a, servers);
    let offer = a.description().await;
    let begun = Instant::now();
    answers(b, offer, servers);
    let (mut a_up, mut b_up) = (false, false);
    while !(a_up && b_up) {
        let (input, from_a) = tokio::select! {
            input = a.next() => (input, true),
            input = b.next() => (input, false),
        };
        match input {
            Input::LinkUp { .. } if from_a => a_up = true,
            Input::LinkUp { .. } => b_up = true,
            Input::Negotiation { part: Negotiation::Candidate(text), .. } if !passes(&text) => {}
            Input::Negotiation { part, .. } if from_a => b.links.negotiate(B, part),
            Input::Negotiation { part, .. } => a.links.negotiate(A, part),
            Input::LinkDown { cause, .. } => return Err(cause),
            other => panic!("{other:?}"),
        }
    }
    Ok(begun.elapsed())
}

fn is_relayed(candidate: &str) -> bool {
    candidate.contains(" typ relay")
}

/// Messages both ways, all of them in order.
async fn talk(a: &mut End, b: &mut End) {
    for number in 0..20_u8 {
        a.links.send(A, vec![number; 1000]);
        b.links.send(B, vec![number; limits::MESSAGE_BYTES / 2]);
        assert_eq!(b.message().await, vec![number; 1000]);
        assert_eq!(a.message().await, vec![number; limits::MESSAGE_BYTES / 2]);
    }
}

async fn gone(server: &Coturn) {
    tokio::task::block_in_place(|| {
        server.eventually("all allocations were given back", |log| held(log).is_empty());
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_allocation_is_given_back_when_the_link_goes_without() {
    let server = Coturn::start(&[]);
    let servers = [server.at("?transport=udp")];
    let (mut a, mut b) = (end_with(loopback()), end_with(loopback()));
    dials(&mut a, &servers);
    let offer = a.description().await;
    answers(&mut b, offer, &servers);
    // Direct candidates are held back until both ends have asked for a way through the server.
    let (mut for_a, mut for_b) = (vec![], vec![]);
    let (mut a_asked, mut b_asked) = (false, false);
    while !(a_asked && b_asked) {
        tokio::select! {
            input = a.next() => match input {
                Input::Negotiation { part: Negotiation::Candidate(text), .. } => {
                    if is_relayed(&text) { a_asked = true } else { for_b.push(text) }
                }
                other => panic!("{other:?}"),
            },
            input = b.next() => match input {
                Input::Negotiation { part: part @ Negotiation::Description(_), .. } => {
                    a.links.negotiate(A, part);
                }
                Input::Negotiation { part: Negotiation::Candidate(text), .. } => {
                    if is_relayed(&text) { b_asked = true } else { for_a.push(text) }
                }
                other => panic!("{other:?}"),
            },
        }
    }
    tokio::task::block_in_place(|| {
        server.eventually("each end has one", |log| held(log).len() == 2);
    });
    for text in for_a {
        a.links.negotiate(A, Negotiation::Candidate(text));
    }
    for text in for_b {
        b.links.negotiate(B, Negotiation::Candidate(text));
    }
    assert!(matches!(a.next().await, Input::LinkUp { .. }));
    assert!(matches!(b.next().await, Input::LinkUp { .. }));
    gone(&server).await;
    talk(&mut a, &mut b).await;
    assert_eq!(made(&server.log()), 2, "one for each end, whatever addresses it has");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_needs_the_server_goes_on_with_one_allocation_and_gives_it_back_at_its_end() {
    let server = Coturn::start(&[]);
    let (mut a, mut b) = (end_with(loopback()), end_with(relay_only()));
    let took = link(&mut a, &mut b, &[server.at("?transport=udp")], is_relayed).await.expect("up");
    assert!(took < Duration::from_secs(5), "{took:?}");
    talk(&mut a, &mut b).await;
    // What the other end may have asked for, it has given back.
    tokio::task::block_in_place(|| {
        server.eventually("one is left", |log| held(log).len() == 1);
    });
    talk(&mut a, &mut b).await;
    a.links.close(A);
    assert_eq!(b.down(B).await, LinkFailure::Remote);
    assert_eq!(a.down(A).await, LinkFailure::Local);
    gone(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ends_that_show_nobody_their_addresses_meet_by_udp_tcp_and_tls() {
    let names = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = names.self_signed(&key).expect("a certificate").pem();
    let folder = tempfile::tempdir().expect("a folder");
    let (cert_file, key_file) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert_file, &certificate).expect("written");
    std::fs::write(&key_file, key.serialize_pem()).expect("written");
    let path = |path: &std::path::Path| path.display().to_string();
    let server = Coturn::start(&["--cert", &path(&cert_file), "--pkey", &path(&key_file)]);
    for (servers, udp_lies) in [
        (vec![server.at("?transport=udp")], false),
        (vec![server.at("?transport=tcp")], false),
        (vec![named(&format!("turns:localhost:{}", server.tls_port))], false),
        // The first one is silent: the other is not waited for until that is certain.
        (vec![server.at("?transport=tcp")], true),
    ] {
        let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let mut servers = servers;
        if udp_lies {
            let port = silent.local_addr().expect("an address").port();
            servers.push(named(&format!("turn:127.0.0.1:{port}?transport=udp")));
        }
        let config = || WebRtcConfig { extra_roots: certificate.clone().into(), ..relay_only() };
        let (mut a, mut b) = (end_with(config()), end_with(config()));
        let mut told = vec![];
        let passes = |text: &str| {
            told.push(text.to_owned());
            true
        };
        let took = link(&mut a, &mut b, &servers, passes).await.expect("up");
        assert!(took < Duration::from_secs(8), "{servers:?}: {took:?}");
        assert!(told.iter().all(|text| is_relayed(text)), "{told:?}");
        talk(&mut a, &mut b).await;
        drop((a, b));
        gone(&server).await;
    }
}

/// What ends a link of which only the end that dials may use the server.
async fn failure(servers: &[IceServer]) -> (String, String) {
    let (mut a, mut b) = (end_with(relay_only()), end_with(loopback()));
    match link(&mut a, &mut b, servers, |_| true).await {
        Err(LinkFailure::Mistaken { what, cure }) => (what, cure),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_and_wrong_credentials_are_called_by_their_names() {
    let server = Coturn::start(&["--user-quota", "1"]);
    let servers = [server.at("?transport=udp")];
    let (mut a, mut b) = (end_with(relay_only()), end_with(loopback()));
    link(&mut a, &mut b, &servers, |_| true).await.expect("up");
    let (what, cure) = failure(&servers).await;
    assert!(what.contains("486 Allocation Quota Reached"), "{what}");
    assert!(what.contains(&servers[0].url) && cure.contains("user-quota"), "{what} {cure}");
    talk(&mut a, &mut b).await;

    let stranger = IceServer { credential: "wrong".to_owned(), ..servers[0].clone() };
    let (what, cure) = failure(&[stranger]).await;
    assert!(what.contains("credentials") && what.contains("401"), "{what}");
    assert!(cure.contains("static-auth-secret"), "{cure}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_are_none_are_told_apart() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let (what, cure) = failure(&[named(&format!("turn:127.0.0.1:{port}?transport=udp"))]).await;
    assert!(what.contains("does not answer") && cure.contains("?transport=tcp"), "{what} {cure}");

    let (what, _) = failure(&[named("turns:127.0.0.1:1?transport=udp")]).await;
    assert!(what.contains("DTLS"), "{what}");

    let other = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = other.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = other.accept().await {
            let _ = stream.read(&mut [0; 100]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let (what, cure) = failure(&[named(&format!("turn:127.0.0.1:{port}?transport=tcp"))]).await;
    assert!(what.contains("does not speak TURN") && cure.contains("port"), "{what} {cure}");
    let (what, _) = failure(&[named(&format!("turns:127.0.0.1:{port}"))]).await;
    assert!(what.contains("TLS"), "{what}");

    let mut a = end_with(relay_only());
    dials(&mut a, &[IceServer::stun("stun:127.0.0.1:1")]);
    let none = a.down(A).await;
    assert!(
        matches!(&none, LinkFailure::Mistaken { what, .. } if what.contains("TURN")),
        "{none:?}"
    );
}

/// Only to a server on loopback does loopback lead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_of_loopback_alone_asks_no_server_elsewhere() {
    let (what, _) = failure(&[named("turn:192.0.2.1:3478?transport=udp")]).await;
    assert!(what.contains("leads nowhere from here"), "{what}");
}
