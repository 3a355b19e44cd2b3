//! Two honest peers, linked by a wire that delays, alters, cuts and loses.

use std::collections::VecDeque;

use taiinet_mesh::{
    ChannelBinding, Config, Dial, Direct, Event, FindOptions, Input, LinkFailure, LinkId, Output,
    Peer, PublishOptions, SignallerAddress, Time, limits,
};

use super::{
    bytes::Bytes,
    member::{Member, QUERIES},
    world::World,
};
use crate::fixture::{NOW, identity, network};

struct End {
    peer: Peer,
    /// The link to the other, if there is one.
    link: Option<LinkId>,
    /// What waits for this end.
    inbox: VecDeque<Vec<u8>>,
}

struct Pair {
    ends: [End; 2],
    now: Time,
    member: Member,
    connected: usize,
}

pub(super) fn run(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let mut pair = Pair::new().play(&mut bytes, |_| {});
    // Left alone, they find each other again.
    let before = pair.connected;
    pair.cut();
    pair.drain();
    pair.pass(60_000);
    assert!(pair.connected > before, "two honest peers did not meet again");
}

impl Pair {
    fn new() -> Self {
        let end = |number: u8, seeds: &[u8]| {
            let mut config = Config::new(network());
            config.store_bytes = 256 * 1024;
            let seed = |number: &u8| SignallerAddress {
                url: format!("wss://{number}.example"),
                pinned: Some(identity(*number).peer_id()),
            };
            config.direct = Some(Direct {
                address: Some(format!("wss://{number}.example")),
                seeds: seeds.iter().map(seed).collect(),
                ..Direct::default()
            });
            let peer = Peer::new(identity(number), config, [number; 32], NOW);
            End { peer, link: None, inbox: VecDeque::new() }
        };
        let ends = [end(1, &[2]), end(2, &[])];
        Self { ends, now: NOW, member: Member::default(), connected: 0 }
    }

    /// The wire is cut; both hear of it.
    fn cut(&mut self) {
        for end in &mut self.ends {
            end.inbox.clear();
            if let Some(link) = end.link.take() {
                let cause = LinkFailure::Unreachable("cut".to_owned());
                end.peer.handle(Input::LinkDown { link, cause }, self.now);
            }
        }
    }

    /// So many messages arrive.
    fn carry(&mut self, most: usize) {
        let now = self.now;
        for _ in 0..most {
            let mut idle = true;
            for index in 0..2 {
                let [end, other] = self.both(index);
                let (Some(link), Some(bytes)) = (end.link, end.inbox.pop_front()) else { continue };
                idle = false;
                let size = bytes.len();
                end.peer.handle(Input::Message { link, bytes }, now);
                if let Some(link) = other.link {
                    other.peer.handle(Input::Sent { link, bytes: size }, now);
                }
                self.drain();
            }
            if idle {
                break;
            }
        }
    }

    fn both(&mut self, index: usize) -> [&mut End; 2] {
        let [one, other] = &mut self.ends;
        if index == 0 { [one, other] } else { [other, one] }
    }

    /// There is one wire.
    fn dialled(&mut self, index: usize, link: LinkId, dial: &Dial) {
        let now = self.now;
        let [end, other] = self.both(index);
        let free = end.link.is_none() && other.link.is_none();
        let direct = matches!(dial, Dial::Direct { .. });
        let accepted = (free && direct).then(|| other.peer.accept_link([127, 0, 0, 1].into(), now));
        let Some(Some(theirs)) = accepted else {
            let cause = LinkFailure::Unreachable("no wire".to_owned());
            end.peer.handle(Input::LinkDown { link, cause }, now);
            return;
        };
        (end.link, other.link) = (Some(link), Some(theirs));
        end.peer.handle(Input::LinkUp { link, binding: ChannelBinding::NONE }, now);
    }
}

impl World for Pair {
    const STEPS: usize = 128;
    const CALLS: usize = 400;

    fn clock(&mut self) -> &mut Time {
        &mut self.now
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let now = self.now;
        let end = bytes.below(2);
        match bytes.below(10) {
            0 => {
                let millis = u64::from(bytes.u16()) << bytes.below(4);
                self.pass(millis);
            }
            1 => self.pass(bytes.u8().into()),
            2 => self.cut(),
            3 => {
                // A transport does not alter what it carries; should it, nothing worse than the end
                // of the link may come of it.
                let (at, with) = (usize::from(bytes.u16()), bytes.u8());
                if let Some(message) = self.ends[end].inbox.front_mut()
                    && let Some(byte) = message.get_mut(at)
                {
                    *byte ^= with;
                }
            }
            4 => drop(self.ends[end].inbox.pop_front()),
            5 | 6 => {
                let content = self.member.content(bytes);
                let options = PublishOptions {
                    key: bytes.bool().then(|| Member::document_key(bytes)),
                    ..PublishOptions::default()
                };
                let _ = self.ends[end].peer.publish(content, options, now);
            }
            7 => {
                if let Some(Ok(query)) = bytes.choose(&QUERIES).map(str::parse) {
                    let peer = &mut self.ends[end].peer;
                    let _ = match bytes.below(3) {
                        0 => peer.find(query, FindOptions::newest(bytes.u16()), now).is_ok(),
                        1 => peer.subscribe_privately(query, now).is_ok(),
                        _ => peer.subscribe(query.into_query()).is_ok(),
                    };
                }
            }
            8 => {
                let input = match bytes.below(5) {
                    0 => Input::Behind(true),
                    1 => Input::Behind(false),
                    2 => Input::Doze(true),
                    3 => Input::Doze(false),
                    _ => Input::Wake,
                };
                self.ends[end].peer.handle(input, now);
            }
            _ => self.carry(usize::from(bytes.u8())),
        }
    }

    fn drain(&mut self) {
        for index in [0, 1, 0, 1] {
            let now = self.now;
            while let Some(output) = self.ends[index].peer.poll_output(now) {
                match output {
                    Output::Dial { link, dial } => self.dialled(index, link, &dial),
                    Output::Send { link, bytes, .. } => {
                        assert!(bytes.len() <= limits::WIRE_BYTES);
                        let [end, other] = self.both(index);
                        if end.link == Some(link) && other.link.is_some() {
                            other.inbox.push_back(bytes);
                        }
                    }
                    Output::Close { link } => {
                        let [end, other] = self.both(index);
                        if end.link == Some(link) {
                            end.link = None;
                            end.inbox.clear();
                            // What was said last still arrives.
                            if let Some(link) = other.link.take() {
                                for bytes in other.inbox.drain(..) {
                                    other.peer.handle(Input::Message { link, bytes }, now);
                                }
                                let cause = LinkFailure::Remote;
                                other.peer.handle(Input::LinkDown { link, cause }, now);
                            }
                        }
                        let cause = LinkFailure::Local;
                        self.ends[index].peer.handle(Input::LinkDown { link, cause }, now);
                    }
                    Output::Event(Event::PeerConnected { .. }) => self.connected += 1,
                    _ => {}
                }
            }
        }
    }

    fn check(&self) {}

    fn due(&mut self) -> Option<Time> {
        self.carry(64);
        self.ends.iter().filter_map(|end| end.peer.poll_timeout()).min()
    }

    fn time_out(&mut self) {
        for end in &mut self.ends {
            if end.peer.poll_timeout().is_some_and(|due| due <= self.now) {
                end.peer.handle_timeout(self.now);
            }
        }
    }
}
