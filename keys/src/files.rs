//! Reading and writing, shared by the commands.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use taiinet_identity::{
    Identity,
    keyfile::{self, Access, KeyFile, KeyFileError, Overwrite},
};

use crate::{
    args::{is_dash, is_stdout},
    failure::{Failure, warn},
    passphrase::Source,
};

/// How often the passphrase may be mistyped on the terminal.
const TRIES: usize = 3;

/// A key file that was opened.
pub(crate) struct OpenKey {
    pub(crate) identity: Identity,
    pub(crate) file: KeyFile,
    /// The passphrase that opened it.
    pub(crate) passphrase: Option<keyfile::Passphrase>,
}

/// Reads and unlocks the key file `path`, or standard input for `-`.
pub(crate) fn open_key(path: &Path, source: &Source) -> Result<OpenKey, Failure> {
    let failure = |error: KeyFileError| Failure::of_key(path, &error);
    let file = if is_dash(path) { KeyFile::read(io::stdin()) } else { KeyFile::load(path) }
        .map_err(failure)?;
    if !file.is_encrypted() {
        warn_if_others_can_read(path);
    }
    let tries = if source.is_terminal() { TRIES } else { 1 };
    for left in (0..tries).rev() {
        let mut used = None;
        let unlocked = file.unlock(|| {
            let passphrase = source.existing(path)?;
            used = Some(passphrase.clone());
            Ok(passphrase)
        });
        match unlocked {
            Ok(identity) => return Ok(OpenKey { identity, file, passphrase: used }),
            Err(KeyFileError::WrongPassphrase) if left > 0 => {
                warn("that is not its passphrase");
            }
            Err(error) => return Err(failure(error)),
        }
    }
    Err(failure(KeyFileError::WrongPassphrase))
}

#[cfg(unix)]
fn warn_if_others_can_read(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(metadata) = path.metadata() else { return };
    if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
        let path = path.display();
        warn(&format!("others on this computer can read {path}; run `chmod 600 {path}`"));
    }
}

#[cfg(not(unix))]
fn warn_if_others_can_read(_: &Path) {}

/// Fails if `path` may or can not be written, before the user is asked or kept waiting.
pub(crate) fn check_target(path: &Path, overwrite: Overwrite) -> Result<(), Failure> {
    if is_stdout(path) {
        return Ok(());
    }
    keyfile::check_target(path, overwrite).map_err(|error| Failure::of_key(path, &error))
}

/// Writes a whole file, or to standard output for `-`.
pub(crate) fn write(
    path: &Path,
    text: &str,
    overwrite: Overwrite,
    access: Access,
) -> Result<(), Failure> {
    if is_stdout(path) {
        return print(text);
    }
    keyfile::write(path, text.as_bytes(), overwrite, access)
        .map_err(|error| Failure::of_key(path, &error))
}

/// Prints a result. A reader that has gone away is no fault.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    taiinet_terminal::print(text)
        .map_err(|error| Failure::new(format!("standard output: {error}"), "check where it goes"))
}

/// Prints a result for scripts, in which names of files may be a stranger's.
pub(crate) fn print_json(shown: &serde_json::Value) -> Result<(), Failure> {
    print(&format!("{}\n", taiinet_terminal::pretty_json(&format!("{shown:#}"))))
}

/// The file `path`, or standard input for `-`.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    let file = || {
        let file = File::open(path)?;
        // Said before anything is written.
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(file)
    };
    if is_dash(path) {
        return Ok(Box::new(io::stdin()));
    }
    file().map(|file| Box::new(file) as _).map_err(|error| Failure::reading(path, &error))
}

/// The BLAKE3 hash of a file of any length, or of standard input for `-`.
pub(crate) fn hash(path: &Path) -> Result<blake3::Hash, Failure> {
    let mut input = open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize()),
            Ok(len) => _ = hasher.update(&buffer[..len]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::reading(path, &error)),
        }
    }
}

/// Standard input can be read once only.
pub(crate) fn at_most_one_dash(paths: &[Option<&Path>]) -> Result<(), Failure> {
    if paths.iter().flatten().filter(|path| is_dash(path)).count() > 1 {
        return Err(Failure::usage(
            "`-` (standard input) is named more than once",
            "put one of the two in a file",
        ));
    }
    Ok(())
}
