//! A result that is too long to be held in memory.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use taiinet_identity::{
    keyfile::{Access, NewFile, Overwrite},
    sealed_file::SealedFileError,
};

use crate::{args::is_stdout, failure::Failure};

/// A new file, or standard output.
pub(crate) struct Output {
    path: PathBuf,
    to: To,
    /// Whether anything was written.
    begun: bool,
}

enum To {
    File(NewFile),
    /// As it comes.
    Stdout(io::StdoutLock<'static>),
}

impl Output {
    /// The new file `path`, or standard output for `-`.
    pub(crate) fn create(
        path: &Path,
        overwrite: Overwrite,
        access: Access,
    ) -> Result<Self, Failure> {
        let to = if is_stdout(path) {
            To::Stdout(io::stdout().lock())
        } else {
            let file = NewFile::create(path, overwrite, access);
            To::File(file.map_err(|error| Failure::of_key(path, &error))?)
        };
        Ok(Self { path: path.to_owned(), to, begun: false })
    }

    /// Everything was written and flushed.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self.to {
            To::File(file) => file.finish().map_err(|error| Failure::of_key(&self.path, &error)),
            To::Stdout(_) => Ok(()),
        }
    }

    /// What a fault in sealing or opening the file `from` to this comes to.
    pub(crate) fn failure(&self, from: &Path, error: &SealedFileError) -> Failure {
        // What went to standard output, a pipe or a device cannot be taken back.
        let is_whole = matches!(&self.to, To::File(file) if file.is_whole());
        Failure::of_sealed(from, &self.path, self.begun && !is_whole, error)
    }
}

impl Write for Output {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        let written = match &mut self.to {
            To::File(file) => file.write(content),
            To::Stdout(out) => out.write(content),
        }?;
        self.begun |= written > 0;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::File(file) => file.flush(),
            To::Stdout(out) => out.flush(),
        }
    }
}
