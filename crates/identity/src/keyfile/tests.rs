mod lax;
mod targets;

use std::{fs, io, path::PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use proptest::prelude::*;

use super::*;
use crate::{
    PeerId,
    test_util::{assert_prints_nothing_of, hex_array, identity},
};

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A passphrase that costs a millisecond.
fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text).with_work_factor(WorkFactor::MIN)
}

fn never() -> io::Result<Passphrase> {
    panic!("the passphrase was asked for without need")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// The keys that `openssl pkey -pubout` and `ssh-keygen -y` say are in the committed files.
const PKCS8: &str = "73c09005abbc77e35d675d9370e11e2569161edd2fb89adcaf6ff91f417a230e";
const OPENSSH: &str = "b5b3e54060e4d6cc332d2117d279473548029d11d49329183b957f20925adf4b";
const OPENSSH_PASSPHRASE: &str = "4d3d63da148d5cc2bc2ed1ac3849ab615379ebf49ed603333c2bf04983d78916";

#[test]
fn reads_the_files_of_openssl_openssh_and_age() {
    for (name, encrypted, expected) in [
        ("pkcs8.pem", false, PKCS8),
        ("openssh", false, OPENSSH),
        ("openssh-passphrase", true, OPENSSH_PASSPHRASE),
        ("age.txt", true, PKCS8),
        ("age-binary.age", true, PKCS8),
        ("age-of-openssh.txt", true, OPENSSH),
    ] {
        let path = data("keys").join(name);
        let file = KeyFile::load(&path).expect(name);
        assert_eq!(file.is_encrypted(), encrypted, "{name}");
        let ask = || if encrypted { Ok(Passphrase::new("correct horse")) } else { never() };
        let identity = load(&path, ask).expect(name);
        assert_eq!(identity.peer_id(), PeerId::from_bytes(hex_array(expected)), "{name}");
    }
}

#[test]
fn a_wrong_passphrase_is_named_as_such() {
    for name in ["openssh-passphrase", "age.txt", "age-binary.age"] {
        for wrong in ["", "correct hors", "correct horse ", "Correct horse"] {
            let opened = load(&data("keys").join(name), || Ok(Passphrase::new(wrong)));
            assert!(matches!(opened, Err(KeyFileError::WrongPassphrase)), "{name}: {opened:?}");
        }
    }
}

#[test]
fn a_passphrase_that_cannot_be_had_is_an_error() {
    let none = || Err(io::Error::other("no terminal"));
    let opened = load(&data("keys/age.txt"), none);
    assert!(matches!(opened, Err(KeyFileError::Passphrase(_))), "{opened:?}");
}

#[test]
fn other_kinds_of_file_are_named() {
    for (name, said) in [
        ("keys/openssh-rsa", "an OpenSSH key of another algorithm"),
        ("keys/openssh-ecdsa-passphrase", "an OpenSSH key of another algorithm"),
        ("keys/openssh.pub", "an OpenSSH public key"),
        ("keys/pkcs8-x25519.pem", "the private key of another algorithm"),
        ("keys/pkcs8-public.pem", "a public key"),
        ("keys/pkcs8-passphrase.pem", "openssl pkey -in"),
        ("keys/rsa.pem", "RSA key"),
        ("keys/rsa.pem", "taiinet-keys generate"),
        ("keys/age-to-a-key.txt", "no passphrase opens"),
        ("keys/age-identity.txt", "an age identity"),
    ] {
        let error = load(&data(name), never).expect_err(name);
        assert!(matches!(error, KeyFileError::WrongKind { .. }), "{name}: {error:?}");
        let said_all = format!("{error}; {}", error.next_step());
        assert!(said_all.contains(said), "{name}: {said_all}");
    }
    for (content, said) in [
        ("# mine\nssh-ed25519 AAAA me\n".to_owned(), "an OpenSSH public key"),
        ("---- BEGIN SSH2 PUBLIC KEY ----\n".to_owned(), "a public key"),
        (identity(1).peer_id().to_string(), "a peer id"),
        ("-----BEGIN \u{1b}[31mEVIL-----\n".to_owned(), "another kind of PEM file"),
    ] {
        let error = KeyFile::parse(content.as_bytes()).expect_err("no key");
        assert!(error.to_string().contains(said), "{error}");
        assert!(!error.to_string().contains('\u{1b}'));
    }
    for content in [&b"hello"[..], b"\xff\xff", b"-----BEGIN "] {
        let error = KeyFile::parse(content).expect_err("no key");
        assert!(matches!(error, KeyFileError::Unrecognised), "{content:?}: {error:?}");
    }
    for content in [&b""[..], b"\n\n", b"\xef\xbb\xbf"] {
        let error = KeyFile::parse(content).expect_err("no key");
        assert!(matches!(error, KeyFileError::Empty), "{content:?}: {error:?}");
    }
    for content in [&b"\xff\xfe-\0"[..], b"\xfe\xff\0-"] {
        let error = KeyFile::parse(content).expect_err("no key");
        assert!(matches!(error, KeyFileError::Utf16), "{content:?}: {error:?}");
    }
}

/// C2SP's test kit for age: one defect a file. Where it says that age must open the file, what comes
/// out is no key.
#[test]
fn agrees_with_the_age_test_kit() {
    let mut seen = 0;
    for entry in fs::read_dir(data("age-testkit")).expect("the kit") {
        let path = entry.expect("a file").path();
        let bytes = fs::read(&path).expect("a file");
        let split = bytes.windows(2).position(|two| two == b"\n\n").expect("a head");
        let head = std::str::from_utf8(&bytes[..split]).expect("text");
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
        let passphrase = passphrase(field("passphrase: ").expect("a passphrase"));
        let opened =
            KeyFile::parse(&bytes[split + 2..]).and_then(|file| file.unlock(|| Ok(passphrase)));
        let error = opened.expect_err("none holds a key");
        let as_expected = match field("expect: ").expect("an expectation") {
            "success" => matches!(error, KeyFileError::Unrecognised),
            // A recipient in capitals is none that age knows.
            "no match" => {
                matches!(error, KeyFileError::WrongPassphrase | KeyFileError::WrongKind { .. })
            }
            "header failure" => matches!(
                error,
                KeyFileError::Damaged(_)
                    | KeyFileError::TooMuchWork
                    | KeyFileError::WrongKind { .. }
            ),
            other => panic!("unknown expectation {other}"),
        };
        assert!(as_expected, "{}: {error:?}", path.display());
        seen += 1;
    }
    assert!(seen >= 25, "only {seen} files");
}

#[test]
fn files_that_ask_for_hours_of_work_are_refused_at_once() {
    let bytes = fs::read(data("age-testkit/scrypt_work_factor_23")).expect("a file");
    let split = bytes.windows(2).position(|two| two == b"\n\n").expect("a head");
    let file = KeyFile::parse(&bytes[split + 2..]).expect("well-formed");
    let error = file.unlock(|| Ok(Passphrase::new("password"))).expect_err("too much");
    assert!(matches!(error, KeyFileError::TooMuchWork), "{error:?}");

    // The same for OpenSSH: raise the rounds (the file's only big-endian 2 behind "bcrypt").
    use base64_of_pem::{armor, dearmor};
    let text = fs::read_to_string(data("keys/openssh-passphrase")).expect("a file");
    let mut der = dearmor(&text);
    let at = der.windows(6).position(|six| six == b"bcrypt").expect("the KDF") + 6 + 4 + 4 + 16;
    assert_eq!(der[at..at + 4], [0, 0, 0, 2]);
    for (rounds, too_much) in [(u32::MAX, true), (openssh::ROUNDS_MAX + 1, true), (0, false)] {
        der[at..at + 4].copy_from_slice(&rounds.to_be_bytes());
        let error = KeyFile::parse(armor(&der).as_bytes()).expect_err("refused");
        assert_eq!(matches!(error, KeyFileError::TooMuchWork), too_much, "{error:?}");
    }
}

/// Just enough to alter what is inside an OpenSSH key.
mod base64_of_pem {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const LABEL: &str = "OPENSSH PRIVATE KEY-----";

    pub(super) fn dearmor(text: &str) -> Vec<u8> {
        let digits = text.lines().filter(|line| !line.starts_with('-')).flat_map(str::bytes);
        let mut out = Vec::new();
        let (mut held, mut bits) = (0_u32, 0);
        for digit in digits.filter(|&digit| digit != b'=') {
            let value = DIGITS.iter().position(|&known| known == digit).expect("base64");
            held = held << 6 | u32::try_from(value).expect("six bits");
            bits += 6;
            if bits >= 8 {
                bits -= 8;
                out.push((held >> bits) as u8);
                held &= (1 << bits) - 1;
            }
        }
        out
    }

    pub(super) fn armor(bytes: &[u8]) -> String {
        let mut digits = String::new();
        for three in bytes.chunks(3) {
            let padded = [three[0], *three.get(1).unwrap_or(&0), *three.get(2).unwrap_or(&0)];
            let value = u32::from_be_bytes([0, padded[0], padded[1], padded[2]]);
            for n in 0..4 {
                let digit = DIGITS[(value >> (18 - 6 * n)) as usize & 63];
                digits.push(if n <= three.len() { char::from(digit) } else { '=' });
            }
        }
        let lines: Vec<&str> =
            digits.as_bytes().chunks(70).map(|line| str::from_utf8(line).expect("ASCII")).collect();
        format!("-----BEGIN {LABEL}\n{}\n-----END {LABEL}\n", lines.join("\n"))
    }
}

#[test]
fn every_form_comes_back_as_the_same_identity() {
    let identity = identity(7);
    let given = passphrase("pässphrase with spaces ");
    for form in [Form::Pkcs8, Form::OpenSsh] {
        for passphrase in [None, Some(&given)] {
            let text = encode(&identity, form, passphrase).expect("text");
            assert!(text.is_ascii() && text.ends_with('\n'));
            let file = KeyFile::parse(text.as_bytes()).expect("a key file");
            assert_eq!(file.is_encrypted(), passphrase.is_some());
            assert_eq!(file.form(), form);
            let opened = file.unlock(|| Ok(given.clone())).expect("the key");
            assert_eq!(opened.seed().expose(), identity.seed().expose(), "{form:?}");
            // With CRLF, as an editor on Windows leaves it, and with space around.
            let crlf = format!("\r\n{}\r\n", text.replace('\n', "\r\n"));
            KeyFile::parse(crlf.as_bytes()).expect("a key file");
        }
        let empty = encode(&identity, form, Some(&passphrase("")));
        assert!(matches!(empty, Err(KeyFileError::EmptyPassphrase)));
    }
    // What is encrypted twice has nothing in common; the plain form is always the same.
    let age = || encode(&identity, Form::Pkcs8, Some(&given)).expect("text");
    assert_ne!(age(), age());
}

#[test]
fn saved_and_loaded_with_mode_600() {
    let folder = folder();
    let path = folder.path().join("me.key");
    let identity = identity(1);
    let given = passphrase("secret");
    save(&path, &identity, Some(&given), Overwrite::Never).expect("saved");
    let loaded = load(&path, || Ok(passphrase("secret"))).expect("loaded");
    assert_eq!(loaded.peer_id(), identity.peer_id());
    assert!(fs::read_to_string(&path).expect("text").starts_with("-----BEGIN AGE ENCRYPTED FILE"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
    }
    let names: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(names.len(), 1, "no temporary file stays: {names:?}");
}

#[test]
fn nothing_is_overwritten_unless_said_so() {
    let folder = folder();
    let path = folder.path().join("me.key");
    fs::write(&path, "precious").expect("written");
    let refused = save(&path, &identity(1), None, Overwrite::Never);
    assert!(matches!(refused, Err(KeyFileError::Exists)), "{refused:?}");
    assert_eq!(fs::read_to_string(&path).expect("text"), "precious");
    save(&path, &identity(1), None, Overwrite::Replace).expect("saved");
    let loaded = load(&path, never).expect("loaded");
    assert_eq!(loaded.peer_id(), identity(1).peer_id());
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

/// Of many writers at once exactly one wins, and the file is that one's.
#[test]
fn two_writers_never_overwrite_each_other() {
    let folder = folder();
    let path = folder.path().join("me.key");
    let winners: Vec<u8> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|n| {
                let path = &path;
                scope.spawn(move || {
                    save(path, &identity(n), None, Overwrite::Never).is_ok().then_some(n)
                })
            })
            .collect();
        writers.into_iter().filter_map(|writer| writer.join().expect("no panic")).collect()
    });
    let [winner] = winners[..] else { panic!("{winners:?} all think that they wrote it") };
    assert_eq!(load(&path, never).expect("a key").peer_id(), identity(winner).peer_id());
}

