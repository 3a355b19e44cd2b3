//! Detached signatures as text.
//!
//! ```text
//! taiinet signature 1
//! signer: tn1…
//! signature: …
//! ```
//!
//! The first line names the format and its version, `signer` is the peer id, `signature` the 64
//! bytes of the Ed25519 signature in base64 (RFC 4648, padded). What is signed is the string
//! `taiinet/1 file` followed by the 32-byte BLAKE3 hash of the file.

use core::fmt;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

use crate::{PeerId, PeerIdError, Signature};

const TITLE: &str = "taiinet signature";
const VERSION: &str = "1";
/// Longest signature file that is read, in bytes. Real ones have less than 200.
pub const MAX_LEN: usize = 4096;

/// A signature, and the peer that claims it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureFile {
    /// The peer that claims to have signed.
    pub signer: PeerId,
    /// Over the file, in [`Domain::File`](crate::Domain::File).
    pub signature: Signature,
}

impl SignatureFile {
    /// Reads one; nothing may stand behind it.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > MAX_LEN {
            return Err(Malformed::Form);
        }
        let mut lines = text.trim().lines().map(str::trim_end);
        let version = lines.next().and_then(|line| line.strip_prefix(TITLE));
        match version.and_then(|rest| rest.strip_prefix(' ')) {
            Some(VERSION) => {}
            Some(other) if other.parse::<u32>().is_ok() => return Err(Malformed::Version),
            _ => return Err(Malformed::Form),
        }
        let mut field = |name: &str| {
            lines.next().and_then(|line| line.strip_prefix(name)).ok_or(Malformed::Form)
        };
        let signer = field("signer: ")?.parse().map_err(Malformed::Signer)?;
        let signature = BASE64.decode(field("signature: ")?).map_err(|_| Malformed::Form)?;
        let signature = Signature::try_from(&signature[..]).map_err(|_| Malformed::Form)?;
        if lines.next().is_some() {
            return Err(Malformed::Form);
        }
        Ok(Self { signer, signature })
    }
}

impl fmt::Display for SignatureFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{TITLE} {VERSION}")?;
        writeln!(f, "signer: {}", self.signer)?;
        writeln!(f, "signature: {}", BASE64.encode(self.signature.as_bytes()))
    }
}

/// Why a text is no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Something else, or a part is missing.
    #[error("not a signature of `taiinet-keys sign`, or damaged")]
    Form,
    /// A later version of the format.
    #[error("a signature in a newer form than this program knows")]
    Version,
    /// The signer is no usable key.
    #[error("its signer is damaged: {0}")]
    Signer(PeerIdError),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Domain, Identity, Seed};

    fn example() -> SignatureFile {
        let identity = Identity::from_seed(&Seed::from_bytes([1; 32]));
        let signature = identity.sign(Domain::File, b"hello\n");
        SignatureFile { signer: identity.peer_id(), signature }
    }

    #[test]
    fn text_and_back() {
        let text = example().to_string();
        assert_eq!(SignatureFile::parse(&text), Ok(example()));
        assert_eq!(SignatureFile::parse(&text.replace('\n', "\r\n")), Ok(example()));
        assert_eq!(SignatureFile::parse(&format!("\n{text}\n")), Ok(example()));
    }

    #[test]
    fn everything_else_is_refused() {
        let text = example().to_string();
        assert_eq!(
            SignatureFile::parse(&text.replacen('1', "2", 1)),
            Err(Malformed::Version),
            "a newer version"
        );
        let signer = text.replacen("tn1", "tn1q", 1);
        assert!(matches!(SignatureFile::parse(&signer), Err(Malformed::Signer(_))));
        for broken in [
            String::new(),
            "hello".to_owned(),
            text.replacen("signer", "Signer", 1),
            text.replacen("signature: ", "signature: A", 1),
            format!("{text}more\n"),
            format!("{text}{}", " \n".repeat(MAX_LEN)),
            text.lines().take(2).collect::<Vec<_>>().join("\n"),
        ] {
            assert_eq!(SignatureFile::parse(&broken), Err(Malformed::Form), "{broken}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in any::<String>()) {
            let _ = SignatureFile::parse(&text);
            let _ = SignatureFile::parse(&format!("{TITLE} {VERSION}\nsigner: {text}"));
        }
    }
}
