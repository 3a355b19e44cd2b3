//! One link to another peer: from the dial to the finished handshake, and its liveness after.
//!
//! The handshake: both ends send [`Hello`], then [`LinkFrame::Proof`]: a signature over both hellos, the
//! channel binding and the signer's role. Then each end says whether it takes the other as a
//! neighbour. No other frame counts before that.

use core::{net::IpAddr, time::Duration};

use taiinet_document::Network;
use taiinet_identity::{Domain, Identity, PeerId, Signature, Verified};

use super::{
    budgets::Budgets, inbound::Inbound, lanes::Lanes, protection::Protection, session::Purpose,
    work::Work,
};
use crate::{
    ChannelBinding, Disconnect, Incompatible, LinkId, LinkState, Misbehaviour, Time, limits,
    trees::Slots,
    wire::{Features, Hello, Kept, LinkFrame, Presence, VERSION, codec::Assembler},
};

/// How far a link is.
#[derive(Debug)]
enum Stage {
    /// The transport negotiates.
    Dialling,
    /// The channel is open; we sent our hello.
    Greeted { binding: ChannelBinding, ours: Hello, again_at: Time },
    /// We know their hello and sent our proof.
    Challenged { binding: ChannelBinding, ours: Hello, theirs: Hello },
    /// Both have proven who they are. They are neighbours once both have said so.
    Proven { admitted: bool, accepted: bool },
}

/// Whether a neighbour is relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    None,
    /// It was asked whether it is there, and is to say something by then.
    From(Time),
    /// It has not: another link to it may be made.
    Doubted,
}

/// What a handshake frame led to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// Nothing yet; the other end's next frame is awaited.
    Goes,
    /// The peer has proven who it is: decide whether it becomes a neighbour.
    Proven,
    /// It can be no neighbour, by no fault of either.
    Incompatible(Incompatible),
}

/// A link to another peer.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: LinkId,
    pub(crate) peer: PeerId,
    /// Whether the other end made the offer.
    pub(crate) incoming: bool,
    /// Whether a signaller relays it.
    pub(crate) relayed: bool,
    /// Whether it does not count among the links that a peer wants: it is there until there are enough.
    pub(crate) extra: bool,
    /// From which address it came, where links are made by address.
    pub(crate) from: Option<IpAddr>,
    /// What protects its messages.
    pub(crate) protection: Protection,
    /// The negotiation it came from.
    pub(crate) session: u64,
    pub(crate) lanes: Lanes,
    pub(crate) assembler: Assembler,
    /// The neighbour's own word of being here, for others to hear.
    pub(crate) presence: Option<Verified<Presence>>,
    /// What was refused of it.
    pub(crate) offences: u64,
    /// What it may still do.
    pub(crate) budgets: Budgets,
    /// How much work it may still make for us.
    pub(crate) work: Work,
    /// What it sent and we have not acknowledged.
    pub(crate) inbound: Inbound,
    /// Whether the other end has an archive.
    pub(crate) is_archive: bool,
    /// Whether it takes part in the rooted trees.
    pub(crate) has_trees: bool,
    /// Whether the other end says that it dozes.
    pub(crate) dozing: bool,
    /// Whether we do.
    pub(crate) we_doze: bool,
    /// Whether the other end has more links than it needs.
    pub(crate) surplus: bool,
    /// Whether we have told it that we could part with it.
    pub(crate) told_surplus: bool,
    /// In which trees it is our parent.
    pub(crate) leads_up: Slots,
    /// How many peers it brings, as our child in each tree, itself among them; none, if it is no child.
    pub(crate) brings: [u32; limits::SLOTS],
    /// When it last brought a document that was new here.
    pub(crate) brought_at: Option<Time>,
    /// Whether it was made for a peer that sought a supplier.
    pub(crate) sought: bool,
    /// For how many keys one end supplies the other.
    pub(crate) supplies: u32,
    /// For how many groups of documents we rely on it.
    pub(crate) relied_on: u32,
    stage: Stage,
    since: Time,
    heard: Time,
    spoke: Time,
    /// After a sleep: until when something must be heard, whatever was not heard before.
    probe: Option<Time>,
    doubt: Doubt,
    /// After a sleep: until when no peer is to blame for its end, also if something is heard that was said
    /// meanwhile.
    excused_until: Time,
    ping: Option<(u32, Time)>,
    pings: u32,
    pinged: Time,
    round_trip: Option<Duration>,
}

