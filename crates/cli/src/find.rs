//! `taiinet find`: documents that neighbours and archives have.

use std::time::Duration;

use serde_json::json;
use taiinet::{Cursor, FindOptions, Sort, TaiiNet, Timestamp};
use taiinet_terminal::say;
use tokio::time::timeout;

use crate::{
    clock,
    exit::{CommandResult, Exit},
    hints,
    net::{self, NetArgs},
    printer::Printer,
    query,
};

/// Print the documents of neighbours and archives that match a query, the newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet find '{\"type\": \"tweet\"}' --network tweets --signaller ws://127.0.0.1:7700
  taiinet find '{\"likes\": {\"$gt\": 4}}' --limit 1 --json | jq .created_at
  taiinet find '{\"type\": \"tweet\"}' --sort likes:desc,author:asc --since 30d --limit 20

Archives (`taiinet seed`) have what they keep; other neighbours have the documents of about the last five
minutes, and their own under a key while they run. stderr says whether that was all, or how to go on; with
--json by a line {\"found\": {\"count\": …, \"complete\": …, \"cursor\": …}}.
Exit codes: 0 neighbours were asked, 1 there is none, 2 wrong usage.")]
pub(crate) struct FindArgs {
    /// A query as JSON; {} matches everything
    query: String,
    /// How many documents at most
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
    /// The order: fields separated by commas, each with :asc (if nothing is said) or :desc
    #[arg(long, value_name = "FIELD:asc", default_value = "_created_at:desc")]
    sort: Sort,
    /// Only documents that were published since: so long ago (7d, 12h), or at a time
    /// (2026-11-27, 2026-11-27T12:00:00Z)
    #[arg(long, value_name = "TIME", value_parser = clock::moment)]
    since: Option<Timestamp>,
    /// Only documents that were published before: as for --since
    #[arg(long, value_name = "TIME", value_parser = clock::moment)]
    until: Option<Timestamp>,
    /// Go on where another search of the same query and order has ended
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<Cursor>,
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
    let options = FindOptions {
        limit: args.limit,
        sort: args.sort.clone(),
        since: args.since,
        until: args.until,
        after: args.cursor.clone(),
        ..FindOptions::default()
    };
    let found = net.find(query, options).await?;
    for delivery in found.iter() {
        printer.print(delivery).await?;
    }
    printer.finish().await?;
    if args.json {
        let mut about = json!({ "count": found.len(), "complete": found.complete });
        if let Some(cursor) = &found.cursor {
            about["cursor"] = cursor.to_string().into();
        }
        say(json!({ "found": about }));
    } else {
        match &found.cursor {
            Some(cursor) => say(format_args!("there may be more: go on with --cursor {cursor}")),
            None if found.complete => say(format_args!("that was all")),
            None => say(format_args!(
                "there may be more: not everybody that was asked has answered in full"
            )),
        }
    }
    Ok(())
}
