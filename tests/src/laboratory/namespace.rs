//! Network namespaces, which go when they are dropped.

use std::{
    ffi::OsStr,
    fs::File,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// With which the names of our namespaces begin; the process that made one follows.
const PREFIX: &str = "taiinet-";
/// Where `ip netns` keeps names.
const NAMES: &str = "/run/netns";
const TUN: &str = "/dev/net/tun";

/// A network namespace with its loopback up.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// A new one; `role` is for people that look at `ip netns`.
    pub(super) fn new(role: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{count}-{role}", std::process::id());
        run(Command::new("ip").args(["netns", "add", &name]));
        let namespace = Self { name };
        namespace.ip("link set lo up");
        // Each link would be without IPv6 for its first two seconds, in which its own address is looked for.
        namespace.set("net/ipv6/conf/default/accept_dad", 0);
        namespace
    }

    /// Its name, for `ip -n` and `ip netns exec`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same command, to be run inside. (`ip` becomes the program: its process is the program's.)
    pub fn enter(&self, command: &Command) -> Command {
        let mut inside = Command::new("ip");
        inside.args(["netns", "exec", &self.name]).arg(command.get_program());
        inside.args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside
    }

    /// `ip` with these words.
    ///
    /// # Panics
    /// If it fails.
    pub fn ip(&self, words: &str) {
        run(Command::new("ip").args(["-n", &self.name]).args(words.split_whitespace()));
    }

    /// Several of these, a line each.
    pub fn ip_lines(&self, lines: &str) {
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            self.ip(line);
        }
    }

    /// Gives these rules to nftables.
    ///
    /// # Panics
    /// If it does not take them.
    pub fn nft(&self, rules: &str) {
        let taken = self.try_nft(rules);
        assert!(taken.is_ok(), "{rules}\n{taken:?}");
    }

    fn try_nft(&self, rules: &str) -> Result<(), String> {
        let mut nft = self.enter(Command::new("nft").args(["-f", "-"]));
        let nft = nft.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut nft = nft.spawn().map_err(|error| error.to_string())?;
        let written = nft.stdin.take().map(|mut stdin| stdin.write_all(rules.as_bytes()));
        let output = nft.wait_with_output().map_err(|error| error.to_string())?;
        match written {
            Some(Ok(())) if output.status.success() => Ok(()),
            _ => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// What `nft` prints for these arguments.
    pub(super) fn nft_says(&self, args: &[&str]) -> Vec<u8> {
        run(&mut self.enter(Command::new("nft").args(args)))
    }

    /// Passes packets on between its interfaces, as a router does.
    pub(super) fn forwards(&self) {
        self.set("net/ipv4/ip_forward", 1);
        self.set("net/ipv6/conf/all/forwarding", 1);
    }

    /// Sets one of the kernel's variables (sysctl).
    fn set(&self, name: &str, value: u8) {
        let write = format!("echo {value} > /proc/sys/{name}");
        run(&mut self.enter(Command::new("sh").args(["-c", &write])));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Ends what runs in a namespace and removes it. Another process may be about to do the same.
fn remove(name: &str) {
    let pids = Command::new("ip").args(["netns", "pids", name]).output();
    let pids = pids.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    for pid in pids.unwrap_or_default().split_whitespace() {
        let _ = quiet(Command::new("sh").args(["-c", &format!("kill -KILL {pid}")])).status();
    }
    let _ = quiet(Command::new("ip").args(["netns", "del", name])).status();
}

/// Removes what dead processes of ours have left.
pub(super) fn sweep() {
    let names = std::fs::read_dir(NAMES).into_iter().flatten().flatten();
    for name in names.filter_map(|entry| entry.file_name().into_string().ok()) {
        let Some((maker, _)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'))
        else {
            continue;
        };
        if maker.parse::<u32>().is_ok() && !Path::new("/proc").join(maker).exists() {
            remove(&name);
        }
    }
}

/// Why there can be no laboratory here, if so: the first thing that is not there.
pub fn missing() -> Option<String> {
    if std::env::var("TAIINET_LABORATORY").is_ok_and(|value| value == "skip") {
        return Some("TAIINET_LABORATORY=skip".to_owned());
    }
    for (program, asked, package) in [
        ("ip", "-V", "iproute2"),
        ("nft", "--version", "nftables"),
        ("turnserver", "--version", "coturn"),
    ] {
        if quiet(Command::new(program).arg(asked)).status().is_err() {
            return Some(format!("{program} is missing: sudo apt-get install {package}"));
        }
    }
    let name = format!("{PREFIX}{}-trial", std::process::id());
    let added = quiet(Command::new("ip").args(["netns", "add", &name])).status();
    let trial = Namespace { name };
    if !added.is_ok_and(|status| status.success()) {
        return Some("network namespaces cannot be made here: that takes root".to_owned());
    }
    let rules = "table ip nat {\nchain out {\ntype nat hook postrouting priority srcnat\n\
                 oifname \"wan\" masquerade fully-random\n}\n}\n";
    if let Err(why) = trial.try_nft(rules) {
        return Some(format!("nftables cannot translate addresses here: {}", why.trim()));
    }
    let writable = "test -w /proc/sys/net/ipv4/ip_forward";
    if !trial
        .enter(Command::new("sh").args(["-c", writable]))
        .status()
        .is_ok_and(|status| status.success())
    {
        return Some("/proc/sys is read-only here, so nothing can be a router".to_owned());
    }
    tun().err().map(|error| format!("{TUN} cannot be opened: {error}"))
}

/// The device for lines in user space, which a container may lack.
fn tun() -> std::io::Result<()> {
    if !Path::new(TUN).exists() {
        std::fs::create_dir_all("/dev/net")?;
        let _ = quiet(Command::new("mknod").args([TUN, "c", "10", "200"])).status();
    }
    File::options().read(true).write(true).open(TUN).map(drop)
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

/// Runs a command that must succeed; what it prints.
pub(super) fn run(command: &mut Command) -> Vec<u8> {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let words = words.collect::<Vec<_>>().join(OsStr::new(" "));
    let words = words.to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{words}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}: {}, {said}", output.status);
    output.stdout
}
