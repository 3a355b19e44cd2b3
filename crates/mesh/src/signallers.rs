//! Signallers: joined, asked for introductions, and used to reach others.

mod book;
mod ice;
mod signaller;
pub mod work;

use core::time::Duration;
use std::collections::VecDeque;

use taiinet_identity::Signed;

pub(crate) use ice::IceServers;

use crate::{
    Dial, Disconnect, Event, Lane, LinkFailure, LinkId, Misbehaviour, Output, SignallerAddress,
    SignallerStatus, Time,
    cx::Cx,
    dialling::verify,
    limits,
    links::Arrival,
    membership::{Said, Source},
    notice::Notice,
    session::Declined,
    wire::{
        CircuitFrame, CircuitPart, FromSignaller, Joined, POOL, Presence, RefusalReason,
        ToSignaller, VERIFICATION, codec, is_address,
    },
};
use book::{Book, Due, Heard};

/// The room of signallers.
#[derive(Debug, Default)]
pub(crate) struct Signallers {
    book: Book,
    /// What was said of circuits, and has not been asked for.
    of_circuits: VecDeque<(LinkId, CircuitFrame)>,
}

impl Signallers {
    /// With those that are configured, and those that were learned in an earlier run.
    pub(crate) fn new(cx: &Cx) -> Self {
        let mut book = Book::default();
        for address in &cx.config.signallers {
            book.add(address.clone(), cx.now);
        }
        for SignallerAddress { url, pinned } in &cx.config.signaller_cache {
            if let Some(key) = pinned.filter(|_| is_address(url)) {
                book.learn(url, key, taiinet_document::Timestamp::default(), cx.now);
            }
        }
        Self { book, of_circuits: VecDeque::new() }
    }

    // ---- Questions ----

    /// Whether this link leads to a signaller.
    pub(crate) fn has(&self, link: LinkId) -> bool {
        self.book.has(link)
    }

    /// The links to signallers that took our join; first the one that holds the join `with`.
    pub(crate) fn joined(&self, with: Option<Joined>) -> Vec<LinkId> {
        self.book.joined(with)
    }

    /// Those that others have told of, each with its key.
    pub(crate) fn cache(&self) -> Vec<SignallerAddress> {
        self.book.cache()
    }

    /// The links to signallers that relay, each with how many links they relay for us.
    pub(crate) fn relaying(&self) -> impl Iterator<Item = (LinkId, u8)> {
        self.book.relaying()
    }

    /// What a signaller said of circuits, and over which link.
    pub(crate) fn next_of_circuit(&mut self) -> Option<(LinkId, CircuitFrame)> {
        self.of_circuits.pop_front()
    }

    pub(crate) fn status(&self) -> Vec<SignallerStatus> {
        self.book.status()
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.book.deadline()
    }

    /// When one may be asked for candidates again.
    pub(crate) fn ask_deadline(&self) -> Option<Time> {
        self.book.ask_deadline()
    }

    // ---- What happens ----

    pub(crate) fn add(&mut self, address: SignallerAddress, now: Time) {
        self.book.add(address, now);
    }

    /// A channel is open: opens a session on it. Whether it leads to a signaller.
    pub(crate) fn opened(&mut self, cx: &mut Cx, link: LinkId) -> bool {
        match self.book.opened(link, &mut cx.rng, cx.now) {
            None => return false,
            Some(Ok(bytes)) => {
                cx.out.push_back(Output::Send { link, lane: Lane::Control, bytes });
            }
            Some(Err(bad)) => {
                let cause = LinkFailure::Transport(bad.to_string());
                self.close(cx, link, Disconnect::Link(cause), Duration::ZERO);
            }
        }
        true
    }

