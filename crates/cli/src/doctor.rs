//! `taiinet doctor`: what works here, what does not, and what to do about it.

mod checkup;
mod finding;
mod paths;
mod report;
mod signallers;
mod verdict;

use std::{io::IsTerminal, time::Duration};

use indicatif::ProgressBar;
use tokio::sync::mpsc::unbounded_channel;

use crate::{
    exit::{CommandResult, Exit},
    net::{self, NetArgs},
};
use checkup::Checkup;
use finding::State;

/// How often the terminal's sign of life moves.
const TICK: Duration = Duration::from_millis(100);

/// Say what works and what does not: signallers, clock, NATs, and each kind of path to other peers
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet doctor --signaller wss://signal.example.org
  taiinet doctor --json | jq '.nat.ipv4.kind, .nextStep'
  taiinet doctor --json | jq '.findings[] | select(.state == \"bad\")'

It makes peers on this machine, in networks of their own, and links them in each way there is.
With --json: signallers[] (url, reachable, tookMs, joined, key, relays), pool, clockAheadMs, nat.ipv4 and
nat.ipv6 (kind: open, cone, symmetric, unknown, blocked, absent or unasked; mapped), paths (host, reflexive, turn,
relay, ipv6; each works, fails, missing or unknown, and tookMs), findings[] (check, state, says, do), nextStep.
Exit codes: 0 peers can link, 1 something must be done, 2 wrong usage.")]
pub(crate) struct DoctorArgs {
    /// How many seconds it may take, in all
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = net::seconds)]
    timeout: Duration,
    /// Print one report as JSON at the end, {"ok": …, "nat": …, "paths": …, "findings": […], "nextStep": …}
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(net: NetArgs, args: DoctorArgs) -> CommandResult {
    let (say, mut findings) = unbounded_channel();
    let checkup = Checkup::new(&net, args.timeout, say)?;
    let bar = progress(&args);
    let examined = tokio::spawn(checkup.run());
    let (mut found, mut printed) = (Vec::new(), Ok(()));
    while let Some(finding) = findings.recv().await {
        if !args.json {
            // The exit code is right also where nothing can be read.
            printed = printed.and_then(|()| bar.suspend(|| finding.print()));
        }
        found.push(finding);
    }
    bar.finish_and_clear();
    let report = examined.await.map_err(Exit::failed)??.with(found);
    if args.json {
        printed = printed.and_then(|()| report.print());
    }
    match report.findings.iter().filter(|finding| finding.state == State::Bad).count() {
        0 => Ok(printed?),
        1 => Err(Exit::failed("one thing does not work")),
        bad => Err(Exit::failed(format!("{bad} things do not work"))),
    }
}

/// A sign of life on a terminal.
fn progress(args: &DoctorArgs) -> ProgressBar {
    if args.json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    bar.set_message(format!("examining, {} s at most", args.timeout.as_secs_f32().ceil()));
    bar.enable_steady_tick(TICK);
    bar
}
