//! `taiinet subscribe`: documents that match, as they come.

use std::{
    io::{self, BufWriter, StdoutLock, Write},
    time::Duration,
};

use serde_json::json;
use taiinet::{Delivery, Subscription};

use crate::{
    exit::{Exit, Outcome},
    hints,
    net::{self, NetArgs},
    query, report,
};

/// How many documents are written before stdout is flushed, if more are waiting.
const BATCH: usize = 256;

/// Print the documents that match a query, as they come.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet subscribe '{}' --network tweets --signaller ws://127.0.0.1:7700
  taiinet subscribe '{\"likes\": {\"$gt\": 4}}' --count 10 --json | jq .author

Read slowly, it slows its neighbours down; nothing is dropped.")]
pub(crate) struct SubscribeArgs {
    /// A query as JSON; {} matches everything
    query: String,
    /// End after so many documents
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after so many seconds; with --count, exit code 1 if there were fewer
    #[arg(long, value_name = "SECS", value_parser = net::seconds)]
    timeout: Option<Duration>,
    /// Print {"data": …, "author": …, "id": …, "created_at": …, "received_at": …, "hops": …}
    #[arg(long)]
    json: bool,
    /// Write a status line of JSON to stderr four times a second
    #[arg(long, hide = true)]
    report: bool,
}

pub(crate) async fn run(net: NetArgs, args: SubscribeArgs) -> Outcome {
    let query = query::parse(&args.query)?;
    let net = net.connect().await?;
    let mut subscription = net.subscribe(query)?;
    hints::spawn(&net);
    if args.report {
        report::spawn(&net);
    }
    let mut printer =
        Printer { out: BufWriter::new(io::stdout().lock()), json: args.json, count: 0 };
    let outcome = tokio::select! {
        outcome = printer.run(&mut subscription, args.count) => outcome,
        () = elapsed(args.timeout) => match args.count {
            Some(wanted) => Err(Exit::Failed(format!("{} of {wanted} documents came", printer.count))),
            None => Ok(()),
        },
        () = net::told_to_leave() => Ok(()),
    };
    if args.report {
        report::finish(&net).await;
    }
    net.close().await;
    outcome
}

async fn elapsed(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

struct Printer {
    out: BufWriter<StdoutLock<'static>>,
    json: bool,
    count: u64,
}

impl Printer {
    async fn run(&mut self, subscription: &mut Subscription, wanted: Option<u64>) -> Outcome {
        while let Some(delivery) = subscription.next().await {
            self.print(&delivery)?;
            for _ in 1..BATCH {
                if wanted.is_some_and(|wanted| self.count >= wanted) {
                    break;
                }
                let Some(delivery) = subscription.try_next() else { break };
                self.print(&delivery)?;
            }
            self.out.flush()?;
            if wanted.is_some_and(|wanted| self.count >= wanted) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn print(&mut self, delivery: &Delivery) -> io::Result<()> {
        self.count += 1;
        if !self.json {
            return writeln!(self.out, "{}", delivery.json());
        }
        // The data stand first and are written as they are without --json.
        let mut about = json!({
            "author": delivery.author(),
            "id": delivery.id().to_string(),
            "created_at": delivery.created_at().as_millis(),
            "received_at": delivery.received_at().as_millis(),
            "hops": delivery.hops(),
        });
        if let Some(key) = delivery.key() {
            about["key"] = key.into();
        }
        if let Some(expires_at) = delivery.expires_at() {
            about["expires_at"] = expires_at.as_millis().into();
        }
        let about = about.to_string();
        writeln!(self.out, "{{\"data\":{},{}", delivery.json(), &about[1..])
    }
}
