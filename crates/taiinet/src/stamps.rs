//! The times that our documents bear, from run to run.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use taiinet_document::{Before, Timestamp};
use taiinet_mesh::{Stamps, Time, VersionAhead};
use tracing::warn;

/// Others hold the file for microseconds; one that was stopped meanwhile must not stop us.
const TRIES: usize = 100;
/// The digits of every `u64`, and the end of the line: the file never gets shorter.
const LINE: usize = 21;

/// Gives our documents their times, and remembers the last in a file, if there is one: a later run, or
/// another process with the same key, goes on after it.
///
/// The file holds one line, the milliseconds since 1970. It is not synced to the disk: after a loss of power
/// the clock is later than it by itself.
#[derive(Debug)]
pub(crate) struct KeptStamps {
    stamps: Stamps,
    path: Option<PathBuf>,
    /// Opened, or made, when the first document is published.
    file: OnceLock<Option<File>>,
}

impl KeptStamps {
    pub(crate) const fn new(stamps: Stamps, path: Option<PathBuf>) -> Self {
        Self { stamps, path, file: OnceLock::new() }
    }

    /// Where the file cannot be kept, times are given without it.
    fn file(&self) -> Option<&File> {
        let open = |path: &Path| {
            open(path)
                .inspect_err(|error| warn!(path = %path.display(), %error, "times are not kept"))
                .ok()
        };
        self.file.get_or_init(|| self.path.as_deref().and_then(open)).as_ref()
    }

    /// The time of a document; see [`Stamps::next`].
    pub(crate) fn next(
        &self,
        version: Option<Before>,
        now: Time,
    ) -> Result<Timestamp, VersionAhead> {
        let Some(file) = self.file() else { return self.stamps.next(version, now) };
        let locked = (0..TRIES).any(|_| {
            file.try_lock().is_ok() || {
                std::thread::yield_now();
                false
            }
        });
        if let Some(last) = read(file) {
            self.stamps.resume(last, now);
        }
        let stamp = self.stamps.next(version, now);
        if let Ok(stamp) = stamp {
            // A disk that is full is no reason not to publish.
            let _ = write(file, stamp);
        }
        if locked {
            let _ = file.unlock();
        }
        stamp
    }
}

/// Opens the file, or makes it. What is no such file is left alone: a link, a pipe, what holds something else.
fn open(path: &Path) -> io::Result<File> {
    let other = || io::Error::other("something else is there");
    match path.symlink_metadata() {
        Ok(about) if !about.is_file() => return Err(other()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
    let about = file.metadata()?;
    let is_stamp = about.len() == 0 || about.len() == LINE as u64 && read(&file).is_some();
    if about.is_file() && is_stamp { Ok(file) } else { Err(other()) }
}

fn read(mut file: &File) -> Option<Timestamp> {
    let mut line = [0; LINE];
    file.rewind().ok()?;
    let mut length = 0;
    while let read @ 1.. = file.read(&mut line[length..]).ok()? {
        length += read;
    }
    let text = std::str::from_utf8(&line[..length]).ok()?;
    text.trim().parse().ok().map(Timestamp::from_millis)
}

fn write(mut file: &File, last: Timestamp) -> io::Result<()> {
    file.rewind()?;
    file.write_all(format!("{:020}\n", last.as_millis()).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_millis(1_800_000_000_000);

    fn kept(path: &Path) -> KeptStamps {
        KeptStamps::new(Stamps::default(), Some(path.to_owned()))
    }

    fn next(stamps: &KeptStamps) -> u64 {
        let stamp = stamps.next(Some(Before::default()), NOW).expect("a time");
        stamp.as_millis() - NOW.as_millis()
    }

    #[test]
    fn another_run_and_another_process_go_on_after_the_last() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("me.key.stamp");
        let one = kept(&path);
        assert_eq!([next(&one), next(&one)], [0, 1]);
        let other = kept(&path);
        assert_eq!([next(&other), next(&one), next(&other)], [2, 3, 4]);
    }

    #[test]
    fn a_file_that_is_damaged_missing_or_held_by_another_stops_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("stamp");
        for other in ["nonsense", "99999999999999999999999", "1800000000000"] {
            std::fs::write(&path, other).expect("a file");
            assert_eq!(next(&kept(&path)), 0, "{other}");
            assert_eq!(std::fs::read_to_string(&path).expect("the file"), other, "left alone");
        }
        for unusable in ["", "18446744073709551615\n"] {
            std::fs::write(&path, unusable).expect("a file");
            assert_eq!(next(&kept(&path)), 0, "{unusable}");
        }
        assert_eq!(next(&kept(&folder.path().join("no/such/folder"))), 0);
        let held = File::open(&path).expect("the file");
        held.lock().expect("a lock");
        let stamps = kept(&path);
        assert_eq!([next(&stamps), next(&stamps)], [1, 2]);
    }
}
