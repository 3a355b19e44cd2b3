//! Signallers that others have told of, kept in a file from run to run: an address a line.
//!
//! What is in it may be out of date: each signaller must prove its key, and one that does not answer is
//! only tried again later. So a line that is none is passed over.

use std::{fs, io, path::Path};

use taiinet_identity::text;
use taiinet_mesh::{SignallerAddress, limits};
use taiinet_session::json;

use crate::{address::parse_signaller, files};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 64 * 1024;

/// Those in the file; none, if it cannot be read.
pub(crate) fn read(path: &Path) -> Vec<SignallerAddress> {
    let fits = fs::metadata(path).is_ok_and(|metadata| metadata.len() <= LARGEST);
    let bytes = if fits { fs::read(path).unwrap_or_default() } else { Vec::new() };
    let text = text::utf8(&bytes).unwrap_or_default();
    let addresses = text.lines().filter_map(|line| parse_signaller(line).ok());
    addresses.filter(|address| address.pinned.is_some()).take(limits::SIGNALLERS).collect()
}

/// Writes these in place of what was there.
pub(crate) fn write(path: &Path, addresses: &[SignallerAddress]) -> io::Result<()> {
    let text: String = json::addresses(addresses).map(|address| address + "\n").collect();
    files::replace(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use taiinet_identity::PeerId;

    use super::*;

    #[test]
    fn what_is_written_can_be_read_and_what_is_none_is_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("signallers");
        assert_eq!(read(&path), []);
        let address = |host: &str| SignallerAddress {
            url: format!("wss://{host}"),
            pinned: Some(PeerId::from_bytes([1; 32])),
        };
        let addresses = [address("one.example"), address("two.example")];
        write(&path, &addresses).expect("it is written");
        assert_eq!(read(&path), addresses);
        let text = fs::read_to_string(&path).expect("text");
        fs::write(&path, format!("nonsense\nwss://nobody.example\n{text}")).expect("spoilt");
        assert_eq!(read(&path), addresses);
        fs::write(&path, format!("\u{feff}{text}")).expect("as an editor saves it");
        assert_eq!(read(&path), addresses);
    }
}
