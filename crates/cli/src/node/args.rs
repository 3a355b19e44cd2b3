//! What can be said on the command line.

use std::path::PathBuf;

use taiinet::Rate;
use taiinet_daemon::LogFormat;

use super::address::MetricsAddress;

/// Take part in networks as a daemon: carry what others publish, within the bandwidth that you lend.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet node --config /etc/taiinet/taiinet-node.toml
  taiinet node --config taiinet-node.toml --check-config
  taiinet node --network tweets --signaller wss://signal.example.org --upload 2MB/s

What is given here wins over the file. SIGHUP reads the file again and applies caps, log level and blacklist;
SIGTERM and Ctrl-C leave the networks. Exit codes: 0 done, 1 failed, 2 wrong usage.")]
pub(crate) struct NodeArgs {
    /// Read options from this TOML file
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Say what would run, and end: 0 if it is well, 2 if not
    #[arg(long)]
    pub(super) check_config: bool,
    /// Say what runs as one line of JSON; with --check-config, what would
    #[arg(long)]
    pub(super) json: bool,
    /// Keep here what is learned from run to run: signallers of pools, and those who misbehaved
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// Send at most so much on all links together, such as 500kB/s, 2MB/s or 20Mbit/s
    #[arg(long, value_name = "RATE")]
    pub(super) upload: Option<Rate>,
    /// Receive at most so much on all links together
    #[arg(long, value_name = "RATE")]
    pub(super) download: Option<Rate>,
    /// Answer /metrics (Prometheus), /healthz and /readyz here [default: 127.0.0.1:9701]
    #[arg(long, value_name = "ADDR:PORT|off")]
    pub(super) metrics: Option<MetricsAddress>,
    /// How much to log, to stderr, as in RUST_LOG, which counts if this is not given [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(super) log: Option<String>,
    /// How to write the log [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub(super) log_format: Option<LogFormat>,
}
