use std::{cell::Cell, fs, io::Cursor, path::PathBuf, rc::Rc};

use age::secrecy::ExposeSecret;
use proptest::prelude::*;

use super::*;
use crate::{age_input::HEADER_MAX, test_util::identity};

/// A piece of the content as it stands in a sealed file: with its tag.
const SEALED_PIECE: usize = PIECE + 16;

fn sealed(recipients: &[u8], content: &[u8], form: Form) -> Vec<u8> {
    let ids: Vec<_> = recipients.iter().map(|&n| identity(n).peer_id()).collect();
    let mut sealed = Vec::new();
    let len = seal(&ids, content, &mut sealed, form).expect("sealed");
    assert_eq!(len, content.len() as u64);
    sealed
}

/// What comes out, and what was written until then.
fn opened(n: u8, sealed: &[u8]) -> (Result<u64, SealedFileError>, Vec<u8>) {
    let mut content = Vec::new();
    (open(&identity(n), sealed, &mut content), content)
}

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8).collect()
}

/// Where the content begins: behind the header and 16 bytes of age's nonce.
fn start_of_content(sealed: &[u8]) -> usize {
    let mac = sealed.windows(5).position(|found| found == b"\n--- ").expect("a header");
    mac + 1 + 48 + 16
}

#[test]
fn what_was_sealed_can_be_opened() {
    let lens = [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 7];
    for len in lens {
        let content = content(len);
        for form in [Form::Binary, Form::Text] {
            let sealed = sealed(&[1], &content, form);
            assert_eq!(sealed.is_ascii(), form == Form::Text);
            let (result, got) = opened(1, &sealed);
            assert_eq!(result.expect("opened"), len as u64);
            assert!(got == content, "{len} {form:?}");
        }
    }
    // What is sealed twice has nothing in common but its first line.
    assert_ne!(sealed(&[1], b"hello", Form::Text), sealed(&[1], b"hello", Form::Text));
}

#[test]
fn each_recipient_opens_it_and_nobody_else() {
    let sealed = sealed(&[1, 2, 3], b"dear all", Form::Binary);
    for n in 1..=3 {
        let (result, got) = opened(n, &sealed);
        result.expect("opened");
        assert_eq!(got, b"dear all");
    }
    let (result, got) = opened(4, &sealed);
    assert!(matches!(result, Err(SealedFileError::NotRecipient)), "{result:?}");
    assert!(got.is_empty());
}

#[test]
fn recipients_are_checked_before_anything_is_written() {
    let many = vec![identity(1).peer_id(); RECIPIENTS + 1];
    let unusable = PeerId::from_bytes([0; 32]);
    let mut written = Vec::new();
    let mut refused =
        |ids: &[PeerId]| seal(ids, &b"x"[..], &mut written, Form::Binary).expect_err("refused");
    assert!(matches!(refused(&[]), SealedFileError::NoRecipients));
    assert!(matches!(refused(&many), SealedFileError::TooManyRecipients { recipients: 1001 }));
    let error = refused(&[identity(1).peer_id(), unusable]);
    assert!(matches!(error, SealedFileError::Recipient(id) if id == unusable));
    assert!(recipient(&unusable).is_err());
    assert!(written.is_empty());
}

#[test]
fn as_many_recipients_as_there_may_be() {
    let mut ids = vec![identity(1).peer_id(); RECIPIENTS - 1];
    ids.push(identity(2).peer_id());
    let mut sealed = Vec::new();
    seal(&ids, &b"dear all"[..], &mut sealed, Form::Text).expect("sealed");
    opened(2, &sealed).0.expect("opened");
}

/// `age` opens what is sealed here, and seals what is opened here.
#[test]
fn agrees_with_age() {
    let me = identity(5);
    let key: x25519::Identity = secret_key(&me).parse().expect("an AGE-SECRET-KEY");
    assert!(secret_key(&me).starts_with("AGE-SECRET-KEY-1"));
    assert_eq!(key.to_string().expose_secret(), secret_key(&me).as_str());
    assert_eq!(key.to_public().to_string(), recipient(&me.peer_id()).expect("a recipient"));

    let content = content(PIECE + 100);
    for form in [Form::Binary, Form::Text] {
        let sealed = sealed(&[4, 5], &content, form);
        let got = if form == Form::Text {
            age::decrypt(&key, &sealed).expect("opened")
        } else {
            let mut got = Vec::new();
            let decryptor = age::Decryptor::new(&sealed[..]).expect("an age file");
            let keys = iter::once(&key as &dyn age::Identity);
            decryptor.decrypt(keys).expect("mine").read_to_end(&mut got).expect("opened");
            got
        };
        assert!(got == content);
    }

    let to: x25519::Recipient =
        recipient(&me.peer_id()).expect("a recipient").parse().expect("an age1…");
    for theirs in [
        age::encrypt(&to, &content).expect("sealed"),
        age::encrypt_and_armor(&to, &content).expect("sealed").into_bytes(),
    ] {
        let (result, got) = opened(5, &theirs);
        result.expect("opened");
        assert!(got == content);
    }
}

