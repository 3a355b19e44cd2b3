use std::{
    io::Write as _,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName},
};
use taiinet_mesh::wire::FromSignaller;
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    client::Client,
    limits::connect_from,
    program::{DEADLINE, Folder, Program, run},
};

struct Certificate {
    der: CertificateDer<'static>,
    pem: String,
    key: String,
}

fn certificate() -> Certificate {
    certificate_with(|_| {})
}

/// One that is good for so many more days; or less than none.
fn certificate_for(days: i64) -> Certificate {
    certificate_with(|params| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        // An hour more, so that the days are whole while the test runs.
        let until = i64::try_from(now).unwrap() + days * 24 * 3600 + 3600;
        params.not_after = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(until as u64);
    })
}

fn certificate_with(change: impl FnOnce(&mut rcgen::CertificateParams)) -> Certificate {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    change(&mut params);
    let certificate = params.self_signed(&key).unwrap();
    Certificate { der: certificate.der().clone(), pem: certificate.pem(), key: key.serialize_pem() }
}

impl Certificate {
    fn write(&self, folder: &Folder) -> [String; 2] {
        [folder.write("cert.pem", &self.pem), folder.write("key.pem", &self.key)]
    }

    /// A connection to a server that has this certificate; the error if it has another.
    async fn connect(&self, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    async fn joins(&self, address: SocketAddr) -> Client {
        let stream = self.connect(address).await.expect("this certificate");
        let mut client = Client::over(Box::new(stream), &[]).await.expect("it is let in");
        assert_eq!(client.join("test").await, Some(FromSignaller::Joined));
        client
    }
}

#[tokio::test]
async fn a_new_certificate_counts_after_sighup_and_a_bad_one_does_not() {
    let folder = Folder::new();
    let (old, new) = (certificate(), certificate());
    let [cert, key] = old.write(&folder);
    let args = ["--tls-cert", &cert, "--tls-key", &key, "--log", "info"];
    let program = Program::start(&args);
    assert!(program.url().starts_with("wss://"), "{}", program.url());
    let mut early = old.joins(program.address()).await;
    assert!(new.connect(program.address()).await.is_err());

    new.write(&folder);
    assert!(new.connect(program.address()).await.is_err(), "not before it is told");
    program.signal("HUP");
    program.logs("reloaded: the options");
    new.joins(program.address()).await;
    assert!(old.connect(program.address()).await.is_err());
    assert!(early.is_served().await, "connections go on");

    // Another's key, as if the two files were replaced one after the other.
    folder.write("key.pem", &old.key);
    program.signal("HUP");
    program.logs("not reloaded, what was read before counts on: certificate");
    new.joins(program.address()).await;
    assert!(!program.log().contains("PRIVATE KEY"));
}

#[tokio::test]
async fn a_handshake_that_stalls_is_cut_and_holds_nobody_up() {
    let folder = Folder::new();
    let ours = certificate();
    let [cert, key] = ours.write(&folder);
    let program = Program::start(&[
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
        "--handshake-timeout",
        "4s",
        "--metrics",
        "127.0.0.1:0",
    ]);
    let mut stalled = Vec::new();
    for _ in 0..20 {
        stalled.push(TcpStream::connect(program.address()).await.unwrap());
    }
    // TLS is there, and then no request.
    let mut silent = ours.connect(program.address()).await.unwrap();
    program.metric_is("handshakes", 21);
    ours.joins(program.address()).await;
    for mut stream in stalled {
        let end = timeout(DEADLINE, stream.read(&mut [0; 64])).await.expect("in time");
        assert!(matches!(end, Ok(0) | Err(_)));
    }
    // Where there is TLS, it can be told so.
    let mut told = String::new();
    timeout(DEADLINE, silent.read_to_string(&mut told)).await.expect("in time").expect("an end");
    assert!(told.starts_with("HTTP/1.1 408 "), "{told}");
    program.metric_is("handshakes_failed_total{reason=\"timeout\"}", 21);
    program.metric_is("handshakes", 0);
}

/// They say nothing, or begin TLS and no more.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn silent_connections_of_one_address_keep_no_other_out() {
    let folder = Folder::new();
    let ours = certificate();
    let [cert, key] = ours.write(&folder);
    let args = ["--tls-cert", &cert, "--tls-key", &key, "--metrics", "127.0.0.1:0"];
    let limits = ["--max-handshakes", "4", "--handshake-timeout", "1m"];
    let program = Program::start(&[&args[..], &limits].concat());
    let mut silent = Vec::new();
    for round in 0..10 {
        for _ in 0..6 {
            let mut stream = connect_from([127, 0, 9, 1], &program);
            if round % 2 == 0 {
                // The header of a record that is yet to come.
                stream.write_all(&[22, 3, 1, 2, 0]).unwrap();
            }
            silent.push(stream);
        }
        ours.joins(program.address()).await;
    }
    assert!(program.metric("handshakes_failed_total{reason=\"crowded\"}") >= 50);
}

