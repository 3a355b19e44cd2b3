//! `taiinet watch`: a result set that keeps itself true.

mod screen;

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use taiinet::{LIVE_LIMIT, Live, LiveOptions, LiveSnapshot, Phase, Sort, TaiiNet};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    exit::CommandResult,
    hints,
    net::{self, NetArgs},
    printer::Printer,
    query,
};

/// How many events are written together, if more are waiting.
const BATCH: usize = 256;
/// The terminal is drawn again so long after the last time, at the earliest.
const EVERY: Duration = Duration::from_millis(100);
/// And so long after it, if there is no neighbour: the reason may be another one.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Show the documents that match a query, in an order, and keep them true
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet watch '{\"type\": \"tweet\"}' --network tweets --signaller ws://127.0.0.1:7700
  taiinet watch '{\"type\": \"tweet\"}' --sort likes:desc --limit 10
  taiinet watch '{\"type\": \"tweet\"}' --limit 3 | jq --unbuffered length
  taiinet watch '{}' --json | jq .remove.reason

A terminal shows the list and draws it again when it changes. Elsewhere the whole list is a line, a JSON array
of documents, once it is ready and whenever it has changed since; --json prints what changes, an event a line.
A reader that is slow is not told what was in between.
Exit codes: 0 told to stop, 1 failed, 2 wrong usage.")]
pub(crate) struct WatchArgs {
    /// A query as JSON; {} matches everything
    query: String,
    /// The order: fields separated by commas, each with :asc (if nothing is said) or :desc
    #[arg(long, value_name = "FIELD:asc", default_value = "_created_at:desc")]
    sort: Sort,
    /// How many documents at most
    #[arg(long, value_name = "N", default_value = "20",
        value_parser = clap::value_parser!(u16).range(1..=i64::from(LIVE_LIMIT)))]
    limit: u16,
    /// With a key of its own, so that others can seal to it (`taiinet publish --private`)
    #[arg(long)]
    private: bool,
    /// End after so many seconds
    #[arg(long, value_name = "SECS", value_parser = net::seconds)]
    timeout: Option<Duration>,
    /// Print what changes: {"insert": {"index": …, "data": …, "author": …, "id": …, …}},
    /// {"update": {"from": …, "to": …, "data": …, "replaces": …, …}}, {"remove": {"index": …, "id": …, "reason":
    /// "deleted"|"replaced"|"expired"|"outranked"}} and {"state": {"phase": "loading"|"ready"|"stale", "complete":
    /// …, "more": …}}. Applied to an empty list, these make it the result
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(net: NetArgs, args: WatchArgs) -> CommandResult {
    let query = query::parse(&args.query)?;
    let net = net.connect().await?;
    let WatchArgs { sort, limit, private, .. } = args;
    let mut live = net.live(query, LiveOptions { sort, limit, private })?;
    let mut printer = Printer::new(args.json);
    let watching = async {
        if !args.json && io::stdout().is_terminal() {
            return draw(&net, &mut live).await;
        }
        hints::spawn(&net);
        if args.json {
            print_events(&mut printer, &mut live).await
        } else {
            print_lists(&mut printer, &mut live).await
        }
    };
    let outcome = tokio::select! {
        outcome = watching => outcome,
        () = net::elapsed(args.timeout) => Ok(()),
        () = net::told_to_leave() => Ok(()),
    };
    let left = printer.leave().await;
    net.close().await;
    outcome.and(left)
}

async fn print_events(printer: &mut Printer, live: &mut Live) -> CommandResult {
    while let Some(event) = live.next().await {
        printer.print_live(&event);
        for _ in 1..BATCH {
            let Some(event) = live.try_next() else { break };
            printer.print_live(&event);
        }
        printer.flush().await?;
    }
    printer.finish().await
}

async fn print_lists(printer: &mut Printer, live: &mut Live) -> CommandResult {
    let mut printed: Option<LiveSnapshot> = None;
    let ids = |snapshot: &LiveSnapshot| {
        snapshot.documents.iter().map(|document| document.id()).collect::<Vec<_>>()
    };
    while let Some(snapshot) = live.changed().await {
        let is_ready = printed.is_some() || snapshot.state.phase != Phase::Loading;
        let is_news = printed.as_ref().is_none_or(|printed| ids(printed) != ids(&snapshot));
        if is_ready && is_news {
            printer.print_list(&snapshot.documents);
            printer.flush().await?;
            printed = Some(snapshot);
        }
    }
    printer.finish().await
}

/// Again and again until Ctrl-C.
async fn draw(net: &TaiiNet, live: &mut Live) -> CommandResult {
    let mut drawn = 0;
    let mut snapshot = LiveSnapshot::default();
    let mut look_at = Instant::now() + LOOK_EVERY;
    loop {
        tokio::select! {
            changed = live.changed() => match changed {
                Some(changed) => snapshot = changed,
                None => return Ok(()),
            },
            () = sleep_until(look_at), if snapshot.state.phase != Phase::Ready => {}
        }
        let mut text = screen::draw(&snapshot, screen::size());
        if snapshot.state.phase != Phase::Ready && Instant::now() >= look_at {
            look_at = Instant::now() + LOOK_EVERY;
            let status = net.status().await?;
            if status.links.is_empty() {
                text.push_str(&hints::why_alone(&status));
                text.push('\n');
            }
        }
        let mut out = anstream::stdout().lock();
        if drawn > 0 {
            // Up to where the last one began, and clear from there.
            write!(out, "\x1b[{drawn}A\x1b[J")?;
        }
        drawn = text.lines().count();
        // Long lines are cut, not wrapped: otherwise there would be more to go up than we know.
        write!(out, "\x1b[?7l{text}\x1b[?7h")?;
        out.flush()?;
        drop(out);
        sleep(EVERY).await;
    }
}
