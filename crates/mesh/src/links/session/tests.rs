#![allow(clippy::unwrap_used)]

use proptest::{collection::vec, prelude::*};

use super::*;

const URL: &str = "wss://one.example";

fn opened_as(purpose: Purpose, dialled: &str, seed: u8) -> (Dialler, Vec<u8>) {
    let opening = Opening { version: 1, dialled: dialled.to_owned() };
    Dialler::new(purpose, &opening, [seed; 32]).expect("a short address")
}

/// Both ends of one session.
fn pair(seeds: (u8, u8)) -> (Session, Session) {
    let (dialler, first) = opened_as(Purpose::Client, URL, seeds.0);
    let (theirs, answer) = accept(Purpose::Client, &first, [seeds.1; 32]).expect("an opening");
    let Ok(Answer::Session(ours)) = dialler.answered(&answer) else { panic!("an answer") };
    (ours, theirs)
}

#[test]
fn what_is_sealed_at_one_end_opens_at_the_other() {
    let (mut ours, mut theirs) = pair((1, 2));
    for length in [0, 1, 300, limits::MESSAGE_BYTES] {
        let message = vec![7; length];
        let sealed = ours.seal(&message).expect("it fits");
        assert_eq!(sealed.len(), length + TAG_BYTES);
        assert_eq!(theirs.open(&sealed).as_deref(), Ok(&*message));
        let sealed = theirs.seal(&message).expect("it fits");
        assert_eq!(ours.open(&sealed).as_deref(), Ok(&*message));
    }
}

#[test]
fn both_ends_know_it_by_one_hash_that_no_other_session_has() {
    let (ours, theirs) = pair((1, 2));
    assert_eq!(ours.hash(), theirs.hash());
    for seeds in [(1, 3), (3, 2), (2, 1)] {
        assert_ne!(ours.hash(), pair(seeds).0.hash());
    }
    let hash = |purpose, dialled, seed| {
        let first = opened_as(purpose, dialled, 1).1;
        *accept(purpose, &first, [seed; 32]).expect("an opening").0.hash()
    };
    assert_eq!(*ours.hash(), hash(Purpose::Client, URL, 2));
    assert_ne!(*ours.hash(), hash(Purpose::Client, "wss://two.example", 2), "the address");
    assert_ne!(*ours.hash(), hash(Purpose::Pool, URL, 2), "the purpose");
}

/// An attacker between two ends passes on what it likes: either both have the same session, which it can
/// neither read nor change, or each has another.
#[test]
fn a_peer_that_stands_between_has_two_sessions_or_none() {
    let (dialler, first) = opened_as(Purpose::Client, URL, 1);
    // It answers itself, and opens one of its own to the other end.
    let (mut middle, answer) = accept(Purpose::Client, &first, [8; 32]).expect("an opening");
    let (out, first) = opened_as(Purpose::Client, URL, 9);
    let (mut end, its_answer) = accept(Purpose::Client, &first, [2; 32]).expect("an opening");
    let Ok(Answer::Session(mut ours)) = dialler.answered(&answer) else { panic!("an answer") };
    let Ok(Answer::Session(_)) = out.answered(&its_answer) else { panic!("an answer") };
    assert_eq!(ours.hash(), middle.hash());
    assert_ne!(ours.hash(), end.hash());
    let sealed = ours.seal(b"for the end").expect("it fits");
    assert_eq!(end.open(&sealed), Err(BadSession::Message));
    assert!(middle.open(&sealed).is_ok());
    // What it changes of the opening makes no session: the keys are the same, the hash is not.
    let (dialler, first) = opened_as(Purpose::Client, URL, 1);
    for byte in KEY_BYTES..first.len() {
        let mut changed = first.clone();
        changed[byte] ^= 1;
        let Ok((mut end, answer)) = accept(Purpose::Client, &changed, [2; 32]) else { continue };
        let (again, same) = opened_as(Purpose::Client, URL, 1);
        assert_eq!(same, first);
        assert_eq!(again.answered(&answer).unwrap_err(), BadSession::Answer);
        assert!(end.seal(b"").is_ok());
    }
    drop(dialler);
}

