//! What an end of a session reads before the other has proven anything.

use taiinet_mesh::{
    limits,
    session::{self, ANSWER_BYTES, Answer, Dialler, OPENING_BYTES, Opening, Purpose, TAG_BYTES},
};

use super::bytes::Bytes;

const KEY: [u8; 32] = [7; 32];

/// A first message, an answer, and what comes after; of the input, or a good one that it changes.
pub(super) fn session(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let purpose = if bytes.bool() { Purpose::Client } else { Purpose::Circuit };
    let opening = Opening { version: bytes.u8().into(), dialled: bytes.text() };
    let Ok((dialler, mut first)) = Dialler::new(purpose, &opening, KEY) else { return };
    assert_eq!(session::opening(&first).as_ref(), Ok(&opening));
    let intact = !change(&mut first, &mut bytes);
    let accepted = session::accept(purpose, &first, [8; 32]);
    if session::opening(&first).is_err() {
        assert!(accepted.is_err());
    }
    let Ok((mut theirs, mut answer)) = accepted else {
        assert!(!intact);
        return;
    };
    assert!(first.len() <= OPENING_BYTES && answer.len() == ANSWER_BYTES);
    let intact = !change(&mut answer, &mut bytes) && intact;
    let mut ours = match dialler.answered(&answer) {
        Ok(Answer::Session(ours)) => ours,
        Ok(Answer::Declined(_)) | Err(_) => {
            assert!(!intact);
            return;
        }
    };
    assert!(intact, "a session was made of what was changed");
    assert_eq!(ours.hash(), theirs.hash());
    while !bytes.is_empty() {
        let (from, to) =
            if bytes.bool() { (&mut ours, &mut theirs) } else { (&mut theirs, &mut ours) };
        let message = bytes.some().to_vec();
        let Ok(mut sealed) = from.seal(&message) else {
            assert!(message.len() > limits::MESSAGE_BYTES);
            continue;
        };
        assert_eq!(sealed.len(), message.len() + TAG_BYTES);
        if change(&mut sealed, &mut bytes) {
            assert!(to.open(&sealed).is_err());
            return;
        }
        assert_eq!(to.open(&sealed), Ok(message));
    }
}

/// Changes a message as the input says; whether it is another now.
fn change(message: &mut Vec<u8>, bytes: &mut Bytes<'_>) -> bool {
    let before = message.clone();
    match bytes.below(8) {
        0 => *message = bytes.some().to_vec(),
        1 => {
            let (at, with) = (usize::from(bytes.u16()), bytes.u8());
            if let Some(byte) = message.get_mut(at) {
                *byte ^= with;
            }
        }
        2 => message.truncate(usize::from(bytes.u16())),
        3 => message.extend_from_slice(bytes.some()),
        _ => {}
    }
    *message != before
}
