//! Routing keys, what documents have of them, and sets of them.

use taiinet_mesh::wire::codec;
use taiinet_query::{DocumentKeys, KeySet, RoutingKey, limits::KEY_SET_BYTES};

/// Two sets, what a document has, and keys: whatever is received has one form, and sets of what was received match
/// whatever their keys do.
pub(super) fn routing(data: &[u8]) {
    if let Ok(set) = codec::decode::<KeySet>(data) {
        assert_eq!(codec::decode(&codec::encode(&set)), Ok(set));
    }
    if let Ok(document) = codec::decode::<DocumentKeys>(data) {
        assert_eq!(codec::decode(&codec::encode(&document)), Ok(document));
    }
    type Received = (KeySet, KeySet, DocumentKeys, Vec<RoutingKey>);
    let Ok(received) = codec::decode::<Received>(data) else { return };
    assert_eq!(codec::decode(&codec::encode(&received)).as_ref(), Ok(&received));
    let (one, other, document, keys) = received;
    let is_wanted = keys.iter().any(|key| key.matches(&document));
    for most in [1, 24, 100, 400, KEY_SET_BYTES] {
        let own = KeySet::of(keys.iter().copied(), most);
        assert!(own.wire_bytes() <= most && (!is_wanted || own.matches(&document)));
        let all = KeySet::union([&one, &own, &other], most);
        assert!(all.wire_bytes() <= most && (!is_wanted || all.matches(&document)));
        assert!(keys.iter().all(|key| own.may_hold(key) && all.may_hold(key)));
        assert_eq!(codec::decode(&codec::encode(&all)), Ok(all));
    }
    for key in &keys {
        let wider = key.widened(8);
        assert!(wider.covers(key) && (!key.matches(&document) || wider.matches(&document)));
    }
}
