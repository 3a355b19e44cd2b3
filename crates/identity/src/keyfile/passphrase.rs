//! A passphrase, and what it costs to try one.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
};

use zeroize::Zeroizing;

use crate::text;

/// The longest passphrase that is taken from a file, in bytes.
const MAX_LEN: usize = 4096;

/// What the user typed to protect a key. Wiped on drop, never printed.
#[derive(Clone)]
pub struct Passphrase {
    text: Zeroizing<String>,
    work: WorkFactor,
}

impl Passphrase {
    /// Takes the text as it is: every character counts, spaces at the ends too.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: Zeroizing::new(text.into()), work: WorkFactor::DEFAULT }
    }

    /// The passphrase that the user has given beforehand: in `file` if there is one, else in the
    /// environment variable `variable`. Nothing if in neither: then ask.
    ///
    /// Of a file it is the first line, without its end; `-` is standard input, of which the lines
    /// after the first are left unread. Of the variable it is all, without the end of its line. A byte order
    /// mark before it is no part of it.
    ///
    /// # Errors
    /// [`io::Error`], with the name of the file or the variable.
    pub fn given(file: Option<&Path>, variable: &str) -> io::Result<Option<Self>> {
        if let Some(path) = file {
            let named = |error| io::Error::other(format!("{}: {error}", path.display()));
            return open(path).and_then(read_first_line).map(Some).map_err(named);
        }
        match std::env::var_os(variable).map(|text| text.into_string()) {
            None => Ok(None),
            Some(Ok(text)) => {
                let text = Zeroizing::new(text);
                // As if it came from the file that it was taken from.
                let text = text.strip_prefix(text::BOM).unwrap_or(&text);
                Ok(Some(Self::new(text.trim_end_matches(['\r', '\n']))))
            }
            Some(Err(_)) => Err(io::Error::other(format!("{variable} is not UTF-8"))),
        }
    }

    /// The same passphrase, with another cost in the age files that are encrypted with it.
    #[must_use]
    pub fn with_work_factor(self, work: WorkFactor) -> Self {
        Self { work, ..self }
    }

    /// Whether it has no characters at all.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn expose(&self) -> &str {
        &self.text
    }

    pub(super) const fn work(&self) -> WorkFactor {
        self.work
    }
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path != Path::new("-") {
        return Ok(Box::new(File::open(path)?));
    }
    // Not through the standard library's buffer, which would take more than the line, and keep it.
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        Ok(Box::new(File::from(io::stdin().as_fd().try_clone_to_owned()?)))
    }
    #[cfg(not(unix))]
    Ok(Box::new(io::stdin()))
}

/// Without its end, and nothing else taken away. Byte by byte, so that nothing behind it is read.
fn read_first_line(mut input: impl Read) -> io::Result<Passphrase> {
    // Room for everything at once: a buffer that grew would leave copies of the secret behind.
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_LEN));
    let mut byte = Zeroizing::new([0]);
    loop {
        match input.read(&mut byte[..]) {
            Ok(0) => break,
            Ok(_) if byte[0] == b'\n' => break,
            Ok(_) if line.len() == MAX_LEN => {
                return Err(io::Error::other("its first line is too long for a passphrase"));
            }
            Ok(_) => line.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let line = line.strip_suffix(b"\r").unwrap_or(&line);
    Ok(Passphrase::new(text::utf8(line)?))
}

/// In constant time for passphrases of the same length.
impl PartialEq for Passphrase {
    fn eq(&self, other: &Self) -> bool {
        // Hashes are compared, so the time says nothing about where two texts differ.
        blake3::hash(self.text.as_bytes()) == blake3::hash(other.text.as_bytes())
    }
}

impl Eq for Passphrase {}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(secret)")
    }
}

/// What it costs to try one passphrase on an age file: scrypt's N is two to the power of this. One
/// more doubles time and memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkFactor(u8);

impl WorkFactor {
    /// About a millisecond and 1 MiB: for tests, and for passphrases of many random bits.
    pub const MIN: Self = Self(10);
    /// About a second and 256 MiB, as `age` itself takes.
    pub const DEFAULT: Self = Self(18);
    /// About four seconds and 1 GiB. Files that ask for more are not opened.
    pub const MAX: Self = Self(20);

    /// Nothing if out of the range from [`Self::MIN`] to [`Self::MAX`].
    pub fn new(log_n: u8) -> Option<Self> {
        (Self::MIN..=Self::MAX).contains(&Self(log_n)).then_some(Self(log_n))
    }

    /// The power of two.
    pub const fn log_n(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_file_it_is_the_first_line() {
        for (content, wanted) in [
            ("secret", "secret"),
            ("secret\n", "secret"),
            ("secret\r\nnot this\n", "secret"),
            (" two words \n\n", " two words "),
            ("\u{feff}secret\n", "secret"),
            ("", ""),
        ] {
            let read = read_first_line(content.as_bytes()).expect("a passphrase");
            assert_eq!(read.expose(), wanted, "{content:?}");
        }
        let longest = "x".repeat(MAX_LEN);
        let read = read_first_line(format!("{longest}\nmore").as_bytes()).expect("a passphrase");
        assert_eq!(read.expose(), longest);
        assert!(read_first_line(format!("{longest}x").as_bytes()).is_err());
        assert!(read_first_line(io::repeat(b'x')).is_err(), "and no more is read");
        assert!(read_first_line(&b"\xff\n"[..]).is_err());
        let error = read_first_line(&b"\xff\xfep\0w\0\n\0"[..]).expect_err("UTF-16");
        assert!(error.to_string().contains("UTF-16; save it as UTF-8"), "{error}");
    }

    #[test]
    fn what_follows_the_line_is_left() {
        let mut input = &b"secret\n{}\n"[..];
        read_first_line(&mut input).expect("a passphrase");
        assert_eq!(input, b"{}\n");
    }

    #[test]
    fn a_fault_names_the_file() {
        let error = Passphrase::given(Some(Path::new("absent/pw")), "NONE").expect_err("no file");
        assert!(error.to_string().starts_with("absent/pw: "), "{error}");
        assert_eq!(Passphrase::given(None, "TAIINET_NO_SUCH_VARIABLE").expect("none"), None);
    }
}
