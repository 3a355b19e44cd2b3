//! The encrypted session of WebSockets.

use serde_json::{Value as Json, json};
use taiinet_mesh::{
    session::{self, Answer, Declined, Dialler, Opening, Purpose, Session},
    wire::{RefusalReason, VERSION},
};

use crate::fixture::hex;

const URL: &str = "wss://signaller.example";
/// The ends' fresh keys.
const KEYS: [[u8; 32]; 2] = [[0x11; 32], [0x22; 32]];

/// The first message of the end that dialled.
pub(super) fn first(purpose: Purpose) -> (Dialler, Vec<u8>) {
    let opening = Opening { version: VERSION, dialled: URL.to_owned() };
    Dialler::new(purpose, &opening, KEYS[0]).expect("a short address")
}

/// Both ends of a session, and the messages that made it.
pub(super) fn session(purpose: Purpose) -> (Session, Session, [Vec<u8>; 2]) {
    let (dialler, first) = first(purpose);
    let (theirs, answer) = session::accept(purpose, &first, KEYS[1]).expect("an opening");
    let Ok(Answer::Session(ours)) = dialler.answered(&answer) else { panic!("an answer") };
    (ours, theirs, [first, answer])
}

pub(super) fn vectors() -> Json {
    let one = |(name, purpose)| {
        let (mut ours, mut theirs, [first, answer]) = session(purpose);
        let mut messages = Vec::new();
        for (forth, text) in [(true, "one"), (true, "two"), (false, ""), (false, "four")] {
            let from = if forth { &mut ours } else { &mut theirs };
            let sealed = from.seal(text.as_bytes()).expect("it fits");
            messages.push(json!({ "forth": forth, "text": text, "sealed": hex(&sealed) }));
        }
        json!({
            "purpose": name,
            "dialled": URL,
            "version": VERSION,
            "key_of_dialler": hex(&KEYS[0]),
            "key_of_other": hex(&KEYS[1]),
            "first": hex(&first),
            "answer": hex(&answer),
            "hash": hex(ours.hash()),
            "messages": messages,
        })
    };
    let declined = Declined { reason: RefusalReason::Full, retry_after_ms: 20_000 };
    let purposes =
        [("client", Purpose::Client), ("pool", Purpose::Pool), ("circuit", Purpose::Circuit)];
    let sessions = purposes.map(one);
    json!({
        "sessions": sessions,
        "declined_full_for_20_s": hex(&declined.encode()),
    })
}
