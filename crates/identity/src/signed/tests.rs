use proptest::prelude::*;

use super::*;
use crate::test_util::identity;

/// Two bodies of the same shape, for two purposes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Presence {
    network: String,
    number: u64,
}

impl Signable for Presence {
    const DOMAIN: Domain = Domain::Presence;
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Welcome {
    network: String,
    number: u64,
}

impl Signable for Welcome {
    const DOMAIN: Domain = Domain::Welcome;
}

fn presence() -> Presence {
    Presence { network: "tweets".to_owned(), number: 7 }
}

fn wire<T>(signed: &Signed<T>) -> Vec<u8> {
    postcard::to_allocvec(signed).expect("bytes")
}

fn unwire<T>(bytes: &[u8]) -> Signed<T> {
    postcard::from_bytes(bytes).expect("signed bytes")
}

#[test]
fn over_the_wire_and_verified() {
    let signed = Signed::new(&identity(1), &presence());
    let arrived: Signed<Presence> = unwire(&wire(&signed));
    assert_eq!(arrived, signed);
    assert_eq!(arrived.peek(), Ok(presence()));
    let verified = arrived.verify().expect("a valid signature");
    assert_eq!(verified.signer(), identity(1).peer_id());
    assert_eq!(*verified, presence());
    assert_eq!(wire(verified.signed()), wire(&signed), "forwarded as it came");
    assert_eq!(verified, Verified::sign(&identity(1), presence()));
}

#[test]
fn signed_for_one_purpose_it_is_nothing_for_another() {
    let bytes = wire(&Signed::new(&identity(1), &presence()));
    let confused: Signed<Welcome> = unwire(&bytes);
    assert!(confused.peek().is_ok(), "the shape alone would not have told them apart");
    assert_eq!(confused.verify(), Err(InvalidSignature));
}

#[test]
fn another_signer_is_refused() {
    let signed = Signed::new(&identity(1), &presence());
    let stolen = Signed { signer: identity(2).peer_id(), ..signed.clone() };
    assert_eq!(stolen.verify(), Err(InvalidSignature));
    let other = identity(2).public_key();
    assert_eq!(signed.clone().verify_with(&other), Err(InvalidSignature));
    let weak = Signed { signer: PeerId::from_bytes([0; 32]), ..signed };
    assert_eq!(weak.verify(), Err(InvalidSignature));
}

/// Bytes behind the body would let one body have many signed forms.
#[test]
fn bytes_left_over_are_refused_though_signed() {
    let identity = identity(1);
    let mut body = postcard::to_allocvec(&presence()).expect("bytes");
    body.push(0);
    let signature = identity.sign(Domain::Presence, &body);
    let signed: Signed<Presence> =
        Signed { signer: identity.peer_id(), signature, body, of: PhantomData };
    assert_eq!(signed.peek(), Err(InvalidSignature));
    assert_eq!(signed.verify(), Err(InvalidSignature));
}

#[test]
fn debug_shows_neither_body_nor_signature() {
    let shown = format!("{:?}", Signed::new(&identity(1), &presence()));
    assert_eq!(shown, format!("Signed(by {}, 8 bytes)", identity(1).peer_id().short()));
}

proptest! {
    #[test]
    fn any_altered_bit_is_noticed(at in 0_usize..1000, bit in 0_u8..8) {
        let signed = Signed::new(&identity(1), &presence());
        let mut bytes = wire(&signed);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let verified = postcard::from_bytes::<Signed<Presence>>(&bytes)
            .is_ok_and(|signed| signed.verify().is_ok());
        // A shorter length only cuts postcard's input; what it then reads was never signed.
        prop_assert!(!verified);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(signed) = postcard::from_bytes::<Signed<Presence>>(&bytes) {
            prop_assert!(signed.verify().is_err());
        }
    }
}
