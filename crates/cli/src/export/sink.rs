//! Where an export goes.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::exit::Exit;

/// A file, which takes its name when all is written, or stdout, or what is no regular file.
pub(super) struct Sink {
    out: BufWriter<Box<dyn Write>>,
    to: To,
    /// Documents.
    pub(super) count: u64,
    pub(super) bytes: u64,
}

enum To {
    Stdout,
    /// A device or a pipe.
    Special(PathBuf),
    /// A file under another name.
    File {
        file: File,
        part: PathBuf,
        path: PathBuf,
    },
}

impl Sink {
    pub(super) fn create(path: &Path) -> Result<Self, Exit> {
        let (out, to): (Box<dyn Write>, _) = if path.as_os_str() == "-" {
            (Box::new(io::stdout()), To::Stdout)
        } else if path.metadata().is_ok_and(|about| !about.is_file()) {
            let file = File::options().write(true).open(path);
            (Box::new(file.map_err(|error| failed(path, &error))?), To::Special(path.to_owned()))
        } else {
            let mut part = path.as_os_str().to_owned();
            part.push(".part");
            let part = PathBuf::from(part);
            let file = File::create(&part).map_err(|error| failed(&part, &error))?;
            let to = file.try_clone().map_err(|error| failed(&part, &error))?;
            (Box::new(to), To::File { file, part, path: path.to_owned() })
        };
        Ok(Self { out: BufWriter::with_capacity(256 * 1024, out), to, count: 0, bytes: 0 })
    }

    pub(super) const fn is_stdout(&self) -> bool {
        matches!(self.to, To::Stdout)
    }

    /// A document's line.
    pub(super) fn write(&mut self, line: &str) -> Result<(), Exit> {
        self.count += 1;
        self.bytes += line.len() as u64;
        self.out.write_all(line.as_bytes()).map_err(|error| self.to.failed(error))
    }

    /// All of it is on the disk then, and under its name.
    pub(super) fn finish(mut self) -> Result<(), Exit> {
        let flushed = self.out.flush();
        let ended = flushed.and_then(|()| match &self.to {
            To::Stdout | To::Special(_) => Ok(()),
            To::File { file, part, path } => file.sync_all().and_then(|()| fs::rename(part, path)),
        });
        ended.map_err(|error| self.to.failed(error))
    }
}

impl To {
    fn failed(&self, error: io::Error) -> Exit {
        match self {
            Self::Stdout => error.into(),
            Self::Special(path) | Self::File { part: path, .. } => failed(path, &error),
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> Exit {
    Exit::Failed(format!("{}: {error}", path.display()))
}