/// As a mail or an editor leaves it.
#[test]
fn text_with_space_around_and_other_line_ends() {
    let text = String::from_utf8(sealed(&[1], &content(1000), Form::Text)).expect("text");
    let crlf = text.replace('\n', "\r\n");
    let marked = format!("\u{feff}{text}");
    for text in [format!("\n \t\r\n{text}\n\n  \n"), crlf, text.trim_end().to_owned(), marked] {
        let (result, got) = opened(1, text.as_bytes());
        assert_eq!((result.expect("opened"), got), (1000, content(1000)));
    }
    for garbage in [format!("{text}x"), format!("x{text}"), text.replacen('\n', "\n\n", 2)] {
        assert!(opened(1, garbage.as_bytes()).0.is_err(), "{garbage}");
    }
    let utf_16: Vec<u8> =
        format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(matches!(opened(1, &utf_16).0, Err(SealedFileError::Utf16)));
}

/// Everywhere in the header, and at the edges of each piece.
fn places(sealed: &[u8]) -> Vec<usize> {
    let start = start_of_content(sealed);
    let edges = (start..=sealed.len()).step_by(SEALED_PIECE).chain([sealed.len()]);
    let near = edges.flat_map(|edge| [edge - 17, edge - 1, edge, edge + 1, edge + 100]);
    (0..start).chain(near).filter(|&at| at < sealed.len()).collect()
}

#[test]
fn whatever_is_altered_is_noticed() {
    let content = content(3 * PIECE + 1000);
    let whole = sealed(&[1], &content, Form::Binary);
    let start = start_of_content(&whole);
    for at in places(&whole) {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        let (result, got) = opened(1, &altered);
        let error = result.expect_err("altered");
        assert!(content.starts_with(&got), "only what is verified is handed on");
        match at {
            // age's nonce stands between header and content, and the first piece shows it.
            _ if at >= start - 16 => {
                assert!(matches!(error, SealedFileError::Altered), "{at}: {error:?}");
                // The pieces before it, and nothing of its own.
                assert_eq!(got.len(), at.saturating_sub(start) / SEALED_PIECE * PIECE, "{at}");
            }
            0..19 => assert!(matches!(error, SealedFileError::NotSealed), "{at}: {error:?}"),
            _ => assert!(got.is_empty(), "{at}: {error:?}"),
        }
    }
    // Pieces that changed places, are there twice or too many.
    let piece = |n: usize| &whole[start + n * SEALED_PIECE..][..SEALED_PIECE];
    let last = &whole[start + 3 * SEALED_PIECE..];
    let head = &whole[..start];
    for (name, pieces) in [
        ("swapped", vec![head, piece(1), piece(0), piece(2), last]),
        ("twice", vec![head, piece(0), piece(0), piece(1), piece(2), last]),
        ("left out", vec![head, piece(0), piece(2), last]),
        ("the last twice", vec![head, piece(0), piece(1), piece(2), last, last]),
        ("more behind", vec![&whole[..], b"\n"]),
    ] {
        let result = opened(1, &pieces.concat()).0;
        assert!(matches!(result, Err(SealedFileError::Altered)), "{name}: {result:?}");
    }
}

#[test]
fn whatever_is_cut_off_is_noticed() {
    for len in [0, 100, PIECE, 2 * PIECE, 3 * PIECE + 1000] {
        let content = content(len);
        let whole = sealed(&[1], &content, Form::Binary);
        for at in places(&whole) {
            let (result, got) = opened(1, &whole[..at]);
            let error = result.expect_err("cut off");
            assert!(content.starts_with(&got));
            let expected = match at {
                0..19 => matches!(error, SealedFileError::NotSealed),
                _ if at < start_of_content(&whole) => matches!(error, SealedFileError::Header),
                _ => matches!(error, SealedFileError::Altered),
            };
            assert!(expected, "{len} cut to {at}: {error:?}");
        }
        let text = sealed(&[1], &content, Form::Text);
        // The end of the last line may be missing.
        for at in [0, 10, 34, 35, 36, 100, 200, text.len() / 2, text.len() - 36, text.len() - 2] {
            opened(1, &text[..at]).0.expect_err("cut off");
        }
    }
}

#[test]
fn other_files_are_named() {
    let data = |name: &str| {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys");
        fs::read(folder.join(name)).expect("a file")
    };
    let newer = b"age-encryption.org/v2\n-> X25519 abc\n";
    let text_mode = b"age-encryption.org/v1\r\n-> X25519 abc\r\n";
    let error = |sealed: &[u8]| opened(1, sealed).0.expect_err("refused");
    for (sealed, said) in [
        (&b""[..], "no sealed file"),
        (b"   ", "no sealed file"),
        (b"dear all\n", "no sealed file"),
        (&data("pkcs8.pem"), "no sealed file"),
        (newer, "newer version"),
        (text_mode, "its header was altered or cut off"),
        (&data("age.txt"), "by a passphrase (scrypt)"),
        (&data("age-binary.age"), "by a passphrase (scrypt)"),
        (&data("age-to-a-key.txt"), "not sealed to this key"),
    ] {
        let error = error(sealed);
        assert!(error.to_string().contains(said), "{error}");
    }
}

