use proptest::prelude::*;

use super::*;
use crate::test_util::{hex_array, identity};

/// The key of RFC 8032's first vector in all its text forms. The `did:key` form is the one that
/// other implementations give for it.
const RAW: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const TEXT: &str = "tn16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydq3vgqkd";
const DID: &str = "did:key:z6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw";

#[test]
fn one_key_in_all_its_forms() {
    let id = PeerId::from_bytes(hex_array(RAW));
    assert_eq!(id.to_string(), TEXT);
    assert_eq!(id.to_did_key(), DID);
    for text in [TEXT, DID, &TEXT.to_uppercase()] {
        assert_eq!(text.parse(), Ok(id), "{text}");
    }
}

/// `did:key` method, section "Ed25519" of its test vectors.
#[test]
fn reads_the_did_keys_of_the_specification() {
    for did in [
        "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
        "did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG",
        "did:key:z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf",
    ] {
        let id: PeerId = did.parse().expect("a did:key");
        assert_eq!(id.to_did_key(), did);
    }
    // secp256k1 and X25519 keys.
    for did in [
        "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
        "did:key:z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F",
    ] {
        assert_eq!(did.parse::<PeerId>(), Err(PeerIdError::NotEd25519), "{did}");
    }
}

/// BIP 350's valid and invalid bech32m strings: the checksum is theirs, and none is a peer.
#[test]
fn bech32m_of_others_is_no_peer() {
    for valid in [
        "A1LQFN3A",
        "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
        "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
        "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
        "?1v759aa",
    ] {
        assert_eq!(valid.parse::<PeerId>(), Err(PeerIdError::Prefix), "{valid}");
    }
    for invalid in [
        "qyrz8wqd2c9m",
        "1qyrz8wqd2c9m",
        "y1b0jsk6g",
        "lt1igcx5c0",
        "in1muywd",
        "mm1crxm3i",
        "au1s5cgom",
        "M1VUXWEZ",
        "16plkw9",
        "1p2gdwpf",
        "tn1",
        "tn",
        "1",
        "",
        "did:key:z",
        "did:key:",
    ] {
        assert!(invalid.parse::<PeerId>().is_err(), "{invalid}");
    }
    // The older checksum (BIP 173) does not count.
    let old = bech32::encode::<bech32::Bech32>(Hrp::parse_unchecked("tn"), &[7; 32]).expect("text");
    assert_eq!(old.parse::<PeerId>(), Err(PeerIdError::Form));
}

#[test]
fn every_single_typing_error_is_noticed() {
    for n in 0..3 {
        let text = identity(n).peer_id().to_string();
        for at in 0..text.len() {
            for other in (0x20..0x7f).map(char::from) {
                let mut typo: Vec<char> = text.chars().collect();
                if typo[at] == other {
                    continue;
                }
                typo[at] = other;
                let typo: String = typo.into_iter().collect();
                assert!(typo.parse::<PeerId>().is_err(), "{typo}");
            }
            // One character missing, twice, or swapped with the next.
            let (before, rest) = text.split_at(at);
            let (this, after) = rest.split_at(1);
            assert!(format!("{before}{after}").parse::<PeerId>().is_err());
            assert!(format!("{before}{this}{rest}").parse::<PeerId>().is_err());
            if let Some(next) = after.chars().next().filter(|next| !this.starts_with(*next)) {
                let swapped = format!("{before}{next}{this}{}", &after[1..]);
                assert!(swapped.parse::<PeerId>().is_err(), "{swapped}");
            }
        }
    }
}

/// 52 characters hold 260 bits. If the spare four counted for nothing, one peer had sixteen names.
#[test]
fn a_peer_has_one_name_only() {
    use bech32::{
        Fe32,
        primitives::iter::{ByteIterExt, Fe32IterExt},
    };
    let id = identity(1).peer_id();
    let mut symbols: Vec<Fe32> = id.as_bytes().iter().copied().bytes_to_fes().collect();
    let last = symbols.pop().expect("52 symbols").to_u8();
    for padding in 0..16 {
        symbols.push(Fe32::try_from(last | padding).expect("five bits"));
        let hrp = Hrp::parse_unchecked("tn");
        let text: String = symbols.iter().copied().with_checksum::<Bech32m>(&hrp).chars().collect();
        assert_eq!(text.parse::<PeerId>().is_ok(), padding == 0, "{text}");
        symbols.pop();
    }
}

#[test]
fn overlong_text_is_refused_unread() {
    let text = format!("did:key:z{}", "1".repeat(1_000_000));
    assert_eq!(text.parse::<PeerId>(), Err(PeerIdError::Length));
}

#[test]
fn text_in_json_and_bytes_on_the_wire() {
    let id = identity(1).peer_id();
    let json = serde_json::to_string(&id).expect("json");
    assert_eq!(json, format!("\"{id}\""));
    assert_eq!(serde_json::from_str::<PeerId>(&json).expect("a peer id"), id);
    assert!(serde_json::from_str::<PeerId>("\"tn1qqqq\"").is_err());
    let wire = postcard::to_allocvec(&id).expect("bytes");
    assert_eq!(wire, id.as_bytes());
}

proptest! {
    #[test]
    fn text_round_trip(seed: [u8; 32]) {
        let id = crate::Identity::from_seed(&crate::Seed::from_bytes(seed)).peer_id();
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert_eq!(id.to_did_key().parse(), Ok(id));
        prop_assert!(id.to_string().starts_with(&id.short()));
        prop_assert_eq!(id.to_string().len(), 61);
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        let _ = text.parse::<PeerId>();
        let _ = format!("tn1{text}").parse::<PeerId>();
        let _ = format!("did:key:z{text}").parse::<PeerId>();
    }

    #[test]
    fn what_parses_is_canonical(text in "(tn1[02-9ac-hj-np-z]{58}|did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{44})") {
        if let Ok(id) = text.parse::<PeerId>() {
            prop_assert!(text == id.to_string() || text == id.to_did_key());
            prop_assert!(id.public_key().is_ok());
        }
    }
}