/// The peer at the other end before it has said who it is, where links are made by address: no key at all.
pub(crate) const NOBODY: PeerId = PeerId::from_bytes([0; 32]);

impl Link {
    pub(crate) fn new(id: LinkId, peer: PeerId, incoming: bool, session: u64, now: Time) -> Self {
        Self {
            id,
            peer,
            incoming,
            relayed: false,
            extra: false,
            from: None,
            protection: Protection::Channel,
            session,
            lanes: Lanes::default(),
            assembler: Assembler::default(),
            presence: None,
            offences: 0,
            budgets: Budgets::new(now),
            work: Work::new(now),
            inbound: Inbound::default(),
            is_archive: false,
            has_trees: false,
            dozing: false,
            we_doze: false,
            surplus: false,
            told_surplus: false,
            leads_up: Slots::default(),
            brings: [0; limits::SLOTS],
            brought_at: None,
            sought: false,
            supplies: 0,
            relied_on: 0,
            stage: Stage::Dialling,
            since: now,
            heard: now,
            spoke: now,
            probe: None,
            doubt: Doubt::None,
            excused_until: now,
            ping: None,
            pings: 0,
            pinged: now,
            round_trip: None,
        }
    }

    /// A signaller relays it; `extra`: beside those that we want.
    pub(crate) fn on_circuit(&mut self, extra: bool) {
        self.relayed = true;
        self.extra = extra;
        self.lanes.on_circuit();
        self.protection = if self.incoming {
            Protection::Awaited(Purpose::Circuit)
        } else {
            Protection::ToOpen(Purpose::Circuit, String::new())
        };
    }

    /// The channel is open, and a session is made on it first.
    pub(crate) fn secures(&mut self, now: Time) {
        self.since = now;
        self.hears(now);
    }

    /// The channel is open: greet. None if it was open already.
    pub(crate) fn opened(
        &mut self,
        binding: ChannelBinding,
        ours: Hello,
        now: Time,
    ) -> Option<LinkFrame> {
        if !matches!(self.stage, Stage::Dialling) {
            return None;
        }
        self.since = now;
        self.hears(now);
        let again_at = now.after(limits::HELLO_AGAIN);
        self.stage = Stage::Greeted { binding, ours: ours.clone(), again_at };
        Some(LinkFrame::Hello(ours))
    }

    /// A hello that was not answered goes again.
    fn greet_again(&mut self, now: Time) -> Option<LinkFrame> {
        let Stage::Greeted { ours, again_at, .. } = &mut self.stage else { return None };
        if now < *again_at {
            return None;
        }
        *again_at = now.after(limits::HELLO_AGAIN);
        Some(LinkFrame::Hello(ours.clone()))
    }

