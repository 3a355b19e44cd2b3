//! `taiinet import`: documents from NDJSON files to the archives of a network, or into the store of one.

mod directory;
mod line;
mod network;
mod pool;
mod reader;
mod tally;

use std::{path::PathBuf, sync::Arc, time::Duration, time::Instant};

use indicatif::ProgressBar;
use serde_json::json;
use taiinet_document::{Network, VerifiedDocument};
use taiinet_terminal::{line as escaped, print, say};
use tokio::sync::mpsc;

use crate::{
    exit::{CommandResult, Exit},
    identity,
    ndjson::{Fault, total_bytes},
    net::{self, NetArgs},
    progress::{self, documents},
};
use directory::Directory;
use line::Signer;
use network::Archives;
use pool::Chunk;
use tally::{Taken, Tally};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet import tweets.ndjson --network tweets --signaller ws://127.0.0.1:7700
  taiinet import tweets.ndjson --store ./archive
  taiinet import cities.ndjson --store ./archive --network places --identity me.key \\
    --key-field id --time-field updated --index name,population
  zcat week.ndjson.gz | taiinet import --store ./archive

With --store it writes into an archive that no peer has open. Without, archives of the network keep what they admit
(`taiinet seed --max-backdate`, `--import-from`), whatever its age; what is of the last five minutes goes to
subscribers as well.

The same command again goes on where it was interrupted, and takes nothing twice: a signed document is the same
document wherever it stands, and a plain line with the same identity, key and time becomes the same document again.
A plain line's time is that of --time-field; without it, its file counts as written one line a millisecond, the
last when the file was last changed: so this holds only until the file changes. The newest document under a key
replaces the older ones. The store keeps the network, indexes and bounds that it has; a new one gets --network, or
the network of the first signed document, and --index.
Exit codes: 0 all is in the archive, 1 something is not, 2 wrong usage.")]
pub(crate) struct ImportArgs {
    /// NDJSON files, one document a line; `-` or none: stdin
    files: Vec<PathBuf>,
    /// The directory of an archive, which no other process may have open; made if it is not there
    #[arg(long, value_name = "DIR", env = "TAIINET_STORE")]
    store: Option<PathBuf>,
    /// The field of plain lines whose value becomes the document's key, as text
    #[arg(long, value_name = "FIELD")]
    key_field: Option<String>,
    /// The field of plain lines that says when they were published: milliseconds since 1970, or RFC 3339
    #[arg(long, value_name = "FIELD")]
    time_field: Option<String>,
    /// A field by which documents are found and sorted quickly, at most 16; repeat it, or separate by commas. For a
    /// new store
    #[arg(long, value_name = "FIELD", value_delimiter = ',', requires = "store")]
    index: Vec<taiinet_query::Path>,
    /// How many seconds to wait for an archive of the network to answer
    #[arg(long, value_name = "SECS", default_value = "60", value_parser = net::seconds)]
    timeout: Duration,
    /// Pass over lines that are no documents, or have a bad signature, with a warning
    #[arg(long)]
    skip_invalid: bool,
    /// Print a summary as one line of JSON on stdout
    #[arg(long)]
    json: bool,
    /// Write a line of JSON to stderr after each commit, and each answer of an archive
    #[arg(long, hide = true)]
    report: bool,
}

/// Where documents go.
enum Sink<'a> {
    Directory(Box<Directory<'a>>),
    Archives(Archives),
}

impl<'a> Sink<'a> {
    async fn open(net: &NetArgs, args: &'a ImportArgs) -> Result<Self, Exit> {
        let Some(path) = &args.store else {
            return Archives::connect(net, args.timeout, args.report).await.map(Self::Archives);
        };
        let given = net.network.as_ref().map(|name| {
            name.parse::<Network>().map_err(|error| Exit::usage(format!("{name}: {error}")))
        });
        let directory = Directory::open(path, &args.index, args.report, given.transpose()?)?;
        Ok(Self::Directory(Box::new(directory)))
    }

    fn network(&self) -> Option<&Network> {
        match self {
            Self::Directory(directory) => directory.network(),
            Self::Archives(archives) => Some(archives.network()),
        }
    }

    async fn take(&mut self, document: VerifiedDocument) -> Taken {
        match self {
            Self::Directory(directory) => directory.take(&document),
            Self::Archives(archives) => archives.take(document).await,
        }
    }

    /// Waits until all that was taken is on a disk.
    async fn end(&mut self) -> CommandResult {
        match self {
            // A commit that has failed is tried again: a merge that did may have been all that was wrong.
            Self::Directory(directory) => directory.commit(),
            Self::Archives(archives) => archives.end().await,
        }
    }

    async fn close(&self) {
        if let Self::Archives(archives) = self {
            archives.close().await;
        }
    }

    const fn tally(&mut self) -> &mut Tally {
        match self {
            Self::Directory(directory) => &mut directory.tally,
            Self::Archives(archives) => &mut archives.tally,
        }
    }
}

