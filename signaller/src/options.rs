//! What can be said on the command line, and by the same names in a file.

mod advertised;
mod asked;
mod command;
mod member;
mod period;
mod relaying;
mod renewal;
mod warnings;

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::{ArgAction, Args, Parser};
use clap_complete::Shell;
use serde::{Deserialize, Serialize};
use taiinet_daemon::{LogFormat, log_asked};
use taiinet_document::Network;
use taiinet_identity::PeerId;
use taiinet_mesh::Direct;
use taiinet_signaller::{
    Budgets, DeskConfig, JoinWork, Prefixes, Turn, limits,
    server::{
        AcceptConfig, AddressPrefix, GateConfig, ListFiles, Proxies, ProxyHeader, SecondStun,
        ServerConfig, StunAddress, TlsFiles, read_file, read_text,
    },
};
use taiinet_websocket::check_roots;
use tracing_subscriber::filter::{LevelFilter, Targets};

use advertised::{Advertised, is_loopback};
pub(crate) use asked::Asked;
pub(crate) use command::{Given, command, documents};
use member::{MemberAddress, PublicUrl, TurnUrl};
use period::Period;

/// Introduces TaiiNet's peers to one another.
///
/// It sees which peers are there and which negotiate with each other; it can neither impersonate a
/// peer nor read or alter what peers negotiate, and no document passes through it.
///
/// SIGHUP reloads the file of options and the files that it names; SIGTERM and Ctrl-C tell all peers and stop.
/// Exit codes: 0 done, 1 failed, 2 wrong usage.
#[derive(Debug, Default, Parser)]
#[command(name = "taiinet-signaller", version, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(crate) struct Options {
    /// Read options from this TOML file, by the names that they have here; what is given here wins
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Say what would run, and end: 0 if it is well, 2 if not
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) check_config: bool,
    /// Write a shell's completions and end
    #[arg(long, value_name = "SHELL", hide = true)]
    pub(crate) completions: Option<Shell>,
    /// Write the manual's page into this folder and end
    #[arg(long, value_name = "DIR", hide = true)]
    pub(crate) man: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// What is given on the command line or in a file.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Settings {
    /// Where to listen; port 0 takes any free one; may be given several times
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Vec<SocketAddr>,
    /// Where to answer STUN (UDP): `same` for the same addresses and ports, or `off`
    #[arg(long, value_name = "ADDR:PORT|same|off")]
    pub(crate) stun: StunAddress,
    /// A second port to answer STUN at, by which peers learn what kind of NAT they are behind: `auto` for
    /// one a thousand above the first, or `off`
    #[arg(long, value_name = "PORT|auto|off")]
    pub(crate) stun_second: SecondStun,
    /// A key file made by `taiinet-keys generate`; without it the key is a fresh one for this run
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<PathBuf>,
    /// Read the key file's passphrase from here (or from the environment: TAIINET_PASSPHRASE)
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Say where it listens as one line of JSON
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true", value_name = "BOOL")]
    pub(crate) json: bool,

    /// Speak TLS with this certificate and its chain (PEM); reloaded on SIGHUP
    #[arg(long, value_name = "FILE", help_heading = "TLS and proxies")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", help_heading = "TLS and proxies")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Believe the header of a reverse proxy at these addresses; may be given several times
    #[arg(long, value_name = "CIDR", help_heading = "TLS and proxies")]
    pub(crate) trusted_proxy: Vec<AddressPrefix>,
    /// Where a trusted proxy says which client it serves; the other header is never believed
    #[arg(long, value_name = "HEADER", help_heading = "TLS and proxies")]
    pub(crate) proxy_header: ProxyHeader,

    /// Serve only this network; may be given several times
    #[arg(long, value_name = "NAME", help_heading = "What is served")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allow_network: Option<Vec<Network>>,
    /// Serve only the peers, addresses and networks in this file, none if it is empty; reloaded on
    /// SIGHUP
    #[arg(long, value_name = "FILE", help_heading = "What is served")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allow: Option<PathBuf>,
    /// Serve none of the peers, addresses and networks in this file; reloaded on SIGHUP
    #[arg(long, value_name = "FILE", help_heading = "What is served")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) block: Option<PathBuf>,

    /// Be one of a pool of signallers: peers of one are introduced to peers of all, and know where to
    /// go when one is gone. Implied by --peer
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true", value_name = "BOOL", help_heading = "Other signallers")]
    pub(crate) pool: bool,
    /// Another signaller of the pool, wss://HOST#tn1…; any one of them knows the rest; may be given
    /// several times
    #[arg(long, value_name = "URL", value_delimiter = ',', help_heading = "Other signallers")]
    pub(crate) peer: Vec<MemberAddress>,
    /// Where others and their peers reach this one, ws://… or wss://…; if not given, the first
    /// address to listen on that is one
    #[arg(long, value_name = "URL", help_heading = "Other signallers")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) public_url: Option<PublicUrl>,
    /// Serve only clients that dialled this address, or --public-url: an attacker can then pass no
    /// connections on to this signaller under an address of its own; may be given several times; if
    /// not given, any client is served
    #[arg(long, value_name = "URL", value_delimiter = ',', help_heading = "What is served")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) known_as: Option<Vec<PublicUrl>>,
    /// Let only these signallers (tn1…) into the pool; may be given several times; if not given, any
    #[arg(long, value_name = "PEERID", help_heading = "Other signallers")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allow_member: Option<Vec<PeerId>>,
    /// Trust these certificate authorities (PEM), besides the web's, for other signallers' wss://
    #[arg(long, value_name = "FILE", help_heading = "Other signallers")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pool_ca: Option<PathBuf>,

    /// Tell peers of this TURN server, turn:HOST:PORT or turns:HOST:PORT (coturn with
    /// `use-auth-secret`); may be given several times
    #[arg(long, value_name = "URL", help_heading = "TURN")]
    pub(crate) turn: Vec<TurnUrl>,
    /// The secret that the TURN server knows too (`static-auth-secret`)
    #[arg(long, value_name = "FILE", help_heading = "TURN")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) turn_secret_file: Option<PathBuf>,

    /// Relay links between peers that have no direct path to each other: sealed, so that this signaller sees
    /// between whom and how much, but not what
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true", value_name = "BOOL", help_heading = "Relayed links")]
    pub(crate) relay: bool,
    /// Relayed links at once
    #[arg(long, value_name = "N", help_heading = "Relayed links")]
    pub(crate) max_relayed_links: usize,
    /// Relayed links at once of one peer
    #[arg(long, value_name = "N", help_heading = "Relayed links")]
    pub(crate) max_relayed_links_per_peer: u8,
    /// Bytes that are relayed each second; what is more waits at the peers
    #[arg(long, value_name = "BYTES", help_heading = "Relayed links")]
    pub(crate) max_relayed_bytes: u32,
    /// Bytes of one peer that are relayed each second
    #[arg(long, value_name = "BYTES", help_heading = "Relayed links")]
    pub(crate) max_relayed_bytes_per_peer: u32,

    /// The work that a join takes while it is asked for, in bits: each more doubles it, 20 take about a
    /// tenth of a second; 0 for none, ever
    #[arg(long, value_name = "BITS", help_heading = "Limits")]
    pub(crate) join_work: u8,
    /// Ask for it while there are so many connections; 0 for always; if not given, three quarters of
    /// --max-clients
    #[arg(long, value_name = "N", help_heading = "Limits")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) join_work_from: Option<usize>,
    /// Connections at once
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) max_clients: usize,
    /// Connections at once from one address
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) max_clients_per_address: usize,
    /// New connections from one address in a minute
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) max_new_per_minute: u32,
    /// Connections at once that have not finished their handshake (TLS and HTTP); for one more, the
    /// oldest of the address that has the most is cut
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) max_handshakes: usize,
    /// How many leading bits of an IPv4 address count as one address
    #[arg(long, value_name = "BITS", help_heading = "Limits")]
    pub(crate) ipv4_prefix: u8,
    /// How many leading bits of an IPv6 address count as one address; a /48 may have eight times as much
    #[arg(long, value_name = "BITS", help_heading = "Limits")]
    pub(crate) ipv6_prefix: u8,
    /// How long a handshake may take
    #[arg(long, value_name = "TIME", help_heading = "Limits")]
    pub(crate) handshake_timeout: Period,
    /// How long a client may take to read what was sent to it
    #[arg(long, value_name = "TIME", help_heading = "Limits")]
    pub(crate) write_timeout: Period,
    /// How long telling all clients may take when it stops
    #[arg(long, value_name = "TIME", help_heading = "Limits")]
    pub(crate) drain_timeout: Period,
    /// Messages that may wait for one client; with more it is dropped
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) max_waiting_messages: usize,
    /// Bytes that may wait for one client; with more it is dropped
    #[arg(long, value_name = "BYTES", help_heading = "Limits")]
    pub(crate) max_waiting_bytes: usize,
    /// Bytes that may wait for all clients; with more, those with more than their share are dropped
    #[arg(long, value_name = "BYTES", help_heading = "Limits")]
    pub(crate) max_waiting_total: usize,
    /// What is read at once; each idle connection keeps as much
    #[arg(long, value_name = "BYTES", help_heading = "Limits")]
    pub(crate) read_buffer: usize,

    /// Answer `/metrics` (Prometheus), `/health` and `/status` here: an address that only you can reach
    #[arg(long, value_name = "ADDR:PORT", help_heading = "Watching it")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Answer `taiinet-signaller status` here, with names: a socket in the file system, for its owner alone
    #[arg(long, value_name = "PATH", help_heading = "Watching it")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) control: Option<PathBuf>,
    /// How much to log, to stderr, as in RUST_LOG, which counts if this is not given
    #[arg(long, value_name = "LEVEL", help_heading = "Watching it")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<String>,
    /// How to write the log
    #[arg(long, value_name = "FORMAT", help_heading = "Watching it")]
    pub(crate) log_format: LogFormat,
    /// Write clients' addresses into the log
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true", value_name = "BOOL", help_heading = "Watching it")]
    pub(crate) log_addresses: bool,
}

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7700);

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: vec![DEFAULT_LISTEN],
            stun: StunAddress::Same,
            stun_second: SecondStun::Auto,
            identity: None,
            passphrase_file: None,
            json: false,
            tls_cert: None,
            tls_key: None,
            trusted_proxy: Vec::new(),
            proxy_header: ProxyHeader::XForwardedFor,
            allow_network: None,
            allow: None,
            block: None,
            pool: false,
            peer: Vec::new(),
            public_url: None,
            known_as: None,
            allow_member: None,
            pool_ca: None,
            turn: Vec::new(),
            turn_secret_file: None,
            relay: false,
            max_relayed_links: limits::CIRCUITS,
            max_relayed_links_per_peer: relaying::LINKS_PER_PEER,
            max_relayed_bytes: limits::CIRCUIT_BYTES,
            max_relayed_bytes_per_peer: limits::CIRCUIT_BYTES_PER_PEER,
            join_work: limits::JOIN_WORK,
            join_work_from: None,
            max_clients: limits::CLIENTS,
            max_clients_per_address: limits::CLIENTS_PER_ADDRESS,
            max_new_per_minute: limits::ARRIVALS_PER_MINUTE,
            max_handshakes: limits::HANDSHAKES,
            ipv4_prefix: limits::IPV4_PREFIX,
            ipv6_prefix: limits::IPV6_PREFIX,
            handshake_timeout: limits::HANDSHAKE_TIMEOUT.into(),
            write_timeout: limits::WRITE_TIMEOUT.into(),
            drain_timeout: limits::DRAIN.into(),
            max_waiting_messages: limits::OUTBOX_MESSAGES,
            max_waiting_bytes: limits::OUTBOX_BYTES,
            max_waiting_total: limits::OUTBOX_TOTAL,
            read_buffer: limits::READ_BUFFER,
            metrics: None,
            control: None,
            log: None,
            log_format: LogFormat::Text,
            log_addresses: false,
        }
    }
}

