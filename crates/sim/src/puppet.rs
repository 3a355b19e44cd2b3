//! The attacker's hand: scripted endpoints that hold real keys and real links, and speak as they are
//! told.

use std::collections::BTreeMap;

use taiinet_document::{DocumentId, Network, SignedDocument};
use taiinet_identity::{Identity, PeerId, Signature, Signed};
use taiinet_mesh::{
    ChannelBinding, LinkFailure,
    session::{Dialler, Session},
    wire::{
        DocumentFrame, Features, Frame, FromSignaller, Hello, Joined, LinkFrame, Neighbour,
        Presence, Push, Refusal,
        codec::{self, Assembler, MessageReader},
    },
};

use crate::{PuppetIndex, SignallerIndex, channel::EndId, forge};

/// What a puppet does by itself; all else it does only when told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manners {
    /// Sends its hello when a link opens.
    pub greets: bool,
    /// Proves who it is when it was greeted.
    pub proves: bool,
    /// Says that it takes the peer as a neighbour once that has proven itself.
    pub accepts: bool,
    /// Answers pings.
    pub pongs: bool,
    /// Acknowledges documents.
    pub acks: bool,
    /// Sends documents of its stash when asked for them.
    pub serves: bool,
    /// Takes links that peers offer to it.
    pub takes_offers: bool,
    /// Lets others hear of it: it is introduced, and its presence passed on. A hidden one has only
    /// the links that it opens itself.
    pub shows: bool,
    /// Speaks of itself as a later version of the protocol would: in its hello with features and words that
    /// no peer knows, in its presence with its next key.
    pub is_newer: bool,
}

impl Manners {
    /// As an honest neighbour, but hidden.
    pub const HONEST: Self = Self {
        greets: true,
        proves: true,
        accepts: true,
        pongs: true,
        acks: true,
        serves: true,
        takes_offers: true,
        shows: false,
        is_newer: false,
    };
    /// Nothing by itself.
    pub const MUTE: Self = Self {
        greets: false,
        proves: false,
        accepts: false,
        pongs: false,
        acks: false,
        serves: false,
        takes_offers: false,
        shows: false,
        is_newer: false,
    };
}

/// How a puppet comes into the world.
#[derive(Debug, Clone)]
pub struct PuppetSpec {
    /// Its key, which may well be another's.
    pub identity: Identity,
    /// The network it names.
    pub network: Network,
    /// The signaller that it joins.
    pub signaller: SignallerIndex,
    /// What it does by itself.
    pub manners: Manners,
}

/// Names a link of a puppet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireId {
    pub(crate) puppet: PuppetIndex,
    pub(crate) end: EndId,
}

/// A link of a puppet, with all that came over it.
#[derive(Debug)]
pub struct Wire {
    pub(crate) peer: PeerId,
    pub(crate) session: u64,
    /// Over what its signals go: the socket to the signaller or another wire.
    pub(crate) route: EndId,
    incoming: bool,
    binding: Option<ChannelBinding>,
    ours: Hello,
    theirs: Option<Hello>,
    proven: bool,
    neighbour: Option<Neighbour>,
    refused: Option<Refusal>,
    pub(crate) ended: Option<LinkFailure>,
    frames: Vec<Frame>,
    assembler: Assembler,
}

impl Puppet {
    fn hello(&self, nonce: [u8; 32]) -> Hello {
        let hello = forge::hello(self.id(), &self.network, nonce);
        if !self.manners.is_newer {
            return hello;
        }
        let extra = vec![7; taiinet_mesh::limits::HELLO_EXTRA_BYTES];
        Hello { features: Features(u64::MAX), extra, ..hello }
    }
}

impl Wire {
    pub(crate) fn new(
        puppet: &Puppet,
        peer: PeerId,
        session: u64,
        route: EndId,
        incoming: bool,
        nonce: [u8; 32],
    ) -> Self {
        Self {
            peer,
            session,
            route,
            incoming,
            binding: None,
            ours: puppet.hello(nonce),
            theirs: None,
            proven: false,
            neighbour: None,
            refused: None,
            ended: None,
            frames: Vec::new(),
            assembler: Assembler::default(),
        }
    }

    /// The peer at the other end.
    pub const fn peer(&self) -> PeerId {
        self.peer
    }