    /// A message has come from one. What it makes us do is paid for, as on any link: one that
    /// makes too much work is slowed, then cut.
    pub(crate) fn message(&mut self, cx: &mut Cx, link: LinkId, bytes: Vec<u8>) {
        self.book.hears(link, cx.now);
        match self.book.arrives(link, bytes, cx.now) {
            Arrival::Now(bytes) => self.read(cx, link, &bytes),
            Arrival::Waits => {}
            Arrival::TooMuch => {
                cx.count(Misbehaviour::WorkFlood);
                self.offended(cx, link, Misbehaviour::WorkFlood);
            }
        }
    }

    fn read(&mut self, cx: &mut Cx, link: LinkId, bytes: &[u8]) {
        let result = self.book.read(link, bytes).and_then(|heard| match heard {
            Heard::Opened => Ok(()),
            Heard::Declined(Declined { reason, retry_after_ms }) => {
                let wait = Duration::from_millis(retry_after_ms.into());
                self.close(cx, link, Disconnect::Refused(reason), wait);
                Ok(())
            }
            Heard::Frame(frame) => {
                self.book.spend(link, FromSignaller::cost_of(&frame), cx.now);
                FromSignaller::read(&frame)?.map_or(Ok(()), |frame| self.frame(cx, link, frame))
            }
        });
        if let Err(misbehaviour) = result {
            cx.count(misbehaviour);
            self.offended(cx, link, misbehaviour);
        }
    }

    pub(crate) fn on(&mut self, cx: &mut Cx, notice: &Notice) {
        match notice {
            Notice::LinkDown(down) if down.active => {
                self.book.ask_again(&mut cx.rng, cx.now);
                if down.cause == Disconnect::Silent {
                    self.probe(cx, false);
                }
            }
            Notice::AllSilent => {
                self.book.ask_again(&mut cx.rng, cx.now);
                self.probe(cx, false);
            }
            Notice::Offended { link, misbehaviour } => self.offended(cx, *link, *misbehaviour),
            Notice::WeDoze(dozing) => self.book.dozing = *dozing,
            Notice::Woke => self.book.wake(cx.now),
            Notice::Probe { again } => self.probe(cx, *again),
            Notice::Introduce { want } => {
                for link in self.book.ask(&mut cx.rng, cx.now) {
                    self.tell(cx, link, &ToSignaller::Introduce { want: *want });
                }
            }
            Notice::IntroduceFor { key } => {
                for link in self.book.ask_for(cx.now) {
                    let want = limits::INTRODUCE_FOR_ONE;
                    self.tell(cx, link, &ToSignaller::IntroduceFor { want, key: *key });
                }
            }
            Notice::Signal { via, signal } => {
                self.tell(cx, *via, &ToSignaller::Signal(signal.clone()));
            }
            _ => {}
        }
    }

    /// It tells of peers, as it was asked to.
    fn introduced(&mut self, cx: &mut Cx, link: LinkId, presences: Vec<Signed<Presence>>) {
        // Most of them may be known, but that shows later.
        let count = presences.len().min(limits::PRESENCES_PER_FRAME) as u64;
        self.book.spend(link, VERIFICATION * count, cx.now);
        let source = self.book.key(link).map_or(Source::Stranger, Source::Chosen);
        cx.notify(Notice::Heard { via: link, source, presences });
    }

    pub(crate) fn tick(&mut self, cx: &mut Cx) {
        while let Some((link, message)) = self.book.next_waiting(cx.now) {
            self.read(cx, link, &message);
        }
        while let Some(due) = self.book.due(cx.now) {
            match due {
                Due::Dial { index, url } => {
                    let link = cx.links.new_id();
                    self.book.dialled(index, link, cx.now);
                    cx.out.push_back(Output::Dial { link, dial: Dial::Signaller { url } });
                }
                Due::Ping { link } => self.tell(cx, link, &ToSignaller::Ping(0)),
                Due::Join { link, with, work } => self.join(cx, link, with, work),
                Due::Works => {}
                Due::Drop { link, cause } => self.close(cx, link, cause, Duration::ZERO),
            }
        }
    }

    /// Asks each whether it is still there.
    fn probe(&mut self, cx: &mut Cx, again: bool) {
        for link in self.book.probe(again, cx.now) {
            self.tell(cx, link, &ToSignaller::Ping(0));
        }
    }

