//! `taiinet doctor`: what works here, what does not, and what to do about it.

mod checkup;
mod finding;

use std::time::Duration;

use crate::{
    exit::{CommandResult, Exit},
    net::{self, NetArgs},
};
use checkup::Checkup;
use finding::State;

/// Say what works and what does not: signallers, clock, STUN, direct links, TURN
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet doctor --signaller wss://signal.example.org
  taiinet doctor --json | jq 'select(.state == \"bad\")'

It makes two peers on this machine, in a network of their own, and links them.
Exit codes: 0 peers can link, 1 something must be done, 2 wrong usage.")]
pub(crate) struct DoctorArgs {
    /// How many seconds each check may take
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = net::seconds)]
    timeout: Duration,
    /// Print {"check": …, "state": "good" | "note" | "bad", "says": …, "do": …}, one a line
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(net: NetArgs, args: DoctorArgs) -> CommandResult {
    let (report, mut findings) = tokio::sync::mpsc::unbounded_channel();
    let checkup = Checkup::new(&net, args.timeout, report)?;
    let examined = tokio::spawn(checkup.run());
    let (mut bad, mut printed) = (0, Ok(()));
    while let Some(finding) = findings.recv().await {
        bad += usize::from(finding.state == State::Bad);
        // The exit code is right also where nothing can be read.
        printed = printed.and_then(|()| finding.print(args.json));
    }
    examined.await.map_err(Exit::failed)??;
    match bad {
        0 => Ok(printed?),
        1 => Err(Exit::failed("one thing does not work")),
        _ => Err(Exit::failed(format!("{bad} things do not work"))),
    }
}
