//! `taiinet archive`: looking after the store of an archive while no peer has it open.

use std::{
    panic,
    path::{Path, PathBuf},
};

use serde_json::json;
use taiinet::{
    Timestamp,
    archives::{Archive, ArchiveError, Config, RedbStore, Stats, Store, StoreError},
};
use taiinet_terminal as terminal;

use crate::{
    clock,
    exit::{CommandResult, Exit},
    net::NetArgs,
    progress, store,
};

/// Look after the store of an archive while no peer has it open
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet archive stats --store ./archive
  taiinet archive check --store ./archive && taiinet archive compact --store ./archive

The store knows its network, its indexes and its bounds: none of these commands changes what `taiinet seed` and
`taiinet import` have set.
Exit codes: 0 done, 1 failed, in use by another process, or damaged, 2 wrong usage.")]
pub(crate) struct ArchiveArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Tell what is in it: documents, bytes, times, network, indexes
    Stats(Which),
    /// Read all of it, and tell whether everything is as it was written and each signature holds
    Check(Which),
    /// Keep every document that can be read and whose signature holds, and make everything else from these
    Repair(Which),
    /// Give room that is free in the file back to the disk
    Compact(Which),
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The directory of the archive
    #[arg(long, value_name = "DIR", env = "TAIINET_STORE")]
    store: PathBuf,
    /// Print the result as one line of JSON on stdout
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(net: &NetArgs, args: ArchiveArgs) -> CommandResult {
    hush_the_store();
    match args.action {
        Action::Stats(which) => stats(&which),
        Action::Check(which) => check(&which),
        Action::Repair(which) => repair(net, &which),
        Action::Compact(which) => compact(&which),
    }
}

/// A file that something else has written to may contradict itself, and then redb panics. That is caught and told as
/// damage; what would be said of it beside goes to the log.
fn hush_the_store() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |told| {
        let is_redb = |file: &str| file.contains("/redb-") || file.contains("\\redb-");
        match told.location() {
            Some(place) if is_redb(place.file()) => tracing::debug!("{told}"),
            _ => usual(told),
        }
    }));
}

impl Which {
    fn print(&self, json: &serde_json::Value, text: &str) -> CommandResult {
        let text = if self.json { json.to_string() } else { text.to_owned() };
        let text = terminal::lines(&text);
        Ok(terminal::print(&format!("{text}\n"))?)
    }
}

fn stats(which: &Which) -> CommandResult {
    let archive = store::existing(&which.store)?;
    let stats = archive.stats().map_err(|error| store::failed(&which.store, &error))?;
    let config = archive.config();
    let indexes: Vec<&str> = config.indexed.iter().map(|path| path.as_str()).collect();
    let millis = |time: Option<Timestamp>| time.map(Timestamp::as_millis);
    let json = json!({
        "network": config.network.as_str(),
        "documents": stats.documents,
        "deletions": stats.deletions,
        "traces": stats.traces,
        "signed_bytes": stats.signed_bytes,
        "bytes": stats.store_bytes,
        "quota": config.quota,
        "oldest": millis(stats.oldest),
        "newest": millis(stats.newest),
        "indexes": indexes,
    });
    which.print(&json, &table(&stats, config, &indexes))
}

fn table(stats: &Stats, config: &Config, indexes: &[&str]) -> String {
    let Stats { documents, deletions, traces, signed_bytes, store_bytes, oldest, newest, .. } =
        stats;
    let at = |time: &Option<Timestamp>| time.map_or_else(|| "none".to_owned(), clock::written);
    let quota = config.quota.map(|quota| format!(", of {} that it may take", size(quota)));
    let indexes = if indexes.is_empty() { "none".to_owned() } else { indexes.join(", ") };
    [
        format!("network    {}", terminal::line(config.network.as_str())),
        format!("documents  {documents}"),
        format!("deletions  {deletions}"),
        format!("traces     {traces} (of versions that are gone)"),
        format!("signed     {}", size(*signed_bytes)),
        format!("on disk    {}{}", size(*store_bytes), quota.unwrap_or_default()),
        format!("oldest     {}", at(oldest)),
        format!("newest     {}", at(newest)),
        format!("indexes    {}", terminal::line(&indexes)),
    ]
    .join("\n")
}

