//! The blacklist, and the file that keeps it from run to run.
//!
//! The file is a JSON list of [`Blacklisted`]: `peer`, `until` (milliseconds since 1970; null: until it
//! is unblocked), `misbehaviour` (null: listed by hand) and `times`. It is read when a peer starts, and
//! written again, whole, when something changes; of several writers the last wins.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use taiinet_identity::text;
use taiinet_mesh::Blacklisted;

use crate::files;

/// The largest file that is read, in bytes: far more than a peer remembers.
const LARGEST: u64 = 8 * 1024 * 1024;

/// What is wrong with the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlacklistFileError {
    /// It cannot be read or written.
    #[error("blacklist {path}: {cause}")]
    File {
        /// The file that cannot be read or written.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// It is not a blacklist.
    #[error("blacklist {path} is damaged ({cause}); mend it, or move it away to start afresh")]
    Damaged {
        /// The file that is no blacklist.
        path: PathBuf,
        /// What is wrong.
        cause: serde_json::Error,
    },
}

impl BlacklistFileError {
    fn file(path: &Path) -> impl Fn(io::Error) -> Self {
        move |cause| Self::File { path: path.to_owned(), cause }
    }
}

/// Reads a blacklist; one that does not exist is empty.
///
/// # Errors
/// [`BlacklistFileError`]
pub fn read(path: &Path) -> Result<Vec<Blacklisted>, BlacklistFileError> {
    let fault = BlacklistFileError::file(path);
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() > LARGEST => {
            return Err(fault(io::Error::other("larger than any blacklist")));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        _ => {}
    }
    let bytes = fs::read(path).map_err(&fault)?;
    let text = text::without_bom(&bytes).map_err(|error| fault(error.into()))?;
    serde_json::from_slice(text)
        .map_err(|cause| BlacklistFileError::Damaged { path: path.to_owned(), cause })
}

/// Writes a blacklist in place of what was there: all of it, or nothing.
///
/// # Errors
/// [`BlacklistFileError::File`]
pub fn write(path: &Path, list: &[Blacklisted]) -> Result<(), BlacklistFileError> {
    let text = serde_json::to_string_pretty(list).map_err(io::Error::from);
    text.and_then(|text| files::replace(path, format!("{text}\n").as_bytes()))
        .map_err(BlacklistFileError::file(path))
}

#[cfg(test)]
mod tests {
    use taiinet_identity::PeerId;
    use taiinet_mesh::Misbehaviour;

    use super::*;

    #[test]
    fn what_is_written_can_be_read_and_what_is_none_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("black.json");
        assert_eq!(read(&path).expect("none yet"), []);
        let by_hand = Blacklisted::by_hand(PeerId::from_bytes([1; 32]), None);
        let earned = Blacklisted {
            until: Some(taiinet_document::Timestamp::from_millis(7)),
            misbehaviour: Some(Misbehaviour::InvalidSignature),
            times: 3,
            ..by_hand
        };
        for list in [vec![by_hand], vec![by_hand, earned]] {
            write(&path, &list).expect("it is written");
            assert_eq!(read(&path).expect("it is read"), list);
        }
        let text = fs::read_to_string(&path).expect("text");
        assert!(text.contains(&by_hand.peer.to_string()), "names are for people: {text}");
        fs::write(&path, format!("\u{feff}{text}")).expect("as an editor saves it");
        assert_eq!(read(&path).expect("it is read").len(), 2);
        fs::write(&path, b"\xff\xfe[\0]\0").expect("UTF-16");
        assert!(read(&path).expect_err("UTF-16").to_string().contains("save it as UTF-8"));
        fs::write(&path, "[{]").expect("damaged");
        assert!(read(&path).expect_err("damaged").to_string().contains("black.json is damaged"));
        assert!(write(&folder.path().join("no/where"), &[]).is_err());
    }
}
