//! `taiinet publish`: documents from stdin or files to the network.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use indicatif::ProgressBar;
use serde_json::json;
use taiinet::{
    Audience, Error, LinkState, PeerId, PublishOptions, Status, TaiiNet, Until, Writers,
};
use taiinet_terminal::{line, print, say};
use tokio::sync::mpsc;

use crate::{
    exit::{CommandResult, Exit},
    hints, key,
    ndjson::{Fault, Line, Lines, total_bytes},
    net::{self, NetArgs},
    progress::{self, documents},
    report,
};

/// Lines read ahead.
const LINES_AHEAD: usize = 64;

/// Publish NDJSON documents and wait until neighbours have taken them all, or the network has them
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet publish tweets.ndjson --network tweets --signaller ws://127.0.0.1:7700
  echo '{\"mood\": \"fine\"}' | taiinet publish --key mood --expires 1d
  echo '{\"buy\": []}' | taiinet publish --key list --writers tn1… --identity me.key
  echo '{\"buy\": [\"milk\"]}' | taiinet publish --key list --of tn1… --identity me.key
  taiinet publish orders.ndjson --private --public type
  echo '{\"text\": \"for your eyes only\"}' | taiinet publish --to tn1…
  echo '{\"invoice\": 7}' | taiinet publish --until network --timeout 60

A line that is no document, or cannot be published, ends it: what came before is published, the
exit code is 1.")]
pub(crate) struct PublishArgs {
    /// NDJSON files, one document a line; `-` or none: stdin
    files: Vec<PathBuf>,
    /// Publish under this key: the newest document of yours under a key replaces the older
    #[arg(long)]
    key: Option<String>,
    /// Let others write versions of the document under --key as well, until you publish one that says otherwise:
    /// `anyone`, or peers (tn1…) separated by commas, at most 64. Without it nobody else does from then on
    #[arg(long, value_name = "anyone|PEERID,…", requires = "key", conflicts_with = "of", value_parser = key::writers)]
    writers: Option<Writers>,
    /// Write a version of this peer's document under --key. It is one if that peer lets you; else it is a document
    /// of your own
    #[arg(long, value_name = "PEERID", requires = "key")]
    of: Option<PeerId>,
    /// How long the documents are worth something: 90s, 15m, 12h, 1d. Nobody holds them for so long: peers keep
    /// them for five minutes, and an author's own peer those with a key while it runs, as this command does not
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    expires: Option<Duration>,
    /// Seal to the peers that subscribed privately to what each document matches (`taiinet subscribe
    /// --private`); no other can read it
    #[arg(long, group = "audience")]
    private: bool,
    /// Seal to these peers (tn1…), whether they have subscribed privately or not; repeat it, or
    /// separate by commas
    #[arg(long, value_name = "PEERID", value_delimiter = ',', group = "audience")]
    to: Vec<PeerId>,
    /// Fields that every peer may read all the same, by which the documents are found
    #[arg(long, value_name = "FIELD", value_delimiter = ',', requires = "audience")]
    public: Vec<String>,
    /// How many seconds to wait for a peer to subscribe privately to a document
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = net::seconds)]
    wait: Duration,
    /// Who is to have the documents before this ends: a neighbour each, or the network as well, whose root confirms
    /// them. That takes about a second more, five where little is published, and at most some 250 documents a second
    #[arg(long, value_name = "WHO", default_value = "neighbour")]
    until: Whom,
    /// Wait for so many neighbours before the first document
    #[arg(long, value_name = "N", default_value_t = 1)]
    wait_peers: usize,
    /// Give up after so many seconds
    #[arg(long, value_name = "SECS", value_parser = net::seconds)]
    timeout: Option<Duration>,
    /// Pass over lines that are no documents or cannot be published, with a warning
    #[arg(long)]
    skip_invalid: bool,
    /// Print a summary as one line of JSON on stdout: how many are `published`, and how many `untaken`, or with --until
    /// network `unconfirmed`
    #[arg(long)]
    json: bool,
    /// Write a status line of JSON to stderr four times a second
    #[arg(long, hide = true)]
    report: bool,
}

/// Who is to have a document before it counts as published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Whom {
    Neighbour,
    Network,
}

impl Whom {
    /// What the documents are that it has not got.
    const fn missing(self) -> &'static str {
        match self {
            Self::Neighbour => "untaken",
            Self::Network => "unconfirmed",
        }
    }
}