#[test]
fn what_cannot_be_read_or_written_is_said() {
    let folder = folder();
    let error = KeyFile::load(&folder.path().join("absent")).expect_err("absent");
    assert!(matches!(&error, KeyFileError::Read(cause) if cause.kind() == io::ErrorKind::NotFound));
    let error = KeyFile::load(folder.path()).expect_err("a folder");
    assert!(matches!(error, KeyFileError::Read(_)));
    let nowhere = folder.path().join("no/such/folder/me.key");
    let error = save(&nowhere, &identity(1), None, Overwrite::Never).expect_err("nowhere");
    assert!(matches!(error, KeyFileError::Write(_)));
}

#[test]
fn endless_input_is_not_read_to_its_end() {
    let error = KeyFile::read(io::repeat(b'a')).expect_err("no key");
    assert!(matches!(error, KeyFileError::TooLong));
    let error = KeyFile::parse(&vec![b'\n'; MAX_LEN + 1]).expect_err("no key");
    assert!(matches!(error, KeyFileError::TooLong));
}

/// Wherever a file is cut off, it is refused; never another key, never a panic.
#[test]
fn cut_off_files_are_refused() {
    for name in ["pkcs8.pem", "openssh", "openssh-passphrase", "age.txt", "age-binary.age"] {
        let bytes = fs::read(data("keys").join(name)).expect("a file");
        // The last line's end may be missing.
        for len in 0..bytes.trim_ascii_end().len() {
            let opened = KeyFile::parse(&bytes[..len])
                .and_then(|file| file.unlock(|| Ok(passphrase("correct horse"))));
            assert!(opened.is_err(), "{name} cut to {len}");
        }
    }
}

