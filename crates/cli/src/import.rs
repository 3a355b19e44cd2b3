//! `taiinet import`: documents from NDJSON files into the store of an archive.

mod intake;
mod line;
mod pool;
mod reader;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use serde_json::json;
use taiinet::{
    Query,
    archives::{Archive, ArchiveError, Config, RedbStore},
};
use taiinet_document::Network;
use taiinet_terminal::{line as escaped, print, say};

use crate::{
    exit::{CommandResult, Exit},
    identity,
    ndjson::{Fault, total_bytes},
    net::NetArgs,
    progress::{self, documents},
    store::{self, Stored},
};
use intake::{Intake, Tally};
use line::Signer;

/// Put documents from NDJSON files into the store of an archive that no peer has open
///
/// Lines that have a signature, as `taiinet export` writes them, are taken as they are; others are signed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet import tweets.ndjson --store ./archive
  taiinet import cities.ndjson --store ./archive --network places --identity me.key \\
    --key-field id --time-field updated --index name,population
  zcat week.ndjson.gz | taiinet import --store ./archive

The same command again goes on where it was interrupted, and takes nothing twice: a signed document is the same
document wherever it stands, and a plain line with the same identity, key and time becomes the same document again.
A plain line's time is that of --time-field; without it, its file counts as written one line a millisecond, the
last when the file was last changed: so this holds only until the file changes. The newest document under a key
replaces the older ones. The store keeps the network, indexes and bounds that it has; a new one gets --network, or
the network of the first signed document, and --index. `taiinet publish` publishes to the network instead.
Exit codes: 0 all is in the archive, 1 something is not, 2 wrong usage.")]
pub(crate) struct ImportArgs {
    /// NDJSON files, one document a line; `-` or none: stdin
    files: Vec<PathBuf>,
    /// The directory of the archive; made if it is not there
    #[arg(long, value_name = "DIR", env = "TAIINET_STORE")]
    store: PathBuf,
    /// The field of plain lines whose value becomes the document's key, as text
    #[arg(long, value_name = "FIELD")]
    key_field: Option<String>,
    /// The field of plain lines that says when they were published: milliseconds since 1970, or RFC 3339
    #[arg(long, value_name = "FIELD")]
    time_field: Option<String>,
    /// A field by which documents are found and sorted quickly, at most 16; repeat it, or separate by commas. For a
    /// new store
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    index: Vec<taiinet_query::Path>,
    /// Pass over lines that are no documents, or have a bad signature, with a warning
    #[arg(long)]
    skip_invalid: bool,
    /// Print a summary as one line of JSON on stdout
    #[arg(long)]
    json: bool,
    /// Write a line of JSON to stderr after each commit
    #[arg(long, hide = true)]
    report: bool,
}

pub(crate) fn run(net: &NetArgs, args: ImportArgs) -> CommandResult {
    let started = Instant::now();
    let given = match &net.network {
        Some(name) => {
            Some(name.parse::<Network>().map_err(|error| Exit::usage(format!("{name}: {error}")))?)
        }
        None => None,
    };
    let archive = open(&args, given.as_ref())?;
    let network = archive.as_ref().map(|archive| archive.config().network.clone()).or(given);
    let identity = match &net.identity {
        Some(file) => Some(identity::read(file, net.passphrase_file.as_deref())?),
        None => None,
    };
    let signer = Signer {
        identity,
        network: network.clone(),
        key_field: args.key_field.clone(),
        time_field: args.time_field.clone(),
    };
    let bar = if args.report {
        indicatif::ProgressBar::hidden()
    } else {
        progress::of_bytes(total_bytes(&args.files))
    };
    let make = |network| create(&args, network);
    let mut intake = Intake::new(archive, network, &make, args.report);
    let checked = pool::start(args.files.clone(), Arc::new(signer));
    let checked = checked.map_err(|error| Exit::Failed(format!("cannot start: {error}")))?;
    let outcome = take_all(checked, &mut intake, &args, &bar);
    // What came before a fault is good.
    let ended = intake.end();
    bar.finish_and_clear();
    let outcome = outcome.and(ended.map_err(|error| store::failed(&args.store, &error)));
    let there = intake.tally.stored + intake.tally.known;
    let outcome = match outcome {
        Err(Exit::Failed(reason)) if there > 0 => Err(Exit::Failed(format!(
            "{reason}\nin the archive: {}; the same command goes on from there",
            documents(there)
        ))),
        outcome => outcome,
    };
    summary(&args, &intake.tally, started.elapsed().as_secs_f64(), outcome)
}

