//! A result that is too long to be held in memory.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use taiinet_identity::{
    keyfile::{Access, NewFile, Overwrite},
    sealed_file::SealedFileError,
};

use crate::{args::is_dash, failure::Failure};

/// A new file, or standard output.
pub(crate) struct Output {
    path: PathBuf,
    to: To,
}

enum To {
    /// Whole, or not at all.
    File(NewFile),
    /// As it comes.
    Stdout { out: io::StdoutLock<'static>, begun: bool },
}

impl Output {
    /// The new file `path`, or standard output for `-`.
    pub(crate) fn create(
        path: &Path,
        overwrite: Overwrite,
        access: Access,
    ) -> Result<Self, Failure> {
        let to = if is_dash(path) {
            To::Stdout { out: io::stdout().lock(), begun: false }
        } else {
            let file = NewFile::create(path, overwrite, access);
            To::File(file.map_err(|error| Failure::of_key(path, &error))?)
        };
        Ok(Self { path: path.to_owned(), to })
    }

    /// Everything was written and flushed.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self.to {
            To::File(file) => file.finish().map_err(|error| Failure::of_key(&self.path, &error)),
            To::Stdout { .. } => Ok(()),
        }
    }

    /// What a fault in sealing or opening the file `from` to this comes to.
    pub(crate) fn failure(&self, from: &Path, error: &SealedFileError) -> Failure {
        // What went to standard output cannot be taken back.
        let left_a_part = matches!(self.to, To::Stdout { begun: true, .. });
        Failure::of_sealed(from, &self.path, left_a_part, error)
    }
}

impl Write for Output {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            To::File(file) => file.write(content),
            To::Stdout { out, begun } => {
                *begun |= !content.is_empty();
                out.write(content)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::File(file) => file.flush(),
            To::Stdout { out, .. } => out.flush(),
        }
    }
}