#[test]
fn a_key_with_a_passphrase_is_named_with_what_to_do() {
    let folder = Folder::new();
    let [cert, _] = certificate().write(&folder);
    for text in [
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n\
         -----END RSA PRIVATE KEY-----\n",
    ] {
        let key = folder.write("sealed.key", text);
        let args = ["--tls-cert", &cert, "--tls-key", &key];
        for (args, code) in [(&[&args[..], &["--check-config"]].concat()[..], 2), (&args, 1)] {
            let output = run(args);
            assert_eq!(output.status.code(), Some(code));
            let told = std::str::from_utf8(&output.stderr).unwrap();
            assert!(told.contains("sealed.key: the private key is encrypted"), "{told}");
            assert!(told.contains("openssl pkey -in"), "{told}");
        }
    }
}

/// What is written last must not stay behind in a buffer of TLS.
#[tokio::test]
async fn a_goodbye_over_tls_is_answered_and_tls_ends_in_order() {
    let folder = Folder::new();
    let ours = certificate();
    let [cert, key] = ours.write(&folder);
    let program = Program::start(&["--tls-cert", &cert, "--tls-key", &key]);
    let stream = ours.connect(program.address()).await.expect("this certificate");
    let mut client = Client::over(Box::new(stream), &[]).await.expect("it is let in");
    client.send_raw(&[0x88, 0x82, 0, 0, 0, 0, 0x0f, 0xa1]).await;
    let mut answer = Vec::new();
    let end = timeout(DEADLINE, client.stream().read_to_end(&mut answer)).await.expect("in time");
    assert!(end.is_ok(), "close_notify comes before the end: {end:?}");
    assert_eq!(answer, [0x88, 2, 0x0f, 0xa1]);
}

#[tokio::test]
async fn a_connection_that_speaks_no_tls_is_closed() {
    let folder = Folder::new();
    let [cert, key] = certificate().write(&folder);
    let program =
        Program::start(&["--tls-cert", &cert, "--tls-key", &key, "--metrics", "127.0.0.1:0"]);
    use tokio::io::AsyncWriteExt;
    let mut stream = TcpStream::connect(program.address()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("in time");
    assert!(!answer.starts_with(b"HTTP"));
    program.metric_is("handshakes_failed_total{reason=\"tls\"}", 1);
}

/// At the start, after each reload, in what `--check-config` says, and as a metric.
#[test]
fn a_certificate_that_expires_soon_is_said_wherever_an_operator_looks() {
    let folder = Folder::new();
    let [cert, key] = certificate_for(80).write(&folder);
    let args = ["--tls-cert", &cert, "--tls-key", &key, "--metrics", "127.0.0.1:0"];
    let said = || {
        let output = run(&[&args[..], &["--check-config"]].concat());
        assert!(output.status.success());
        std::str::from_utf8(&output.stderr).unwrap().to_owned()
    };
    assert!(said().contains("cert.pem: the certificate is good until 2"), "{}", said());
    let program = Program::start(&args);
    let left = || {
        let until = program.metric("tls_certificate_not_after_timestamp_seconds");
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        until.saturating_sub(now) / (24 * 3600)
    };
    assert_eq!(left(), 80);
    assert_eq!(program.log(), "");

    certificate_for(20).write(&folder);
    program.signal("HUP");
    program.metric_is("reloads_total{result=\"ok\"}", 1);
    program.logs("cert.pem: the certificate expires on 2");
    program.logs("in 20 days: renew it, and send SIGHUP");
    assert!(!program.log().contains("ERROR"), "{}", program.log());
    assert_eq!(left(), 20);
    assert!(said().contains("in 20 days"), "{}", said());

    certificate_for(-1).write(&folder);
    program.signal("HUP");
    program.metric_is("reloads_total{result=\"ok\"}", 2);
    program.logs("cert.pem: the certificate expired on 2");
    assert!(program.log().contains("ERROR"), "{}", program.log());
    assert!(said().contains("expired on"), "{}", said());
    drop(program);
    let program = Program::start(&args);
    program.logs("cert.pem: the certificate expired on 2");
}
