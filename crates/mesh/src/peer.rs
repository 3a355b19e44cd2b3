//! The rooms of the core, and the router between them.
//!
//! What comes from outside goes to one room; what rooms tell one another ([`Notice`]) is carried
//! around until none has anything left to say.

mod inputs;
mod outputs;
mod questions;
mod time;

use taiinet_identity::Identity;

use crate::{
    Config, Incompatible, LinkId, Misbehaviour, Time,
    circuits::Circuits,
    cx::Cx,
    delegation::Delegation,
    dialling::Dialling,
    documents::Documents,
    finds::{self, Finds},
    interest::Interest,
    keeps::Keeps,
    limits,
    links::Arrival,
    membership::{Crowd, Membership},
    notice::Notice,
    pool::Pool,
    rng::Rng,
    routes::{Routes, Spreading},
    signallers::Signallers,
    sync::Sync,
    trees::Trees,
    wire::{self, FindFrame, Frame, Reading, codec::MessageReader},
};

/// A peer, without any IO: it takes [`Input`](crate::Input)s and the time, and gives
/// [`Output`](crate::Output)s.
///
/// ```text
/// peer.handle(input, now);
/// while let Some(output) = peer.poll_output(now) { … }
/// let wake_at = peer.poll_timeout();     // then peer.handle_timeout(now)
/// ```
///
/// Its methods are, by what they are for:
/// - **Inputs**: [`handle`](Self::handle), [`accept_link`](Self::accept_link);
///   [`subscribe`](Self::subscribe), [`subscribe_discreetly`](Self::subscribe_discreetly),
///   [`subscribe_privately`](Self::subscribe_privately), [`unsubscribe`](Self::unsubscribe), [`publish`](Self::publish),
///   [`publish_signed`](Self::publish_signed), [`find`](Self::find), [`find_more`](Self::find_more),
///   [`find_end`](Self::find_end), [`keep`](Self::keep), for archives [`answer`](Self::answer),
///   [`took`](Self::took) and [`reconciled`](Self::reconciled);
///   [`add_signaller`](Self::add_signaller), [`blacklist`](Self::blacklist),
///   [`unblock`](Self::unblock), [`leave`](Self::leave); for signallers [`relay`](Self::relay),
///   [`undeliverable`](Self::undeliverable), [`blame`](Self::blame), [`expel`](Self::expel).
/// - **Outputs**: [`poll_output`](Self::poll_output).
/// - **Time**: [`poll_timeout`](Self::poll_timeout), [`handle_timeout`](Self::handle_timeout).
/// - **Questions**: [`id`](Self::id), [`status`](Self::status), [`untaken`](Self::untaken),
///   [`recipients`](Self::recipients), [`presence`](Self::presence),
///   [`neighbours`](Self::neighbours), [`neighbour_ids`](Self::neighbour_ids),
///   [`signaller_cache`](Self::signaller_cache),
///   [`blacklist_to_keep`](Self::blacklist_to_keep), [`stamps`](Self::stamps).
#[derive(Debug)]
pub struct Peer {
    cx: Cx,
    signallers: Signallers,
    membership: Membership,
    dialling: Dialling,
    circuits: Circuits,
    documents: Documents,
    interest: Interest,
    sync: Sync,
    finds: Finds,
    keeps: Keeps,
    trees: Trees,
    routes: Routes,
    delegation: Delegation,
    pool: Pool,
    /// When we were called last.
    called: Time,
    left: bool,
}

impl Peer {
    /// A peer that starts now. `seed` feeds its generator: fresh entropy in real life, a chosen
    /// number in the simulator.
    pub fn new(identity: Identity, config: Config, seed: [u8; 32], now: Time) -> Self {
        let mut cx = Cx::new(identity, config, Rng::new(seed), now);
        Self {
            signallers: Signallers::new(&cx),
            membership: Membership::new(&mut cx),
            dialling: Dialling::default(),
            circuits: Circuits::default(),
            documents: Documents::new(&mut cx),
            interest: Interest::new(&mut cx),
            sync: Sync::new(&mut cx),
            finds: Finds::default(),
            keeps: Keeps::default(),
            trees: Trees::new(&mut cx),
            routes: Routes::default(),
            delegation: Delegation::new(now),
            pool: Pool,
            cx,
            called: now,
            left: false,
        }
    }

    /// A message has come over a link.
    fn message(&mut self, link: LinkId, bytes: Vec<u8>) {
        if self.signallers.has(link) {
            self.signallers.message(&mut self.cx, link, bytes);
            self.settle();
            self.take_relayed();
        } else {
            self.of_peer(link, bytes);
        }
    }

    /// A message has come from the other end of a link, whatever carried it.
    fn of_peer(&mut self, link: LinkId, bytes: Vec<u8>) {
        if let Some(state) = self.cx.links.get(link) {
            // What comes over a circuit may be its signaller's: that counts once it has been opened.
            if !state.relayed {
                self.hears(link);
            }
            let Some(state) = self.cx.links.get_mut(link) else { return };
            match state.work.arrives(bytes, self.cx.now) {
                Arrival::Now(bytes) => self.read(link, &bytes),
                Arrival::Waits => {}
                Arrival::TooMuch => self.cx.charge(link, Misbehaviour::WorkFlood),
            }
        }
        self.settle();
    }

