//! What a peer holds of the heap, against the bounds on it.

use std::sync::Arc;

use allocation_counter::measure;
use taiinet_document::{Content, Document, Map, Value, VerifiedDocument, limits as documents};
use taiinet_identity::{Identity, Seed};
use taiinet_mesh::{Config, Peer, PublishError, Quota, Time, limits};

const NOW: Time = Time::from_millis(1_800_000_000_000);

/// A document of 65 kB or less that takes megabytes when it is decoded.
fn expensive(author: &Identity, nonce: u32) -> VerifiedDocument {
    let expensive = Value::Map(Map::from([(String::new(), Value::Null)]));
    let maps = (documents::VALUES - 2) / 2;
    let document = Document {
        network: "test".parse().expect("a name"),
        created_at: NOW.timestamp(),
        nonce,
        expires_at: None,
        key: None,
        next_key: None,
        content: Content::Open(Map::from([(
            "list".to_owned(),
            Value::List(vec![expensive; maps]),
        )])),
    };
    VerifiedDocument::sign(author, document).expect("within the limits")
}

/// Recent and untaken documents used to be kept decoded and counted by their bytes on the wire: one
/// author's quota took gigabytes.
#[test]
fn a_peer_holds_no_more_than_its_bounds_say() {
    let author = Identity::from_seed(&Seed::from_bytes([1; 32]));
    let mut config = Config::new("test".parse().expect("a name"));
    config.quota = Quota::UNBOUNDED;
    config.store_bytes = 1024 * 1024;
    let bound = config.store_bytes + limits::UNTAKEN_BYTES;
    let most = i64::try_from(bound + bound / 8).expect("a few megabytes");
    let mut peer = Peer::new(author.clone(), config, [1; 32], NOW);
    let size = expensive(&author, 0).heap_size();
    let (mut held, mut published, mut full) = (0, 0, false);
    while !full {
        let step = measure(|| {
            let document = Arc::new(expensive(&author, published));
            match peer.publish_signed(document, NOW) {
                Ok(_) => published += 1,
                Err(PublishError::Busy) => full = true,
                Err(error) => panic!("{error}"),
            }
            while peer.poll_output(NOW).is_some() {}
        });
        held += step.bytes_current;
        assert!(held <= most, "{held} bytes after {published} documents");
    }
    assert!(published as usize * size > 20 * bound, "decoded they would take far more");
}
