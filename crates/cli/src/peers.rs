//! `taiinet peers`: the links of a peer, and why others failed.

mod table;

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use taiinet::{Status, TaiiNet};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::{
    exit::{CommandResult, Exit},
    hints,
    net::{self, NetArgs},
    report,
};

/// How often the table is drawn again and JSON written.
const EVERY: Duration = Duration::from_secs(1);

/// Show the links of a peer as they come and go, and why others failed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet peers --network tweets --signaller ws://127.0.0.1:7700
  taiinet peers --json --once | jq '.links[].peer'

Not on a terminal, or with --once, it ends after the first neighbour was won.")]
pub(crate) struct PeersArgs {
    /// Print the status as JSON, a line a second
    #[arg(long)]
    json: bool,
    /// Print once, after the first neighbour was won
    #[arg(long)]
    once: bool,
    /// With --once: how many seconds to wait for a neighbour; exit code 1 if there is none
    #[arg(long, value_name = "SECS", default_value = "15", value_parser = net::seconds)]
    wait: Duration,
}

pub(crate) async fn run(net: NetArgs, args: PeersArgs) -> CommandResult {
    let net = net.connect().await?;
    let live = !args.once && (args.json || io::stdout().is_terminal());
    let outcome = tokio::select! {
        outcome = async {
            if live { watch(&net, args.json).await } else { once(&net, &args).await }
        } => outcome,
        () = net::told_to_leave() => Ok(()),
    };
    net.close().await;
    outcome
}

/// Again and again until Ctrl-C.
async fn watch(net: &TaiiNet, json: bool) -> CommandResult {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut drawn = 0;
    loop {
        ticks.tick().await;
        let status = net.status().await?;
        let mut out = anstream::stdout().lock();
        if json {
            writeln!(out, "{}", status_line(net, &status))?;
        } else {
            let table = table::draw(net, &status);
            if drawn > 0 {
                // Up to where the last one began, and clear from there.
                write!(out, "\x1b[{drawn}A\x1b[J")?;
            }
            drawn = table.lines().count();
            // Long lines are cut, not wrapped: otherwise there would be more to go up than we know.
            write!(out, "\x1b[?7l{table}\x1b[?7h")?;
        }
        out.flush()?;
    }
}

/// Once there is a neighbour, or none within the time.
async fn once(net: &TaiiNet, args: &PeersArgs) -> CommandResult {
    let found = timeout(args.wait, net.connected()).await;
    let status = net.status().await?;
    let mut out = anstream::stdout().lock();
    if args.json {
        writeln!(out, "{}", status_line(net, &status))?;
    } else {
        write!(out, "{}", table::draw(net, &status))?;
    }
    out.flush()?;
    match found {
        Ok(found) => Ok(found?),
        Err(_) => Err(Exit::Failed(hints::why_alone(&status))),
    }
}

fn status_line(net: &TaiiNet, status: &Status) -> String {
    let status = report::of(net, status).to_string();
    taiinet_terminal::json(&status).into_owned()
}
