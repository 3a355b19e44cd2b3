//! Signallers that form a pool: their sockets to one another.

use taiinet_identity::PeerId;
use taiinet_mesh::{ChannelBinding, Direct, Input, LinkFailure, LinkId, SignallerAddress};
use taiinet_signaller::{DeskConfig, DeskInput, DeskStatus};

use super::{World, desks::address};
use crate::{
    Node, SignallerIndex,
    channel::{End, EndId, Owner},
    queue::Event,
};

impl World {
    /// A new signaller, which knows these others of a pool.
    pub fn add_member(&mut self, known: &[SignallerIndex]) -> SignallerIndex {
        let seed = |member: &SignallerIndex| SignallerAddress {
            url: member.url(),
            pinned: Some(self.signaller_id(*member)),
        };
        let seeds = known.iter().map(seed).collect();
        self.add_member_as(Direct { seeds, ..Direct::default() })
    }

    /// As [`Self::add_member`]; its address is filled in.
    pub fn add_member_as(&mut self, direct: Direct) -> SignallerIndex {
        let next = SignallerIndex(self.desks.len());
        let direct = Direct { address: Some(next.url()), ..direct };
        self.add_signaller(DeskConfig { pool: Some(direct), ..DeskConfig::default() })
    }

    /// What a signaller says of itself; none while it is down.
    pub fn desk_status(&self, signaller: SignallerIndex) -> Option<DeskStatus> {
        Some(self.desks[signaller.0].desk.as_ref()?.status(self.now()))
    }

    /// The signaller of this name.
    pub fn signaller_of(&self, id: &PeerId) -> Option<SignallerIndex> {
        let position = self.desks.iter().position(|node| node.identity.peer_id() == *id);
        position.map(SignallerIndex)
    }

    pub(super) fn member_dials(&mut self, from: SignallerIndex, link: LinkId, url: &str) {
        let end = self.new_end(End::new(Owner::Member(from, link), true));
        self.desks[from.0].links.insert(link, end);
        let at = self.now + self.rng.within(self.config.setup).max(1);
        match self.signaller_at(url) {
            Some(to) => self.queue.push(at, Event::Reaches(end, to)),
            None => {
                let cause = LinkFailure::Unreachable("no such host".to_owned());
                self.queue.push(at, Event::Ends(end, cause));
            }
        }
    }

    /// A socket of one signaller has reached another, which runs.
    pub(super) fn member_arrives(
        &mut self,
        end: EndId,
        from: SignallerIndex,
        link: LinkId,
        to: SignallerIndex,
    ) {
        let now = self.now();
        let address = address(Node::Signaller(from));
        let desk = self.desks[to.0].desk.as_mut();
        let accepted = desk.and_then(|desk| desk.accept(address, now));
        self.dirty.insert(Node::Signaller(to));
        let Some(theirs) = accepted else {
            self.ends(end, LinkFailure::Transport("it answers HTTP 404".to_owned()));
            return;
        };
        let mut here = End::new(Owner::Member(to, theirs), true);
        (here.twin, here.open) = (Some(end), true);
        let here = self.new_end(here);
        let Some(state) = self.ends.get_mut(end).filter(|state| !state.closing) else {
            self.forget(here);
            self.member_input(to, Input::LinkDown { link: theirs, cause: LinkFailure::Remote });
            return;
        };
        (state.twin, state.open) = (Some(here), true);
        self.desks[to.0].links.insert(theirs, here);
        self.member_input(from, Input::LinkUp { link, binding: ChannelBinding::NONE });
    }

    pub(super) fn member_sends(&mut self, from: SignallerIndex, link: LinkId, bytes: Vec<u8>) {
        if let Some(end) = self.desks[from.0].links.get(&link).copied() {
            self.send(end, bytes);
        }
    }

    pub(super) fn member_closes(&mut self, from: SignallerIndex, link: LinkId) {
        if let Some(end) = self.desks[from.0].links.get(&link).copied() {
            self.close(end);
        }
    }

    pub(super) fn member_lost(&mut self, of: SignallerIndex, link: LinkId, cause: LinkFailure) {
        if self.desks[of.0].links.remove(&link).is_some() {
            self.member_input(of, Input::LinkDown { link, cause });
        }
    }

    pub(super) fn member_input(&mut self, signaller: SignallerIndex, input: Input) {
        self.desk_input(signaller, DeskInput::Pool(input));
    }
}