/// Opens the archive that is there.
fn open(args: &ImportArgs, given: Option<&Network>) -> Result<Option<Stored>, Exit> {
    let opened = store::open(&args.store, vec![Query::all()]);
    let archive = opened.map_err(|error| store::failed(&args.store, &error))?;
    let Some(archive) = archive else { return Ok(None) };
    let Config { network, indexed, .. } = archive.config();
    if let Some(given) = given.filter(|given| *given != network) {
        return Err(Exit::Failed(format!(
            "{} is an archive of the network \"{network}\", not of \"{given}\": choose another directory",
            args.store.display()
        )));
    }
    if args.index.iter().any(|field| !indexed.contains(field)) {
        let names: Vec<&str> = indexed.iter().map(|path| path.as_str()).collect();
        let has = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(Exit::usage(format!(
            "{} is there already, and of its indexes ({has}) `taiinet seed --index` decides: leave --index out",
            args.store.display()
        )));
    }
    Ok(Some(archive))
}

/// Makes one.
fn create(args: &ImportArgs, network: Network) -> Result<Stored, ArchiveError> {
    let mut config = Config::new(network, vec![Query::all()]);
    config.indexed.clone_from(&args.index);
    Archive::open(RedbStore::open(&args.store)?, config)
}

fn take_all(
    checked: pool::Checked,
    intake: &mut Intake<'_>,
    args: &ImportArgs,
    bar: &indicatif::ProgressBar,
) -> CommandResult {
    for chunk in checked {
        for (place, document) in chunk.documents {
            let fault = match document {
                Ok(document) => match intake.take(&document) {
                    Ok(Ok(())) => continue,
                    Ok(Err(reason)) => reason,
                    Err(error) => return Err(store::failed(&args.store, &error)),
                },
                Err(reason) => reason,
            };
            let fault = Fault::Line(place, fault).to_string();
            if !args.skip_invalid {
                return Err(Exit::Failed(fault));
            }
            intake.tally.invalid += 1;
            bar.suspend(|| say(format_args!("warning: {}", escaped(&fault))));
        }
        if let Some(fault) = chunk.broken {
            return Err(Exit::failed(fault));
        }
        if bar.length().is_some() {
            bar.set_position(chunk.read);
            let rate = intake.tally.all() as f64 / bar.elapsed().as_secs_f64().max(0.1);
            let count = documents(intake.tally.all());
            bar.set_message(format!("{count}, {rate:.0} a second"));
        } else {
            bar.set_position(intake.tally.all());
        }
    }
    Ok(())
}

fn summary(
    args: &ImportArgs,
    tally: &Tally,
    seconds: f64,
    outcome: CommandResult,
) -> CommandResult {
    let Tally { stored, known, superseded, expired, too_old, no_room, unkept, invalid } = *tally;
    if args.json {
        let summary = json!({
            "stored": stored, "known": known, "superseded": superseded, "expired": expired,
            "too_old": too_old, "no_room": no_room, "unkept": unkept, "invalid": invalid,
            "seconds": seconds,
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
    let directory = escape(&args.store);
    if too_old > 0 {
        return Err(Exit::Failed(format!(
            "{} are older than what the archive in {directory} takes: run its seed once with --import-from AUTHOR, \
             or without --max-backdate, and import again",
            documents(too_old)
        )));
    }
    if no_room > 0 {
        return Err(Exit::Failed(format!(
            "there is no room for {} in the quota of {directory}: run its seed once with a larger --quota, and \
             import again",
            documents(no_room)
        )));
    }
    Ok(())
}

fn escape(path: &Path) -> String {
    escaped(&path.to_string_lossy()).into_owned()
}
