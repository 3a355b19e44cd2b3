//! Counts WebSocket frames (RFC 6455, section 5.2) as their bytes come in, before they are read.
//!
//! A WebSocket's reader answers pings by itself and puts fragments together without a word, so to count
//! what it gives out is to count too little: an empty fragment takes six bytes and leaves no trace.

/// Follows the frames in a stream of bytes.
#[derive(Debug, Default)]
pub(crate) struct FrameScanner {
    /// What comes before the first frame and is not over yet.
    answer: Option<Answer>,
    /// The part of a header that has come so far.
    header: Header,
    /// Bytes of the payload that are yet to come.
    payload: u64,
}

/// The WebSocket frames that were found in some bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Frames whose header is whole: only then is known what they are.
    pub frames: usize,
    /// Of these, the ones that are a whole binary message, and are not empty.
    pub messages: usize,
}

/// Two bytes, a length of up to eight, a mask of four.
const HEADER: usize = 14;
const FINAL_BINARY: u8 = 0x82;
const MASKED: u8 = 0x80;
const LENGTH_OF_16_BITS: u8 = 126;
const LENGTH_OF_64_BITS: u8 = 127;

#[derive(Debug, Default)]
struct Header {
    bytes: [u8; HEADER],
    length: usize,
}

impl Header {
    /// Takes one more byte. The payload's length, once the header is whole.
    fn push(&mut self, byte: u8) -> Option<u64> {
        *self.bytes.get_mut(self.length)? = byte;
        self.length += 1;
        let [_, second, rest @ ..] = &self.bytes;
        let code = second & !MASKED;
        let extended = match code {
            LENGTH_OF_16_BITS => 2,
            LENGTH_OF_64_BITS => 8,
            _ => 0,
        };
        let mask = if second & MASKED == 0 { 0 } else { 4 };
        if self.length < 2 || self.length < 2 + extended + mask {
            return None;
        }
        if extended == 0 {
            return Some(code.into());
        }
        let length = rest.iter().take(extended);
        Some(length.fold(0, |length, byte| (length << 8) | u64::from(*byte)))
    }
}

/// The head of an HTTP answer, as far as it has come. It ends where the library that reads it sees its end
/// (empty lines before it are skipped, a line may end without a carriage return): a server that made the
/// two disagree could hide frames.
#[derive(Debug, Default)]
struct Answer {
    has_begun: bool,
    line_is_empty: bool,
}

impl Answer {
    /// Takes one more byte; whether it is the last.
    fn push(&mut self, byte: u8) -> bool {
        match byte {
            b'\n' if !self.has_begun => false,
            b'\n' => core::mem::replace(&mut self.line_is_empty, true),
            b'\r' => false,
            _ => {
                (self.has_begun, self.line_is_empty) = (true, false);
                false
            }
        }
    }
}

impl FrameScanner {
    /// For the end that dials: the frames begin behind the answer to its request.
    pub(crate) fn behind_an_answer() -> Self {
        Self { answer: Some(Answer::default()), ..Self::default() }
    }

