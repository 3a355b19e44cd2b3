//! The puppets' place in the world: their sockets, calls and words.

use taiinet_document::SignedDocument;
use taiinet_identity::{PeerId, Signed};
use taiinet_mesh::{
    ChannelBinding, LinkFailure,
    session::{Answer, Dialler, Opening, Purpose},
    wire::{
        Frame, FromSignaller, Joined, LinkFrame, Refusal, Signal, SignalBody, SignalFrame,
        SignalPart, ToSignaller, VERSION, Welcome, codec,
    },
};

use super::World;
use crate::{
    Puppet, PuppetIndex, PuppetSpec, Wire, WireId,
    channel::{End, EndId, Owner},
    forge,
    queue::Event,
};

impl World {
    /// A new puppet, which joins its signaller from now on.
    pub fn add_puppet(&mut self, spec: PuppetSpec) -> PuppetIndex {
        let index = PuppetIndex(self.puppets.len());
        let signaller = spec.signaller;
        self.puppets.push(Puppet::new(spec));
        let socket = self.new_end(End::new(Owner::Puppet(index), true));
        self.puppets[index.0].socket = Some(socket);
        self.queue.push(self.now + 1, Event::Reaches(socket, signaller));
        index
    }

    /// A puppet.
    pub fn puppet(&self, puppet: PuppetIndex) -> &Puppet {
        &self.puppets[puppet.0]
    }

    /// A link of a puppet.
    ///
    /// # Panics
    /// If there was never such a link.
    pub fn wire(&self, wire: WireId) -> &Wire {
        self.puppets[wire.puppet.0].wires.get(&wire.end).expect("wires are never forgotten")
    }

    /// The links of a puppet, those that peers opened included.
    pub fn wires(&self, puppet: PuppetIndex) -> Vec<WireId> {
        self.puppets[puppet.0].wires.keys().map(|end| WireId { puppet, end: *end }).collect()
    }

    /// Changes what a puppet does by itself.
    pub fn set_manners(&mut self, puppet: PuppetIndex, manners: crate::Manners) {
        self.puppets[puppet.0].manners = manners;
    }

    /// Offers a link to a peer, through the puppet's signaller, once that took its join.
    pub fn call(&mut self, puppet: PuppetIndex, peer: PeerId) -> WireId {
        let end = self.new_end(End::new(Owner::Puppet(puppet), false));
        let (session, nonce) = (self.rng.number(), self.rng.bytes());
        let node = &mut self.puppets[puppet.0];
        let route = node.socket.unwrap_or(end);
        let wire = Wire::new(node, peer, session, route, false, nonce);
        node.wires.insert(end, wire);
        if node.joined {
            self.queue.push(self.now + 1, Event::Described(end));
        } else {
            node.waiting.push(end);
        }
        WireId { puppet, end }
    }

    /// Sends frames over a link of a puppet, each as a message of its own.
    pub fn speak(&mut self, wire: WireId, frames: &[Frame]) {
        for frame in frames {
            let bytes = codec::encode(frame);
            let pieces =
                if codec::needs_fragments(&bytes) { codec::fragment(&bytes) } else { vec![bytes] };
            for piece in pieces {
                self.speak_frame(wire, &piece);
            }
        }
    }

    /// Sends an encoded frame, good or bad, as a message.
    pub fn speak_frame(&mut self, wire: WireId, frame: &[u8]) {
        let mut writer = codec::MessageWriter::default();
        writer.push(frame);
        self.speak_raw(wire, writer.finish());
    }

    /// Sends any bytes as a message.
    pub fn speak_raw(&mut self, wire: WireId, message: Vec<u8>) {
        if self.ends.get(wire.end).is_some_and(|end| end.open && !end.closing) {
            self.send(wire.end, message);
        }
    }

    /// Proves over a link who the puppet is, if both ends have greeted.
    pub fn prove(&mut self, wire: WireId) {
        let node = &self.puppets[wire.puppet.0];
        let proof = node.wires.get(&wire.end).and_then(|wire| wire.proof(&node.identity));
        if let Some(proof) = proof {
            self.speak(wire, &[Frame::Link(LinkFrame::Proof(proof))]);
        }
    }

    /// Closes a link of a puppet.
    pub fn hang_up(&mut self, wire: WireId) {
        self.close(wire.end);
    }

    /// Gives a puppet a document to serve when it is asked for it.
    pub fn stash(&mut self, puppet: PuppetIndex, document: SignedDocument) {
        self.puppets[puppet.0].stash.insert(document.id(), document);
    }

    /// Sends a frame to a puppet's signaller.
    pub fn tell_signaller(&mut self, puppet: PuppetIndex, frame: &ToSignaller) {
        self.tell_signaller_raw(puppet, codec::encode(frame));
    }

    /// Sends any bytes to a puppet's signaller, in its session.
    pub fn tell_signaller_raw(&mut self, puppet: PuppetIndex, message: Vec<u8>) {
        let session = self.puppets[puppet.0].session.as_mut();
        if let Some(Ok(sealed)) = session.map(|session| session.seal(&message)) {
            self.send_to_signaller(puppet, sealed);
        }
    }

    fn send_to_signaller(&mut self, puppet: PuppetIndex, message: Vec<u8>) {
        if let Some(socket) = self.puppets[puppet.0].socket
            && self.ends.get(socket).is_some_and(|end| end.open && !end.closing)
        {
            self.send(socket, message);
        }
    }

    // ---- What happens to a puppet ----

