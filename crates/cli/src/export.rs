//! `taiinet export`: documents with their signatures, so that they can be imported elsewhere.

mod sink;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;
use taiinet::{
    FindOptions, Query, Sort, TaiiNet, Timestamp,
    archives::{ArchiveError, Ask, Rest, StoreError},
};
use taiinet_document::SignedDocument;
use taiinet_query::sort::Place;
use taiinet_terminal::{print, say};
use tokio::time::timeout;

use crate::{
    clock,
    exit::{CommandResult, Exit},
    hints,
    net::{self, NetArgs},
    progress::{self, documents},
    query, signed, store,
};
use sink::Sink;

/// How much is read of a store at once.
const PAGE: usize = 1000;
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Write documents with their signatures, one a line in the order of time, as `taiinet import` reads them
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet export --store ./archive --out tweets.ndjson
  taiinet export '{\"type\": \"tweet\"}' --store ./archive --since 7d | gzip > week.ndjson.gz
  taiinet export '{\"type\": \"tweet\"}' --network tweets --signaller ws://127.0.0.1:7700 --out tweets.ndjson

With --store it reads an archive that no peer has open, and without a query writes all that makes another archive
like it: also deletions, and versions that others have replaced. Without --store it asks neighbours and archives of
the network, and says whether that was all. A line is {\"signed\": …, \"data\": …, \"author\": …, \"id\": …,
\"created_at\": …}: only `signed` counts, the rest is for people. Of what is sealed only recipients read more.
Exit codes: 0 all was written, 1 failed, or there may be more, 2 wrong usage.")]
pub(crate) struct ExportArgs {
    /// A query as JSON: only what matches it and is not replaced, deleted or expired
    query: Option<String>,
    /// The directory of an archive, which no other process may have open
    #[arg(long, value_name = "DIR", env = "TAIINET_STORE")]
    pub(crate) store: Option<PathBuf>,
    /// The file to write; `-`: stdout
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// Only documents that were published since: so long ago (7d, 12h), or at a time
    /// (2026-11-27, 2026-11-27T12:00:00Z)
    #[arg(long, value_name = "TIME", value_parser = clock::moment)]
    since: Option<Timestamp>,
    /// Only documents that were published before: as for --since
    #[arg(long, value_name = "TIME", value_parser = clock::moment)]
    until: Option<Timestamp>,
    /// How many seconds to wait for a neighbour
    #[arg(long, value_name = "SECS", default_value = "15", value_parser = net::seconds)]
    timeout: Duration,
    /// Print a summary as one line of JSON, on stdout, or on stderr if the documents go to stdout
    #[arg(long)]
    json: bool,
}

impl ExportArgs {
    fn query(&self) -> Result<Option<Query>, Exit> {
        self.query.as_deref().map(query::parse).transpose()
    }

    /// The last moment that counts.
    fn last(&self) -> Option<Timestamp> {
        self.until.map(|until| Timestamp::from_millis(until.as_millis().saturating_sub(1)))
    }

    /// Puts the file where it belongs and says how it went.
    fn finish(&self, sink: Sink, is_all: bool) -> CommandResult {
        let (count, bytes, is_stdout) = (sink.count, sink.bytes, sink.is_stdout());
        sink.finish()?;
        if self.json {
            let summary =
                format!("{}\n", json!({ "exported": count, "bytes": bytes, "complete": is_all }));
            if is_stdout { say(summary.trim_end()) } else { print(&summary)? }
        } else {
            say(format_args!("exported {}", documents(count)));
        }
        if is_all {
            return Ok(());
        }
        Err(Exit::failed(
            "there may be more: not everybody that was asked has answered in full; try again later",
        ))
    }
}

pub(crate) fn from_store(args: &ExportArgs) -> CommandResult {
    let Some(directory) = &args.store else { return Ok(()) };
    let query = args.query()?;
    let archive = store::existing(directory)?;
    let failed = |error: ArchiveError| store::failed(directory, &error);
    let mut sink = Sink::create(&args.out)?;
    let is_all = args.query.is_none() && args.since.is_none() && args.until.is_none();
    let total = if is_all {
        let stats = archive.stats().map_err(failed)?;
        Some(stats.documents + stats.deletions)
    } else {
        None
    };
    let bar = progress::of_documents(total);
    let now = store::now();
    let mut after = None;
    let mut unjudged = 0;
    loop {
        let (page, rest) = match &query {
            Some(query) => {
                let ask = Ask {
                    query: query.clone(),
                    sort: Sort::oldest(),
                    since: args.since,
                    until: args.last(),
                    after: after.take(),
                    limit: PAGE,
                    bytes: PAGE_BYTES,
                };
                let page = archive.find(&ask, u64::MAX, now).map_err(failed)?;
                unjudged += page.unjudged;
                let rest = match page.rest {
                    Rest::Finished => None,
                    Rest::More(place) => Some(place),
                    Rest::TooCostly => return Err(Exit::failed("the query takes too long")),
                };
                (page.documents, rest)
            }
            None => {
                let from = after.take().or_else(|| before(args.since));
                let page = archive.export(from.as_ref(), PAGE, PAGE_BYTES, now).map_err(failed)?;
                (page.documents, page.rest)
            }
        };
        let mut is_past = false;
        for wire in &page {
            let (document, created_at) = read(wire, directory)?;
            if args.until.is_some_and(|until| created_at >= until) {
                is_past = true;
                break;
            }
            sink.write(&document)?;
        }
        bar.set_position(sink.count);
        after = rest;
        if after.is_none() || is_past {
            break;
        }
    }
    bar.finish_and_clear();
    args.finish(sink, unjudged == 0)
}

/// Before all documents of this time, in the order of time.
fn before(since: Option<Timestamp>) -> Option<Place> {
    let millis = since?.as_millis().checked_sub(1)?;
    Place::from_bytes(&[&millis.to_be_bytes()[..], &[0xff; 32]].concat()).ok()
}

/// A line, and its document's time.
fn read(wire: &[u8], directory: &Path) -> Result<(String, Timestamp), Exit> {
    let signed = SignedDocument::from_wire(wire);
    let read = signed.and_then(|signed| signed.decode().map(|document| (signed, document)));
    let (signed, document) = read.map_err(|error| {
        let damaged = StoreError::Damaged(format!("a document: {error}"));
        store::failed(directory, &damaged.into())
    })?;
    let mut line = String::new();
    signed::write(&mut line, &signed, &document);
    Ok((line, document.created_at))
}

pub(crate) async fn from_network(net: NetArgs, args: ExportArgs) -> CommandResult {
    let query = args.query()?.unwrap_or_else(Query::all);
    let net = net.connect().await?;
    let outcome = tokio::select! {
        outcome = page_through(&net, query, &args) => outcome,
        () = net::told_to_leave() => Err(Exit::failed("interrupted")),
    };
    net.close().await;
    outcome
}

async fn page_through(net: &TaiiNet, query: Query, args: &ExportArgs) -> CommandResult {
    match timeout(args.timeout, net.connected()).await {
        Ok(connected) => connected?,
        Err(_) => return Err(Exit::Failed(hints::why_alone(&net.status().await?))),
    }
    // The first neighbour may have come as late as we; fewer than enough will do.
    let (enough, patience) = taiinet_session::ACQUAINTED;
    let _ = timeout(patience, net.wait_for_peers(enough)).await;
    let mut sink = Sink::create(&args.out)?;
    let bar = progress::of_documents(None);
    let mut options = FindOptions {
        limit: PAGE as u16,
        sort: Sort::oldest(),
        since: args.since,
        until: args.until,
        ..FindOptions::default()
    };
    let is_all = loop {
        let page = net.find(query.clone(), options.clone()).await?;
        for delivery in page.iter() {
            let mut line = String::new();
            signed::write(&mut line, delivery.document().signed(), delivery.document());
            sink.write(&line)?;
        }
        bar.set_position(sink.count);
        match page.cursor {
            None => break page.complete,
            // Nobody has led any further.
            Some(cursor) if options.after.as_ref() == Some(&cursor) => break false,
            Some(cursor) => options.after = Some(cursor),
        }
    };
    bar.finish_and_clear();
    args.finish(sink, is_all)
}
