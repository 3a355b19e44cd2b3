//! The other end of a session, as a hostile member plays it: properly.

use taiinet_mesh::{
    ChannelBinding, limits,
    session::{self, Answer, Dialler, Opening, Purpose, Session},
    wire::{
        Frame, Hello, LinkFrame, VERSION,
        codec::{self, MessageReader},
    },
};

/// How far a session is.
#[derive(Debug, Default)]
pub(super) enum Other {
    /// There is none.
    #[default]
    Nobody,
    /// We have opened one.
    Opening(Dialler),
    /// It stands.
    Open(Session),
}

/// What the one under test has sent.
#[derive(Debug)]
pub(super) enum Heard {
    /// What opens a session: send this.
    Opening(Vec<u8>),
    /// The answer that makes one.
    Made,
    /// A message in it.
    Message(Vec<u8>),
    /// That it makes none.
    Declined,
}

impl Other {
    /// Opens one: gives the first message.
    pub(super) fn dial(&mut self, purpose: Purpose, version: u16) -> Vec<u8> {
        let opening = Opening { version, dialled: "wss://us.example".to_owned() };
        let (dialler, first) = Dialler::new(purpose, &opening, [9; 32]).expect("a short address");
        *self = Self::Opening(dialler);
        first
    }

    /// The same, as it should be.
    pub(super) fn open(&mut self, purpose: Purpose) -> Vec<u8> {
        self.dial(purpose, VERSION)
    }

    /// What was sent can be read.
    pub(super) fn hears(&mut self, purpose: Purpose, bytes: &[u8]) -> Heard {
        assert!(bytes.len() <= limits::WIRE_BYTES);
        match core::mem::take(self) {
            Self::Nobody => {
                let (session, answer) =
                    session::accept(purpose, bytes, [8; 32]).expect("an opening");
                *self = Self::Open(session);
                Heard::Opening(answer)
            }
            Self::Opening(dialler) => match dialler.answered(bytes).expect("an answer") {
                Answer::Session(session) => {
                    *self = Self::Open(session);
                    Heard::Made
                }
                Answer::Declined(_) => Heard::Declined,
            },
            Self::Open(mut session) => {
                let message = session.open(bytes).expect("of the session");
                *self = Self::Open(session);
                Heard::Message(message)
            }
        }
    }

    /// Seals a message, if there is a session; otherwise it goes as it is.
    pub(super) fn seal(&mut self, message: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Open(session) => session.seal(&message).unwrap_or(message),
            _ => message,
        }
    }

    pub(super) const fn hash(&self) -> Option<[u8; 32]> {
        match self {
            Self::Open(session) => Some(*session.hash()),
            _ => None,
        }
    }

    /// What a proof covers.
    pub(super) fn binding(&self) -> ChannelBinding {
        self.hash().map_or(ChannelBinding::NONE, ChannelBinding::from_bytes)
    }
}

/// What the one under test said in a message to greet, if it did. All that it sends can be read.
pub(super) fn hello(message: &[u8]) -> Option<Hello> {
    let mut said = None;
    for frame in MessageReader::new(message).expect("a message") {
        let frame: Frame = codec::decode(frame.expect("a frame's bytes")).expect("a frame");
        if let Frame::Link(LinkFrame::Hello(hello)) = frame {
            said = Some(hello);
        }
    }
    said
}