    pub(super) fn puppet_connected(&mut self, puppet: PuppetIndex, _socket: EndId) {
        let opening = Opening { version: VERSION, dialled: "ws://signaller.virtual".to_owned() };
        let opened = Dialler::new(Purpose::Client, &opening, self.rng.bytes());
        if let Ok((dialler, first)) = opened {
            self.puppets[puppet.0].dialler = Some(dialler);
            self.send_to_signaller(puppet, first);
        }
    }

    pub(super) fn puppet_opened(&mut self, puppet: PuppetIndex, end: EndId, on: ChannelBinding) {
        let frames = self.puppets[puppet.0].opened(end, on);
        self.speak(WireId { puppet, end }, &frames);
    }

    pub(super) fn puppet_hears(&mut self, puppet: PuppetIndex, end: EndId, bytes: &[u8]) {
        if self.puppets[puppet.0].socket == Some(end) {
            let node = &mut self.puppets[puppet.0];
            if let Some(dialler) = node.dialler.take() {
                if let Ok(Answer::Session(session)) = dialler.answered(bytes) {
                    node.session = Some(session);
                }
            } else if let Some(Ok(frame)) = node.session.as_mut().map(|to| to.open(bytes))
                && let Ok(frame) = codec::decode(&frame)
            {
                self.puppet_told(puppet, frame);
            }
            return;
        }
        let heard = self.puppets[puppet.0].wires.get(&end).map_or(0, |wire| wire.frames().len());
        let frames = self.puppets[puppet.0].hears(end, bytes, self.now);
        self.speak(WireId { puppet, end }, &frames);
        let signals: Vec<Signed<Signal>> = self.puppets[puppet.0]
            .wires
            .get(&end)
            .map(|wire| wire.frames())
            .unwrap_or_default()
            .iter()
            .skip(heard)
            .filter_map(|frame| match frame {
                Frame::Signal(SignalFrame::Signal(signal)) => Some(signal.clone()),
                _ => None,
            })
            .collect();
        for signal in signals {
            self.puppet_signalled(puppet, end, &signal);
        }
    }

    pub(super) fn puppet_ended(&mut self, puppet: PuppetIndex, end: EndId, cause: LinkFailure) {
        let node = &mut self.puppets[puppet.0];
        if node.socket == Some(end) {
            (node.socket, node.session) = (None, None);
            node.joined = false;
        } else if let Some(wire) = node.wires.get_mut(&end) {
            wire.ended = Some(cause);
        }
    }

    /// Its signaller tells it something.
    fn puppet_told(&mut self, puppet: PuppetIndex, frame: FromSignaller) {
        match &frame {
            FromSignaller::Welcome(Welcome { signaller, .. }) => {
                let node = &self.puppets[puppet.0];
                let Some(session) = &node.session else { return };
                let joined = Joined { signaller: *signaller, challenge: *session.hash() };
                let presence = node.presence(Some(joined), self.now);
                self.tell_signaller(puppet, &ToSignaller::Join { presence, work: 0 });
            }
            FromSignaller::Joined => {
                let node = &mut self.puppets[puppet.0];
                node.joined = true;
                for end in core::mem::take(&mut node.waiting) {
                    self.queue.push(self.now + 1, Event::Described(end));
                }
            }
            FromSignaller::Signal(signal) => {
                if let Some(socket) = self.puppets[puppet.0].socket {
                    self.puppet_signalled(puppet, socket, &signal.clone());
                }
            }
            _ => {}
        }
        self.puppets[puppet.0].heard.push(frame);
    }

    fn puppet_signalled(&mut self, puppet: PuppetIndex, route: EndId, signal: &Signed<Signal>) {
        let node = &self.puppets[puppet.0];
        let Some(body) = forge::open_signal(&node.identity, signal) else { return };
        let same = |wire: &&EndId| node.wires.get(wire).is_some_and(|w| w.session == body.session);
        let known = node.wires.keys().find(same).copied();
        match (body.part, known) {
            (SignalPart::Offer(offer), None) if node.manners.takes_offers => {
                let nonce = self.rng.bytes();
                let mut end = End::new(Owner::Puppet(puppet), false);
                end.remote = Some(offer);
                let end = self.new_end(end);
                let node = &mut self.puppets[puppet.0];
                let wire = Wire::new(node, signal.signer(), body.session, route, true, nonce);
                node.wires.insert(end, wire);
                self.queue.push(self.now + 1, Event::Described(end));
            }
            (SignalPart::Answer(answer), Some(end)) => self.learns(end, answer),
            (SignalPart::Refuse { reason, retry_after_ms }, Some(end)) => {
                let refusal = Refusal { reason, retry_after_ms, instead: Vec::new() };
                if let Some(wire) = self.puppets[puppet.0].wires.get_mut(&end) {
                    wire.refuse(refusal);
                }
            }
            _ => {}
        }
    }

    /// The description of a link of its own is made: it goes to the other end.
    pub(super) fn puppet_described(&mut self, puppet: PuppetIndex, end: EndId, text: String) {
        let entropy = self.rng.bytes();
        let answers = self.ends.get(end).is_some_and(|end| end.remote.is_some());
        let node = &self.puppets[puppet.0];
        let Some(wire) = node.wires.get(&end) else { return };
        let part = if answers { SignalPart::Answer(text) } else { SignalPart::Offer(text) };
        let body = SignalBody { session: wire.session, part };
        let (to, route) = (wire.peer, wire.route);
        let signal = forge::signal(&node.identity, &node.network, to, &body, self.now, entropy);
        let Some(signal) = signal else { return };
        if node.socket == Some(route) {
            self.tell_signaller(puppet, &ToSignaller::Signal(signal));
        } else {
            self.speak(
                WireId { puppet, end: route },
                &[Frame::Signal(SignalFrame::Signal(signal))],
            );
        }
    }
}
