//! Text as editors leave it: UTF-8, which may begin with a byte order mark.
//!
//! Whatever of ours reads a text from a file or from standard input reads it through here.

/// What Windows' editors write before UTF-8 (U+FEFF): it says nothing, and is no part of the text.
pub const BOM: &str = "\u{feff}";
const UTF_16: [[u8; 2]; 2] = [[0xff, 0xfe], [0xfe, 0xff]];

/// Why a text cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It begins with the byte order mark of UTF-16.
    #[error("this is UTF-16; save it as UTF-8")]
    Utf16,
    /// It has bytes that UTF-8 has not.
    #[error("this is not UTF-8; save it as UTF-8")]
    NotUtf8,
}

/// The text without its byte order mark.
///
/// # Errors
/// [`TextError`]
pub fn utf8(bytes: &[u8]) -> Result<&str, TextError> {
    std::str::from_utf8(without_bom(bytes)?).map_err(|_| TextError::NotUtf8)
}

/// The same, where what follows is not looked at, or comes later.
///
/// # Errors
/// [`TextError::Utf16`]
pub fn without_bom(bytes: &[u8]) -> Result<&[u8], TextError> {
    if UTF_16.iter().any(|mark| bytes.starts_with(mark)) {
        return Err(TextError::Utf16);
    }
    Ok(bytes.strip_prefix(BOM.as_bytes()).unwrap_or(bytes))
}

#[cfg(feature = "keyfile")]
impl From<TextError> for std::io::Error {
    fn from(error: TextError) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, error)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_mark_is_taken_off_and_utf_16_is_named() {
        for (bytes, text) in [
            (&b""[..], Ok("")),
            (b"\xef\xbb\xbf", Ok("")),
            (b"\xef\xbb\xbfa", Ok("a")),
            (b"a\xef\xbb\xbf", Ok("a\u{feff}")),
            (b"\xef\xbb\xbf\xef\xbb\xbfa", Ok("\u{feff}a")),
            (b"\xef\xbb", Err(TextError::NotUtf8)),
            (b"\xff", Err(TextError::NotUtf8)),
            (b"\xff\xfea\0", Err(TextError::Utf16)),
            (b"\xfe\xff\0a", Err(TextError::Utf16)),
        ] {
            assert_eq!(utf8(bytes), text, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn all_else_stays_as_it_is(text: String) {
            let marked = format!("{BOM}{text}");
            prop_assert_eq!(utf8(marked.as_bytes()), Ok(&*text));
            let without = text.strip_prefix(BOM).unwrap_or(&text);
            prop_assert_eq!(utf8(text.as_bytes()), Ok(without));
        }
    }
}
