//! Files that the operator names, all of them texts: read up to a bound, and refused beyond it.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use taiinet_identity::text::{self, TextError};
use zeroize::Zeroizing;

/// Reads a file of at most so many bytes, which are wiped when they are dropped: it may be a secret. A byte
/// order mark of UTF-8 is passed over.
///
/// # Errors
/// [`io::Error`] if it cannot be read; of the kind [`io::ErrorKind::FileTooLarge`] if it is longer, since
/// half of a file would be taken for all of it; of the kind [`io::ErrorKind::InvalidData`] if it is UTF-16.
pub fn read_file(path: &Path, most: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    // Room for everything at once: a buffer that grows leaves copies of a secret behind.
    let length = file.metadata().map_or(0, |metadata| metadata.len()).min(most);
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1));
    let read = file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if read as u64 > most {
        let error = format!("it is longer than {most} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, error));
    }
    let mark = read - text::without_bom(&bytes)?.len();
    bytes.drain(..mark);
    Ok(bytes)
}

/// The same of a text.
///
/// # Errors
/// As [`read_file`]; of the kind [`io::ErrorKind::InvalidData`] if it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<Zeroizing<String>> {
    let bytes = read_file(path, most)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| TextError::NotUtf8)?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, "1234").expect("written");
        assert_eq!(read_text(&path, 4).expect("a text").as_str(), "1234");
        let error = read_file(&path, 3).expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        std::fs::write(&path, [0xff]).expect("written");
        assert!(read_text(&path, 4).is_err() && read_file(&path, 4).is_ok());
        std::fs::write(&path, "\u{feff}1").expect("written");
        assert_eq!(read_text(&path, 4).expect("a text").as_str(), "1");
        assert_eq!(*read_file(&path, 4).expect("a file"), b"1");
        std::fs::write(&path, [0xff, 0xfe, b'1', 0]).expect("written");
        let error = read_file(&path, 4).expect_err("UTF-16");
        assert!(error.to_string().contains("UTF-16; save it as UTF-8"), "{error}");
        assert!(read_file(folder.path(), 4).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_without_end_is_refused() {
        assert!(read_file(Path::new("/dev/zero"), 1000).is_err());
    }
}