    /// The other end greets. Gives our hello, again, and the proof: a channel may be open at one end
    /// before it is at the other, and `webrtc` loses what is sent meanwhile.
    ///
    /// # Errors
    /// [`Misbehaviour::OutOfTurn`], [`Misbehaviour::Oversize`]; [`Misbehaviour::BadProof`] if it is not
    /// the peer that this link was negotiated with, or ourselves.
    pub(crate) fn hello(
        &mut self,
        theirs: Hello,
        identity: &Identity,
        network: &Network,
    ) -> Result<(Handshake, Vec<LinkFrame>), Misbehaviour> {
        let (binding, ours) = match &self.stage {
            Stage::Greeted { binding, ours, .. } => (*binding, ours),
            Stage::Challenged { theirs: known, .. } if *known == theirs => {
                return Ok((Handshake::Goes, Vec::new()));
            }
            Stage::Proven { accepted: false, .. } => return Ok((Handshake::Goes, Vec::new())),
            _ => return Err(Misbehaviour::OutOfTurn),
        };
        if theirs.extra.len() > limits::HELLO_EXTRA_BYTES {
            return Err(Misbehaviour::Oversize);
        }
        let apart = if theirs.version != VERSION {
            Some(Incompatible::Version { theirs: theirs.version })
        } else if theirs.network != *network {
            Some(Incompatible::Network)
        } else {
            None
        };
        if let Some(why) = apart {
            return Ok((Handshake::Incompatible(why), Vec::new()));
        }
        let expected = self.peer == theirs.peer || self.peer == NOBODY;
        // A hello with our own nonce would be our own, reflected.
        if !expected || theirs.nonce == ours.nonce || theirs.peer == identity.peer_id() {
            return Err(Misbehaviour::BadProof);
        }
        let ours = ours.clone();
        self.peer = theirs.peer;
        self.is_archive = theirs.features.has(Features::ARCHIVE);
        self.has_trees = theirs.features.has(Features::TREES);
        let we_are = ours.features.has(Features::ARCHIVE);
        self.budgets.are_archives(we_are, self.is_archive, self.since);
        let content = self.proof_content(&ours, &theirs, binding, !self.incoming);
        let proof = LinkFrame::Proof(identity.sign(Domain::Hello, &content));
        let frames = vec![LinkFrame::Hello(ours.clone()), proof];
        self.stage = Stage::Challenged { binding, ours, theirs };
        Ok((Handshake::Goes, frames))
    }

    /// The other end proves who it is.
    ///
    /// # Errors
    /// [`Misbehaviour::OutOfTurn`], [`Misbehaviour::BadProof`].
    pub(crate) fn proof(&mut self, proof: &Signature) -> Result<Handshake, Misbehaviour> {
        let Stage::Challenged { binding, ours, theirs } = &self.stage else {
            return Err(Misbehaviour::OutOfTurn);
        };
        let content = self.proof_content(ours, theirs, *binding, self.incoming);
        let key = self.peer.public_key().map_err(|_| Misbehaviour::BadProof)?;
        key.verify(Domain::Hello, &content, proof).map_err(|_| Misbehaviour::BadProof)?;
        self.stage = Stage::Proven { admitted: false, accepted: false };
        Ok(Handshake::Proven)
    }

    fn proof_content(
        &self,
        ours: &Hello,
        theirs: &Hello,
        binding: ChannelBinding,
        by_offerer: bool,
    ) -> Vec<u8> {
        let (offerer, answerer) = if self.incoming { (theirs, ours) } else { (ours, theirs) };
        Hello::proof_content(offerer, answerer, binding, by_offerer)
    }

    /// We take the other end as a neighbour.
    pub(crate) fn admit(&mut self, now: Time) {
        if let Stage::Proven { admitted, .. } = &mut self.stage {
            *admitted = true;
        }
        self.since = now;
    }

    /// The other end takes us as a neighbour; true if the link is active from now on.
    ///
    /// # Errors
    /// [`Misbehaviour::OutOfTurn`] if it has not proven itself or said so before.
    pub(crate) const fn accepted(&mut self) -> Result<bool, Misbehaviour> {
        match &mut self.stage {
            Stage::Proven { admitted, accepted: accepted @ false } => {
                *accepted = true;
                Ok(*admitted)
            }
            _ => Err(Misbehaviour::OutOfTurn),
        }
    }

    /// We begin or cease to doze.
    pub(crate) fn set_we_doze(&mut self, we_doze: bool, now: Time) {
        self.we_doze = we_doze;
        self.inbound.set_unbatched(we_doze, now);
    }

