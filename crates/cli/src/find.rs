//! `taiinet find`: recent documents that the neighbours have.

use std::time::Duration;

use taiinet::{FindOptions, TaiiNet};
use tokio::time::timeout;

use crate::{
    exit::{CommandResult, Exit},
    hints,
    net::{self, NetArgs},
    printer::Printer,
    query,
};

/// Print the recent documents of neighbours that match a query, the newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet find '{\"type\": \"tweet\"}' --network tweets --signaller ws://127.0.0.1:7700
  taiinet find '{\"likes\": {\"$gt\": 4}}' --limit 1 --json | jq .created_at

Neighbours keep the documents of about the last five minutes, and their own under a key while they run.
Exit codes: 0 neighbours were asked, 1 there is none, 2 wrong usage.")]
pub(crate) struct FindArgs {
    /// A query as JSON; {} matches everything
    query: String,
    /// How many documents at most
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
    /// How many seconds to wait for a neighbour
    #[arg(long, value_name = "SECS", default_value = "15", value_parser = net::seconds)]
    timeout: Duration,
    /// Print {"data": …, "author": …, "id": …, "created_at": …, "received_at": …, "hops": …}
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(net: NetArgs, args: FindArgs) -> CommandResult {
    let query = query::parse(&args.query)?;
    let net = net.connect().await?;
    let mut printer = Printer::new(args.json);
    let outcome = tokio::select! {
        outcome = find(&net, query, &args, &mut printer) => outcome,
        () = net::told_to_leave() => Ok(()),
    };
    let left = printer.leave().await;
    net.close().await;
    outcome.and(left)
}

async fn find(
    net: &TaiiNet,
    query: taiinet::Query,
    args: &FindArgs,
    printer: &mut Printer,
) -> CommandResult {
    match timeout(args.timeout, net.connected()).await {
        Ok(connected) => connected?,
        Err(_) => return Err(Exit::Failed(hints::why_alone(&net.status().await?))),
    }
    // The first neighbour may have come as late as we; fewer than enough will do.
    let (enough, patience) = taiinet_session::ACQUAINTED;
    let _ = timeout(patience, net.wait_for_peers(enough)).await;
    let found = net.find(query, FindOptions { limit: args.limit, ..Default::default() }).await?;
    for delivery in &found {
        printer.print(delivery).await?;
    }
    printer.finish().await
}