#[test]
fn messages_open_once_and_in_order_and_only_at_the_other_end() {
    let (mut ours, mut theirs) = pair((1, 2));
    let sealed: Vec<_> = (0..3_u8).map(|n| ours.seal(&[n]).expect("it fits")).collect();
    assert_eq!(theirs.open(&sealed[1]), Err(BadSession::Message), "too early");
    assert_eq!(theirs.open(&sealed[0]).as_deref(), Ok(&[0][..]));
    assert_eq!(theirs.open(&sealed[0]), Err(BadSession::Message), "again");
    assert_eq!(ours.open(&sealed[0]), Err(BadSession::Message), "reflected");
    assert_eq!(theirs.open(&sealed[1]).as_deref(), Ok(&[1][..]));
}

#[test]
fn sizes_are_checked_before_anything_else() {
    let (mut ours, mut theirs) = pair((1, 2));
    assert_eq!(ours.seal(&vec![0; limits::MESSAGE_BYTES + 1]), Err(BadSession::Size));
    for length in [0, TAG_BYTES - 1, limits::MESSAGE_BYTES + TAG_BYTES + 1] {
        assert_eq!(theirs.open(&vec![0; length]), Err(BadSession::Size), "{length}");
    }
    let longest = "x".repeat(limits::ADDRESS_BYTES);
    let opening = |dialled| Opening { version: u16::MAX, dialled };
    let (_, first) = Dialler::new(Purpose::Pool, &opening(longest.clone()), [1; 32]).expect("fits");
    assert_eq!(first.len() + limits::HELLO_EXTRA_BYTES, OPENING_BYTES);
    assert_eq!(super::opening(&first), Ok(opening(longest.clone())));
    // A later version says more.
    let mut later = first.clone();
    later.resize(OPENING_BYTES, 7);
    assert_eq!(super::opening(&later), Ok(opening(longest.clone())));
    assert!(accept(Purpose::Pool, &later, [2; 32]).is_ok());
    later.push(7);
    assert_eq!(super::opening(&later), Err(BadSession::Opening));
    assert!(accept(Purpose::Pool, &first, [2; 32]).is_ok());
    let longer = opening(longest + "x");
    assert!(Dialler::new(Purpose::Pool, &longer, [1; 32]).is_err());
    let mut forged = vec![9; KEY_BYTES];
    forged.extend(codec::encode(&longer));
    for wrong in [&forged[..], &first[..KEY_BYTES - 1], &first[..KEY_BYTES], &[][..]] {
        assert_eq!(accept(Purpose::Pool, wrong, [2; 32]).unwrap_err(), BadSession::Opening);
    }
    for length in [DECLINED_BYTES + 1, ANSWER_BYTES - 1, ANSWER_BYTES + 1] {
        let (dialler, _) = opened_as(Purpose::Client, URL, 1);
        assert_eq!(dialler.answered(&vec![0; length]).unwrap_err(), BadSession::Answer);
    }
}

#[test]
fn an_end_that_is_full_says_so_without_a_session() {
    let (dialler, _) = opened_as(Purpose::Client, URL, 1);
    let declined = Declined { reason: RefusalReason::Full, retry_after_ms: u32::MAX };
    assert!(declined.encode().len() <= DECLINED_BYTES);
    let answer = dialler.answered(&declined.encode());
    assert!(matches!(answer, Ok(Answer::Declined(said)) if said == declined));
}

/// Every peer would know the secret of a session with such a key.
#[test]
fn keys_of_small_order_make_no_session() {
    let opening = codec::encode(&Opening { version: 1, dialled: URL.to_owned() });
    let mut one = [0; KEY_BYTES];
    one[0] = 1;
    for key in [[0; KEY_BYTES], one] {
        let first = [&key[..], &opening].concat();
        assert_eq!(accept(Purpose::Client, &first, [2; 32]).unwrap_err(), BadSession::Opening);
        let (dialler, _) = opened_as(Purpose::Client, URL, 1);
        let answer = [&key[..], &[0; TAG_BYTES]].concat();
        assert_eq!(dialler.answered(&answer).unwrap_err(), BadSession::Answer);
    }
}