    pub(crate) const fn is_dialling(&self) -> bool {
        matches!(self.stage, Stage::Dialling)
    }

    pub(crate) const fn is_proven(&self) -> bool {
        matches!(self.stage, Stage::Proven { .. })
    }

    /// Whether we take the other end as a neighbour.
    pub(crate) const fn is_admitted(&self) -> bool {
        matches!(self.stage, Stage::Proven { admitted: true, .. })
    }

    /// Whether both ends take each other as neighbours.
    pub(crate) const fn is_active(&self) -> bool {
        matches!(self.stage, Stage::Proven { admitted: true, accepted: true })
    }

    /// Whether what others want passed on has room here; without it that is not worth a link.
    pub(crate) const fn takes_more(&self) -> bool {
        self.is_active() && self.lanes.has_control_room()
    }

    pub(crate) const fn state(&self) -> LinkState {
        match self.stage {
            Stage::Dialling => LinkState::Dialling,
            Stage::Proven { admitted: true, accepted: true } => LinkState::Active,
            _ => LinkState::Handshake,
        }
    }

    pub(crate) const fn since(&self) -> Time {
        self.since
    }

    /// Whether one end supplies the other, or may yet, since it was made for that.
    pub(crate) fn is_of_supply(&self, now: Time) -> bool {
        self.supplies > 0 || self.sought && now.since(self.since) < limits::SUPPLY_TRIED
    }

    /// How many peers it brings at most, as our child in any tree.
    pub(crate) fn brings_most(&self) -> u32 {
        self.brings.iter().copied().max().unwrap_or_default()
    }

    /// Whether it has been there for a while, and has brought nothing of late.
    pub(crate) fn is_idle(&self, now: Time) -> bool {
        let last = self.brought_at.map_or(self.since, |at| at.max(self.since));
        now.since(last) >= limits::IDLE_AFTER
    }

    /// What the other end says that it keeps, if it has an archive.
    pub(crate) fn keeps(&self) -> Option<&Kept> {
        self.presence.as_ref()?.archive.as_ref()
    }

    pub(crate) const fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Something has come. Whether it was doubted until now.
    pub(crate) fn hears(&mut self, now: Time) -> bool {
        let doubted = self.is_doubted();
        self.heard = now;
        self.probe = None;
        // What comes soon after the question was under way, and answers nothing.
        let under_way =
            matches!(self.doubt, Doubt::From(at) if now.after(limits::DOUBTED_AFTER / 2) < at);
        if !under_way {
            self.doubt = Doubt::None;
        }
        doubted
    }

    pub(crate) const fn speaks(&mut self, now: Time) {
        self.spoke = now;
    }

    #[cfg(test)]
    pub(crate) const fn set_round_trip(&mut self, time: Duration) {
        self.round_trip = Some(time);
    }

    pub(crate) fn pong(&mut self, number: u32, now: Time) {
        if let Some((expected, at)) = self.ping
            && expected == number
        {
            self.round_trip = Some(now.since(at));
            self.ping = None;
            self.doubt = Doubt::None;
        }
    }

    /// When this link is to be looked at again.
    pub(crate) fn deadline(&self) -> Time {
        match self.stage {
            Stage::Dialling => self.pending_until(self.dial_timeout()),
            Stage::Proven { admitted: true, accepted: true } => {
                let due = self.next_ping().min(self.judged_at());
                if let Doubt::From(at) = self.doubt { due.min(at) } else { due }
            }
            Stage::Greeted { again_at, .. } => {
                again_at.min(self.pending_until(limits::HANDSHAKE_TIMEOUT))
            }
            _ => self.pending_until(limits::HANDSHAKE_TIMEOUT),
        }
    }

    const fn dial_timeout(&self) -> Duration {
        let opening = self.protection.is_opening();
        if opening { limits::HANDSHAKE_TIMEOUT } else { limits::DIAL_TIMEOUT }
    }

