//! A real TURN server: Debian's coturn, on loopback.

#![allow(dead_code, unreachable_pub, missing_docs)]

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    net::UdpSocket,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use taiinet_mesh::wire::IceServer;

use super::DEADLINE;

pub struct Coturn {
    process: Child,
    log: Arc<Mutex<Vec<String>>>,
    pub port: u16,
    pub tls_port: u16,
}

impl Coturn {
    /// One that lets a user `user` with the password `password` in.
    pub fn start(more: &[&str]) -> Self {
        let free = || {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
            socket.local_addr().expect("an address").port()
        };
        let (port, tls_port) = (free(), free());
        let mut process = Command::new("turnserver")
            .args(["-n", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1"])
            .args(["--listening-port", &port.to_string()])
            .args(["--tls-listening-port", &tls_port.to_string()])
            .args(["--realm", "test", "--lt-cred-mech", "--user", "user:password"])
            .args(["--allow-loopback-peers", "--no-cli", "--no-dtls"])
            .args(["--log-file", "stdout", "--simple-log", "--verbose"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this needs coturn: sudo apt-get install coturn");
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(process.stdout.take().expect("its stdout")).lines();
        let written = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                written.lock().expect("the log").push(line);
            }
        });
        let server = Self { process, log, port, tls_port };
        server.eventually("it listens", |log| {
            log.iter().any(|line| line.contains("UDP listener opened"))
        });
        server
    }

    pub fn log(&self) -> Vec<String> {
        self.log.lock().expect("the log").clone()
    }

    /// Waits, without keeping others from running, until its log shows it.
    pub fn eventually(&self, what: &str, is_so: impl Fn(&[String]) -> bool) {
        let end = Instant::now() + DEADLINE;
        while !is_so(&self.log()) {
            assert!(Instant::now() < end, "not in time: {what}\n{}", self.log().join("\n"));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn at(&self, suffix: &str) -> IceServer {
        named(&format!("turn:127.0.0.1:{}{suffix}", self.port))
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server with the credentials that [`Coturn`] takes.
pub fn named(url: &str) -> IceServer {
    let (username, credential) = ("user".to_owned(), "password".to_owned());
    IceServer { url: url.to_owned(), username, credential }
}

/// How many allocations were ever made.
pub fn made(log: &[String]) -> usize {
    log.iter().filter(|line| line.contains(": new, realm=")).count()
}

/// Which allocations there are: made, and not given back.
pub fn held(log: &[String]) -> BTreeSet<String> {
    let mut held = BTreeSet::new();
    for line in log {
        let Some((_, rest)) = line.split_once("session ") else { continue };
        let Some((session, what)) = rest.split_once(": ") else { continue };
        if what.starts_with("new, realm=") {
            held.insert(session.to_owned());
        } else if what.starts_with("delete: ") || what.contains("lifetime=0") {
            held.remove(session);
        }
    }
    held
}