pub(crate) async fn run(net: NetArgs, args: PublishArgs) -> CommandResult {
    let net = net.connect().await?;
    hints::spawn(&net);
    if args.report {
        report::spawn(&net);
    }
    let started = Instant::now();
    let bar = if args.report {
        ProgressBar::hidden()
    } else {
        progress::of_bytes(total_bytes(&args.files))
    };
    let mut job = Job { net: &net, bar, given: 0, stage: Stage::Connecting };
    let ended = tokio::select! {
        outcome = job.run(&args) => Ok(outcome),
        limit = elapsed(args.timeout) => Err(format!("not done within {} s", limit.as_secs_f64())),
        () = net::told_to_leave() => Err("interrupted".to_owned()),
    };
    let outcome = match ended {
        Ok(outcome) => outcome,
        Err(what) => Err(Exit::Failed(format!("{what}: {}", job.why_unfinished(&args).await))),
    };
    job.bar.finish_and_clear();
    let given = job.given;
    let seconds = started.elapsed().as_secs_f64();
    if args.report {
        report::finish(&net).await;
    }
    net.close().await;
    let peer_id = net.peer_id();
    // What the neighbours took before the goodbye counts as well.
    let taken = net.outcome().taken.min(given);
    if args.json {
        let missing = args.until.missing();
        let summary = json!({ "published": taken, missing: given - taken, "seconds": seconds, "peer_id": peer_id });
        return outcome.and(print(&format!("{summary}\n")).map_err(Exit::from));
    }
    say(format_args!("published {} in {seconds:.1} s as {peer_id}", documents(taken)));
    if taken < given {
        let left = documents(given - taken);
        match args.until {
            Whom::Neighbour => say(format_args!("{left} may not have been taken by any neighbour")),
            Whom::Network => say(format_args!("{left} may not have come into the network")),
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
            key: self.key.as_ref().map(|name| key::key(name, self.writers.as_ref(), self.of)),
            expires: self.expires,
            to,
            public: self.public.clone(),
            wait: self.wait,
            until: match self.until {
                Whom::Neighbour => Until::Neighbour,
                Whom::Network => Until::Network,
            },
        }
    }
}

/// One run.
struct Job<'a> {
    net: &'a TaiiNet,
    bar: ProgressBar,
    /// Documents given to the peer.
    given: u64,
    stage: Stage,
}

/// What a run waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Neighbours to publish to.
    Connecting,
    /// A line.
    Reading,
    /// Neighbours to take documents, the network to confirm them, or recipients to seal one to.
    Publishing,
}

impl Job<'_> {
    async fn run(&mut self, args: &PublishArgs) -> CommandResult {
        self.net.wait_for_peers(args.wait_peers).await?;
        let options = args.options();
        let mut lines = read_ahead(args.files.clone());
        let mut fault = None;
        loop {
            self.stage = Stage::Reading;
            let Some(next) = lines.recv().await else { break };
            self.stage = Stage::Publishing;
            match self.publish(next, options.clone()).await? {
                Ok(()) => {}
                Err(found @ Fault::Line(..)) if args.skip_invalid => {
                    let found = found.to_string();
                    self.bar.suspend(|| say(format_args!("warning: {}", line(&found))));
                }
                Err(found) => {
                    fault = Some(found);
                    break;
                }
            }
        }
        self.stage = Stage::Publishing;
        // What came before a fault is good.
        let flushed = self.net.flush().await;
        match fault {
            Some(fault) => Err(Exit::failed(fault)),
            None => match flushed {
                Err(error @ (Error::Lost { .. } | Error::Unconfirmed { .. })) => {
                    Err(self.lost(&error).await)
                }
                flushed => Ok(flushed?),
            },
        }
    }

    /// Gives the peer a document. Whatever is wrong with it is the line's fault.
    async fn publish(
        &mut self,
        line: Result<Line, Fault>,
        options: PublishOptions,
    ) -> Result<Result<(), Fault>, Error> {
        let Line { document, place, read, .. } = match line {
            Ok(line) => line,
            Err(fault) => return Ok(Err(fault)),
        };
        match self.net.queue_with(document, options).await {
            Ok(_) => {}
            Err(Error::Closed) => return Err(Error::Closed),
            Err(error) => return Ok(Err(Fault::Line(place, error.to_string()))),
        }
        self.given += 1;
        if self.bar.length().is_some() {
            self.bar.set_position(read);
            self.bar.set_message(documents(self.given));
        } else {
            self.bar.inc(1);
        }
        Ok(Ok(()))
    }

    /// That documents were lost, and whether the clock is to blame.
    async fn lost(&self, error: &Error) -> Exit {
        let status = self.net.status().await.unwrap_or_default();
        match hints::clock(&status) {
            Some(clock) => Exit::failed(format!("{error}\n{clock}")),
            None => Exit::failed(error),
        }
    }

    /// What it waited for when it was cut off.
    async fn why_unfinished(&self, args: &PublishArgs) -> String {
        let Ok(status) = self.net.status().await else { return Error::Closed.to_string() };
        let neighbours = status.links.iter().filter(|link| link.state == LinkState::Active).count();
        let untaken = self.given > self.net.outcome().taken;
        match self.stage {
            Stage::Connecting if neighbours > 0 => {
                format!(
                    "{neighbours} of the {} neighbours that --wait-peers wants",
                    args.wait_peers
                )
            }
            Stage::Connecting => hints::why_alone(&status),
            _ if untaken && neighbours == 0 => hints::why_alone(&status),
            Stage::Reading => "the input has not ended".to_owned(),
            Stage::Publishing if args.private && !untaken => {
                "no peer is known that subscribed privately to the next document".to_owned()
            }
            Stage::Publishing => {
                hints::clock(&status).unwrap_or_else(|| why_not_published(args.until, &status))
            }
        }
    }
}

/// What documents wait for while there are neighbours.
fn why_not_published(until: Whom, status: &Status) -> String {
    let why = match until {
        Whom::Neighbour => "neighbours have not taken all documents yet",
        Whom::Network if status.trees.is_empty() => {
            "the network has no root yet that could confirm documents; it takes some seconds after peers have met"
        }
        Whom::Network => "the network has not confirmed all documents yet",
    };
    why.to_owned()
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

/// Gives the time back when it is over.
async fn elapsed(time: Option<Duration>) -> Duration {
    let Some(time) = time else { return std::future::pending().await };
    tokio::time::sleep(time).await;
    time
}
