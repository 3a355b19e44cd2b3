//! Where an export goes.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use taiinet::keyfile::{Access, NewFile, Overwrite};

use crate::exit::Exit;

/// A file, which takes its name when all is written; or stdout.
pub(super) struct Sink {
    out: Out,
    path: PathBuf,
    /// Documents.
    pub(super) count: u64,
    pub(super) bytes: u64,
}

enum Out {
    Stdout(BufWriter<io::Stdout>),
    File(BufWriter<NewFile>),
}

impl Sink {
    pub(super) fn create(path: &Path) -> Result<Self, Exit> {
        let out = if path.as_os_str() == "-" {
            Out::Stdout(BufWriter::new(io::stdout()))
        } else {
            let file = NewFile::create(path, Overwrite::Replace, Access::Everyone);
            let file = file.map_err(|error| failed(path, &error))?;
            Out::File(BufWriter::with_capacity(256 * 1024, file))
        };
        Ok(Self { out, path: path.to_owned(), count: 0, bytes: 0 })
    }

    pub(super) const fn is_stdout(&self) -> bool {
        matches!(self.out, Out::Stdout(_))
    }

    /// A document's line.
    pub(super) fn write(&mut self, line: &str) -> Result<(), Exit> {
        self.count += 1;
        self.bytes += line.len() as u64;
        match &mut self.out {
            Out::Stdout(out) => Ok(out.write_all(line.as_bytes())?),
            Out::File(out) => {
                out.write_all(line.as_bytes()).map_err(|error| failed(&self.path, &error))
            }
        }
    }

    /// All of it is on the disk then, and under its name.
    pub(super) fn finish(self) -> Result<(), Exit> {
        match self.out {
            Out::Stdout(mut out) => Ok(out.flush()?),
            Out::File(out) => {
                let file = out.into_inner().map_err(|error| failed(&self.path, error.error()))?;
                file.finish().map_err(|error| failed(&self.path, &error))
            }
        }
    }
}

fn failed(path: &Path, error: &dyn core::fmt::Display) -> Exit {
    Exit::Failed(format!("{}: {error}", path.display()))
}