#[test]
fn nothing_of_it_is_printed_but_its_hash() {
    let (ours, _) = pair((1, 2));
    let [first, second, ..] = *ours.hash();
    assert_eq!(format!("{ours:?}"), format!("Session({first:02x}{second:02x}…)"));
    assert_eq!(format!("{:?}", opened_as(Purpose::Client, URL, 1).0), "Dialler");
}

proptest! {
    #[test]
    fn any_messages_cross(messages in vec((any::<bool>(), vec(any::<u8>(), 0..600)), 0..20)) {
        let (mut ours, mut theirs) = pair((3, 4));
        for (forth, message) in messages {
            let (from, to) = if forth { (&mut ours, &mut theirs) } else { (&mut theirs, &mut ours) };
            let sealed = from.seal(&message).expect("it fits");
            prop_assert_eq!(to.open(&sealed), Ok(message));
        }
    }

    #[test]
    fn a_changed_message_opens_never(
        message in vec(any::<u8>(), 0..100),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let (mut ours, mut theirs) = pair((3, 4));
        let mut sealed = ours.seal(&message).expect("it fits");
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert_eq!(theirs.open(&sealed), Err(BadSession::Message));
    }

    #[test]
    fn a_changed_answer_makes_no_session(at in 0..ANSWER_BYTES, bit in 0..8_u8) {
        let (dialler, first) = opened_as(Purpose::Client, URL, 3);
        let (_, mut answer) = accept(Purpose::Client, &first, [4; 32]).expect("an opening");
        answer[at] ^= 1 << bit;
        // The highest bit of a key means nothing to X25519, but it is hashed as it came.
        prop_assert_eq!(dialler.answered(&answer).unwrap_err(), BadSession::Answer);
    }

    #[test]
    fn any_bytes_are_an_opening_or_an_error(
        bytes in vec(any::<u8>(), 0..400), answer in vec(any::<u8>(), 0..64),
    ) {
        if let Ok((mut session, _)) = accept(Purpose::Pool, &bytes, [5; 32]) {
            prop_assert!(session.open(&bytes).is_err());
        }
        let (dialler, _) = opened_as(Purpose::Pool, URL, 6);
        if let Ok(answer) = dialler.answered(&answer) {
            prop_assert!(matches!(answer, Answer::Declined(_)));
        }
    }
}

/// A vector as the Noise implementations exchange them: of one message each way and two or more of the
/// transport, by turns.
struct Vector {
    prologue: &'static str,
    keys: [&'static str; 2],
    hash: Option<&'static str>,
    /// Payload and ciphertext.
    messages: &'static [(&'static str, &'static str)],
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16);
    digits.map(|pair| byte(pair).expect("hex")).collect()
}

/// From cacophony (Haskell) and snow, as the latter publishes them in its repository.
#[test]
fn the_published_vectors_of_other_implementations_hold() {
    for vector in &[CACOPHONY, SNOW] {
        let prologue = hex(vector.prologue);
        let [first, second] = vector.keys.map(|key| hex(key).try_into().expect("32 bytes"));
        let build = |key| {
            let builder = Builder::with_resolver(suite::params(), suite::resolver(key));
            builder.prologue(&prologue).expect("short")
        };
        let mut one = build(first).build_initiator().expect("the suite");
        let mut other = build(second).build_responder().expect("the suite");
        let mut buffer = [0; 200];
        let (handshake, transport) = vector.messages.split_at(2);
        for (number, (payload, wire)) in handshake.iter().enumerate() {
            let (from, to) =
                if number == 0 { (&mut one, &mut other) } else { (&mut other, &mut one) };
            let length = from.write_message(&hex(payload), &mut buffer).expect("written");
            assert_eq!(buffer[..length], hex(wire));
            let length = to.read_message(&hex(wire), &mut buffer).expect("read");
            assert_eq!(buffer[..length], hex(payload));
        }
        assert_eq!(one.get_handshake_hash(), other.get_handshake_hash());
        assert!(vector.hash.is_none_or(|hash| hex(hash) == one.get_handshake_hash()));
        let mut one = one.into_transport_mode().expect("finished");
        let mut other = other.into_transport_mode().expect("finished");
        for (number, (payload, wire)) in transport.iter().enumerate() {
            let (from, to) =
                if number % 2 == 0 { (&mut one, &mut other) } else { (&mut other, &mut one) };
            let length = from.write_message(&hex(payload), &mut buffer).expect("written");
            assert_eq!(buffer[..length], hex(wire));
            let length = to.read_message(&hex(wire), &mut buffer).expect("read");
            assert_eq!(buffer[..length], hex(payload));
        }
    }
}

