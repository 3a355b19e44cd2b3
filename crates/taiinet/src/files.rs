//! Small files that are kept from run to run.

use std::{io, path::Path};

use taiinet_identity::keyfile::{self, Access, KeyFileError, Overwrite};

/// Writes a file in place of what was there, as key files are: all of it, or nothing.
pub(crate) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let written = keyfile::write(path, text, Overwrite::Replace, Access::OwnerOnly);
    written.map_err(|error| match error {
        KeyFileError::Write(cause) => cause,
        other => io::Error::other(other),
    })
}
