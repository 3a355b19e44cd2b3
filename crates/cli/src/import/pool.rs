//! Checking signatures on all cores.
//!
//! One thread reads, and deals lots of lines to the others in turn; their documents are taken from them in the same
//! turn, so that they come in the order of the lines. All channels are bounded.

use std::{
    io,
    num::NonZero,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use taiinet_document::VerifiedDocument;
use tokio::sync::mpsc as tokio_mpsc;

use super::{
    line::{Checker, Signer},
    reader::{Lot, Reader, Text},
};
use crate::ndjson::{Fault, Place};

/// How many lots wait before and behind each thread: enough for the time that a commit takes.
const LOTS: usize = 6;

/// The documents of some lines, or what is wrong with each.
pub(super) struct Chunk {
    pub(super) documents: Vec<(Place, Result<VerifiedDocument, String>)>,
    /// How many bytes of all files were read with them.
    pub(super) read: u64,
    /// Why there are no more.
    pub(super) broken: Option<Fault>,
}

/// What the threads have checked, in the order of the lines.
struct Checked {
    threads: Vec<Receiver<Chunk>>,
    turn: usize,
}

/// Starts the threads. They end when what they give is not taken any more.
pub(super) fn start(
    files: Vec<PathBuf>,
    signer: Arc<Signer>,
) -> io::Result<tokio_mpsc::Receiver<Chunk>> {
    let count = thread::available_parallelism().map_or(1, NonZero::get);
    let (mut lots, mut threads) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let (deal, dealt) = sync_channel(LOTS);
        let (give, given) = sync_channel(LOTS);
        let signer = Arc::clone(&signer);
        let thread = thread::Builder::new().name("check".to_owned());
        thread.spawn(move || check(&dealt, &give, &signer))?;
        lots.push(deal);
        threads.push(given);
    }
    let reader = Reader::new(files, signer.goes_by_files());
    thread::Builder::new().name("read".to_owned()).spawn(move || {
        let end = std::iter::once(Lot::END);
        for (lot, thread) in reader.chain(end).zip(lots.iter().cycle()) {
            if thread.send(lot).is_err() {
                break;
            }
        }
    })?;
    let (give, given) = tokio_mpsc::channel(1);
    thread::Builder::new().name("collect".to_owned()).spawn(move || {
        for chunk in (Checked { threads, turn: 0 }) {
            if give.blocking_send(chunk).is_err() {
                break;
            }
        }
    })?;
    Ok(given)
}

fn check(lots: &Receiver<Lot>, to: &SyncSender<Chunk>, signer: &Signer) {
    let mut checker = Checker::default();
    for Lot { lines, read, broken } in lots {
        let check = |(place, text): (Place, Text)| match text {
            Ok((text, at)) => (place, checker.check(signer, &text, at)),
            Err(reason) => (place, Err(reason)),
        };
        let documents = lines.into_iter().map(check).collect();
        if to.send(Chunk { documents, read, broken }).is_err() {
            break;
        }
    }
}

impl Iterator for Checked {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let chunk = self.threads.get(self.turn)?.recv().unwrap_or_else(|_| {
            let error = io::Error::other("a thread that checks signatures has died");
            Chunk {
                documents: Vec::new(),
                read: 0,
                broken: Some(Fault::File("import".into(), error)),
            }
        });
        self.turn = (self.turn + 1) % self.threads.len();
        (!chunk.documents.is_empty() || chunk.broken.is_some()).then_some(chunk)
    }
}
