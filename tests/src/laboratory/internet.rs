//! The public part: what everybody can reach.

use std::{cell::Cell, process::Command};

use serde_json::Value;

use super::{
    access::Access,
    home::Home,
    namespace::{Namespace, sweep},
};
use crate::{Process, Signaller, command};

const SIGNALLER: (&str, &str) = ("203.0.113.1", "2001:db8::1");
const TURN: (&str, &str) = ("203.0.113.2", "2001:db8::2");
const PORT: u16 = 7700;
const SECRET: &str = "a secret that coturn and the signaller share";

/// What leads nowhere is lost on the way, as outside. Without a route, sending would fail at once, and coturn ends an
/// allocation when what it relays to a private address cannot be sent. (The other end of this cable gets
/// frames for another host.)
const NOWHERE: &str = "link add nowhere type veth peer name sink
    link set nowhere arp off up
    link set sink up
    route add default dev nowhere
    -6 route add default dev nowhere";

/// The internet of a laboratory, with the servers that are on it.
#[derive(Debug)]
pub struct Laboratory {
    signaller: Signaller,
    turn: Option<Process>,
    _secret: tempfile::NamedTempFile,
    lines: Cell<u16>,
    public: Namespace,
}

/// Which way data took through the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// From home to home.
    Direct,
    /// Through the TURN server.
    Turn,
    /// Through the signaller.
    Signaller,
}

impl Laboratory {
    /// One with a signaller that relays what has no other way, and a TURN server.
    pub fn new() -> Self {
        Self::with(&["--relay"], true)
    }

    /// One whose signaller has these further options, with or without a TURN server.
    ///
    /// # Panics
    /// If there can be none here ([`super::missing`]).
    pub fn with(signaller: &[&str], turn: bool) -> Self {
        sweep();
        let public = Namespace::new("public");
        for (v4, v6) in [SIGNALLER, TURN] {
            public.ip(&format!("addr add {v4}/32 dev lo"));
            public.ip(&format!("addr add {v6}/128 dev lo nodad"));
        }
        public.ip_lines(NOWHERE);
        public.forwards();
        public.nft(&counters());
        let secret = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(secret.path(), SECRET).expect("it can be written");
        let turn_server = turn.then(|| coturn(&public));
        let mut args = vec!["--json".to_owned()];
        for listen in [format!("{}:{PORT}", SIGNALLER.0), format!("[{}]:{PORT}", SIGNALLER.1)] {
            args.extend(["--listen".to_owned(), listen]);
        }
        if turn {
            for host in [TURN.0.to_owned(), format!("[{}]", TURN.1)] {
                args.extend(["--turn".to_owned(), format!("turn:{host}:3478?transport=udp")]);
            }
            args.extend(["--turn-secret-file".to_owned(), secret.path().display().to_string()]);
        }
        args.extend(signaller.iter().map(|arg| (*arg).to_owned()));
        let signaller = Signaller::run(&mut public.enter(&command("taiinet-signaller", args)));
        Self { signaller, turn: turn_server, _secret: secret, lines: Cell::new(0), public }
    }

    /// A further home.
    pub fn home(&self, access: Access) -> Home {
        Home::new(&self.public, self.new_line(), access)
    }

    /// The number of a further line.
    pub(super) fn new_line(&self) -> u16 {
        self.lines.set(self.lines.get() + 1);
        self.lines.get()
    }

    /// What all lines lead to.
    pub(super) const fn public(&self) -> &Namespace {
        &self.public
    }

    /// The signaller.
    pub const fn signaller(&self) -> &Signaller {
        &self.signaller
    }

    /// coturn, with what it logs.
    pub const fn turn(&self) -> Option<&Process> {
        self.turn.as_ref()
    }

    /// The address of the signaller for a home, with its key.
    pub fn url_for(&self, home: &Home) -> String {
        let host = if home.access() == Access::Ipv6Only {
            format!("[{}]", SIGNALLER.1)
        } else {
            SIGNALLER.0.to_owned()
        };
        format!("ws://{host}:{PORT}#{}", self.signaller.key())
    }

    /// Counts anew which ways data takes.
    pub fn reset_ways(&self) {
        self.public.nft_says(&["reset", "counters"]);
    }

    /// The way that most bytes took since then, if there were as many as `bytes`.
    pub fn way_of(&self, bytes: u64) -> Option<Way> {
        let ways = [Way::Direct, Way::Turn, Way::Signaller];
        let listed = self.public.nft_says(&["-j", "list", "counters"]);
        let listed: Value = serde_json::from_slice(&listed).expect("nft writes JSON");
        let listed = listed["nftables"].as_array().into_iter().flatten();
        let counted = |way: &Way| {
            let name = counter(*way);
            let mut counters = listed.clone().map(|listed| &listed["counter"]);
            let found = counters.find(|counter| counter["name"] == name);
            found.and_then(|counter| counter["bytes"].as_u64()).unwrap_or_default()
        };
        let most = ways.into_iter().max_by_key(counted)?;
        (counted(&most) >= bytes).then_some(most)
    }
}

impl Default for Laboratory {
    fn default() -> Self {
        Self::new()
    }
}

const fn counter(way: Way) -> &'static str {
    match way {
        Way::Direct => "direct",
        Way::Turn => "turn",
        Way::Signaller => "signaller",
    }
}

/// The rules that count. Nothing is forbidden on the internet.
fn counters() -> String {
    let (v4, v6) = TURN;
    format!(
        "table inet ways {{\ncounter direct {{ }}\ncounter turn {{ }}\ncounter signaller {{ }}\n\
         chain through {{\ntype filter hook forward priority filter\n\
         meta l4proto udp counter name direct\n}}\n\
         chain in {{\ntype filter hook input priority filter\n\
         ip daddr {v4} counter name turn\nip6 daddr {v6} counter name turn\n\
         tcp dport {PORT} counter name signaller\n}}\n}}\n"
    )
}

fn coturn(public: &Namespace) -> Process {
    let mut turn = Command::new("turnserver");
    turn.args(["-n", "--listening-port", "3478", "--realm", "laboratory", "--no-cli"]);
    turn.args(["--use-auth-secret", "--static-auth-secret", SECRET, "--no-tls", "--no-dtls"]);
    turn.args(["--log-file", "stdout", "--simple-log", "--verbose"]);
    for address in [TURN.0, TURN.1] {
        turn.args(["--listening-ip", address, "--relay-ip", address]);
    }
    let turn = Process::start("coturn", &mut public.enter(&turn));
    turn.eventually("listens", |turn| {
        turn.stdout().iter().any(|line| line.contains("UDP listener opened")).then_some(())
    });
    turn
}