pub(crate) async fn run(net: NetArgs, args: ImportArgs) -> CommandResult {
    let started = Instant::now();
    let identity = match &net.identity {
        Some(file) => Some(identity::read(file, net.passphrase_file.as_deref())?),
        None => None,
    };
    let mut sink = Sink::open(&net, &args).await?;
    let signer = Signer {
        identity,
        network: sink.network().cloned(),
        key_field: args.key_field.clone(),
        time_field: args.time_field.clone(),
    };
    let bar = if args.report {
        ProgressBar::hidden()
    } else {
        progress::of_bytes(total_bytes(&args.files))
    };
    let checked = pool::start(args.files.clone(), Arc::new(signer));
    let checked = checked.map_err(|error| Exit::Failed(format!("cannot start: {error}")))?;
    let outcome = match &args.store {
        // Killed, it loses nothing that was committed.
        Some(_) => take_all(checked, &mut sink, &args, &bar).await,
        None => tokio::select! {
            outcome = take_all(checked, &mut sink, &args, &bar) => outcome,
            () = net::told_to_leave() => Err(Exit::failed("interrupted")),
        },
    };
    sink.close().await;
    bar.finish_and_clear();
    let tally = *sink.tally();
    let there = tally.stored + tally.known;
    let outcome = match outcome {
        Err(Exit::Failed(reason)) if there > 0 => Err(Exit::Failed(format!(
            "{reason}\nin the archive: {}; the same command goes on from there",
            documents(there)
        ))),
        outcome => outcome,
    };
    summary(&args, &tally, started.elapsed().as_secs_f64(), outcome)
}

async fn take_all(
    mut checked: mpsc::Receiver<Chunk>,
    sink: &mut Sink<'_>,
    args: &ImportArgs,
    bar: &ProgressBar,
) -> CommandResult {
    let mut outcome = Ok(());
    while let Some(chunk) = checked.recv().await {
        outcome = take(chunk, sink, args, bar).await;
        if outcome.is_err() {
            break;
        }
    }
    // What came before a fault is good.
    outcome.and(sink.end().await)
}

async fn take(
    chunk: Chunk,
    sink: &mut Sink<'_>,
    args: &ImportArgs,
    bar: &ProgressBar,
) -> CommandResult {
    for (place, document) in chunk.documents {
        let taken = match document {
            Ok(document) => sink.take(document).await?,
            Err(reason) => Err(reason),
        };
        let Err(reason) = taken else { continue };
        let fault = Fault::Line(place, reason).to_string();
        if !args.skip_invalid {
            return Err(Exit::Failed(fault));
        }
        sink.tally().invalid += 1;
        bar.suspend(|| say(format_args!("warning: {}", escaped(&fault))));
    }
    if let Some(fault) = chunk.broken {
        return Err(Exit::failed(fault));
    }
    let count = sink.tally().all();
    if bar.length().is_some() {
        bar.set_position(chunk.read);
        let rate = count as f64 / bar.elapsed().as_secs_f64().max(0.1);
        bar.set_message(format!("{}, {rate:.0} a second", documents(count)));
    } else {
        bar.set_position(count);
    }
    Ok(())
}

fn summary(
    args: &ImportArgs,
    tally: &Tally,
    seconds: f64,
    outcome: CommandResult,
) -> CommandResult {
    let Tally { stored, known, superseded, expired, too_old, no_room, unkept, refused, invalid } =
        *tally;
    if args.json {
        let summary = json!({
            "stored": stored, "known": known, "superseded": superseded, "expired": expired,
            "too_old": too_old, "no_room": no_room, "unkept": unkept, "refused": refused,
            "invalid": invalid, "seconds": seconds,
        });
        print(&format!("{summary}\n"))?;
    } else if outcome.is_ok() {
        say(format_args!("imported {} in {seconds:.1} s", documents(stored)));
        for (count, what) in [
            (known, "there already"),
            (superseded, "replaced by newer ones, or deleted"),
            (expired, "expired"),
            (unkept, "of a kind that no archive keeps"),
            (invalid, "passed over"),
        ] {
            if count > 0 {
                say(format_args!("{count} more: {what}"));
            }
        }
    }
    outcome?;
    let archive = match &args.store {
        Some(directory) => format!("the archive in {}", escaped(&directory.to_string_lossy())),
        None => "the archive that was asked".to_owned(),
    };
    let reasons = [
        (
            too_old,
            format!(
                "older than what {archive} takes: run its seed once with --import-from AUTHOR, or without \
                 --max-backdate, and import again"
            ),
        ),
        (
            no_room,
            format!(
                "too much for the quota of {archive}: run its seed once with a larger --quota, and import again"
            ),
        ),
        // In a directory it is nothing that an archive could keep.
        (
            if args.store.is_none() { unkept } else { 0 },
            format!(
                "not what {archive} keeps: run a seed with a query that they match, and import again"
            ),
        ),
        (
            refused,
            format!(
                "not taken by {archive}: of a time ahead of its clock, or it cannot write; see what it says, and import again"
            ),
        ),
    ];
    let reasons = reasons.into_iter().filter(|(count, _)| *count > 0);
    let reasons: Vec<String> = reasons
        .map(|(count, why)| {
            format!("{} {} {why}", documents(count), if count == 1 { "is" } else { "are" })
        })
        .collect();
    if reasons.is_empty() { Ok(()) } else { Err(Exit::Failed(reasons.join("\n"))) }
}
