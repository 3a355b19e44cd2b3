//! What users bring: names, signatures, keys, sealed files.

use taiinet_identity::{PeerId, keyfile::KeyFile, sealed_file, signature_file::SignatureFile};

use crate::fixture::identity;

/// A peer's name as text.
pub(super) fn peer_id(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(peer) = text.parse::<PeerId>() else { return };
    assert!(peer.public_key().is_ok());
    assert_eq!(peer.to_string().parse(), Ok(peer));
    assert_eq!(peer.to_did_key().parse(), Ok(peer));
    // One peer, one name: but for capitals, and the other form.
    let written = text.to_ascii_lowercase();
    assert!(written == peer.to_string() || *text == peer.to_did_key(), "{text}");
}

/// A signature of a file.
pub(super) fn signature_file(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(file) = SignatureFile::parse(&text) {
        assert_eq!(SignatureFile::parse(&file.to_string()), Ok(file));
    }
}

/// A key file. No passphrase is tried: that is slow on purpose.
pub(super) fn key_file(data: &[u8]) {
    if let Ok(file) = KeyFile::parse(data) {
        let no = || Err(std::io::Error::other("no user is asked"));
        let _ = file.unlock(no);
    }
}

/// A sealed file.
pub(super) fn sealed_file(data: &[u8]) {
    let mut content = Vec::new();
    let opened = sealed_file::open(&identity(2), data, &mut content);
    assert!(content.len() < data.len().max(1));
    if let Ok(length) = opened {
        assert_eq!(length, content.len() as u64);
    }
}