    /// The other end of a link has said something.
    fn hears(&mut self, link: LinkId) {
        if self.cx.links.get_mut(link).is_some_and(|state| state.hears(self.cx.now)) {
            self.cx.trust_again(link);
        }
    }

    /// What signallers have said of links that they relay.
    fn take_relayed(&mut self) {
        while let Some((via, frame)) = self.signallers.next_of_circuit() {
            let (cx, signallers) = (&mut self.cx, &mut self.signallers);
            if let Some((link, bytes)) = self.circuits.frame(cx, signallers, via, frame) {
                self.of_peer(link, bytes);
            }
            self.settle();
        }
        self.circuits.tell_taken(&mut self.cx, &mut self.signallers);
        self.settle();
    }

    /// Reads the messages that waited until their links may make work again.
    fn read_waiting(&mut self) {
        let now = self.cx.now;
        for link in self.cx.links.named(|link| link.work.deadline().is_some_and(|at| at <= now)) {
            while let Some(state) = self.cx.links.get_mut(link)
                && let Some(message) = state.work.next(now)
            {
                self.read(link, &message);
                self.settle();
            }
        }
        self.circuits.tell_taken(&mut self.cx, &mut self.signallers);
        self.settle();
    }

    fn read(&mut self, link: LinkId, message: &[u8]) {
        if let Err(misbehaviour) = self.frames(link, message) {
            self.cx.charge(link, misbehaviour);
        }
    }

    /// The frames of a message from a peer. An offence that is not fatal is charged, and the next
    /// frame goes on.
    fn frames(&mut self, link: LinkId, message: &[u8]) -> Result<(), Misbehaviour> {
        let Some(message) = self.cx.open_message(link, message)? else { return Ok(()) };
        if self.cx.links.get(link).is_some_and(|state| state.relayed) {
            self.hears(link);
        }
        for frame in MessageReader::new(&message)? {
            if self.cx.links.get(link).is_none() {
                return Ok(());
            }
            match self.encoded(link, frame?) {
                Err(misbehaviour) if !misbehaviour.is_fatal() => {
                    self.cx.charge(link, misbehaviour);
                }
                result => result?,
            }
            self.settle();
        }
        Ok(())
    }

    /// A frame as it came: paid for before it is decoded, and skipped if it is of a later version.
    fn encoded(&mut self, link: LinkId, bytes: &[u8]) -> Result<(), Misbehaviour> {
        let cx = &mut self.cx;
        cx.spend(link, wire::cost_of(bytes));
        match wire::read(bytes)? {
            Reading::Frame(frame) => self.frame(link, frame),
            Reading::Unknown(_) => Ok(()),
            Reading::Critical(kind) => {
                cx.incompatible(link, Incompatible::Frame(kind));
                Ok(())
            }
        }
    }

    /// Gives a frame to the room that it is for.
    fn frame(&mut self, link: LinkId, frame: Frame) -> Result<(), Misbehaviour> {
        let cx = &mut self.cx;
        cx.check_turn(link, &frame)?;
        match frame {
            Frame::Fragment(fragment) => {
                let Some(state) = cx.links.get_mut(link) else { return Ok(()) };
                let whole = state.assembler.push(&fragment)?;
                cx.notify(Notice::Sending(link));
                whole.map_or(Ok(()), |frame| self.encoded(link, &frame))
            }
            Frame::Link(frame) => cx.link_frame(link, frame),
            Frame::View(frame) => self.membership.frame(cx, link, frame),
            Frame::Signal(frame) => self.dialling.frame(cx, link, frame),
            Frame::Documents(frame) => self.documents.frame(cx, link, frame),
            Frame::Sync(frame) => self.sync.frame(cx, link, frame, &self.documents),
            Frame::Find(FindFrame::Find(find)) => finds::answer(cx, link, &find),
            Frame::Find(FindFrame::Found(found)) => {
                self.finds.answered(cx, link, found, &self.interest)
            }
            Frame::Find(FindFrame::Keep(keep)) => self.keeps.asked(cx, link, keep),
            Frame::Find(FindFrame::Took(took)) => self.keeps.answered(cx, link, took),
            Frame::Pool(frame) => self.pool.frame(cx, link, frame),
            Frame::Tree(frame) => self.trees.frame(cx, link, frame),
            Frame::Route(frame) => self.routes.frame(cx, link, frame),
            Frame::Supply(frame) => {
                let (wants, trees) = (self.interest.wants_mut(), &self.trees);
                self.delegation.frame(cx, link, frame, (wants, trees))
            }
        }
    }

