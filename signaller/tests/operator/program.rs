//! The command as a process.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// The end of any patience.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// What `found` finds, tried again until the deadline.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The command, not yet run.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taiinet-signaller"));
    command.args(args).env_remove("RUST_LOG").env_remove("TAIINET_PASSPHRASE");
    command
}

/// Runs the command to its end.
pub(crate) fn run(args: &[&str]) -> Output {
    command(args).stdin(Stdio::null()).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A file for the command to read, in a folder that goes when the test ends.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// A running signaller.
pub(crate) struct Program {
    child: Child,
    ready: Value,
    log: Arc<Mutex<String>>,
}

impl Program {
    /// Starts one on free ports, and waits until it listens.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_logging_to(Stdio::piped(), args)
    }

    /// As [`Self::start`], with its log where we may not see it.
    pub(crate) fn start_logging_to(stderr: Stdio, args: &[&str]) -> Self {
        let mut command = command(&["--listen", "127.0.0.1:0", "--json"]);
        command.args(args).stderr(stderr);
        Self::spawn(command)
    }

    /// Runs what says as JSON where it listens, and waits for that.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let log = Arc::<Mutex<String>>::default();
        if let Some(mut stderr) = child.stderr.take() {
            let written = log.clone();
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(length @ 1..) = stderr.read(&mut buffer) {
                    written.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..length]));
                }
            });
        }
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Ok(ready) = serde_json::from_str(&line) else {
            panic!("it does not start: {line:?}, {}", log.lock().unwrap())
        };
        Self { child, ready, log }
    }

    pub(crate) fn url(&self) -> &str {
        self.ready["url"].as_str().unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        let (_, rest) = self.url().split_once("://").unwrap();
        rest.split('#').next().unwrap().parse().unwrap()
    }

    pub(crate) fn metrics_address(&self) -> SocketAddr {
        self.ready["metrics"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) fn peer_id(&self) -> &str {
        self.ready["peer_id"].as_str().unwrap()
    }

    /// What it has written into its log so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    #[track_caller]
    pub(crate) fn logs(&self, what: &str) {
        eventually(what, || self.log().contains(what).then_some(()));
    }

    pub(crate) fn signal(&self, name: &str) {
        send_signal(name, &self.child);
    }

    #[track_caller]
    pub(crate) fn ends(&mut self) -> ExitStatus {
        eventually("it ends", || self.child.try_wait().unwrap())
    }

    /// What a metric says now; its name with its labels, without the prefix. 0 if it is not there.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let answer = get(self.metrics_address(), "/metrics", "");
        let name = format!("taiinet_signaller_{name} ");
        let line = answer.lines().find_map(|line| line.strip_prefix(&name));
        line.map_or(0, |value| value.parse().unwrap())
    }

    #[track_caller]
    pub(crate) fn metric_is(&self, name: &str, value: u64) {
        eventually(name, || (self.metric(name) == value).then_some(()));
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("---- its log\n{}", self.log());
        }
    }
}

/// The whole answer to a request, with these further headers.
pub(crate) fn get(address: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\n{headers}\r\n");
    // A signaller that refuses it may close before it has read all: what counts is the answer.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends a process a signal, by the shell's own `kill`: a bare machine has no other.
pub(crate) fn send_signal(name: &str, child: &Child) {
    let kill = format!("kill -s {name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}
