//! Signallers: the real desk behind virtual sockets, and what a hostile one could do.

use core::net::{IpAddr, Ipv4Addr};

use taiinet_identity::PeerId;
use taiinet_mesh::{
    ChannelBinding, Input, LinkFailure, Time,
    wire::{FromSignaller, codec},
};

use taiinet_signaller::{ClientId, Desk, DeskConfig, DeskInput, DeskOutput, fuzz::Unsealed};

use super::World;
use crate::{
    Node, PeerIndex, SignallerIndex,
    channel::{End, EndId, Owner},
    desk::{DeskNode, Tamper},
    queue::Event,
    rng::millis,
};

impl SignallerIndex {
    /// Its address.
    pub fn url(self) -> String {
        format!("ws://signaller-{}.virtual", self.0)
    }
}

fn client(end: EndId) -> ClientId {
    ClientId::from(end.0)
}

impl World {
    /// A new signaller, which runs from now on.
    pub fn add_signaller(&mut self, config: DeskConfig) -> SignallerIndex {
        let identity = self.identity();
        let mut node = DeskNode::new(identity, config);
        node.start(self.rng.bytes(), self.now());
        self.desks.push(node);
        let signaller = SignallerIndex(self.desks.len() - 1);
        self.dirty.insert(Node::Signaller(signaller));
        signaller
    }

    /// A signaller's name.
    pub fn signaller_id(&self, signaller: SignallerIndex) -> PeerId {
        self.desks[signaller.0].identity.peer_id()
    }

    /// When this signaller took a join, in order, over all its lives.
    pub fn joins(&self, signaller: SignallerIndex) -> &[Time] {
        &self.desks[signaller.0].joins
    }

    /// Makes a signaller hostile: `tamper` changes all that it tells its clients from now on.
    pub fn tamper(&mut self, signaller: SignallerIndex, tamper: Tamper) {
        self.desks[signaller.0].tamper = Some(tamper);
        self.desks[signaller.0].is_hostile = true;
    }

    /// Tells all clients of a signaller something that its desk did not say.
    pub fn signaller_says(&mut self, signaller: SignallerIndex, frame: &FromSignaller) {
        self.desks[signaller.0].is_hostile = true;
        let clients: Vec<ClientId> = self.desks[signaller.0].clients.keys().copied().collect();
        for client in clients {
            self.say_sealed(signaller, client, frame);
        }
    }

    /// What a signaller says is sealed in the client's session, also if a test made it up.
    fn say_sealed(&mut self, from: SignallerIndex, to: ClientId, frame: &FromSignaller) {
        let node = &mut self.desks[from.0];
        let end = node.clients.get(&to).copied();
        let desk = node.desk.as_mut();
        let sealed = desk.and_then(|desk| desk.seal(to, &codec::encode(frame)));
        if let (Some(end), Some(bytes)) = (end, sealed) {
            self.send(end, bytes);
        }
    }

    /// As [`Self::signaller_says`], to one of them.
    pub fn signaller_says_to(
        &mut self,
        signaller: SignallerIndex,
        to: PeerIndex,
        frame: &FromSignaller,
    ) {
        self.desks[signaller.0].is_hostile = true;
        let clients = self.desks[signaller.0].clients.clone();
        for (client, end) in clients {
            let theirs =
                self.ends.get(end).and_then(|end| end.twin).and_then(|twin| self.node_of(twin));
            if theirs == Some(Node::Peer(to)) {
                self.say_sealed(signaller, client, frame);
            }
        }
    }

    /// Drains a signaller, as on SIGTERM.
    pub fn drain_signaller(&mut self, signaller: SignallerIndex) {
        self.desk_input(signaller, DeskInput::Drain);
    }

    pub(super) fn signaller_at(&self, url: &str) -> Option<SignallerIndex> {
        (0..self.desks.len()).map(SignallerIndex).find(|signaller| signaller.url() == url)
    }

    /// A socket that is being opened reaches the signaller's machine.
    pub(super) fn reaches(&mut self, end: EndId, signaller: SignallerIndex) {
        let Some(owner) = self.node_of(end) else { return };
        if !self.reach(Some(owner), Some(Node::Signaller(signaller))) {
            let cause = LinkFailure::Unreachable("no answer".to_owned());
            self.queue.push(self.now + millis(self.config.gives_up), Event::Ends(end, cause));
            return;
        }
        if self.desks[signaller.0].desk.is_none() {
            let cause = LinkFailure::Unreachable("connection refused".to_owned());
            self.ends(end, cause);
            return;
        }
        if let Some(End { owner: Owner::Member(from, link), .. }) = self.ends.get(end) {
            self.member_arrives(end, *from, *link, signaller);
            return;
        }
        let mut here = End::new(Owner::Signaller(signaller), true);
        here.twin = Some(end);
        here.open = true;
        let here = self.new_end(here);
        let Some(state) = self.ends.get_mut(end).filter(|state| !state.closing) else {
            self.forget(here);
            return;
        };
        state.twin = Some(here);
        state.open = true;
        let up = state.owner;
        self.desks[signaller.0].clients.insert(client(here), here);
        let address = address(owner);
        self.desk_input(signaller, DeskInput::Connected { client: client(here), address });
        match up {
            Owner::Peer(peer, link) => {
                self.trace.note(self.now, peer.0, "connected", end.0, &[]);
                self.input(peer, Input::LinkUp { link, binding: ChannelBinding::NONE });
            }
            Owner::Puppet(puppet) => self.puppet_connected(puppet, end),
            Owner::Signaller(_) | Owner::Member(..) => {}
        }
    }