    /// Whether the channel is open.
    pub const fn is_open(&self) -> bool {
        self.binding.is_some() && self.ended.is_none()
    }

    /// The channel's binding, once it was open.
    pub const fn binding(&self) -> Option<ChannelBinding> {
        self.binding
    }

    /// Whether the peer at the other end has taken the puppet as a neighbour, and the link stands.
    pub const fn is_neighbour(&self) -> bool {
        self.neighbour.is_some() && self.ended.is_none()
    }

    /// Why the peer refused.
    pub const fn refused(&self) -> Option<&Refusal> {
        self.refused.as_ref()
    }

    /// Why the link ended.
    pub const fn ended(&self) -> Option<&LinkFailure> {
        self.ended.as_ref()
    }

    /// The hello that the puppet sends or sent.
    pub const fn ours(&self) -> &Hello {
        &self.ours
    }

    /// The peer's hello.
    pub const fn theirs(&self) -> Option<&Hello> {
        self.theirs.as_ref()
    }

    /// All frames that the peer sent, whole.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// The names of the documents that the peer pushed.
    pub fn pushed(&self) -> Vec<DocumentId> {
        self.pushed_documents().map(SignedDocument::id).collect()
    }

    /// The documents that the peer pushed, as they came.
    pub fn pushed_documents(&self) -> impl Iterator<Item = &SignedDocument> {
        self.frames.iter().filter_map(|frame| match frame {
            Frame::Documents(DocumentFrame::Push(push)) => Some(&push.document),
            _ => None,
        })
    }

    /// The ids that the peer asked for.
    pub fn grafted(&self) -> Vec<DocumentId> {
        let graft = |frame: &Frame| match frame {
            Frame::Documents(DocumentFrame::Graft(ids)) => ids.clone(),
            _ => Vec::new(),
        };
        self.frames.iter().flat_map(graft).collect()
    }

    /// How many bytes of documents the peer acknowledged.
    pub fn acknowledged(&self) -> u64 {
        let ack = |frame: &Frame| match frame {
            Frame::Link(LinkFrame::Ack(bytes)) => u64::from(*bytes),
            _ => 0,
        };
        self.frames.iter().map(ack).sum()
    }
}

/// A scripted endpoint.
#[derive(Debug)]
pub struct Puppet {
    pub(crate) identity: Identity,
    pub(crate) network: Network,
    pub(crate) manners: Manners,
    pub(crate) socket: Option<EndId>,
    pub(crate) joined: bool,
    /// The session with its signaller, and before that its beginning.
    pub(crate) session: Option<Session>,
    pub(crate) dialler: Option<Dialler>,
    pub(crate) wires: BTreeMap<EndId, Wire>,
    /// Links to open once the signaller took the join.
    pub(crate) waiting: Vec<EndId>,
    pub(crate) stash: BTreeMap<DocumentId, SignedDocument>,
    pub(crate) heard: Vec<FromSignaller>,
}

impl Puppet {
    pub(crate) fn new(spec: PuppetSpec) -> Self {
        Self {
            identity: spec.identity,
            network: spec.network,
            manners: spec.manners,
            socket: None,
            joined: false,
            session: None,
            dialler: None,
            wires: BTreeMap::new(),
            waiting: Vec::new(),
            stash: BTreeMap::new(),
            heard: Vec::new(),
        }
    }

    /// Its key, by which others know it.
    pub const fn id(&self) -> PeerId {
        self.identity.peer_id()
    }

    /// Whether the signaller took its join.
    pub const fn has_joined(&self) -> bool {
        self.joined
    }

    /// Its key.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// All that its signaller told it.
    pub fn heard(&self) -> &[FromSignaller] {
        &self.heard
    }

    /// Links that peers opened to it.
    pub fn incoming(&self) -> impl Iterator<Item = PeerId> {
        self.wires.values().filter(|wire| wire.incoming && wire.is_open()).map(Wire::peer)
    }

    /// The channel of a wire is open. Gives what it says to that.
    pub(crate) fn opened(&mut self, end: EndId, binding: ChannelBinding) -> Vec<Frame> {
        let Some(wire) = self.wires.get_mut(&end) else { return Vec::new() };
        wire.binding = Some(binding);
        if self.manners.greets {
            vec![Frame::Link(LinkFrame::Hello(wire.ours.clone()))]
        } else {
            Vec::new()
        }
    }