#[test]
fn keys_whose_halves_do_not_match_are_refused() {
    // The public key within an OpenSSH key stands in it three times; alter the last.
    let text = fs::read_to_string(data("keys/openssh")).expect("a file");
    let mut der = base64_of_pem::dearmor(&text);
    let public: [u8; 32] = hex_array(OPENSSH);
    let at = der.windows(32).rposition(|found| found == public).expect("the public key");
    der[at] ^= 1;
    let error = KeyFile::parse(base64_of_pem::armor(&der).as_bytes()).expect_err("altered");
    assert!(matches!(error, KeyFileError::Damaged(_)), "{error:?}");
}

#[test]
fn debug_and_errors_show_no_secret() {
    let path = data("keys");
    let passphrase = Passphrase::new("correct horse");
    assert_prints_nothing_of(b"correct horse", &passphrase);
    for name in ["openssh", "openssh-passphrase", "pkcs8.pem", "age.txt"] {
        let (file, shown) = (KeyFile::load(&path.join(name)), KeyFile::load(&path.join(name)));
        let seed = file.expect(name).unlock(|| Ok(passphrase.clone())).expect(name).seed();
        let shown = shown.expect(name);
        assert_prints_nothing_of(seed.expose(), &shown);
        assert_prints_nothing_of(b"correct horse", &shown);
        let wrong = shown.unlock(|| Ok(Passphrase::new("hunter2")));
        if let Err(error) = wrong {
            assert_prints_nothing_of(b"hunter2", &error);
        }
        let text = encode(&Identity::from_seed(&seed), Form::Pkcs8, None).expect("a key file");
        let error = KeyFile::parse(text.replace("--END", "-END").as_bytes()).expect_err("cut off");
        assert_prints_nothing_of(seed.expose(), &error);
    }
}

