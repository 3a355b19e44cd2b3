//! `taiinet subscribe`: documents that match, as they come.

use std::time::Duration;

use taiinet::{Backlog, SubscribeOptions, Subscription, SubscriptionEvent, Timestamp};

use crate::{
    clock,
    exit::{CommandResult, Exit},
    hints,
    net::{self, NetArgs},
    printer::Printer,
    query, report,
};

/// How many documents are written together, if more are waiting.
const BATCH: usize = 256;

/// Print the documents that match a query, as they come.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet subscribe '{}' --network tweets --signaller ws://127.0.0.1:7700
  taiinet subscribe '{\"likes\": {\"$gt\": 4}}' --count 10 --json | jq .author
  taiinet subscribe '{\"type\": \"order\"}' --private
  taiinet subscribe '{\"symptom\": \"fever\"}' --discreet
  taiinet subscribe '{\"type\": \"tweet\"}' --backlog 500 --json
  taiinet subscribe '{\"type\": \"tweet\"}' --backlog all

Read slowly, it slows its neighbours down; nothing is dropped.")]
pub(crate) struct SubscribeArgs {
    /// A query as JSON; {} matches everything
    query: String,
    /// With a key of its own: others can seal to it (`taiinet publish --private`), and once this ends
    /// no one can read what was. What is open comes too; --json tells them apart
    #[arg(long)]
    private: bool,
    /// Tell nobody what is wanted. The price: this peer gets ALL documents of the network, and chooses here. Others see
    /// that it wants everything. --private and --backlog tell others the query, so it goes with neither
    #[arg(long, conflicts_with_all = ["private", "backlog"])]
    discreet: bool,
    /// Also what archives and neighbours have of before, the oldest first: `all`; the newest N (1000 if nothing is
    /// said); or all since a time (7d ago, 2026-11-27). What comes meanwhile is printed as well, and each once. With
    /// --json these have "backlog": true, and a line {"ready": {"complete": …}} tells when they have come, and
    /// whether that was all
    #[arg(long, value_name = "all|N|TIME", num_args = 0..=1,
        default_missing_value = "1000", value_parser = backlog)]
    backlog: Option<Backlog>,
    /// End after so many documents
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after so many seconds; with --count, exit code 1 if there were fewer
    #[arg(long, value_name = "SECS", value_parser = net::seconds)]
    timeout: Option<Duration>,
    /// Print {"data": …, "author": …, "id": …, "created_at": …, "received_at": …, "hops": …}, with "privacy"
    /// ("sealed" or "forward-secret") for what was sealed, and "replaces" for the new version of one that was
    /// printed. A line {"removed": {"id": …, "reason": "deleted"|"replaced"|"expired"}} tells of one that is gone
    #[arg(long)]
    json: bool,
    /// Write a status line of JSON to stderr four times a second
    #[arg(long, hide = true)]
    report: bool,
}

/// `all`, a number, or a time.
fn backlog(text: &str) -> Result<Backlog, String> {
    match text.parse() {
        Ok(0) => Err("a backlog has one document at least".to_owned()),
        Ok(newest) => Ok(Backlog::Last(newest)),
        Err(_) if text == "all" => Ok(Backlog::Since(Timestamp::from_millis(0))),
        Err(_) if text.trim_start().starts_with('{') => {
            Err("this is a query: write it before --backlog, or say how much: --backlog 1000"
                .to_owned())
        }
        Err(_) => clock::moment(text).map(Backlog::Since),
    }
}

pub(crate) async fn run(net: NetArgs, args: SubscribeArgs) -> CommandResult {
    let query = query::parse(&args.query)?;
    let net = net.connect().await?;
    let SubscribeArgs { private, discreet, backlog, .. } = args;
    let options = SubscribeOptions { private, discreet, backlog };
    let mut subscription = net.subscribe_with(query, options)?;
    hints::spawn(&net);
    if args.report {
        report::spawn(&net);
    }
    let mut printer = Printer::new(args.json);
    let outcome = tokio::select! {
        outcome = print(&mut printer, &mut subscription, args.count) => Some(outcome),
        () = net::elapsed(args.timeout) => None,
        () = net::told_to_leave() => Some(Ok(())),
    };
    let left = printer.leave().await;
    let outcome = match (outcome, args.count) {
        (Some(outcome), _) => outcome.and(left),
        (None, Some(wanted)) if left.is_ok() => Err(Exit::Failed(too_few(&printer, wanted))),
        (None, _) => left,
    };
    if args.report {
        report::finish(&net).await;
    }
    net.close().await;
    outcome
}

fn too_few(printer: &Printer, wanted: u64) -> String {
    let (came, written) = (printer.count(), printer.written());
    if written < came {
        return format!(
            "{written} of {wanted} documents were written: the reader of our stdout does not read on"
        );
    }
    format!("{came} of {wanted} documents came")
}

/// Prints what comes until so many were printed, or the peer is closed.
async fn print(
    printer: &mut Printer,
    subscription: &mut Subscription,
    wanted: Option<u64>,
) -> CommandResult {
    let enough = |printer: &Printer| wanted.is_some_and(|wanted| printer.count() >= wanted);
    while let Some(event) = subscription.next_event().await {
        print_event(printer, &event).await?;
        for _ in 1..BATCH {
            if enough(printer) {
                break;
            }
            let Some(event) = subscription.try_next_event() else { break };
            print_event(printer, &event).await?;
        }
        printer.flush().await?;
        if enough(printer) {
            break;
        }
    }
    printer.finish().await
}

async fn print_event(printer: &mut Printer, event: &SubscriptionEvent) -> CommandResult {
    match event {
        SubscriptionEvent::Document(delivery) => printer.print(delivery).await,
        event => {
            printer.print_event(event);
            Ok(())
        }
    }
}