    /// Takes leave of all.
    pub(crate) fn leave(&mut self, cx: &mut Cx) {
        for link in self.book.links() {
            self.tell(cx, link, &ToSignaller::Leave);
            cx.out.push_back(Output::Close { link });
        }
    }

    /// A connection is gone, or given up.
    pub(crate) fn lose(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        cause: Disconnect,
        retry_after: Duration,
    ) {
        let lost = self.book.link_down(link, &cause, retry_after, &mut cx.rng, cx.now);
        if let Some((url, retry_at)) = lost {
            cx.event(Event::SignallerLost { url, cause, retry_at });
        }
        cx.presence.joined = self.book.current_join();
        cx.ice.forget(link);
        cx.notify(Notice::RouteLost(link));
    }

    fn close(&mut self, cx: &mut Cx, link: LinkId, cause: Disconnect, retry_after: Duration) {
        cx.out.push_back(Output::Close { link });
        self.lose(cx, link, cause, retry_after);
    }

    /// Something wrong came over this link, which is counted already.
    fn offended(&mut self, cx: &mut Cx, link: LinkId, misbehaviour: Misbehaviour) {
        if !self.book.has(link) {
            return;
        }
        cx.event(Event::Rejected { peer: None, misbehaviour });
        if self.book.offends(link, misbehaviour, &mut cx.rng, cx.now) {
            self.close(cx, link, Disconnect::Misbehaved(misbehaviour), Duration::ZERO);
        }
    }

    pub(crate) fn tell(&mut self, cx: &mut Cx, link: LinkId, frame: &ToSignaller) {
        // Before there is a session there is nothing to say.
        let Some(bytes) = self.book.seal(link, &codec::encode(frame)) else { return };
        self.book.speaks(link, cx.now);
        cx.out.push_back(Output::Send { link, lane: Lane::Control, bytes });
    }