/// As many stanzas as a key file has room for; parsed line by line they took 16 s.
#[test]
fn a_header_of_many_stanzas_takes_no_time() {
    let stanza = b"-> a\n\n";
    let mut file = b"age-encryption.org/v1\n".to_vec();
    file.extend_from_slice(&stanza.repeat(MAX_LEN / stanza.len() - 40));
    file.extend_from_slice(format!("--- {}\n", "A".repeat(43)).as_bytes());
    file.extend_from_slice(&[0; 100]);
    let mut unfinished = b"age-encryption.org/v1\n".to_vec();
    unfinished.extend_from_slice(&stanza.repeat(MAX_LEN / stanza.len() - 10));
    let armored = |bytes: &[u8]| {
        let lines: Vec<_> =
            BASE64.encode(bytes).as_bytes().chunks(64).map(<[u8]>::to_vec).collect();
        let (begin, end) =
            ("-----BEGIN AGE ENCRYPTED FILE-----", "-----END AGE ENCRYPTED FILE-----");
        [begin.as_bytes(), &lines.join(&b'\n'), end.as_bytes()].join(&b'\n')
    };
    let short = armored(&file[file.len() / 3..]);
    assert!(short.len() < MAX_LEN);
    let started = std::time::Instant::now();
    for bytes in [&file, &unfinished, &short] {
        let error = KeyFile::parse(bytes).expect_err("no key file");
        assert!(
            matches!(error, KeyFileError::WrongKind { .. } | KeyFileError::Damaged(_)),
            "{error:?}"
        );
    }
    assert!(started.elapsed().as_secs() < 4, "{:?}", started.elapsed());
}

