//! What a peer holds of the heap, against the bounds on it.
//!
//! One test alone, because the allocator counts for the whole process.

use std::{alloc::System, sync::Arc};

use cap::Cap;
use taiinet_document::{Content, Document, Map, Value, VerifiedDocument, limits as documents};
use taiinet_identity::{Identity, Seed};
use taiinet_mesh::{Config, Peer, PublishError, Quota, Time, limits};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

const NOW: Time = Time::from_millis(1_800_000_000_000);

/// A document of 65 kB or less that takes megabytes when it is decoded.
fn dear(author: &Identity, nonce: u32) -> VerifiedDocument {
    let dear = Value::Map(Map::from([(String::new(), Value::Null)]));
    let maps = (documents::VALUES - 2) / 2;
    let document = Document {
        network: "test".parse().expect("a name"),
        created_at: NOW.timestamp(),
        nonce,
        expires_at: None,
        key: None,
        next_key: None,
        content: Content::Open(Map::from([("list".to_owned(), Value::List(vec![dear; maps]))])),
    };
    VerifiedDocument::sign(author, document).expect("within the limits")
}

/// The store and the outbox used to keep decoded documents and count their bytes on the wire: one author's
/// quota took gigabytes.
#[test]
fn a_peer_holds_no_more_than_its_bounds_say() {
    let author = Identity::from_seed(&Seed::from_bytes([1; 32]));
    let mut config = Config::new("test".parse().expect("a name"));
    config.quota = Quota::UNBOUNDED;
    config.store_bytes = 1024 * 1024;
    let bound = config.store_bytes + limits::OUTBOX_BYTES;
    let mut peer = Peer::new(author.clone(), config, [1; 32], NOW);
    let size = dear(&author, 0).heap_size();
    let before = HEAP.allocated();
    let mut published = 0;
    loop {
        let document = Arc::new(dear(&author, published));
        match peer.publish_signed(document, NOW) {
            Ok(_) => published += 1,
            Err(PublishError::Busy) => break,
            Err(error) => panic!("{error}"),
        }
        while peer.poll_output(NOW).is_some() {}
        let held = HEAP.allocated().saturating_sub(before);
        assert!(held <= bound + bound / 8, "{held} bytes after {published} documents");
    }
    assert!(published as usize * size > 20 * bound, "decoded they would take far more");
}