    /// Goes on with these bytes.
    pub(crate) fn scan(&mut self, bytes: &[u8]) -> Seen {
        let (mut seen, mut rest) = (Seen::default(), bytes);
        if let Some(answer) = &mut self.answer {
            let Some(last) = rest.iter().position(|byte| answer.push(*byte)) else { return seen };
            self.answer = None;
            rest = rest.get(last + 1..).unwrap_or_default();
        }
        loop {
            let skipped = usize::try_from(self.payload).unwrap_or(usize::MAX).min(rest.len());
            self.payload -= skipped as u64;
            rest = rest.get(skipped..).unwrap_or_default();
            let Some((byte, after)) = rest.split_first() else { return seen };
            rest = after;
            if let Some(length) = self.header.push(*byte) {
                let is_message = self.header.bytes.first() == Some(&FINAL_BINARY) && length > 0;
                seen.frames += 1;
                seen.messages += usize::from(is_message);
                self.header = Header::default();
                self.payload = length;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option::of, prelude::*};
    use tokio_tungstenite::tungstenite::protocol::frame::{
        Frame, FrameHeader,
        coding::{Control, Data, OpCode},
    };

    use super::*;

    /// As a client sends it.
    fn frame(payload: usize, opcode: OpCode, is_final: bool) -> Vec<u8> {
        let mask = Some([1, 2, 3, 4]);
        let header = FrameHeader { is_final, opcode, mask, ..FrameHeader::default() };
        let mut bytes = Vec::new();
        Frame::from_payload(header, vec![7; payload].into()).format(&mut bytes).expect("a frame");
        bytes
    }

    /// As servers write it, and as the library reads it all the same.
    fn answer() -> impl Strategy<Value = &'static str> {
        prop_oneof![
            Just("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n"),
            Just("\r\n\n\r\nHTTP/1.1 101 X\r\na: b\n\n"),
            Just("HTTP/1.1 101 X\na: \n\r\n"),
        ]
    }

    fn opcode() -> impl Strategy<Value = OpCode> {
        prop_oneof![
            Just(OpCode::Data(Data::Binary)),
            Just(OpCode::Data(Data::Text)),
            Just(OpCode::Data(Data::Continue)),
            Just(OpCode::Control(Control::Ping)),
            Just(OpCode::Control(Control::Pong)),
        ]
    }

    proptest! {
        #[test]
        fn each_frame_is_counted_once_however_its_bytes_come(
            frames in vec((prop_oneof![0..4_usize, 120..130_usize, 65_530..65_540_usize], opcode(), any::<bool>()), 0..12),
            sizes in vec(1..5000_usize, 1..8),
            answer in of(answer()),
        ) {
            let bytes: Vec<u8> = frames.iter().flat_map(|(size, code, last)| frame(*size, *code, *last)).collect();
            let messages = frames.iter().filter(|(size, code, last)| {
                *size > 0 && *last && *code == OpCode::Data(Data::Binary)
            });
            let expected = Seen { frames: frames.len(), messages: messages.count() };
            let (bytes, mut scanner) = match answer {
                Some(answer) => ([answer.as_bytes(), &bytes].concat(), FrameScanner::behind_an_answer()),
                None => (bytes, FrameScanner::default()),
            };
            let (mut seen, mut rest) = (Seen::default(), &bytes[..]);
            for size in sizes.iter().cycle() {
                let (now, later) = rest.split_at((*size).min(rest.len()));
                let found = scanner.scan(now);
                prop_assert!(found.messages <= found.frames, "a message is a frame");
                seen.frames += found.frames;
                seen.messages += found.messages;
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(seen, expected);
        }

        #[test]
        fn no_bytes_panic(bytes in vec(any::<u8>(), 0..300)) {
            let mut scanner = FrameScanner::default();
            prop_assert!(scanner.scan(&bytes).frames <= bytes.len());
        }
    }

    /// A message is charged otherwise than a control frame, so both are known at once.
    #[test]
    fn a_message_that_comes_byte_by_byte_is_a_frame_and_a_message_at_once() {
        let mut scanner = FrameScanner::default();
        let bytes = frame(70_000, OpCode::Data(Data::Binary), true);
        let found: Vec<Seen> = bytes.iter().map(|byte| scanner.scan(&[*byte])).collect();
        let found: Vec<_> = found.into_iter().filter(|seen| *seen != Seen::default()).collect();
        assert_eq!(found, [Seen { frames: 1, messages: 1 }]);
    }

    #[test]
    fn a_length_without_end_holds_the_scanner_up_and_nothing_else() {
        let mut scanner = FrameScanner::default();
        let endless = [&[0x82, 0xff][..], &[0xff; 8], &[0; 4]].concat();
        assert_eq!(scanner.scan(&endless), Seen { frames: 1, messages: 1 });
        assert_eq!(scanner.scan(&[0; 4096]), Seen::default());
    }
}