#[test]
fn work_factors_have_bounds() {
    assert_eq!(WorkFactor::new(9), None);
    assert_eq!(WorkFactor::new(10), Some(WorkFactor::MIN));
    assert_eq!(WorkFactor::new(20), Some(WorkFactor::MAX));
    assert_eq!(WorkFactor::new(21), None);
    // Each of them is accepted again when reading: the header says what was asked for.
    let text = encode(&identity(1), Form::Pkcs8, Some(&passphrase("secret"))).expect("text");
    let file = KeyFile::parse(text.as_bytes()).expect("a file");
    file.unlock(|| Ok(Passphrase::new("secret"))).expect("the key, whatever factor reads it");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
        let _ = KeyFile::parse(&bytes);
        let pem = String::from_utf8_lossy(&bytes);
        for label in ["PRIVATE KEY", "OPENSSH PRIVATE KEY", "AGE ENCRYPTED FILE"] {
            let pem = format!("-----BEGIN {label}-----\n{pem}\n-----END {label}-----\n");
            let _ = KeyFile::parse(pem.as_bytes());
        }
    }

    /// One altered byte gives an error, or (in the PEM's spaces) the same key.
    #[test]
    fn altered_files_never_give_another_key(at in 0_usize..10_000, to: u8) {
        for name in ["pkcs8.pem", "openssh", "age.txt", "age-binary.age"] {
            let mut bytes = fs::read(data("keys").join(name)).expect("a file");
            let at = at % bytes.len();
            bytes[at] = to;
            let opened = KeyFile::parse(&bytes)
                .and_then(|file| file.unlock(|| Ok(passphrase("correct horse"))));
            if let Ok(identity) = opened {
                // PKCS#8 without its public key has no checksum: nothing can notice it there.
                let expected = if name == "openssh" { OPENSSH } else { PKCS8 };
                let same = identity.peer_id() == PeerId::from_bytes(hex_array(expected));
                prop_assert!(same || name == "pkcs8.pem", "{} at {}", name, at);
            }
        }
    }
}