/// Counts what is read, and ends in an error.
struct Counted<R> {
    inner: R,
    read: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.set(self.read.get() + read as u64);
        if self.read.get() > 4 * HEADER_MAX {
            return Err(io::Error::other("it reads on and on"));
        }
        Ok(read)
    }
}

/// `age` on its own would take any of these into memory.
#[test]
fn endless_headers_and_lines_are_not_read_to_their_end() {
    let armor = "-----BEGIN AGE ENCRYPTED FILE-----\n";
    let stanza = "-> X25519 TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc\n\
                  EmECAEcKN+n/Vs9SbWiV+Hu0r+E8R77DdWYyd83nw7U\n";
    let mac = "--- short\n";
    for (start, endless) in [
        ("age-encryption.org/v1\n".to_owned(), "a".to_owned()),
        ("age-encryption.org/".to_owned(), "a".to_owned()),
        ("age-encryption.org/v1\n-> ".to_owned(), "a ".to_owned()),
        ("age-encryption.org/v1\n".to_owned(), stanza.to_owned()),
        ("age-encryption.org/v1\n".to_owned(), "-> a\n\n".to_owned()),
        (format!("age-encryption.org/v1\n{stanza}{mac}"), "a".to_owned()),
        (armor.to_owned(), "A".to_owned()),
        ("x".to_owned(), "x".to_owned()),
    ] {
        let endless = endless.repeat(5 * HEADER_MAX as usize / endless.len());
        let read = Rc::new(Cell::new(0));
        let inner = Cursor::new(start.clone()).chain(Cursor::new(endless));
        let result = open(&identity(1), Counted { inner, read: read.clone() }, io::sink());
        let error = result.expect_err("refused");
        assert!(!matches!(error, SealedFileError::Read(_)), "{start:?}: {error:?}");
        assert!(read.get() < 2 * HEADER_MAX, "{start:?}: {} bytes", read.get());
    }
}

/// As many stanzas as there is room for; parsed line by line they would take minutes.
#[test]
fn a_header_of_many_stanzas_takes_no_time() {
    let mut file = b"age-encryption.org/v1\n".to_vec();
    file.extend_from_slice(&b"-> a\n\n".repeat(HEADER_MAX as usize / 6 - 20));
    file.extend_from_slice(format!("--- {}\n", "A".repeat(43)).as_bytes());
    file.extend_from_slice(&[0; 100]);
    let started = std::time::Instant::now();
    let result = opened(1, &file).0;
    assert!(matches!(result, Err(SealedFileError::NotRecipient)), "{result:?}");
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

#[test]
fn faults_of_reading_and_writing_are_told_apart() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("broken"))
        }
    }
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("broken"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let to = [identity(1).peer_id()];
    let whole = sealed(&[1], &content(3 * PIECE), Form::Binary);
    let result = seal(&to, Broken, io::sink(), Form::Text);
    assert!(matches!(result, Err(SealedFileError::Read(_))), "{result:?}");
    let result = seal(&to, &b"hello"[..], Broken, Form::Binary);
    assert!(matches!(result, Err(SealedFileError::Write(_))), "{result:?}");
    for at in [0, 30, whole.len() / 2] {
        let result = open(&identity(1), whole[..at].chain(Broken), io::sink());
        assert!(matches!(result, Err(SealedFileError::Read(_))), "{at}: {result:?}");
    }
    let result = open(&identity(1), &whole[..], Broken);
    assert!(matches!(result, Err(SealedFileError::Write(_))), "{result:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_content_comes_back(content: Vec<u8>, text: bool) {
        let form = if text { Form::Text } else { Form::Binary };
        let (result, got) = opened(1, &sealed(&[1], &content, form));
        prop_assert_eq!(result.expect("opened"), content.len() as u64);
        prop_assert_eq!(got, content);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, lines in "[-> \na-zA-Z0-9+/=]{0,400}") {
        let armor = b"-----BEGIN AGE ENCRYPTED FILE-----\n";
        let mac = format!("--- {}\n", "A".repeat(43));
        for start in [&b""[..], b"age-encryption.org/v1\n", armor, b"age-encryption.org/v1\n-> "] {
            for end in [&bytes[..], &[lines.as_bytes(), mac.as_bytes(), &bytes].concat()] {
                opened(1, &[start, end].concat()).0.expect_err("it is sealed to nobody");
            }
        }
    }

    /// One altered byte of the text form gives an error, or (in its line ends) the same content.
    #[test]
    fn altered_text_never_gives_other_content(at in 0_usize..10_000, to: u8) {
        let mut text = sealed(&[1], b"dear all", Form::Text);
        let at = at % text.len();
        text[at] = to;
        let (result, got) = opened(1, &text);
        prop_assert!(result.is_err() || got == b"dear all");
    }
}