    /// Carries what rooms have told one another, until none says anything more.
    fn settle(&mut self) {
        while let Some(notice) = self.cx.notices.pop_front() {
            let cx = &mut self.cx;
            self.membership.on(cx, &notice);
            self.dialling.on(cx, &notice, &self.signallers);
            self.signallers.on(cx, &notice);
            self.circuits.on(cx, &notice, &self.signallers);
            // Our own subscriptions come before the neighbours.
            let wanted = cx.counters.wanted;
            self.interest.on(cx, &notice);
            let is_wanted = cx.counters.wanted > wanted;
            self.documents.on(cx, &notice, &self.interest);
            self.spread(&notice, is_wanted);
            let cx = &mut self.cx;
            self.sync.on(cx, &notice);
            self.finds.on(cx, &notice, &self.interest);
            self.keeps.on(cx, &notice);
            self.trees.on(cx, &notice);
            self.routes.on(cx, &notice, self.interest.wants());
            self.delegation.on(cx, &notice, self.interest.wants_mut());
        }
    }

    /// Sends a document on its way. One that we want ourselves does not count as passed on.
    fn spread(&mut self, notice: &Notice, is_wanted: bool) {
        let (cx, trees) = (&mut self.cx, &self.trees);
        match notice {
            Notice::Accepted(accepted) => {
                let plan = self.routes.plan(cx, accepted, (trees, &self.delegation));
                let is_pushed = self.documents.spread(cx, accepted, plan);
                let is_passed_on = accepted.from.is_some() && is_pushed && !is_wanted;
                cx.counters.passed_on += u64::from(is_passed_on);
            }
            Notice::Again { link, id, way, also } => {
                if !self.routes.goes_on(cx, id, *way, trees) {
                    return;
                }
                if let Some(document) = cx.store.decoded(id) {
                    let came = (*link, *way, also.clone());
                    let steps = self.routes.comes_again(cx, &document, came, trees);
                    self.documents.pass(cx, *id, &steps, self.routes.also(id).flatten());
                }
            }
            Notice::Pass { id, steps, also } => {
                self.documents.pass(cx, *id, steps, also.as_ref());
            }
            _ => {}
        }
    }

    /// Whether what happens in the network does not reach us, although we have neighbours.
    fn is_cut_off(&self) -> bool {
        let links = &self.cx.links;
        let are_any = links.active().any(|link| link.has_trees);
        let starves = || {
            let is_fed = || {
                let fed_at = links.active().filter_map(|link| link.brought_at).max();
                fed_at.is_some_and(|at| self.cx.now < at.after(limits::CUT_OFF_AFTER))
            };
            // Where documents go by routes few come, and a root that names what there is not would set all on the move.
            self.cx.spreading == Spreading::Flood && self.routes.missed() > 1 && !is_fed()
        };
        are_any && !self.cx.dozing && (self.trees.is_apart(self.membership.known()) || starves())
    }

    /// Seeks neighbours, if anything has changed that calls for it.
    fn seek(&mut self) {
        self.settle();
        self.membership.seek(&mut self.cx);
        self.settle();
    }

    /// Does what is due in each room.
    fn tick(&mut self) {
        self.signallers.tick(&mut self.cx);
        self.settle();
        self.take_relayed();
        self.circuits.tick(&mut self.cx, &self.signallers);
        self.settle();
        self.cx.tick_links();
        self.settle();
        self.read_waiting();
        self.documents.tick(&mut self.cx);
        self.settle();
        let is_cut_off = self.is_cut_off();
        self.membership.tick(&mut self.cx, is_cut_off);
        self.settle();
        self.announce_subscriptions();
        self.interest.tick(&mut self.cx);
        self.sync.tick(&mut self.cx);
        self.finds.tick(&mut self.cx, &self.interest);
        self.keeps.advance(&mut self.cx);
        let crowd = if self.trees.needs_crowd(self.cx.now) {
            self.membership.crowd(&self.cx)
        } else {
            Crowd::default()
        };
        self.trees.tick(&mut self.cx, self.interest.wants(), crowd);
        self.settle();
        self.routes.tick(&mut self.cx, self.interest.wants(), &self.trees);
        let (wants, neighbours) = (self.interest.wants_mut(), self.routes.neighbours());
        self.delegation.tick(&mut self.cx, wants, &self.trees, neighbours);
        self.cx.view_changed = true;
        self.seek();
    }

    /// When [`Self::tick`] has something to do.
    fn deadline(&self) -> Option<Time> {
        let (cx, introduced) = (&self.cx, self.signallers.ask_deadline());
        [
            cx.links.deadline(),
            cx.doze_deadline(),
            cx.silence_deadline(),
            self.signallers.deadline(),
            self.membership.deadline(cx, introduced),
            self.circuits.deadline(cx, &self.signallers),
            self.documents.deadline(cx),
            self.interest.deadline(),
            self.sync.deadline(),
            self.finds.deadline(cx),
            self.keeps.deadline(),
            self.trees.deadline(cx, self.interest.wants()),
            self.routes.deadline(),
            self.delegation.deadline(cx, self.interest.wants()),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

#[cfg(test)]
mod tests;
