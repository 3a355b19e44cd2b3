//! The age test kit (c2sp.org/CCTV/age): a file for each defect, run through what opens sealed files.

use std::{fs, io::Read, path::Path};

use sha2::{Digest, Sha256};

use super::*;
use crate::test_util::hex;

/// One file of the kit: what is expected of it, the key, and the sealed file.
struct Case {
    name: String,
    expect: String,
    payload: Option<Vec<u8>>,
    key: Option<String>,
    file: Vec<u8>,
}

impl Case {
    fn read(path: &Path) -> Self {
        let bytes = fs::read(path).expect("a file");
        let split = bytes.windows(2).position(|two| two == b"\n\n").expect("a head");
        let head = std::str::from_utf8(&bytes[..split]).expect("text");
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
        let mut file = bytes[split + 2..].to_vec();
        if field("compressed: ").is_some() {
            let packed = std::mem::take(&mut file);
            flate2::read::ZlibDecoder::new(&packed[..]).read_to_end(&mut file).expect("zlib");
        }
        Self {
            name: path.file_name().expect("a name").to_string_lossy().into_owned(),
            expect: field("expect: ").expect("an expectation").to_owned(),
            payload: field("payload: ").map(hex),
            key: field("identity: ").map(str::to_owned),
            file,
        }
    }
}

/// Where `age` 0.12 takes what the kit has refused: files of old that end a stanza without a short line.
const LEGACY: [&str; 2] = ["stanza_missing_body", "stanza_missing_final_line"];

#[test]
fn agrees_with_the_age_test_kit() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/age-testkit-x25519");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("the kit") {
        let case = Case::read(&entry.expect("a file").path());
        let name = &case.name;
        let key: Option<x25519::Identity> = case.key.as_deref().and_then(|key| key.parse().ok());
        let mut content = Vec::new();
        let key = || key.ok_or(SealedFileError::NotRecipient);
        let opened = open_with(key, &case.file[..], &mut content);
        let holds = match (&case.expect[..], &opened) {
            ("success", Ok(length)) => *length == content.len() as u64,
            ("payload failure", Err(SealedFileError::Altered)) => true,
            ("no match", Err(SealedFileError::NotRecipient)) => true,
            (
                "armor failure" | "header failure" | "HMAC failure",
                Err(
                    SealedFileError::Header
                    | SealedFileError::NotSealed
                    | SealedFileError::NewerVersion
                    | SealedFileError::Altered,
                ),
            ) => true,
            ("header failure", Ok(_)) => LEGACY.contains(&&**name),
            _ => false,
        };
        assert!(holds, "{name}: {} expected, got {opened:?}", case.expect);
        // Nothing is written of a piece that was not verified.
        if let Some(payload) = case.payload {
            assert_eq!(Sha256::digest(&content)[..], payload, "{name}");
        }
        seen += 1;
    }
    assert!(seen >= 95, "only {seen} files");
}
