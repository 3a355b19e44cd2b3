//! Lines of files, some at once.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use taiinet_document::Timestamp;

use crate::ndjson::{Fault, Lines, Place};

/// How many lines are checked at once, and about how many bytes of them.
const LINES: usize = 128;
const BYTES: usize = 256 * 1024;

/// A line as it came, and when it was published if its file says so; or what is wrong with it.
pub(super) type Text = Result<(String, Option<Timestamp>), String>;

/// Some lines. Without any, and unbroken, it is the end.
pub(super) struct Lot {
    pub(super) lines: Vec<(Place, Text)>,
    /// How many bytes of all files were read with them.
    pub(super) read: u64,
    /// Why there are no more.
    pub(super) broken: Option<Fault>,
}

impl Lot {
    pub(super) const END: Self = Self { lines: Vec::new(), read: 0, broken: None };
}

/// All lines of files.
pub(super) struct Reader {
    files: std::vec::IntoIter<PathBuf>,
    current: Option<(Lines, Option<Clock>)>,
    goes_by_files: bool,
    /// Of the files before.
    read: u64,
}

impl Reader {
    pub(super) fn new(mut files: Vec<PathBuf>, goes_by_files: bool) -> Self {
        if files.is_empty() {
            files.push("-".into());
        }
        Self { files: files.into_iter(), current: None, goes_by_files, read: 0 }
    }

    /// The lines of the next file, if there is one.
    fn open(&mut self) -> Option<()> {
        let file = self.files.next()?;
        // What cannot be read is told when its lines are.
        let clock = self.goes_by_files.then(|| Clock::of(&file).ok().flatten()).flatten();
        self.current = Some((Lines::new(vec![file]), clock));
        Some(())
    }
}

impl Iterator for Reader {
    type Item = Lot;

    fn next(&mut self) -> Option<Lot> {
        let mut lot = Lot { lines: Vec::with_capacity(LINES), read: self.read, broken: None };
        let mut bytes = 0;
        while lot.lines.len() < LINES && bytes < BYTES {
            if self.current.is_none() && self.open().is_none() {
                break;
            }
            let Some((lines, clock)) = &mut self.current else { break };
            match lines.next_text() {
                Some(Ok((place, text))) => {
                    bytes += text.len();
                    let at = clock.as_ref().map(|clock| clock.at(place.line()));
                    lot.lines.push((place, Ok((text, at))));
                }
                Some(Err(Fault::Line(place, reason))) => lot.lines.push((place, Err(reason))),
                Some(Err(fault)) => {
                    lot.broken = Some(fault);
                    self.files = Vec::new().into_iter();
                    self.current = None;
                    break;
                }
                None => {
                    self.read += lines.read();
                    self.current = None;
                }
            }
        }
        lot.read = self.read + self.current.as_ref().map_or(0, |(lines, _)| lines.read());
        (!lot.lines.is_empty() || lot.broken.is_some()).then_some(lot)
    }
}

/// When the lines of a file were published, if nothing else says so: one a millisecond, the last when the file was
/// last changed. So they rise strictly, and are the same each time.
struct Clock {
    changed: u64,
    lines: u64,
}

impl Clock {
    /// None for what is no regular file.
    fn of(path: &Path) -> io::Result<Option<Self>> {
        if path == Path::new("-") {
            return Ok(None);
        }
        let mut file = File::open(path)?;
        let about = file.metadata()?;
        if !about.is_file() {
            return Ok(None);
        }
        let changed = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (mut lines, mut buffer) = (1, vec![0; 256 * 1024]);
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                count => {
                    let read = buffer.get(..count).unwrap_or_default();
                    lines += read.iter().filter(|byte| **byte == b'\n').count() as u64;
                }
            }
        }
        let changed = u64::try_from(changed.as_millis()).unwrap_or(u64::MAX);
        Ok(Some(Self { changed, lines }))
    }

    const fn at(&self, line: u64) -> Timestamp {
        Timestamp::from_millis(self.changed.saturating_sub(self.lines.saturating_sub(line)))
    }
}
