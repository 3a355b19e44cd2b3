//! What stands on the wire between peers, and between peers and signallers.

use taiinet_mesh::{
    ChannelBinding,
    description::{Admission, CANDIDATES},
    limits,
    wire::{
        DocumentFrame, Fragment, Frame, FromSignaller, Reading, ToSignaller,
        codec::{self, Assembler, MessageReader},
        read,
    },
};

use super::bytes::Bytes;

/// A message of a peer, as the core reads it.
pub(super) fn message(data: &[u8]) {
    let Ok(frames) = MessageReader::new(data) else { return };
    let mut assembler = Assembler::default();
    for frame in frames {
        let Ok(bytes) = frame else { return };
        let frame = match read(bytes) {
            Ok(Reading::Frame(frame)) => frame,
            // What is skipped is none of ours.
            Ok(Reading::Unknown(_) | Reading::Critical(_)) => {
                assert!(codec::decode::<Frame>(bytes).is_err());
                continue;
            }
            Err(_) => continue,
        };
        same_again(&frame, bytes);
        if let Frame::Fragment(fragment) = &frame
            && let Ok(Some(whole)) = assembler.push(fragment)
        {
            assert!(!matches!(read(&whole), Ok(Reading::Frame(Frame::Fragment(_)))));
        }
    }
}

/// What was decoded encodes to something no longer, which decodes to the same.
fn same_again<T>(frame: &T, bytes: &[u8])
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + core::fmt::Debug,
{
    let again = codec::encode(frame);
    assert!(again.len() <= bytes.len(), "{} bytes became {}", bytes.len(), again.len());
    assert_eq!(codec::decode::<T>(&again).as_ref(), Ok(frame));
}

/// Frames cut into pieces and put together, also when pieces are lost, altered or too many.
pub(super) fn fragments(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let length = usize::from(bytes.u16()) * 8;
    // A frame that is large and does decode: many ids.
    let have = codec::encode(&Frame::Documents(DocumentFrame::Have(vec![
        taiinet_document::DocumentId::from_bytes([7; 32]);
        length / 32
    ])));
    let mut pieces = codec::fragment(&have);
    let mut intact = true;
    while !bytes.is_empty() {
        let at = bytes.below(pieces.len().max(1));
        intact = false;
        match bytes.below(5) {
            0 if at < pieces.len() => drop(pieces.remove(at)),
            1 if at < pieces.len() => pieces.insert(at, pieces[at].clone()),
            2 => pieces.push(bytes.some().to_vec()),
            3 => pieces.push(codec::encode(&Frame::Fragment(Fragment {
                last: bytes.bool(),
                bytes: vec![bytes.u8(); usize::from(bytes.u16())],
            }))),
            _ => {
                let (index, with) = (usize::from(bytes.u16()), bytes.u8());
                if let Some(byte) = pieces.get_mut(at).and_then(|piece| piece.get_mut(index)) {
                    *byte ^= with;
                }
            }
        }
        if pieces.len() > 64 {
            return;
        }
    }
    let mut assembler = Assembler::default();
    let mut whole = None;
    for piece in &pieces {
        assert!(piece.len() <= limits::MESSAGE_BYTES || !intact);
        if let Ok(Frame::Fragment(fragment)) = codec::decode(piece)
            && let Ok(Some(frame)) = assembler.push(&fragment)
        {
            assert!(frame.len() <= limits::FRAME_BYTES);
            whole = Some(frame);
        }
    }
    if intact && have.len() <= limits::FRAME_BYTES {
        assert_eq!(whole, Some(have));
    }
}

/// A frame of a peer to a signaller.
pub(super) fn to_signaller(data: &[u8]) {
    if let Ok(frame) = codec::decode::<ToSignaller>(data) {
        same_again(&frame, data);
    }
}

/// A frame of a signaller.
pub(super) fn from_signaller(data: &[u8]) {
    if let Ok(frame) = codec::decode::<FromSignaller>(data) {
        same_again(&frame, data);
    }
}

/// The fingerprints in two session descriptions.
pub(super) fn binding(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (one, other) = text.split_once('\0').unwrap_or((&text, ""));
    let binding = ChannelBinding::of_descriptions(one, other);
    assert_eq!(binding, ChannelBinding::of_descriptions(other, one));
    let known = "v=0\r\na=fingerprint:sha-256 ".to_owned() + &["5A"; 32].join(":");
    assert_eq!(
        ChannelBinding::of_descriptions(one, &known).is_some(),
        ChannelBinding::of_descriptions(one, one).is_some(),
    );
}

/// A session description, and candidates that come by themselves, a line each.
pub(super) fn description(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (text, candidates) = text.split_once('\0').unwrap_or((&text, ""));
    let mut admission = Admission::default();
    let alone = candidates.split('\n').filter(|one| admission.candidate(one).is_ok()).count();
    let Ok(admitted) = admission.description(text) else { return };
    // However a parser splits lines, it sees one stream, which is the data channel.
    let lines = || admitted.split(['\r', '\n']);
    let media: Vec<&str> =
        lines().filter(|line| line.trim_start().starts_with(['m', 'M'])).collect();
    assert!(matches!(media[..], [line] if line.starts_with("m=application ")), "{admitted}");
    let is_candidate = |line: &&str| line.to_ascii_lowercase().starts_with("a=candidate");
    assert!(alone + lines().filter(is_candidate).count() <= CANDIDATES, "{admitted}");
    assert_eq!(Admission::default().description(&admitted), Ok(admitted.clone()));
}

/// The header in which a proxy writes which client it serves.
pub(super) fn forwarded(data: &[u8]) {
    let line = String::from_utf8_lossy(data);
    for addresses in taiinet_signaller::fuzz::forwarded(&line) {
        assert!(addresses.len() <= line.len() + 1);
    }
}