    pub(super) fn desk_hears(&mut self, signaller: SignallerIndex, end: EndId, bytes: Vec<u8>) {
        self.desk_input(signaller, DeskInput::Message { client: client(end), bytes });
    }

    pub(super) fn desk_lost(&mut self, signaller: SignallerIndex, end: EndId) {
        if self.desks[signaller.0].clients.remove(&client(end)).is_some() {
            self.desk_input(signaller, DeskInput::Disconnected { client: client(end) });
        }
    }

    pub(super) fn desk_input(&mut self, signaller: SignallerIndex, input: DeskInput) {
        let now = self.now();
        if let Some(desk) = &mut self.desks[signaller.0].desk {
            desk.handle(input, now);
            self.dirty.insert(Node::Signaller(signaller));
        }
    }

    pub(super) fn desk_time_out(&mut self, signaller: SignallerIndex) {
        let now = self.now();
        let node = &mut self.desks[signaller.0];
        node.wake = None;
        let ticks = if node.ticks.0 == self.now { node.ticks.1 + 1 } else { 1 };
        node.ticks = (self.now, ticks);
        if let Some(desk) = &mut node.desk {
            desk.handle_timeout(now);
        }
    }

    pub(super) fn settle_desk(&mut self, signaller: SignallerIndex) {
        let now = self.now();
        while let Some(output) = self.desks[signaller.0].desk.as_mut().and_then(Desk::poll_unsealed)
        {
            let output = match output {
                Unsealed::Output(output) => output,
                Unsealed::Frame { client, frame } => {
                    self.desk_says(signaller, client, &frame, now);
                    continue;
                }
            };
            match output {
                // What makes a session.
                DeskOutput::Send { client, bytes } => {
                    if let Some(end) = self.desks[signaller.0].clients.get(&client).copied() {
                        self.send(end, bytes);
                    }
                }
                DeskOutput::Close { client, .. } => {
                    if let Some(end) = self.desks[signaller.0].clients.get(&client).copied() {
                        self.close(end);
                    }
                }
                DeskOutput::Dial { link, url } => self.member_dials(signaller, link, &url),
                DeskOutput::SendTo { link, bytes } => self.member_sends(signaller, link, bytes),
                DeskOutput::CloseLink { link } => self.member_closes(signaller, link),
            }
        }
        self.assert_innocent_pool(signaller);
        let node = &mut self.desks[signaller.0];
        let deadline = node.desk.as_ref().and_then(Desk::poll_timeout).map(Time::as_millis);
        let spinning = node.ticks.0 == self.now && node.ticks.1 > 16;
        if spinning && deadline.is_some_and(|deadline| deadline <= self.now) {
            self.violations.push(format!("{signaller:?} is due again and again at one moment"));
        }
        let wake = deadline.map(|at| at.max(self.now + u64::from(spinning)));
        if wake != node.wake {
            let name = Node::Signaller(signaller);
            if let Some(old) = node.wake {
                self.wakes.remove(&(old, name));
            }
            node.wake = wake;
            if let Some(wake) = wake {
                self.wakes.insert((wake, name));
            }
        }
    }

    /// Leaves the hidden out of an introduction.
    fn without_hidden(&self, frame: FromSignaller) -> FromSignaller {
        let FromSignaller::Introduced { mut presences, retry_after_ms } = frame else {
            return frame;
        };
        let hidden = |id: PeerId| {
            self.puppets.iter().any(|puppet| puppet.id() == id && !puppet.manners.shows)
        };
        presences.retain(|presence| !hidden(presence.signer()));
        FromSignaller::Introduced { presences, retry_after_ms }
    }

    fn desk_says(&mut self, from: SignallerIndex, to: ClientId, frame: &[u8], now: Time) {
        let Ok(frame) = codec::decode(frame) else {
            self.violations.push(format!("{from:?} sends what is no frame"));
            return;
        };
        if matches!(frame, FromSignaller::Joined) {
            self.desks[from.0].joins.push(now);
        }
        if self.config.signal_loss > 0.0
            && matches!(frame, FromSignaller::Signal(_))
            && self.rng.happens(self.config.signal_loss)
        {
            return;
        }
        let frame = self.without_hidden(frame);
        let frames = match &mut self.desks[from.0].tamper {
            Some(tamper) => tamper(frame),
            None => vec![frame],
        };
        for frame in frames {
            self.say_sealed(from, to, &frame);
        }
    }
}

/// Each node has an address of its own, no two in one prefix.
pub(super) fn address(node: Node) -> IpAddr {
    let (net, index) = match node {
        Node::Peer(peer) => (10, peer.0),
        Node::Puppet(puppet) => (11, puppet.0),
        Node::Signaller(signaller) => (12, signaller.0),
    };
    let [.., high, low] = u32::try_from(index).unwrap_or(u32::MAX).to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(net, high, low, 1))
}
