//! `taiinet publish`: documents from stdin or files to the network.

use std::{
    io::IsTerminal,
    path::PathBuf,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use serde_json::json;
use taiinet::{Audience, PeerId, PublishOptions, TaiiNet};
use tokio::sync::mpsc;

use crate::{
    exit::{Exit, Outcome},
    hints,
    lines::{Fault, Line, Lines},
    net::{self, NetArgs},
    report,
};

/// Lines read ahead.
const LINES_AHEAD: usize = 64;

/// Publish NDJSON documents and wait until neighbours have taken them all.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet publish tweets.ndjson --network tweets --signaller ws://127.0.0.1:7700
  echo '{\"mood\": \"fine\"}' | taiinet publish --key mood --expires 1d
  taiinet publish orders.ndjson --private --public type
  echo '{\"text\": \"for your eyes only\"}' | taiinet publish --to tn1…

A line that is no document ends it: what came before is published, the exit code is 1.")]
pub(crate) struct PublishArgs {
    /// NDJSON files, one document a line; `-` or none: stdin
    files: Vec<PathBuf>,
    /// Publish under this key: the newest document of yours under a key replaces the older
    #[arg(long)]
    key: Option<String>,
    /// How long the documents are worth something: 90s, 15m, 12h, 1d
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    expires: Option<Duration>,
    /// Seal to whoever subscribed privately to what each document matches (`taiinet subscribe
    /// --private`); nobody else can read it
    #[arg(long, group = "audience")]
    private: bool,
    /// Seal to these peers (tn1…), whether they have subscribed privately or not; repeat it, or
    /// separate by commas
    #[arg(long, value_name = "PEERID", value_delimiter = ',', group = "audience")]
    to: Vec<PeerId>,
    /// Fields that everybody may read all the same, by which the documents are found
    #[arg(long, value_name = "FIELD", value_delimiter = ',', requires = "audience")]
    public: Vec<String>,
    /// How many seconds to wait for somebody to subscribe privately to a document
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = net::seconds)]
    wait: Duration,
    /// Wait for so many neighbours before the first document
    #[arg(long, value_name = "N", default_value_t = 1)]
    wait_peers: usize,
    /// Give up after so many seconds
    #[arg(long, value_name = "SECS", value_parser = net::seconds)]
    timeout: Option<Duration>,
    /// Pass over lines that are no documents, with a warning
    #[arg(long)]
    skip_invalid: bool,
    /// Print a summary as one line of JSON on stdout
    #[arg(long)]
    json: bool,
    /// Write a status line of JSON to stderr four times a second
    #[arg(long, hide = true)]
    report: bool,
}

pub(crate) async fn run(net: NetArgs, args: PublishArgs) -> Outcome {
    let net = net.connect().await?;
    hints::spawn(&net);
    if args.report {
        report::spawn(&net);
    }
    let started = Instant::now();
    let mut job = Job { net: &net, bar: progress_bar(args.report), given: 0, taken: 0 };
    let outcome = tokio::select! {
        outcome = job.run(&args) => outcome,
        outcome = give_up(&net, args.timeout) => outcome,
        () = net::told_to_leave() => Err(Exit::failed("interrupted")),
    };
    job.bar.finish_and_clear();
    let Job { given, taken, .. } = job;
    let seconds = started.elapsed().as_secs_f64();
    if args.report {
        report::finish(&net).await;
    }
    net.close().await;
    let peer_id = net.peer_id();
    if args.json {
        let untaken = given - taken;
        let summary = json!({ "published": taken, "untaken": untaken, "seconds": seconds, "peer_id": peer_id });
        anstream::println!("{summary}");
    } else {
        anstream::eprintln!("published {} in {seconds:.1} s as {peer_id}", documents(taken));
        if taken < given {
            anstream::eprintln!(
                "{} may not have been taken by any neighbour",
                documents(given - taken)
            );
        }
    }
    outcome
}

impl PublishArgs {
    fn options(&self) -> PublishOptions {
        let to = match (self.private, &self.to[..]) {
            (true, _) => Audience::Subscribers,
            (false, []) => Audience::Everyone,
            (false, peers) => Audience::Peers(peers.to_vec()),
        };
        PublishOptions {
            key: self.key.clone(),
            expires: self.expires,
            to,
            public: self.public.clone(),
            wait: self.wait,
        }
    }
}

fn documents(count: u64) -> String {
    if count == 1 { "1 document".to_owned() } else { format!("{count} documents") }
}

/// One run.
struct Job<'a> {
    net: &'a TaiiNet,
    bar: ProgressBar,
    /// Documents given to the peer.
    given: u64,
    /// Of these, known to be taken by a neighbour.
    taken: u64,
}

impl Job<'_> {
    async fn run(&mut self, args: &PublishArgs) -> Outcome {
        self.net.wait_for_peers(args.wait_peers).await?;
        let options = args.options();
        let mut lines = read_ahead(args.files.clone());
        let mut fault = None;
        while let Some(line) = lines.recv().await {
            let given = match line {
                Ok(line) => self.net.queue_with(line.document, options.clone()).await,
                Err(found @ Fault::Line(..)) if args.skip_invalid => {
                    self.bar.suspend(|| anstream::eprintln!("warning: {found}"));
                    continue;
                }
                Err(found) => {
                    fault = Some(found);
                    break;
                }
            };
            given?;
            self.given += 1;
            self.bar.inc(1);
        }
        self.net.flush().await?;
        self.taken = self.given;
        fault.map_or(Ok(()), |fault| Err(Exit::failed(fault)))
    }
}

/// Reads lines on a thread of their own, which may wait for a terminal as long as it likes.
fn read_ahead(files: Vec<PathBuf>) -> mpsc::Receiver<Result<Line, Fault>> {
    let (sender, lines) = mpsc::channel(LINES_AHEAD);
    std::thread::spawn(move || {
        for line in Lines::new(files) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}

async fn give_up(net: &TaiiNet, after: Option<Duration>) -> Outcome {
    let Some(after) = after else { return std::future::pending().await };
    tokio::time::sleep(after).await;
    let status = net.status().await?;
    let why = if status.links.iter().any(|link| link.state == taiinet::LinkState::Active) {
        "the neighbours do not take them fast enough".to_owned()
    } else {
        hints::why_alone(&status)
    };
    Err(Exit::Failed(format!("not done within {} s: {why}", after.as_secs_f64())))
}

fn progress_bar(hidden: bool) -> ProgressBar {
    if hidden || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    let template = "{spinner} {pos} documents, {rate} a second, {elapsed}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        let rate = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            let _ = write!(text, "{:.0}", state.per_sec());
        };
        bar.set_style(style.with_key("rate", rate));
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