impl Settings {
    /// What no single value says.
    fn check(&self) -> Result<(), String> {
        let at_least_one = [
            ("listen", self.listen.len()),
            ("max-clients", self.max_clients),
            ("max-clients-per-address", self.max_clients_per_address),
            ("max-new-per-minute", self.max_new_per_minute as usize),
            ("max-handshakes", self.max_handshakes),
            ("max-waiting-messages", self.max_waiting_messages),
        ];
        if let Some((name, _)) = at_least_one.iter().find(|(_, value)| *value == 0) {
            return Err(format!("{name}: it takes at least one"));
        }
        if self.ipv4_prefix > 32 || self.ipv6_prefix > 128 {
            return Err("ipv4-prefix, ipv6-prefix: an address has 32 bits, or 128".to_owned());
        }
        // A client is sent messages of this size: one must fit.
        let message = taiinet_mesh::limits::WIRE_BYTES;
        if self.max_waiting_bytes < message {
            return Err(format!("max-waiting-bytes: at least {message}, as long as a message"));
        }
        self.check_relaying()?;
        if !(512..=1 << 20).contains(&self.read_buffer) {
            return Err("read-buffer: from 512 bytes to 1 MiB".to_owned());
        }
        let is_empty = [
            ("allow-network", self.allow_network.as_ref().is_some_and(Vec::is_empty)),
            ("allow-member", self.allow_member.as_ref().is_some_and(Vec::is_empty)),
        ];
        if let Some((name, _)) = is_empty.iter().find(|(_, is_empty)| *is_empty) {
            return Err(format!(
                "{name}: an empty list would admit no one; leave it out to admit all"
            ));
        }
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return Err("tls-cert and tls-key belong together: give both".to_owned());
        }
        if self.turn.is_empty() != self.turn_secret_file.is_none() {
            return Err("turn and turn-secret-file belong together: give both".to_owned());
        }
        if self.join_work > taiinet_mesh::limits::WORK_BITS {
            let most = taiinet_mesh::limits::WORK_BITS;
            return Err(format!("join-work: at most {most}, as much as a peer does"));
        }
        if self.tells_others() == Advertised::Loopback
            && !(self.trusted_proxy.is_empty() && self.listen.iter().all(is_loopback))
        {
            return Err(
                "a pool is told where this signaller is, and the only address it could tell is \
                        one of this host: give --public-url wss://…"
                    .to_owned(),
            );
        }
        if self.control.is_some() && !cfg!(unix) {
            return Err("control: it takes a Unix; use metrics".to_owned());
        }
        if let Some(filter) = &self.log {
            filter.parse::<Targets>().map_err(|error| format!("log: {error}"))?;
        }
        Ok(())
    }

    const fn is_in_pool(&self) -> bool {
        self.pool || !self.peer.is_empty()
    }

    /// The settings as the server takes them.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub(crate) fn configs(&self) -> Result<(ServerConfig, AcceptConfig), String> {
        let turn = match &self.turn_secret_file {
            Some(path) if !self.turn.is_empty() => {
                let failed = |error: &dyn fmt::Display| {
                    format!("turn-secret-file: {}: {error}", path.display())
                };
                let secret =
                    read_text(path, limits::SECRET_BYTES).map_err(|error| failed(&error))?;
                if secret.trim_end().is_empty() {
                    return Err(failed(
                        &"it is empty; write the TURN server's static-auth-secret in it",
                    ));
                }
                let urls = self.turn.iter().map(|url| url.0.clone()).collect();
                Some(Turn::new(urls, secret.trim_end()))
            }
            _ => None,
        };
        let server = ServerConfig {
            listen: self.listen.clone(),
            stun: self.stun,
            second_stun: self.stun_second,
            // The gate counts connections by address before the desk hears of them.
            desk: DeskConfig {
                networks: self.allow_network.clone().unwrap_or_default(),
                known_as: self.known_as(),
                // The gate counts them; one that gives way may be here a moment longer.
                clients: self.max_clients.saturating_add(limits::GIVING_WAY_AT_ONCE),
                clients_per_address: self.max_clients,
                prefixes: self.prefixes(),
                work: JoinWork { bits: self.join_work, from_clients: self.join_work_from() },
                turn,
                relaying: self.relaying(),
                budgets: self.budgets(),
                pool: self.pool(),
                ..DeskConfig::default()
            },
        };
        let pool_roots = match &self.pool_ca {
            Some(path) => {
                let failed =
                    |error: &dyn fmt::Display| format!("pool-ca: {}: {error}", path.display());
                let pem = read_file(path, limits::CONFIG_BYTES).map_err(|error| failed(&error))?;
                check_roots(&pem).map_err(|error| failed(&error))?;
                pem.to_vec()
            }
            None => Vec::new(),
        };
        let tls = self.tls_cert.clone().zip(self.tls_key.clone());
        let accept = AcceptConfig {
            tls: tls.map(|(certificate, key)| TlsFiles { certificate, key }),
            proxies: Proxies { trusted: self.trusted_proxy.clone(), header: self.proxy_header },
            lists: ListFiles { allow: self.allow.clone(), block: self.block.clone() },
            gate: GateConfig {
                clients: self.max_clients,
                clients_per_address: self.max_clients_per_address,
                arrivals_per_minute: self.max_new_per_minute,
                handshakes: self.max_handshakes,
                prefixes: self.prefixes(),
                ..GateConfig::default()
            },
            handshake_timeout: self.handshake_timeout.into(),
            write_timeout: self.write_timeout.into(),
            drain_timeout: self.drain_timeout.into(),
            outbox_messages: self.max_waiting_messages,
            outbox_bytes: self.max_waiting_bytes,
            outbox_total: self.max_waiting_total,
            read_buffer: self.read_buffer,
            metrics: self.metrics,
            control: self.control.clone(),
            log_addresses: self.log_addresses,
            pool: false,
            pool_roots,
        };
        Ok((server, accept))
    }

    /// What counts as one address, at the door and at the desk.
    const fn prefixes(&self) -> Prefixes {
        Prefixes { ipv4: self.ipv4_prefix, ipv6: self.ipv6_prefix }
    }

    /// What others send to a client is always less than may wait for it.
    fn budgets(&self) -> Budgets {
        let usual = Budgets::default();
        let (most, each_second) = usual.signal_bytes_for_one;
        let share = (self.max_waiting_bytes / 2).max(taiinet_mesh::limits::SEALED_BYTES);
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        let (signals, signals_each_second) = usual.signals_for_one;
        let messages = u32::try_from(self.max_waiting_messages.div_ceil(2)).unwrap_or(u32::MAX);
        Budgets {
            signal_bytes_for_one: (most.min(share), each_second),
            signals_for_one: (signals.min(messages), signals_each_second),
            ..usual
        }
    }

    fn join_work_from(&self) -> usize {
        self.join_work_from.unwrap_or(self.max_clients - self.max_clients / 4)
    }

    /// The addresses that may have been dialled; any, if none.
    fn known_as(&self) -> Option<Vec<String>> {
        let known = self.known_as.as_ref()?;
        Some(known.iter().chain(&self.public_url).map(ToString::to_string).collect())
    }

    fn pool(&self) -> Option<Direct> {
        self.is_in_pool().then(|| Direct {
            address: self.public_url.as_ref().map(ToString::to_string),
            seeds: self.peer.iter().map(|peer| peer.0.clone()).collect(),
            allowed: self.allow_member.as_ref().map(|members| members.iter().copied().collect()),
            known_as: self.known_as(),
        })
    }

    /// How much is logged.
    pub(crate) fn log_filter(&self) -> Targets {
        let asked = log_asked(self.log.as_deref());
        asked
            .and_then(|filter| filter.parse().ok())
            .unwrap_or_else(|| Targets::new().with_default(LevelFilter::WARN))
    }
}
