//! Servers as processes of their own, and what the system says of them.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// The servers that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Our signaller.
    Desk,
    /// A relay that does nothing else.
    Bare,
    /// The npm package `peer`.
    Peer,
}

impl Kind {
    /// None if what it takes is not installed.
    fn command(self) -> Option<Command> {
        let this = |what| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.arg(what);
            command
        };
        Some(match self {
            Self::Desk => this("serve-desk"),
            Self::Bare => this("serve-bare"),
            Self::Peer => {
                let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peer");
                if !folder.join("node_modules/peer").exists() {
                    return None;
                }
                let mut command = Command::new("node");
                command.arg("serve.mjs").current_dir(folder).env("NODE_ENV", "production");
                command
            }
        })
    }
}

/// A server in a process of its own, until it is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// None if there is no such server here.
    pub(crate) fn start(kind: Kind) -> Option<Self> {
        let mut process = kind.command()?.stdout(Stdio::piped()).spawn().ok()?;
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut()?).read_line(&mut line).unwrap();
        let address = line.trim().parse();
        Some(Self { address: address.expect("the server tells its address"), process })
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).unwrap()
    }

    /// Processor time so far (proc_pid_stat(5): utime and stime, in hundredths of a second).
    pub(crate) fn cpu(&self) -> Duration {
        let stat = self.proc("stat");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks = |at: usize| fields[at].parse::<u64>().unwrap();
        Duration::from_millis((ticks(11) + ticks(12)) * 10)
    }

    /// Resident, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
