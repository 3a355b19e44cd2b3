//! Keys that are sound, however they are laid out (RFC 7468, section 2: "parsers MAY handle other line
//! sizes", "ignore whitespace", and text outside).

use super::*;

fn text(name: &str) -> String {
    fs::read_to_string(data("keys").join(name)).expect("a file")
}

fn open(text: &str) -> Result<PeerId, KeyFileError> {
    let file = KeyFile::parse(text.as_bytes())?;
    Ok(file.unlock(|| Ok(passphrase("correct horse")))?.peer_id())
}

/// The files of other programs and whose keys they hold.
const KEYS: [(&str, &str); 3] =
    [("pkcs8.pem", PKCS8), ("openssh", OPENSSH), ("age-of-openssh.txt", OPENSSH)];

/// The same key with lines of another length, each behind and before something, and a text around.
fn laid_out(pem: &str, width: usize, around: [&str; 2], ends: &str, outside: [&str; 2]) -> String {
    let mut lines = pem.trim().lines();
    let (first, last) = (lines.next().expect("a line"), lines.next_back().expect("a line"));
    let body: Vec<char> = lines.flat_map(str::chars).collect();
    let body = body.chunks(width).map(|line| line.iter().collect());
    let lines = std::iter::once(first.to_owned()).chain(body).chain([last.to_owned()]);
    let [before, after] = around;
    let lines = lines.map(|line| format!("{before}{line}{after}{ends}"));
    format!("{}{ends}{}{}", outside[0], lines.collect::<String>(), outside[1])
}

#[test]
fn layouts_that_people_and_programs_leave_are_read() {
    for (name, key) in KEYS {
        let expected = PeerId::from_bytes(hex_array(key));
        for (width, around, ends, outside) in [
            (32, ["", ""], "\n", ["", ""]),
            (10_000, ["", ""], "\n", ["", ""]),
            (1, ["", ""], "\n", ["", ""]),
            (64, ["", " \t"], "\n", ["", ""]),
            (64, ["  ", ""], "\n", ["", ""]),
            (64, ["", ""], "\r\n", ["", ""]),
            (64, ["", ""], "\r", ["", ""]),
            (64, ["", ""], "\n\n", ["", ""]),
            (64, ["", ""], "\n", ["# my key", ""]),
            (64, ["", ""], "\n", ["", "\n\n# a note\n"]),
            (64, ["", ""], "\n", ["Bag Attributes\n    localKeyID: 01\nKey Attributes", "end"]),
            (64, ["", ""], "\n", ["\u{feff}", ""]),
            (
                64,
                ["", ""],
                "\n",
                ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", ""],
            ),
        ] {
            let layout = laid_out(&text(name), width, around, ends, outside);
            let opened = open(&layout);
            assert_eq!(opened.expect(&layout), expected, "{name}\n{layout}");
        }
        let latin_1 = [&b"Schl\xfcssel\n"[..], text(name).as_bytes()].concat();
        KeyFile::parse(&latin_1).expect("a key behind a text that is no UTF-8");
        let marked = format!("\u{feff}{}", text(name));
        assert_eq!(open(&marked).expect("a key"), expected, "{name}");
    }
}

#[test]
fn of_several_private_keys_none_is_chosen() {
    let two = text("pkcs8.pem") + &text("openssh");
    let error = open(&two).expect_err("which?");
    assert!(error.to_string().contains("several private keys"), "{error}");
    // A key that is cut off takes nothing from the next.
    let cut = text("pkcs8.pem").replace("-----END", "-----");
    for broken in [cut.clone(), cut + &text("pkcs8.pem")] {
        let error = open(&broken).expect_err("cut off");
        assert!(matches!(error, KeyFileError::Damaged(_)), "{error:?}");
    }
}