const CACOPHONY: Vector = Vector {
    prologue: "4a6f686e2047616c74",
    keys: [
        "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
        "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
    ],
    hash: Some("9223fec1b892ec9d0dc2fb3bbeb261f170d1ea679f9c44ccf34aa131b4f5d97e"),
    messages: &[
        (
            "4c756477696720766f6e204d69736573",
            "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79444c756477696720766f6e204d69736573",
        ),
        (
            "4d757272617920526f746862617264",
            "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843a0ff96bdf86b579ef7dbf94e812a7470b903c20a85a87e3a1fe863264ae547",
        ),
        ("462e20412e20486179656b", "eb1a3e3d80c1792b1bb9cb0e1382f8d8322bfb1ca7c4c8517bb686"),
        ("4361726c204d656e676572", "c781b198d2a974eb1da2c7d518c000cf6396de87ca540963c03713"),
        (
            "4a65616e2d426170746973746520536179",
            "c77048eb6919fdfe8fe45842bfc5b8d1ff50d1e20c717453ccdfe6176d805b996d",
        ),
        (
            "457567656e2042f6686d20766f6e2042617765726b",
            "61834d7069dcfb7a1adf8d5ac910f83fa04c73a67789895c6f5f995c5db2ce88e49b124178",
        ),
    ],
};

const SNOW: Vector = Vector {
    prologue: "5468657265206973206e6f20726967687420616e642077726f6e672e2054686572652773206f6e6c792066756e20616e6420626f72696e672e",
    keys: [
        "ba743ce40b65ad7ec0700dc2e57de4791022a8f42cd46517c6689c5c812b3b36",
        "d5cb9c3d9df2b6263f292f59099680ab2b523cf02b43a4c534b1fa94f9a80ed8",
    ],
    hash: None,
    messages: &[
        (
            "d369dc8436b80ad2936b4179ef262a0d174c06e3d452de5f22a7ca0326baaac7",
            "479a148ee78e18278f7716338574086a12bf8d90cc54c6c88ae6a4275dbd1478d369dc8436b80ad2936b4179ef262a0d174c06e3d452de5f22a7ca0326baaac7",
        ),
        (
            "87f4ce9acdcfe73e88f0d2b7e8b6009f07c5a42b3412909c1b7ce407a763ebd1",
            "5f1bc611a449717c2fc7c33a0f3976beae914c336d2a761c2f6e1ee2ab721f7c166608582f25b34bf5ebe478049971b64e5982d8b546b1cfa58fae828b7c8137562fdec5808f41fadeeee43013019277",
        ),
        (
            "bdc326451b8af9b6b82a2054643878d9eeaea4845c6b1e9ba616b2723c2ef272",
            "15f337bd32ddb96a17765a9499a4eb24b757d59c78d5366fdd56a2eab7eed11a0b6d4ed2947c0bf83d9d625ab90ee60b",
        ),
        (
            "a783aa12cefa403d1dff9d6ac924f860a15d1ba21c2c4976f8fa88d76e590fef",
            "6b676682c308c230a602d1997ff9e94b815dbc497346a4144fc4290021a2dbfcbee618798a8eb5042562a637927d4e98",
        ),
    ],
};