    /// When this stage must be over.
    fn pending_until(&self, limit: Duration) -> Time {
        let until = self.since.after(limit);
        self.probe.map_or(until, |probe| until.min(probe))
    }

    /// When silence counts as the end.
    fn judged_at(&self) -> Time {
        let dozes = self.dozing || self.we_doze;
        let silence = if dozes { limits::DOZE_SILENCE } else { limits::SILENCE };
        self.probe.unwrap_or_else(|| self.heard.after(silence))
    }

    /// We have slept, or the network was gone. A neighbour gets a ping, and is judged by what is heard
    /// from now on; a link that has been in the making for long is given up soon. If not `again`,
    /// one that is probed already is left alone.
    pub(crate) fn probe(&mut self, again: bool, now: Time) -> Option<LinkFrame> {
        if self.probe.is_some() && !again {
            return None;
        }
        let active = self.is_active();
        let from = if active { now } else { self.since };
        self.probe = Some(from.after(limits::WAKE_PROBE).max(now));
        self.excused_until = now.after(limits::WAKE_PROBE);
        active.then(|| self.ping_now(now))
    }

    /// We may be at another place, or be cut off. A neighbour that does not answer soon is doubted. Gives a
    /// ping, unless one has just been sent.
    pub(crate) fn doubt(&mut self, now: Time) -> Option<LinkFrame> {
        if !self.is_active() || self.dozing || self.doubt != Doubt::None {
            return None;
        }
        self.doubt = Doubt::From(now.after(limits::DOUBTED_AFTER));
        self.excused_until = self.excused_until.max(now.after(limits::SILENCE));
        let asked = self.ping.is_some() && self.pinged == now;
        (!asked).then(|| self.ping_now(now))
    }

    /// Whether it was asked whether it is there, and has not answered: another link to this peer may be made.
    pub(crate) const fn is_doubted(&self) -> bool {
        matches!(self.doubt, Doubt::Doubted)
    }

    /// When something was heard last.
    pub(crate) const fn heard(&self) -> Time {
        self.heard
    }

    /// Whether its end now would be no fault of the other end's: we have just woken, and nothing of
    /// today was heard yet.
    pub(crate) fn is_excused(&self, now: Time) -> bool {
        self.probe.is_some() || now < self.excused_until
    }

    fn ping_now(&mut self, now: Time) -> LinkFrame {
        self.pings = self.pings.wrapping_add(1);
        self.ping = Some((self.pings, now));
        self.pinged = now;
        self.spoke = now;
        LinkFrame::Ping(self.pings)
    }

    fn next_ping(&self) -> Time {
        let idle = self.spoke.after(limits::PING_AFTER);
        if self.ping.is_some() { idle } else { idle.min(self.pinged.after(limits::PING_EVERY)) }
    }

    /// Does what is due: a ping or another hello to send, or the end of the link.
    pub(crate) fn tick(&mut self, now: Time) -> Result<Option<LinkFrame>, Disconnect> {
        match &self.stage {
            Stage::Dialling if now >= self.pending_until(self.dial_timeout()) => {
                let opening = self.protection.is_opening();
                Err(if opening { Disconnect::HandshakeTimeout } else { Disconnect::DialTimeout })
            }
            Stage::Dialling => Ok(None),
            Stage::Proven { admitted: true, accepted: true } => {
                if now >= self.judged_at() {
                    // A peer that dozes may answer a ping late.
                    if self.probe.is_none() || !self.dozing {
                        return Err(Disconnect::Silent);
                    }
                    self.probe = None;
                }
                if matches!(self.doubt, Doubt::From(at) if at <= now) {
                    self.doubt = Doubt::Doubted;
                }
                Ok((now >= self.next_ping()).then(|| self.ping_now(now)))
            }
            _ if now >= self.pending_until(limits::HANDSHAKE_TIMEOUT) => {
                Err(Disconnect::HandshakeTimeout)
            }
            Stage::Greeted { .. } => Ok(self.greet_again(now)),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
