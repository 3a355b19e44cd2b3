//! What can be asked of a signaller that runs.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

/// Show what a running signaller has open, how near that is to its limits, and what it has refused.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// The file of options that it runs with, in which `control` or `metrics` stand [default:
    /// /etc/taiinet/taiinet-signaller.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Its control socket
    #[arg(long, value_name = "PATH", conflicts_with = "metrics")]
    pub(crate) control: Option<PathBuf>,
    /// Where it answers metrics
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Show names of networks, peers and signallers, too; it takes the control socket
    #[arg(long)]
    pub(crate) names: bool,
    /// Show all of it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
