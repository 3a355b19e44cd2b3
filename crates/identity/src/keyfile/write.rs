//! Files that appear whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::KeyFileError;

/// What to do where a file stands already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// Leave it, and fail. No other process can slip a file in between the look and the write.
    Never,
    /// Put the new file in its place, in one step.
    Replace,
}

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Its owner (mode 0600).
    OwnerOnly,
    /// All that the user's umask lets (mode 0666 less the umask).
    Everyone,
}

/// Writes a file through a temporary one beside it: after a crash there is the old file or the new,
/// never a part. A symbolic link is followed, so that what it points to is replaced.
///
/// # Errors
/// [`KeyFileError::Exists`], [`KeyFileError::Write`]
pub fn write(
    path: &Path,
    content: &[u8],
    overwrite: Overwrite,
    access: Access,
) -> Result<(), KeyFileError> {
    let mut file = NewFile::create(path, overwrite, access)?;
    file.write_all(content).map_err(KeyFileError::Write)?;
    file.finish()
}

/// As [`write()`], in pieces: a temporary file that gets its name when it is whole. Dropped before
/// that, it is gone.
#[derive(Debug)]
pub struct NewFile {
    file: NamedTempFile,
    folder: PathBuf,
    target: PathBuf,
    overwrite: Overwrite,
}

impl NewFile {
    /// Begins what shall become the file `path`.
    ///
    /// # Errors
    /// [`KeyFileError::Exists`], [`KeyFileError::Write`]
    pub fn create(path: &Path, overwrite: Overwrite, access: Access) -> Result<Self, KeyFileError> {
        let target = match overwrite {
            Overwrite::Never => path.to_owned(),
            Overwrite::Replace => behind_links(path).map_err(KeyFileError::Write)?,
        };
        // Fails early with a clear error; the step in `finish` is the one that counts.
        if overwrite == Overwrite::Never && path.symlink_metadata().is_ok() {
            return Err(KeyFileError::Exists);
        }
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".taiinet-").suffix(".tmp");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(match access {
                Access::OwnerOnly => 0o600,
                Access::Everyone => 0o666,
            }));
        }
        #[cfg(not(unix))]
        let _ = access;
        let file = builder.tempfile_in(&folder).map_err(KeyFileError::Write)?;
        Ok(Self { file, folder, target, overwrite })
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// [`KeyFileError::Exists`], [`KeyFileError::Write`]
    pub fn finish(self) -> Result<(), KeyFileError> {
        self.file.as_file().sync_all().map_err(KeyFileError::Write)?;
        let persisted = match self.overwrite {
            Overwrite::Never => self.file.persist_noclobber(&self.target),
            Overwrite::Replace => self.file.persist(&self.target),
        };
        persisted.map_err(|failed| match failed.error.kind() {
            io::ErrorKind::AlreadyExists => KeyFileError::Exists,
            _ => KeyFileError::Write(failed.error),
        })?;
        // The file is there; only whether its name outlives a power cut depends on this.
        let _ = File::open(&self.folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Write for NewFile {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        self.file.write(content)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The file itself, where `path` is a link to it.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() => fs::canonicalize(path),
        _ => Ok(path.to_owned()),
    }
}