fn size(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

fn check(which: &Which) -> CommandResult {
    let directory = &which.store;
    let damaged = |faults: &[String], count: u64, sound: u64| {
        for fault in faults {
            terminal::say(terminal::line(fault));
        }
        if which.json {
            let json = json!({ "sound": sound, "count": count, "faults": faults });
            which.print(&json, "")?;
        }
        let what = if count == 1 { "1 fault".to_owned() } else { format!("{count} faults") };
        Err(Exit::Failed(format!(
            "{} has {what}: {} keeps what can still be read",
            directory.display(),
            store::repair(directory)
        )))
    };
    let opened = match store::open(directory, Vec::new()) {
        Ok(Some(archive)) => archive,
        Ok(None) => return Err(store::none(directory)),
        Err(ArchiveError::Store(error @ (StoreError::Damaged(_) | StoreError::Io(_)))) => {
            return damaged(&[error.to_string()], 1, 0);
        }
        Err(error) => return Err(store::failed(directory, &error)),
    };
    let (report, network) = read_all(opened, directory)?;
    if !report.is_clean() {
        return damaged(&report.faults, report.count, report.sound);
    }
    let json = json!({ "sound": report.sound, "count": 0, "faults": [] });
    let network = terminal::line(&network);
    let text = format!("{} of {network}: everything is as it was written", rows(report.sound));
    which.print(&json, &text)
}

fn rows(count: u64) -> String {
    if count == 1 {
        "1 document or deletion".to_owned()
    } else {
        format!("{count} documents and deletions")
    }
}

type Checked = (taiinet::archives::Report, String);

fn read_all(mut archive: store::Stored, directory: &Path) -> Result<Checked, Exit> {
    let network = archive.config().network.as_str().to_owned();
    let stats = archive.stats().map_err(|error| store::failed(directory, &error))?;
    let bar = progress::of_documents(Some(stats.documents + stats.deletions + stats.traces));
    let report = archive.check_with(|read| bar.set_position(read));
    bar.finish_and_clear();
    Ok((report.map_err(|error| store::failed(directory, &error))?, network))
}

fn repair(net: &NetArgs, which: &Which) -> CommandResult {
    let directory = &which.store;
    if !RedbStore::is_in(directory) {
        return Err(store::none(directory));
    }
    // What can be said of it before.
    let (config, before) = match before(directory) {
        Ok(known) => known,
        Err(error @ (StoreError::InUse(_) | StoreError::Format(_) | StoreError::Full)) => {
            return Err(Exit::failed(error));
        }
        Err(_) => (None, None),
    };
    let config = match (config, &net.network) {
        (Some(config), _) => config,
        (None, Some(name)) => {
            let network = name.parse().map_err(|error| Exit::usage(format!("{name}: {error}")))?;
            Config::new(network, Vec::new())
        }
        (None, None) => {
            return Err(Exit::usage(
                "the store is so damaged that it does not say of which network it is: give --network NAME",
            ));
        }
    };
    let config = Config { queries: vec![taiinet::Query::all()], ..config };
    let bar = progress::of_work("reading and making the indexes again");
    let repaired = Archive::salvage(directory, config, store::now());
    bar.finish_and_clear();
    let (archive, repaired) = repaired.map_err(|error| store::failed(directory, &error))?;
    drop(archive);
    let given_up = before.map_or(repaired.lost, |before| before.saturating_sub(repaired.kept));
    let is_known = before.is_some() || !repaired.was_searched;
    let json = json!({
        "kept": repaired.kept,
        "given_up": is_known.then_some(given_up),
        "searched": repaired.was_searched,
    });
    let lost = match (is_known, given_up) {
        (true, 0) => "none was given up".to_owned(),
        (true, count) => format!("{count} were given up"),
        (false, _) => "nobody can say how many there were".to_owned(),
    };
    let mut text = format!("{} are kept; {lost}", rows(repaired.kept));
    if repaired.was_searched {
        let old = directory.join("documents.damaged");
        text = format!(
            "{text}\nThe damaged file is {}: delete it when you have what you want",
            old.display()
        );
    }
    which.print(&json, &text)
}

/// The configuration of a store that may be damaged, and how many documents and deletions it should have.
fn before(directory: &Path) -> Result<(Option<Config>, Option<u64>), StoreError> {
    let store = RedbStore::open(directory)?;
    let Some(config) = Config::stored(&store)? else { return Ok((None, None)) };
    let stats = Archive::open(store, config.clone()).and_then(|archive| archive.stats());
    let count = stats.map(|stats| stats.documents + stats.deletions).ok();
    Ok((Some(config), count))
}

fn compact(which: &Which) -> CommandResult {
    let mut archive = store::existing(&which.store)?;
    let failed = |error: ArchiveError| store::failed(&which.store, &error);
    let before = archive.store().size().map_err(|error| failed(error.into()))?;
    let bar = progress::of_work("moving what is at the end of the file to where room is");
    while archive.compact().map_err(failed)? {}
    bar.finish_and_clear();
    let after = archive.store().size().map_err(|error| failed(error.into()))?;
    let json = json!({ "before": before, "after": after });
    which.print(&json, &format!("{} before, {} after", size(before), size(after)))
}
