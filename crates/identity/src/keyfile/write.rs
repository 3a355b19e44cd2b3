//! Files that appear whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::KeyFileError;

/// What to do where a file stands already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// Leave it, and fail. Nobody can slip a file in between the look and the write.
    Never,
    /// Put the new file in its place, in one step.
    Replace,
}

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Its owner (mode 0600).
    OwnerOnly,
    /// Whoever the user's umask lets (mode 0666 less the umask).
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
    let target = match overwrite {
        Overwrite::Never => path.to_owned(),
        Overwrite::Replace => behind_links(path).map_err(KeyFileError::Write)?,
    };
    // Fails early with a clear error; the final step below is the one that counts.
    if overwrite == Overwrite::Never && path.symlink_metadata().is_ok() {
        return Err(KeyFileError::Exists);
    }
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
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
    let mut file = builder.tempfile_in(folder).map_err(KeyFileError::Write)?;
    file.write_all(content).map_err(KeyFileError::Write)?;
    file.as_file().sync_all().map_err(KeyFileError::Write)?;
    let persisted = match overwrite {
        Overwrite::Never => file.persist_noclobber(&target),
        Overwrite::Replace => file.persist(&target),
    };
    persisted.map_err(|failed| match failed.error.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists,
        _ => KeyFileError::Write(failed.error),
    })?;
    // The file is there; only whether its name outlives a power cut depends on this.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// The file itself, where `path` is a link to it.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() => fs::canonicalize(path),
        _ => Ok(path.to_owned()),
    }
}
