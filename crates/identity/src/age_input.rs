//! The start of an age file, which is hostile: `age` reads a header, and a line of the text form, of any
//! length into memory, and parses a header once for each of its lines. So nothing but [`decryptor`] makes
//! a decryptor in this crate.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use age::{DecryptError, Decryptor, armor::ArmoredReader};

use crate::text;

/// Why an age file cannot be read.
#[derive(Debug)]
pub(crate) enum AgeError {
    /// Its text form is malformed or cut off.
    Text,
    /// It does not begin as one.
    NotAge,
    /// It is a text in UTF-16.
    Utf16,
    /// Of a version that is not known.
    NewerVersion,
    /// Its header is malformed or too long.
    Header,
    /// It cannot be read.
    Io(io::Error),
}

/// What makes a text malformed or ends too early is a fault of the file, all else of its reading.
impl From<io::Error> for AgeError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::Text,
            _ => Self::Io(error),
        }
    }
}

/// An age file whose header was read, with what follows it.
pub(crate) type Input<'a> = HeaderAtOnce<Box<dyn BufRead + 'a>>;

/// Reads the header of an age file in either form.
pub(crate) fn decryptor<'a>(reader: impl Read + 'a) -> Result<Decryptor<Input<'a>>, AgeError> {
    let mut input = without_armor(reader)?;
    let header = Cursor::new(header(&mut input)?);
    Decryptor::new_buffered(HeaderAtOnce(header.chain(input))).map_err(|error| match error {
        DecryptError::Io(error) => error.into(),
        DecryptError::UnknownFormat => AgeError::NewerVersion,
        _ => AgeError::Header,
    })
}

/// How the text form begins.
const BEGIN: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
/// Longest line of the text form, in bytes. Real ones have 64 and a line end.
pub(crate) const LINE_MAX: usize = 1024;
/// Longest header, in bytes: room for [`RECIPIENTS`](crate::RECIPIENTS) of 98 bytes each.
pub(crate) const HEADER_MAX: u64 = 128 * 1024;
const MAGIC: &[u8] = b"age-encryption.org/";
const VERSION: &[u8] = b"v1";
/// The last line of a header: `--- `, 32 bytes in base64, and its end.
const MAC_START: &[u8] = b"---";
const MAC_LEN: usize = 4 + 43 + 1;

/// The binary form of a file in either form; a byte order mark and white space before the text form are
/// skipped.
fn without_armor<'a>(mut reader: impl Read + 'a) -> Result<Box<dyn BufRead + 'a>, AgeError> {
    let mut first = Vec::new();
    reader.by_ref().take(text::BOM.len() as u64).read_to_end(&mut first)?;
    let first = text::without_bom(&first).map_err(|_| AgeError::Utf16)?.to_vec();
    let mut reader = BufReader::new(Cursor::new(first).chain(reader));
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
fn header(input: &mut impl BufRead) -> Result<Vec<u8>, AgeError> {
    let mut header = Vec::new();
    let mut input = input.take(HEADER_MAX);
    loop {
        let start = header.len();
        input.read_until(b'\n', &mut header)?;
        let line = header.get(start..).unwrap_or_default();
        if start == 0 {
            check_version(line)?;
        }
        if !line.ends_with(b"\n") {
            return Err(AgeError::Header);
        }
        if line.starts_with(MAC_START) {
            // Were it shorter, `age` would look for its end in the content.
            let whole = line.len() == MAC_LEN;
            return if whole { Ok(header) } else { Err(AgeError::Header) };
        }
    }
}

fn check_version(line: &[u8]) -> Result<(), AgeError> {
    let version = line.strip_prefix(MAGIC).ok_or(AgeError::NotAge)?;
    match version.strip_suffix(b"\n") {
        Some(VERSION) => Ok(()),
        Some(other) if other.iter().all(u8::is_ascii_graphic) => Err(AgeError::NewerVersion),
        _ => Err(AgeError::Header),
    }
}

/// A header with what follows it.
///
/// For each line that it takes by `read_until`, `age` parses all from the start again: a thousand
/// recipients would take seconds, and a hostile header minutes. So the first one gets the whole
/// header, and nothing of what follows is ever taken for a part of it.
pub(crate) struct HeaderAtOnce<R>(Chain<Cursor<Vec<u8>>, R>);

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
