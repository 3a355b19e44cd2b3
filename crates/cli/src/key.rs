//! The key of a document, as arguments name it and as JSON shows it.

use serde_json::Value;
use taiinet::{Key, PeerId, PeerSet, Writers};

/// Who writes under a key, on the command line, if anyone may.
const ANYONE: &str = "anyone";

/// `anyone`, or peers with commas between them.
pub(crate) fn writers(text: &str) -> Result<Writers, String> {
    if text.trim() == ANYONE {
        return Ok(Writers::Anyone);
    }
    let peer = |name: &str| match name.trim() {
        ANYONE => Err(format!("`{ANYONE}` stands alone")),
        name => name.parse::<PeerId>().map_err(|error| format!("`{name}`: {error}")),
    };
    let peers = text.split(',').map(peer).collect::<Result<Vec<_>, _>>()?;
    PeerSet::new(peers).map(Writers::Peers).map_err(|error| error.to_string())
}

/// A version of whose document it is, and who else writes versions of it; clap lets only one of both through.
pub(crate) fn key(name: &str, writers: Option<&Writers>, of: Option<PeerId>) -> Key {
    match (writers, of) {
        (_, Some(owner)) => Key::of(name, owner),
        (Some(writers), None) => Key::shared(name, writers.clone()),
        (None, None) => Key::new(name),
    }
}

/// `"anyone"`, or a list of names.
pub(crate) fn writers_json(writers: &Writers) -> Value {
    match writers {
        Writers::Anyone => ANYONE.into(),
        Writers::Peers(peers) => peers.iter().map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
mod tests {
    use taiinet_identity::{Identity, Seed};

    use super::*;

    fn names(count: u8) -> Vec<String> {
        let identity = |byte| Identity::from_seed(&Seed::from_bytes([byte; 32]));
        (0..count).map(|byte| identity(byte).peer_id().to_string()).collect()
    }

    #[test]
    fn writers_are_anyone_or_peers() {
        assert_eq!(writers("anyone"), Ok(Writers::Anyone));
        let two = names(2).join(", ");
        let said = writers_json(&writers(&two).expect("two"));
        assert_eq!(said.as_array().map(Vec::len), Some(2));
        assert_eq!(writers_json(&Writers::Anyone), "anyone");
        let with_anyone = format!("anyone,{}", names(1)[0]);
        for (wrong, says) in [
            ("", "not a peer id"),
            ("tn1nobody", "`tn1nobody`"),
            (&with_anyone, "stands alone"),
            (&names(65).join(","), "64"),
        ] {
            let error = writers(wrong).expect_err(wrong);
            assert!(error.contains(says), "{error}");
        }
    }
}
