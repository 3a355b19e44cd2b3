//! The command `taiinet-signaller`.

use std::{
    io::{self, IsTerminal, Write},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use rand_core::UnwrapErr;
use taiinet_document::Network;
use taiinet_identity::{
    Identity,
    keyfile::{self, Passphrase},
};
use taiinet_signaller::{
    DeskConfig, limits,
    server::{Server, ServerConfig, StunAddress},
};

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7700);

/// Introduces TaiiNet's peers to one another.
///
/// It sees who is there and who negotiates with whom; it can neither impersonate a peer nor read or
/// alter what peers negotiate, and no document passes through it.
#[derive(Debug, Parser)]
#[command(name = "taiinet-signaller", version, max_term_width = 100)]
struct Arguments {
    /// Where to listen; port 0 takes any free one [default: 127.0.0.1:7700]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Vec<SocketAddr>,
    /// Where to answer STUN (UDP), or `off` [default: the same addresses and ports]
    #[arg(long, value_name = "ADDR:PORT|off", value_parser = stun)]
    stun: Option<StunAddress>,
    /// A key file made by `taiinet-keys generate`; without it the key is a fresh one for this run
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Read the key file's passphrase from here (or from the environment: TAIINET_PASSPHRASE)
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Serve only this network; may be given several times
    #[arg(long = "allow-network", value_name = "NAME")]
    allow_networks: Vec<Network>,
    /// Connections at once
    #[arg(long, value_name = "N", default_value_t = limits::CLIENTS)]
    max_clients: usize,
    /// Connections at once from one address, or /64 prefix of IPv6
    #[arg(long, value_name = "N", default_value_t = limits::CLIENTS_PER_ADDRESS)]
    max_clients_per_address: usize,
    /// How to write the log (stderr; how much of it: RUST_LOG=info)
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,
    /// Say where it listens as one line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

fn stun(text: &str) -> Result<StunAddress, String> {
    if text == "off" {
        return Ok(StunAddress::Off);
    }
    text.parse().map(StunAddress::At).map_err(|_| "expected ADDR:PORT or `off`".to_owned())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log(arguments.log_format);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}")),
    };
    match runtime.block_on(run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => fail(&message),
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("taiinet-signaller: {message}");
    ExitCode::FAILURE
}

fn log(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let identity = match &arguments.identity {
        None => Identity::generate(&mut UnwrapErr(getrandom::SysRng)),
        Some(file) => load(file, arguments.passphrase_file.as_deref())?,
    };
    let mut listen = arguments.listen;
    if listen.is_empty() {
        listen.push(DEFAULT_LISTEN);
    }
    let config = ServerConfig {
        listen,
        stun: arguments.stun.unwrap_or(StunAddress::Same),
        desk: DeskConfig {
            networks: arguments.allow_networks,
            clients: arguments.max_clients,
            clients_per_address: arguments.max_clients_per_address,
            ice_servers: Vec::new(),
        },
    };
    let server = Server::bind(config, identity).await.map_err(|error| {
        format!("{error}\n  Is another one running there? --listen takes another address.")
    })?;
    announce(&server, arguments.json).map_err(|error| format!("cannot write: {error}"))?;
    server.run(interrupted()).await.map_err(|error| format!("stopped: {error}"))
}

fn load(file: &Path, passphrase_file: Option<&Path>) -> Result<Identity, String> {
    let passphrase = || -> io::Result<Passphrase> {
        let text = match passphrase_file {
            Some(path) => std::fs::read_to_string(path)?,
            None => std::env::var("TAIINET_PASSPHRASE").map_err(|_| {
                io::Error::other(
                    "the key file has a passphrase; give it with --passphrase-file or \
                     TAIINET_PASSPHRASE",
                )
            })?,
        };
        Ok(Passphrase::new(text.trim_end_matches(['\r', '\n']).to_owned()))
    };
    keyfile::load(file, passphrase).map_err(|error| format!("{}: {error}", file.display()))
}

/// Says where it listens, in the form that peers take.
fn announce(server: &Server, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let (urls, peer_id) = (server.urls(), server.peer_id());
    if json {
        let url = urls.first();
        let line = serde_json::json!({
            "event": "listening", "url": url, "urls": urls, "peer_id": peer_id.to_string(),
        });
        writeln!(out, "{line}")?;
    } else {
        for url in urls {
            writeln!(out, "listening on {url}")?;
        }
    }
    out.flush()
}

/// Ctrl-C, or the service manager's SIGTERM.
async fn interrupted() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        if let Ok(mut terminate) = terminate {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
