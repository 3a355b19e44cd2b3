//! What is said of servers that are not trusted, and of those that speak something else.

mod common;

use std::sync::Arc;

use common::{A, DEADLINE, End};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::PrivateKeyDer;
use taiinet_mesh::{Dial, LinkFailure};
use taiinet_websocket::WebSockets;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).expect("parameters")
}

/// What a client says of a server whose certificate is this; whether it trusts that is up to us.
async fn said(params: CertificateParams, is_trusted: bool, host: &str) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a certificate and its key");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let roots = if is_trusted { certificate.pem() } else { String::new() };
    let mut end = End::over(WebSockets::new(roots.as_bytes()));
    end.links.dial(A, Dial::Signaller { url: format!("wss://{host}:{port}") });
    let server = async {
        let (stream, _) = listener.accept().await.expect("a connection");
        assert!(acceptor.accept(stream).await.is_err(), "it was trusted");
    };
    timeout(DEADLINE, server).await.expect("in time");
    mistaken(&mut end).await
}

async fn mistaken(end: &mut End) -> (String, String) {
    match end.down(A).await {
        LinkFailure::Mistaken { what, cure } => (what, cure),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_says_why_and_what_to_do() {
    let localhost = || params(&["localhost"]);
    let (what, cure) = said(localhost(), false, "localhost").await;
    assert!(what.contains("issuer that is not trusted"), "{what}");
    assert!(cure.contains("--ca-file"), "{cure}");

    let mut old = localhost();
    (old.not_before, old.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 2, 3));
    let (what, cure) = said(old, true, "localhost").await;
    assert!(what.contains("expired on Sun, 03 Feb 2002 00:00:00 GMT"), "{what}");
    assert!(what.contains("this device's clock says ") && cure.contains("clock"), "{what} {cure}");

    let mut early = localhost();
    (early.not_before, early.not_after) = (date_time_ymd(2090, 1, 1), date_time_ymd(2091, 1, 1));
    let (what, cure) = said(early, true, "localhost").await;
    assert!(what.contains("not valid before Sun, 01 Jan 2090 00:00:00 GMT"), "{what}");
    assert!(cure.contains("set this device's clock"), "{cure}");

    let (what, cure) = said(params(&["one.example", "two.example"]), true, "localhost").await;
    assert!(what.ends_with("not for localhost, but for one.example, two.example"), "{what}");
    assert!(cure.contains("subjectAltName=DNS:localhost"), "{cure}");
    let (what, cure) = said(params(&["localhost"]), true, "127.0.0.1").await;
    assert!(what.contains("not for 127.0.0.1"), "{what}");
    assert!(cure.contains("subjectAltName=IP:127.0.0.1"), "{cure}");
    let (what, _) = said(params(&[]), true, "localhost").await;
    assert!(what.contains("no names of hosts"), "{what}");

    // What `openssl req -x509` makes when nothing else is asked for.
    let mut authority = localhost();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let (what, cure) = said(authority, true, "localhost").await;
    assert!(what.contains("certificate authority (CA:TRUE)"), "{what}");
    assert!(cure.contains("basicConstraints=critical,CA:FALSE"), "{cure}");

    let mut of_client = localhost();
    of_client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let (what, cure) = said(of_client, true, "localhost").await;
    assert!(what.contains("not one for servers") && cure.contains("serverAuth"), "{what} {cure}");
}

/// The names stand in the certificate of whoever answers.
#[tokio::test]
async fn a_certificate_with_very_many_names_is_told_in_short() {
    let names: Vec<String> =
        (0..200).map(|number| format!("{number}.{}.example", "a".repeat(60))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (what, _) = said(params(&names), true, "localhost").await;
    assert!(what.len() < 600, "{what}");
}

#[tokio::test]
async fn another_scheme_than_the_servers_is_named() {
    for (scheme, says, named) in [
        ("wss", &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "ws://"),
        ("wss", b"SSH-2.0-OpenSSH_9\r\n", "ws://"),
        // What a TLS server answers to what is none: an alert.
        ("ws", &[0x15, 3, 3, 0, 2, 2, 50], "wss://"),
        ("ws", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "wss://"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let mut end = End::over(WebSockets::new(b""));
        end.links.dial(A, Dial::Signaller { url: format!("{scheme}://localhost:{port}") });
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let _ = stream.read(&mut [0; 4096]).await;
        stream.write_all(says).await.expect("sent");
        let (what, cure) = mistaken(&mut end).await;
        assert!(cure.contains(named), "{scheme} {what}; {cure}");
    }
}
