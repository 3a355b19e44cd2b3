//! What it says in the rooted trees, as a root, a parent, a child or a neighbour; and what it sends on routes.

use taiinet_document::{Content, DocumentId};
use taiinet_identity::{PeerId, Signed};
use taiinet_mesh::{
    Time, limits,
    wire::{
        Ask, Beacon, Brings, Bulletin, DocumentFrame, Entry, Frame, IdPrefix, Join, Joined, Passed,
        RouteFrame, Routed, Seek, Slot, Sought, SupplyFrame, TreeFrame, Way, codec,
    },
};
use taiinet_query::{DocumentKeys, KeySet, Query, RoutingKey};

use super::{CONTENTS, Member, QUERIES};
use crate::{
    fixture::{identity, map, sign},
    fuzz::bytes::Bytes,
};

impl Member {
    /// Mostly the one that there is.
    fn slot(bytes: &mut Bytes<'_>) -> Slot {
        Slot(if bytes.below(8) == 7 { bytes.u8() } else { 0 })
    }

    fn follows(bytes: &mut Bytes<'_>, now: Time) -> Option<(PeerId, taiinet_document::Timestamp)> {
        bytes.bool().then(|| (Self::somebody(bytes), Self::when(bytes, now)))
    }

    fn depth(bytes: &mut Bytes<'_>) -> u8 {
        bytes.choose(&[0, 1, 2, limits::TREE_DEPTH - 1, limits::TREE_DEPTH, u8::MAX]).unwrap_or(0)
    }

    /// What a document has, or what stands in its place.
    fn about(bytes: &mut Bytes<'_>, now: Time) -> DocumentKeys {
        match bytes.below(4) {
            0 => DocumentKeys::EVERYTHING,
            1 => codec::decode(&codec::encode(&bytes.some().to_vec()))
                .unwrap_or(DocumentKeys::EVERYTHING),
            _ => {
                let content = map(bytes.choose(&CONTENTS).unwrap_or("{}"));
                DocumentKeys::of(&sign(&identity(2), 0, now, Content::Open(content)))
            }
        }
    }

    /// What it wants, or says that it does: at times more than there is room for.
    fn wanted(bytes: &mut Bytes<'_>) -> KeySet {
        let keys = |queries: &[String], most| {
            let queries = queries.iter().filter_map(|query| query.parse::<Query>().ok());
            let keys: Vec<_> = queries
                .flat_map(|query| Vec::from_iter(query.routing_keys().iter().copied()))
                .collect();
            KeySet::of(keys, most)
        };
        match bytes.below(8) {
            0 => KeySet::EVERYTHING,
            1 => KeySet::of([], limits::KEYS_BYTES),
            2 => {
                let (from, most) = (bytes.u16(), usize::from(bytes.u16()));
                let query = |n: u16| format!(r#"{{"likes":{}}}"#, from.wrapping_add(n));
                let queries: Vec<String> = (0..300).map(query).collect();
                keys(&queries, most)
            }
            3 => {
                codec::decode(&codec::encode(&bytes.some().to_vec())).unwrap_or(KeySet::EVERYTHING)
            }
            _ => keys(&[bytes.choose(&QUERIES).unwrap_or_default().to_owned()], limits::KEYS_BYTES),
        }
    }

    fn brings(bytes: &mut Bytes<'_>) -> Brings {
        let peers = match bytes.below(4) {
            0 => bytes.u32(),
            1 => u32::MAX,
            few => few as u32,
        };
        let open = if bytes.below(4) == 0 { bytes.u32() } else { 0 };
        Brings { peers, open, keys: (bytes.below(4) > 0).then(|| Self::wanted(bytes)) }
    }

    fn prefix(&self, bytes: &mut Bytes<'_>) -> IdPrefix {
        match bytes.below(4) {
            0 => IdPrefix([bytes.u8(); 8]),
            _ => {
                let id = bytes.choose(&self.made);
                IdPrefix::from(&id.unwrap_or(DocumentId::from_bytes([0; 32])))
            }
        }
    }

    /// Few, as many as there may be, or more.
    fn named(&self, bytes: &mut Bytes<'_>, now: Time) -> Vec<Entry> {
        let about = Self::about(bytes, now);
        let count = match bytes.below(8) {
            0 => limits::NAMES_PER_BULLETIN + usize::from(bytes.u16() % 1024),
            few => few / 2,
        };
        let (start, many) = (bytes.u8(), count > 4);
        let id = |n: usize, bytes: &mut Bytes<'_>| match many {
            true => IdPrefix((n as u64 ^ u64::from(start) << 56).to_be_bytes()),
            false => self.prefix(bytes),
        };
        (0..count).map(|n| Entry { id: id(n, bytes), about: about.clone() }).collect()
    }