/// PKCS#8 around the seed 07…07, by its parts (RFC 5958): the version and what follows the key.
fn pkcs8(version: u8, after: &[u8]) -> String {
    let mut body = vec![0x02, 0x01, version, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
    body.extend([0x04, 0x22, 0x04, 0x20]);
    body.extend(identity(7).seed().expose());
    body.extend(after);
    let len = u8::try_from(body.len()).expect("short");
    let head = if len < 0x80 { vec![0x30, len] } else { vec![0x30, 0x81, len] };
    let pem = BASE64.encode([head, body].concat());
    format!("-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n")
}

#[test]
fn all_forms_of_pkcs8_that_programs_write_are_read() {
    let public = |id: PeerId| id.as_bytes().to_vec();
    let own = public(identity(7).peer_id());
    let implicit = |key: &[u8]| [&[0x81, 0x21, 0x00], key].concat();
    let explicit = |key: &[u8]| [&[0xa1, 0x23, 0x03, 0x21, 0x00], key].concat();
    let attributes = [0xa0, 0x04, 0x30, 0x02, 0x05, 0x00];
    for version in [0, 1] {
        for after in [
            vec![],
            implicit(&own),
            explicit(&own),
            attributes.to_vec(),
            [&attributes[..], &implicit(&own)].concat(),
            [&attributes[..], &explicit(&own)].concat(),
        ] {
            let opened = open(&pkcs8(version, &after));
            assert_eq!(opened.expect("a key"), identity(7).peer_id(), "{version} {after:x?}");
        }
        // Which of the two would be meant?
        let other = public(identity(8).peer_id());
        for after in [
            implicit(&other),
            explicit(&other),
            implicit(&own[1..]),
            explicit(&own[1..]),
            [&[0x81, 0x21, 0x01], &own[..]].concat(),
            vec![0x00],
            vec![0x30, 0x00],
        ] {
            let error = open(&pkcs8(version, &after)).expect_err("inconsistent");
            assert!(matches!(error, KeyFileError::Damaged(_)), "{version} {after:x?}: {error:?}");
        }
    }
    assert!(matches!(open(&pkcs8(2, &[])), Err(KeyFileError::Damaged(_))), "a later version");
}

#[test]
fn der_is_named_with_what_to_do() {
    let der: Vec<u8> = [&[0x30, 0x2e, 0x02, 0x01][..], &[0xff; 44]].concat();
    let error = KeyFile::parse(&der).expect_err("no text");
    assert!(error.to_string().contains("(DER)") && error.next_step().contains("-inform DER"));
}

#[test]
fn a_cipher_that_is_not_known_is_no_wrong_passphrase() {
    let error = load(&data("keys/openssh-3des-passphrase"), never).expect_err("3DES");
    assert!(error.to_string().contains("3des-cbc"), "{error}");
    assert!(error.next_step().contains("ssh-keygen -p -Z aes256-ctr -f FILE"), "{error:?}");
    // One that nobody knows.
    let mut der = base64_of_pem::dearmor(&text("openssh-3des-passphrase"));
    let at = der.windows(8).position(|name| name == b"3des-cbc").expect("the cipher's name");
    der[at..at + 8].copy_from_slice(b"9des-cbc");
    let error = KeyFile::parse(base64_of_pem::armor(&der).as_bytes()).expect_err("unknown");
    assert!(matches!(error, KeyFileError::Cipher(_)), "{error:?}");
}

proptest! {
    /// However it is laid out, it is the same key.
    #[test]
    fn no_layout_changes_the_key(
        which in 0..KEYS.len(),
        width in 1_usize..200,
        before in "[ \t]{0,3}",
        after in "[ \t]{0,3}",
        ends in "(\n|\r\n|\r){1,3}",
        first in "[^-]{0,40}",
        last in "[^-]{0,40}",
    ) {
        let (name, key) = KEYS[which];
        let layout =
            laid_out(&text(name), width, [&before, &after], &ends, [&first, &last]);
        let opened = open(&layout);
        prop_assert_eq!(opened.expect("a key"), PeerId::from_bytes(hex_array(key)), "{}", layout);
    }
}
