//! Files that appear whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::KeyFileError;

/// As many links to links as Linux follows.
const LINKS: usize = 40;

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
/// What is no regular file is never replaced: pipes, devices and the descriptors of `/dev/fd` are
/// written into, whatever `overwrite` says, since nothing in them is lost by that. (Of a block device
/// something is, so it takes [`Overwrite::Replace`].)
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

/// Whether [`write()`] would begin, so that nobody is asked or kept waiting in vain. Nothing is left
/// behind, and no pipe is opened: its reader would take that for the whole.
///
/// # Errors
/// [`KeyFileError::Exists`], [`KeyFileError::Write`]
pub fn check_target(path: &Path, overwrite: Overwrite) -> Result<(), KeyFileError> {
    let target = Target::of(path, overwrite)?;
    match target {
        // A temporary file, which is gone at once, shows whether there can be one.
        Target::Regular(_) if path.is_dir() => {
            Err(KeyFileError::Write(io::ErrorKind::IsADirectory.into()))
        }
        Target::Regular(path) => Regular::create(path, overwrite, Access::OwnerOnly).map(drop),
        Target::Special(_) => Ok(()),
    }
}

/// As [`write()`], in pieces: a temporary file that gets its name when it is whole. Dropped before
/// that, it is gone. What went into a pipe or a device ([`Self::is_whole`]) is there at once.
#[derive(Debug)]
pub struct NewFile(Begun);

#[derive(Debug)]
enum Begun {
    Regular(Regular),
    /// What is no regular file, which is written into.
    Special(File),
}

impl NewFile {
    /// Begins what shall become the file `path`; waits for its reader, if it is a pipe.
    ///
    /// # Errors
    /// [`KeyFileError::Exists`], [`KeyFileError::Write`]
    pub fn create(path: &Path, overwrite: Overwrite, access: Access) -> Result<Self, KeyFileError> {
        Ok(Self(match Target::of(path, overwrite)? {
            Target::Regular(path) => Begun::Regular(Regular::create(path, overwrite, access)?),
            Target::Special(special) => Begun::Special(special.open()?),
        }))
    }

    /// Whether it will be there whole or not at all, and not in parts.
    pub const fn is_whole(&self) -> bool {
        matches!(self.0, Begun::Regular(_))
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// [`KeyFileError::Exists`], [`KeyFileError::Write`]
    pub fn finish(self) -> Result<(), KeyFileError> {
        match self.0 {
            Begun::Regular(file) => file.finish(),
            Begun::Special(file) => match file.sync_all() {
                // What most of them cannot do.
                Err(error) if error.kind() != io::ErrorKind::InvalidInput => {
                    Err(KeyFileError::Write(error))
                }
                _ => Ok(()),
            },
        }
    }
}

impl Write for NewFile {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Begun::Regular(file) => file.file.write(content),
            Begun::Special(file) => file.write(content),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Begun::Regular(file) => file.file.flush(),
            Begun::Special(file) => file.flush(),
        }
    }
}

/// A temporary file beside the one that it shall become.
#[derive(Debug)]
struct Regular {
    file: NamedTempFile,
    folder: PathBuf,
    target: PathBuf,
    overwrite: Overwrite,
}

impl Regular {
    fn create(target: PathBuf, overwrite: Overwrite, access: Access) -> Result<Self, KeyFileError> {
        let folder = folder(&target);
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

    fn finish(self) -> Result<(), KeyFileError> {
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

/// What a path leads to.
enum Target {
    /// A regular file, or one that is not there yet.
    Regular(PathBuf),
    /// Something to write into.
    Special(Special),
}

/// A pipe, a device or a descriptor.
struct Special {
    path: PathBuf,
    is_descriptor: bool,
}

impl Special {
    fn open(self) -> Result<File, KeyFileError> {
        let mut options = OpenOptions::new();
        // A descriptor may be that of a file, and what is in it is not ours.
        let options = if self.is_descriptor { options.append(true) } else { options.write(true) };
        let file = options.open(self.path).map_err(KeyFileError::Write)?;
        let is_file = file.metadata().map_err(KeyFileError::Write)?.is_file();
        // Somebody may have put a file in its place.
        if is_file && !self.is_descriptor { Err(KeyFileError::Exists) } else { Ok(file) }
    }
}

impl Target {
    /// What is at the end of all links. Fails early with a clear error where nothing may be overwritten; the
    /// step in [`Regular::finish`] is the one that counts.
    fn of(path: &Path, overwrite: Overwrite) -> Result<Self, KeyFileError> {
        let (target, is_descriptor) = behind_links(path).map_err(KeyFileError::Write)?;
        let at_end = path.metadata().ok();
        let is_special = at_end.as_ref().is_some_and(|about| !about.is_file() && !about.is_dir());
        let loses_nothing = is_descriptor || at_end.as_ref().is_some_and(is_stream);
        if !loses_nothing && overwrite == Overwrite::Never && path.symlink_metadata().is_ok() {
            return Err(KeyFileError::Exists);
        }
        if is_descriptor || is_special {
            return Ok(Self::Special(Special { path: path.to_owned(), is_descriptor }));
        }
        Ok(Self::Regular(target))
    }
}

/// Whether what is written goes on and replaces nothing, and goes to nobody else.
#[cfg(unix)]
fn is_stream(about: &fs::Metadata) -> bool {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let kind = about.file_type();
    let is_stream = kind.is_fifo() || kind.is_char_device() || kind.is_socket();
    // In a folder that others write into it may have been put there to read what we write.
    let owner = about.uid();
    is_stream && (owner == 0 || owner == rustix::process::geteuid().as_raw())
}

#[cfg(not(unix))]
fn is_stream(_: &fs::Metadata) -> bool {
    false
}

/// The path at the end of all links, whether or not something stands there; and whether it is one of
/// this process's open files, which looks like a link to where that file once was.
fn behind_links(path: &Path) -> io::Result<(PathBuf, bool)> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Ok(target) = fs::read_link(&path) else { return Ok((path, false)) };
        let folder = folder(&path);
        if folder.canonicalize().is_ok_and(|folder| holds_descriptors(&folder)) {
            return Ok((path, true));
        }
        path = folder.join(target);
    }
    Err(io::Error::other("too many symbolic links"))
}

/// `/proc/…/fd`; `/dev/fd` and `/dev/stdout` are links to there.
fn holds_descriptors(folder: &Path) -> bool {
    folder.starts_with("/proc") && folder.ends_with("fd")
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