    /// A message came over a wire. Gives what it says to that.
    pub(crate) fn hears(&mut self, end: EndId, message: &[u8], now: u64) -> Vec<Frame> {
        let mut replies = Vec::new();
        // A puppet trusts its victims to speak properly.
        let Ok(frames) = MessageReader::new(message) else { return replies };
        for bytes in frames.flatten() {
            let Ok(frame) = codec::decode::<Frame>(bytes) else { continue };
            let Some(wire) = self.wires.get_mut(&end) else { break };
            let frame = match frame {
                Frame::Fragment(piece) => match wire.assembler.push(&piece) {
                    Ok(Some(whole)) => match codec::decode(&whole) {
                        Ok(whole) => whole,
                        Err(_) => continue,
                    },
                    _ => continue,
                },
                frame => frame,
            };
            replies.extend(self.reply(end, &frame, now));
            if let Some(wire) = self.wires.get_mut(&end) {
                wire.frames.push(frame);
            }
        }
        replies
    }

    fn reply(&mut self, end: EndId, frame: &Frame, now: u64) -> Vec<Frame> {
        let Some(wire) = self.wires.get_mut(&end) else { return Vec::new() };
        let manners = self.manners;
        match frame {
            Frame::Link(LinkFrame::Hello(theirs)) => {
                // Peers say hello again, and so does the end that answers: the first may have been lost in a
                // channel that was open at one end only.
                if wire.theirs.as_ref() == Some(theirs) {
                    return Vec::new();
                }
                wire.theirs = Some(theirs.clone());
                let hello =
                    manners.greets.then(|| Frame::Link(LinkFrame::Hello(wire.ours.clone())));
                let proof = wire.proof(&self.identity).filter(|_| manners.proves);
                hello
                    .into_iter()
                    .chain(proof.map(|value| Frame::Link(LinkFrame::Proof(value))))
                    .collect()
            }
            Frame::Link(LinkFrame::Proof(_)) => {
                wire.proven = true;
                if !manners.accepts {
                    return Vec::new();
                }
                let presence = manners.shows.then(|| self.presence(None, now));
                let since = taiinet_document::Timestamp::from_millis(now);
                vec![Frame::Link(LinkFrame::Neighbour(Neighbour { presence, since }))]
            }
            Frame::Link(LinkFrame::Neighbour(neighbour)) => {
                wire.neighbour = Some(neighbour.clone());
                Vec::new()
            }
            Frame::Link(LinkFrame::Refuse(refusal)) => {
                wire.refused = Some(refusal.clone());
                Vec::new()
            }
            Frame::Link(LinkFrame::Ping(number)) if manners.pongs => {
                vec![Frame::Link(LinkFrame::Pong(*number))]
            }
            Frame::Documents(DocumentFrame::Push(push)) if manners.acks => {
                vec![Frame::Link(LinkFrame::Ack(
                    u32::try_from(push.document.size()).unwrap_or(u32::MAX),
                ))]
            }
            Frame::Documents(DocumentFrame::Graft(ids)) if manners.serves => {
                let known = ids.iter().filter_map(|id| self.stash.get(id));
                known
                    .map(|document| {
                        Frame::Documents(DocumentFrame::Push(Push {
                            hops: 0,
                            document: document.clone(),
                        }))
                    })
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// Its presence as of now.
    pub(crate) fn presence(&self, joined: Option<Joined>, now: u64) -> Signed<Presence> {
        let presence = forge::presence(&self.identity, &self.network, joined, now);
        match presence.peek() {
            Ok(body) if self.manners.is_newer => {
                let next_key = Some(forge::NEXT_KEY);
                Signed::new(&self.identity, &Presence { next_key, ..body })
            }
            _ => presence,
        }
    }
}

impl Wire {
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        self.refused = Some(refusal);
    }

    /// The proof that an honest handshake calls for, by whichever key; none before both hellos and
    /// the channel are there.
    pub fn proof(&self, identity: &Identity) -> Option<Signature> {
        let (binding, theirs) = (self.binding?, self.theirs.as_ref()?);
        Some(forge::proof(identity, &self.ours, theirs, binding, !self.incoming))
    }
}
