//! Much of the same.

use std::{str::FromStr, time::Duration};

use taiinet_document::{DocumentId, Network};
use taiinet_identity::Identity;
use taiinet_mesh::{
    Time, limits,
    wire::{DocumentFrame, Find, FindFrame, Fragment, Frame, LinkFrame, Push, ViewFrame, codec},
};
use taiinet_sim::forge;

/// What it can be told to flood its victim with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Flood {
    /// `signatures`: documents whose signatures do not hold.
    Signatures,
    /// `quota`: valid documents of its own, more than an author may write.
    Quota,
    /// `random`: bytes that mean nothing.
    Random,
    /// `tiny`: the smallest frames there are, one a message.
    Tiny,
    /// `giant`: pieces of a frame that never ends.
    Giant,
    /// `replays`: documents that were over long ago.
    Replays,
    /// `promises`: announcements of documents that there are not.
    Promises,
    /// `searches`: expensive ones.
    Searches,
    /// `shuffles`: of no peers.
    Shuffles,
}

/// A flood under way. Each message is made when it is sent: a peer that made all of them first would be
/// silent meanwhile, and lose its link over that.
#[derive(Debug)]
pub(crate) struct Flooding {
    flood: Flood,
    /// What its documents bear.
    at: Time,
    sent: u32,
    count: u32,
}

impl Flooding {
    pub(crate) const fn new(flood: Flood, count: u32, at: Time) -> Self {
        Self { flood, at, sent: 0, count }
    }

    /// The next message, until all are sent.
    pub(crate) fn next(&mut self, author: &Identity, network: &Network) -> Option<Vec<u8>> {
        let number = self.sent;
        (number < self.count).then(|| {
            self.sent += 1;
            self.flood.message(author, network, number, self.at)
        })
    }

    /// How many messages were sent.
    pub(crate) const fn sent(&self) -> u32 {
        self.sent
    }

    pub(crate) const fn is_over(&self) -> bool {
        self.sent == self.count
    }
}

impl FromStr for Flood {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Ok(match word {
            "signatures" => Self::Signatures,
            "quota" => Self::Quota,
            "random" => Self::Random,
            "tiny" => Self::Tiny,
            "giant" => Self::Giant,
            "replays" => Self::Replays,
            "promises" => Self::Promises,
            "searches" => Self::Searches,
            "shuffles" => Self::Shuffles,
            other => return Err(format!("no flood: {other}")),
        })
    }
}

impl Flood {
    fn message(self, author: &Identity, network: &Network, number: u32, now: Time) -> Vec<u8> {
        let document = |at: Time| {
            let content = format!(r#"{{"flood": {number}}}"#);
            forge::document(author, network, at.as_millis(), &content)
        };
        let push = |document| Frame::Documents(DocumentFrame::Push(Push { hops: 0, document }));
        let frame = match self {
            Self::Signatures => push(forge::with_bad_signature(&document(now))),
            Self::Quota => push(document(now)),
            Self::Replays => push(document(now.before(Duration::from_secs(3600)))),
            Self::Random => return number.to_le_bytes().repeat(16),
            Self::Tiny => Frame::Link(LinkFrame::Pong(0)),
            Self::Giant => Frame::Fragment(Fragment { last: false, bytes: vec![7; 8 * 1024] }),
            Self::Promises => {
                let id = |index: u32| {
                    let mut bytes = [0xab; 32];
                    let number = u64::from(number) << 32 | u64::from(index);
                    bytes[..8].copy_from_slice(&number.to_le_bytes());
                    DocumentId::from_bytes(bytes)
                };
                let ids = u32::try_from(limits::IDS_PER_FRAME).unwrap_or_default();
                Frame::Documents(DocumentFrame::Have((0..ids).map(id).collect()))
            }
            Self::Searches => Frame::from(FindFrame::Find(Find {
                request: number,
                query: r#"{"place": {"$regex": "(a|b|c)*d"}}"#.to_owned(),
                limit: u16::MAX,
                sort: String::new(),
                after: Vec::new(),
            })),
            Self::Shuffles => Frame::View(ViewFrame::Shuffle(Vec::new())),
        };
        codec::message(&[frame])
    }
}
