//! The start of a sealed file, which is hostile: `age` reads a header, and a line of the text form, of
//! any length into memory.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use age::armor::ArmoredReader;

use super::SealedFileError;

/// How the text form begins.
const BEGIN: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
/// Longest line of the text form, in bytes. Real ones have 64 and a line end.
pub(super) const LINE_MAX: usize = 1024;
/// Longest header, in bytes: room for [`RECIPIENTS`](crate::RECIPIENTS) of 98 bytes each.
pub(super) const HEADER_MAX: u64 = 128 * 1024;
const MAGIC: &[u8] = b"age-encryption.org/";
const VERSION: &[u8] = b"v1";
/// The last line of a header: `--- `, 32 bytes in base64, and its end.
const MAC_START: &[u8] = b"---";
const MAC_LEN: usize = 4 + 43 + 1;

/// The binary form of a file in either form; white space before the text form is skipped.
pub(super) fn without_armor<'a>(reader: impl Read + 'a) -> io::Result<Box<dyn BufRead + 'a>> {
    let mut reader = BufReader::new(reader);
    let is_space = |byte: &io::Result<u8>| byte.as_ref().is_ok_and(u8::is_ascii_whitespace);
    let first = reader.by_ref().bytes().find(|byte| !is_space(byte)).transpose()?;
    let mut start = Vec::from_iter(first);
    reader.by_ref().take(BEGIN.len() as u64 - 1).read_to_end(&mut start)?;
    let armored = start == BEGIN;
    let whole = Cursor::new(start).chain(reader);
    Ok(if armored {
        Box::new(ArmoredReader::new(ShortLines { inner: whole, len: 0 }))
    } else {
        Box::new(whole)
    })
}

/// Reads the header, up to and with its last line.
pub(super) fn header(input: &mut impl BufRead) -> Result<Vec<u8>, SealedFileError> {
    let mut header = Vec::new();
    let mut input = input.take(HEADER_MAX);
    loop {
        let start = header.len();
        input.read_until(b'\n', &mut header).map_err(super::of_header)?;
        let line = header.get(start..).unwrap_or_default();
        if start == 0 {
            check_version(line)?;
        }
        if !line.ends_with(b"\n") {
            return Err(SealedFileError::Header);
        }
        if line.starts_with(MAC_START) {
            // Were it shorter, `age` would look for its end in the content.
            let whole = line.len() == MAC_LEN;
            return if whole { Ok(header) } else { Err(SealedFileError::Header) };
        }
    }
}

fn check_version(line: &[u8]) -> Result<(), SealedFileError> {
    let version = line.strip_prefix(MAGIC).ok_or(SealedFileError::NotSealed)?;
    match version.strip_suffix(b"\n") {
        Some(VERSION) => Ok(()),
        Some(other) if other.iter().all(u8::is_ascii_graphic) => Err(SealedFileError::NewerVersion),
        _ => Err(SealedFileError::Header),
    }
}

/// A header with what follows it.
///
/// For each line that it takes by `read_until`, `age` parses all from the start again: a thousand
/// recipients would take seconds, and a hostile header minutes. So the first one gets the whole
/// header, and nothing of what follows is ever taken for a part of it.
pub(super) struct HeaderAtOnce<R>(pub(super) Chain<Cursor<Vec<u8>>, R>);

impl<R: BufRead> BufRead for HeaderAtOnce<R> {
    fn read_until(&mut self, _: u8, line: &mut Vec<u8>) -> io::Result<usize> {
        self.0.get_mut().0.read_to_end(line)
    }

    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, len: usize) {
        self.0.consume(len);
    }
}

impl<R: BufRead> Read for HeaderAtOnce<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// Fails at a line that is longer than [`LINE_MAX`].
struct ShortLines<R> {
    inner: R,
    /// Of the line that was last read from.
    len: usize,
}

impl<R: Read> Read for ShortLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        for byte in buffer.iter().take(read) {
            self.len = if *byte == b'\n' { 0 } else { self.len + 1 };
            if self.len > LINE_MAX {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long"));
            }
        }
        Ok(read)
    }
}