    fn frame(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        frame: FromSignaller,
    ) -> Result<(), Misbehaviour> {
        let allowed_before_proof = matches!(
            frame,
            FromSignaller::Welcome(_) | FromSignaller::Refused { .. } | FromSignaller::Pong(_)
        );
        if !allowed_before_proof && !self.book.is_proven(link) {
            return Err(Misbehaviour::Unproven);
        }
        match frame {
            FromSignaller::Welcome(welcome) => {
                let shown = welcome.signaller;
                if let Some(named) = self.book.key(link).filter(|named| *named != shown)
                    && !self.book.is_proven(link)
                {
                    let misbehaviour = Misbehaviour::BadProof;
                    cx.count(misbehaviour);
                    cx.event(Event::Rejected { peer: None, misbehaviour });
                    let cause = Disconnect::AnotherKey { named, shown };
                    self.close(cx, link, cause, Duration::ZERO);
                    return Ok(());
                }
                let with = self.book.welcome(link, &welcome, cx.id(), cx.now)?;
                if welcome.work > limits::WORK_BITS {
                    let cause = Disconnect::WorkTooHard { bits: welcome.work };
                    self.close(cx, link, cause, Duration::ZERO);
                    return Ok(());
                }
                if let Some(url) = self.book.url(link) {
                    cx.ice.named(link, &welcome, url);
                }
                if let Some(with) = with {
                    self.join(cx, link, with, 0);
                }
            }
            FromSignaller::Joined => {
                if let Some((url, signaller)) = self.book.took_join(link, cx.now) {
                    cx.presence.joined = self.book.current_join();
                    cx.view_changed = true;
                    cx.notify(Notice::RouteFound);
                    cx.event(Event::SignallerJoined { url, signaller });
                }
            }
            FromSignaller::Introduced { presences, retry_after_ms } => {
                self.book.not_before(link, Duration::from_millis(retry_after_ms.into()), cx.now);
                if !self.book.answers(link) {
                    return Err(Misbehaviour::Unasked);
                }
                self.introduced(cx, link, presences);
            }
            FromSignaller::IntroducedFor { key, presences } => {
                if !self.book.answers_for(link) {
                    return Err(Misbehaviour::Unasked);
                }
                let peers = presences.iter().map(Signed::signer).collect();
                self.introduced(cx, link, presences);
                cx.notify(Notice::WantTheSame { key, peers });
            }
            FromSignaller::Signal(signal) => {
                // A signaller passes on what others sign, unopened and unverified: whatever is wrong
                // with that is not its doing.
                let signal = self
                    .book
                    .signals(link, cx.now)
                    .and_then(|()| verify(signal, &cx.config.network, cx.now));
                match signal {
                    Ok(signal) if signal.to == cx.id() => {
                        cx.notify(Notice::Signalled { via: link, signal });
                    }
                    Ok(_) => return Err(Misbehaviour::OutOfTurn),
                    Err(misbehaviour) => cx.reject(None, misbehaviour),
                }
            }
            FromSignaller::Unreachable(peer) => {
                // Its presence is of no use any more, unless another route leads to it.
                cx.notify(Notice::Unreachable { peer, via: link });
            }
            FromSignaller::Refused { reason, retry_after_ms } => {
                let wait = Duration::from_millis(retry_after_ms.into());
                if is_final(reason) {
                    self.close(cx, link, Disconnect::Refused(reason), wait);
                } else {
                    self.book.not_before(link, wait, cx.now);
                    self.book.answers_for(link);
                }
            }
            FromSignaller::Pong(_) => {}
            FromSignaller::Turn(servers) => cx.ice.named_turn(link, servers),
            FromSignaller::Signallers(presences) => self.learn(cx, link, presences)?,
            FromSignaller::Clock(theirs) => self.book.tells_time(link, theirs, cx.now),
            FromSignaller::Relays(circuits) => self.book.relays(link, circuits),
            FromSignaller::Circuit(frame) => {
                if matches!(frame.part, CircuitPart::Open(_)) {
                    self.book.spend(link, limits::CIRCUIT_WORK, cx.now);
                }
                self.of_circuits.push_back((link, frame));
            }
        }
        Ok(())
    }

    fn join(&mut self, cx: &mut Cx, link: LinkId, with: Joined, work: u64) {
        self.book.asks_for_time(link);
        let network = &cx.config.network;
        let archive = cx.config.archive.as_ref();
        let said = Said { network, address: None, archive, open: cx.open };
        let presence = cx.presence.sign(&cx.identity, said, Some(with), cx.now);
        self.tell(cx, link, &ToSignaller::Join { presence, work });
    }

    /// A signaller tells of others, which signed where they are.
    fn learn(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        presences: Vec<Signed<Presence>>,
    ) -> Result<(), Misbehaviour> {
        if presences.len() > limits::SIGNALLERS_TOLD {
            return Err(Misbehaviour::Oversize);
        }
        for presence in presences {
            let body = Presence::peek(&presence)?;
            if body.network.as_str() != POOL {
                return Err(Misbehaviour::WrongNetwork);
            }
            // What depends on a clock is no reason to hear nothing of the rest.
            if !body.is_in_time(cx.now) {
                cx.reject(None, Misbehaviour::OutOfTime);
                continue;
            }
            let Some(url) = body.reachable_at().map(str::to_owned) else { continue };
            let (signaller, said_at) = (presence.signer(), body.issued_at);
            if self.book.knows(&url, signaller, said_at) {
                continue;
            }
            self.book.spend(link, VERIFICATION, cx.now);
            presence.verify().map_err(|_| Misbehaviour::InvalidSignature)?;
            if self.book.learn(&url, signaller, said_at, cx.now) {
                cx.event(Event::SignallerLearned { url, signaller });
            }
        }
        Ok(())
    }
}

/// After these refusals a signaller closes the connection.
const fn is_final(reason: RefusalReason) -> bool {
    !matches!(reason, RefusalReason::TooOften)
}