    fn bulletin(&self, bytes: &mut Bytes<'_>, usually: &str, now: Time) -> Signed<Bulletin> {
        let bulletin = Bulletin {
            network: Self::network(bytes, usually),
            slot: Self::slot(bytes),
            issued_at: Self::when(bytes, now),
            after: Self::when(bytes, now),
            beat_ms: bytes.choose(&[1000, 5000, 0, 1, u32::MAX]).unwrap_or_default(),
            peers: bytes.choose(&[300, 63, 0, u32::MAX]).unwrap_or_default(),
            spreading: bytes.choose(&[1, 1, 0, 2, u8::MAX]).unwrap_or_default(),
            named: self.named(bytes, now),
        };
        let signed = Signed::new(&identity(Self::key(bytes)), &bulletin);
        if bytes.below(8) == 7 { Self::altered(&signed, bytes) } else { signed }
    }

    pub(super) fn tree_frame(&self, bytes: &mut Bytes<'_>, usually: &str, now: Time) -> Frame {
        Frame::Tree(match bytes.below(8) {
            0..=3 => TreeFrame::Bulletin(Passed {
                depth: Self::depth(bytes),
                bulletin: self.bulletin(bytes, usually, now),
            }),
            4 => TreeFrame::Beacon(Beacon {
                slot: Self::slot(bytes),
                follows: Self::follows(bytes, now),
                depth: bytes.bool().then(|| Self::depth(bytes)),
            }),
            5 => TreeFrame::Join(Join {
                slot: Self::slot(bytes),
                newest: Self::follows(bytes, now),
                brings: Self::brings(bytes),
            }),
            6 => TreeFrame::Brings(Self::slot(bytes), Self::brings(bytes)),
            _ => TreeFrame::Leave(Self::slot(bytes)),
        })
    }

    pub(super) fn route_frame(&self, bytes: &mut Bytes<'_>) -> Frame {
        Frame::Route(match bytes.below(2) {
            0 => RouteFrame::Wants(Self::wanted(bytes)),
            _ => RouteFrame::Ask(Ask {
                slot: Self::slot(bytes),
                id: self.prefix(bytes),
                hops: bytes.choose(&[11, 0, 1, u8::MAX]).unwrap_or_default(),
            }),
        })
    }

    /// A key of what some peer wants.
    pub(in crate::fuzz) fn routing_key(bytes: &mut Bytes<'_>) -> RoutingKey {
        let query: Option<Query> =
            bytes.choose(&QUERIES).and_then(|query| query.parse::<Query>().ok());
        let keys = query.map(|query| query.routing_keys());
        keys.and_then(|keys| keys.iter().next().copied()).unwrap_or(RoutingKey::Any)
    }

    /// What it seeks, or would supply or be supplied with: some of it what peers want.
    pub(super) fn supply_frame(bytes: &mut Bytes<'_>, usually: &str, now: Time) -> Frame {
        let key = Self::routing_key(bytes);
        Frame::Supply(match bytes.below(6) {
            0 | 1 => {
                let joined = bytes.bool().then(|| Joined {
                    signaller: Self::somebody(bytes),
                    challenge: [bytes.u8(); 32],
                });
                let sought = Sought {
                    network: Self::network(bytes, usually),
                    key,
                    joined,
                    issued_at: Self::when(bytes, now),
                };
                let sought = Signed::new(&identity(Self::key(bytes)), &sought);
                SupplyFrame::Seek(Seek {
                    slot: Self::slot(bytes),
                    hops: bytes.choose(&[24, 0, 1, u8::MAX]).unwrap_or_default(),
                    down: bytes.bool(),
                    sought: if bytes.below(8) == 7 {
                        Self::altered(&sought, bytes)
                    } else {
                        sought
                    },
                })
            }
            2 => SupplyFrame::Supply(key),
            3 => SupplyFrame::Supplies(key),
            4 => SupplyFrame::Refuse(key),
            _ => SupplyFrame::Release(key),
        })
    }

    /// On any way, one of them of a tree that there is not.
    pub(super) fn routed(&mut self, bytes: &mut Bytes<'_>, usually: &str, now: Time) -> Frame {
        let way = match bytes.below(3) {
            0 => Way::Up(Self::slot(bytes)),
            1 => Way::Down(Self::slot(bytes)),
            _ => Way::Aside,
        };
        let also = bytes.bool().then(|| Self::about(bytes, now));
        let document = self.document(bytes, usually, now);
        Frame::Documents(DocumentFrame::Routed(Routed {
            way,
            hops: bytes.u8(),
            also: also.map(Box::new),
            document,
        }))
    }
}
