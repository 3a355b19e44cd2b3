//! What several test modules use.

use crate::{Identity, Seed};

/// The bytes that a text in hexadecimal stands for.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| {
            let pair = core::str::from_utf8(pair).expect("hexadecimal is ASCII");
            u8::from_str_radix(pair, 16).expect("hexadecimal digits")
        })
        .collect()
}

/// As [`hex`], of a known length.
pub(crate) fn hex_array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().expect("the length that the vector promises")
}

/// One of a few well-known identities.
pub(crate) fn identity(n: u8) -> Identity {
    Identity::from_seed(&Seed::from_bytes([n; 32]))
}

/// Panics if what something prints of itself has a part of a secret in it, in any of the forms in which
/// bytes are printed: decimal (as a derived `Debug` prints them), hexadecimal, base64, bech32.
pub(crate) fn assert_prints_nothing_of(secret: &[u8], shown: &impl core::fmt::Debug) {
    for shown in [format!("{shown:?}"), format!("{shown:#?}")] {
        if let Some(form) = printed_form(secret, &shown) {
            panic!("{form} is in {shown}");
        }
    }
}

/// The part of a secret that is in a text, if there is one: four bytes of it are enough.
fn printed_form(secret: &[u8], shown: &str) -> Option<String> {
    use base64::Engine as _;
    let dense: String = shown.chars().filter(|char| !char.is_whitespace()).collect();
    let lower = dense.to_lowercase();
    let found = |form: String| dense.contains(&form).then_some(form);
    let any_case = |form: String| lower.contains(&form).then_some(form);
    let joined = |part: &[u8], separator: &str, form: &dyn Fn(&u8) -> String| {
        part.iter().map(form).collect::<Vec<_>>().join(separator)
    };
    let bytes = secret.windows(4).find_map(|part| {
        found(joined(part, ",", &|byte| byte.to_string()))
            .or_else(|| any_case(joined(part, "", &|byte| format!("{byte:02x}"))))
            .or_else(|| any_case(joined(part, ",", &|byte| format!("{byte:02x}"))))
            .or_else(|| any_case(joined(part, ",", &|byte| format!("{byte:x}"))))
            .or_else(|| any_case(joined(part, ",", &|byte| format!("0x{byte:02x}"))))
            .or_else(|| found(String::from_utf8_lossy(part).into_owned()))
    });
    let alphabets =
        [base64::engine::general_purpose::STANDARD, base64::engine::general_purpose::URL_SAFE];
    let base64 = || {
        // Six bytes are eight characters, wherever the encoding began.
        let mut parts = secret
            .windows(6)
            .flat_map(|part| alphabets.iter().map(move |alphabet| alphabet.encode(part)));
        parts.find_map(found)
    };
    let bech32 = || {
        let text =
            bech32::encode_lower::<bech32::NoChecksum>(bech32::Hrp::parse_unchecked("x"), secret);
        let text = text.expect("short").split_off(2);
        let parts: Vec<String> = text
            .as_bytes()
            .windows(8)
            .map(|part| String::from_utf8_lossy(part).into_owned())
            .collect();
        parts.into_iter().find_map(any_case)
    };
    bytes.or_else(base64).or_else(bech32)
}

/// The check itself notices what it is there for.
#[test]
fn what_prints_a_secret_is_noticed() {
    use base64::Engine as _;
    #[derive(Debug)]
    struct Leak {
        _secret: [u8; 32],
    }
    let secret: [u8; 32] = core::array::from_fn(|i| (i as u8).wrapping_mul(37) ^ 0x5a);
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let leaks = [
        format!("{:?}", Leak { _secret: secret }),
        format!("{:#?}", Leak { _secret: secret }),
        format!("{secret:02x?}"),
        format!("{secret:X?}"),
        format!("Key({})", &hex[8..20]),
        hex.to_uppercase(),
        base64::engine::general_purpose::STANDARD.encode(secret),
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&secret[1..]),
        bech32::encode_upper::<bech32::Bech32>(bech32::Hrp::parse_unchecked("KEY-"), &secret)
            .expect("short"),
    ];
    for leak in leaks {
        assert!(printed_form(&secret, &leak).is_some(), "{leak}");
    }
    assert_eq!(printed_form(&secret, "Leak { peer: tn1qqqsyqcyq5rqwzqfpg9scrgw }"), None);
}
