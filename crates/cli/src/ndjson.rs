//! NDJSON from files and stdin, line by line, each with its place.

use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    sync::Arc,
    vec,
};

use taiinet_document::{Map, parse_map};
use taiinet_identity::text;

/// The longest line that is read. The largest document, with every byte escaped, is shorter.
const LINE_BYTES: u64 = 4 * 1024 * 1024;

/// How many bytes these files have together, if all are regular files.
pub(crate) fn total_bytes(files: &[PathBuf]) -> Option<u64> {
    let bytes = |file: &PathBuf| {
        let about = (file != Path::new("-")).then(|| file.metadata().ok()).flatten()?;
        about.is_file().then_some(about.len())
    };
    if files.is_empty() { None } else { files.iter().map(bytes).sum() }
}

/// Where a line stands.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    file: Arc<str>,
    line: u64,
}

impl Place {
    /// The number of the line, from 1 on.
    pub(crate) const fn line(&self) -> u64 {
        self.line
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A line with a document on it.
#[derive(Debug)]
pub(crate) struct Line {
    /// As it came, without its end.
    pub(crate) text: String,
    /// What it says.
    pub(crate) document: Map,
    /// Where it stands.
    pub(crate) place: Place,
    /// How many bytes of all files were read with it.
    pub(crate) read: u64,
}

/// Why there is no document.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The line is no document; the next one may be.
    Line(Place, String),
    /// The file cannot be read on.
    File(Arc<str>, io::Error),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(place, reason) => write!(f, "{place}: {reason}"),
            Self::File(file, error) => write!(f, "{file}: {error}"),
        }
    }
}

/// The lines of files, one after the other. Empty lines are passed over.
pub(crate) struct Lines {
    files: vec::IntoIter<PathBuf>,
    current: Option<(Box<dyn BufRead + Send>, Place)>,
    read: u64,
}

impl Lines {
    /// Of these files, `-` being stdin; of stdin if there are none.
    pub(crate) fn new(mut files: Vec<PathBuf>) -> Self {
        if files.is_empty() {
            files.push("-".into());
        }
        Self { files: files.into_iter(), current: None, read: 0 }
    }

    /// How many bytes of all files were read.
    pub(crate) const fn read(&self) -> u64 {
        self.read
    }

    /// The next line's text.
    pub(crate) fn next_text(&mut self) -> Option<Result<(Place, String), Fault>> {
        loop {
            if self.current.is_none() {
                match open(&self.files.next()?) {
                    Ok(opened) => self.current = Some(opened),
                    Err(fault) => return Some(Err(fault)),
                }
            }
            let (reader, place) = self.current.as_mut()?;
            match read_line(reader, place, &mut self.read) {
                Ok(Some(text)) if text.trim().is_empty() => {}
                Ok(Some(text)) => return Some(Ok((place.clone(), text))),
                Ok(None) => self.current = None,
                Err(fault) => {
                    if matches!(fault, Fault::File(..)) {
                        self.current = None;
                    }
                    return Some(Err(fault));
                }
            }
        }
    }
}

impl Iterator for Lines {
    type Item = Result<Line, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let (place, text) = match self.next_text()? {
            Ok(found) => found,
            Err(fault) => return Some(Err(fault)),
        };
        Some(match parse_map(&text) {
            Ok(document) => Ok(Line { text, document, place, read: self.read }),
            Err(error) => {
                let reason = format!("column {}: {}", error.column(), error.message());
                Err(Fault::Line(place, reason))
            }
        })
    }
}

fn open(path: &Path) -> Result<(Box<dyn BufRead + Send>, Place), Fault> {
    if path == Path::new("-") {
        let place = Place { file: "stdin".into(), line: 0 };
        return Ok((Box::new(BufReader::new(io::stdin())), place));
    }
    let file: Arc<str> = path.display().to_string().into();
    match File::open(path) {
        Ok(opened) => Ok((Box::new(BufReader::new(opened)), Place { file, line: 0 })),
        Err(error) => Err(Fault::File(file, error)),
    }
}

fn read_line(
    reader: &mut Box<dyn BufRead + Send>,
    place: &mut Place,
    read: &mut u64,
) -> Result<Option<String>, Fault> {
    let unreadable = |error: io::Error, place: &Place| Fault::File(Arc::clone(&place.file), error);
    let mut bytes = Vec::new();
    let count = reader.by_ref().take(LINE_BYTES).read_until(b'\n', &mut bytes);
    let count = count.map_err(|error| unreadable(error, place))?;
    if count == 0 {
        return Ok(None);
    }
    *read += count as u64;
    place.line += 1;
    if place.line == 1 {
        // Said of the file: each of its lines would be at fault.
        let start = text::without_bom(&bytes).map_err(|error| unreadable(error.into(), place))?;
        bytes.drain(..bytes.len() - start.len());
    }
    if bytes.last() != Some(&b'\n') && count as u64 == LINE_BYTES {
        let skipped = reader.skip_until(b'\n').map_err(|error| unreadable(error, place))?;
        *read += skipped as u64;
        return Err(Fault::Line(place.clone(), "the line is too long for a document".into()));
    }
    while matches!(bytes.last(), Some(b'\n' | b'\r')) {
        bytes.pop();
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(Fault::Line(place.clone(), "the line is not UTF-8".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_counted_where_the_total_is_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&first, "{\"n\":1}\r\n\n{\"n\":2}").expect("written");
        std::fs::write(&second, format!("{{}}\n{}\n{{}}\n", "x".repeat(5_000_000)))
            .expect("written");
        let files = vec![first, second];
        let total = total_bytes(&files).expect("regular files");
        let read: Vec<u64> =
            Lines::new(files.clone()).filter_map(Result::ok).map(|line| line.read).collect();
        assert_eq!(read, [9, 17, 20, total]);

        assert_eq!(total_bytes(&[]), None, "stdin");
        assert_eq!(total_bytes(&[files[0].clone(), "-".into()]), None);
        assert_eq!(total_bytes(&[folder.path().to_owned()]), None);
        assert_eq!(total_bytes(&[folder.path().join("none")]), None);
    }
}
