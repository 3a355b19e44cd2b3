//! The signallers that a peer knows: opening a session, joining, asking for introductions, coming back.

use taiinet_document::Timestamp;
use taiinet_identity::{Domain, PeerId};

use super::{
    signaller::{self, Bounds, Signaller, Stage},
    work::Work,
};
use crate::{
    Budget, Disconnect, LinkId, Misbehaviour, SignallerAddress, SignallerStatus, Time, limits,
    links::{self, Arrival},
    rng::Rng,
    session::{Answer, BadSession, Declined, Dialler, Opening, Purpose},
    wire::{Joined, VERSION, Welcome},
};

/// What asking for peers that want the same takes of [`limits::INTRODUCE_FOR`].
const NAMED: usize = 10;

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Book {
    known: Vec<Signaller>,
    /// Whether we doze, and so may have to wait for our own turn to hear anything.
    pub(crate) dozing: bool,
}

/// What a message of a signaller holds.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The answer that makes the session: what it says next says who it is.
    Opened,
    /// It opens none, for now.
    Declined(Declined),
    /// A frame.
    Frame(Vec<u8>),
}

/// What is due at a signaller.
#[derive(Debug)]
pub(crate) enum Due {
    /// Open a connection; tell its name with [`Book::dialled`].
    Dial { index: usize, url: String },
    /// Send a ping.
    Ping { link: LinkId },
    /// Join (again), with a fresh presence.
    Join { link: LinkId, with: Joined, work: u64 },
    /// Nothing yet: the work goes on.
    Works,
    /// Give it up.
    Drop { link: LinkId, cause: Disconnect },
}

impl Book {
    /// Adds one, unless it is known or there are too many.
    pub(crate) fn add(&mut self, address: SignallerAddress, now: Time) {
        let known = self.known.iter().any(|signaller| signaller.address.url == address.url);
        if !known && self.known.len() < limits::SIGNALLERS {
            self.known.push(Signaller::new(address, now));
        }
    }

    /// Whether it is no news that this key is at this address, or was when that was signed. None
    /// takes over the address of one that was named, nor stands in the way of another's by signing it.
    pub(crate) fn knows(&self, url: &str, key: PeerId, said_at: Timestamp) -> bool {
        self.known.iter().any(|signaller| match signaller.learned_at {
            None => signaller.address.url == url || signaller.is(key),
            Some(earlier) => {
                signaller.is(key) && (signaller.address.url == url || earlier >= said_at)
            }
        })
    }

    /// Those that others have told of, each with its key.
    pub(crate) fn cache(&self) -> Vec<SignallerAddress> {
        let learned = self.known.iter().filter(|signaller| signaller.learned_at.is_some());
        learned.map(|signaller| signaller.address.clone()).collect()
    }

    /// Another signaller told us of this one, which said so itself at that time; it is turned to when
    /// those that were named are too few. Whether it is one more.
    pub(crate) fn learn(&mut self, url: &str, key: PeerId, said_at: Timestamp, now: Time) -> bool {
        if self.knows(url, key, said_at) {
            return false;
        }
        // One key has one place: it has moved.
        let mut learned = self.known.iter_mut().filter(|known| known.learned_at.is_some());
        if let Some(moved) = learned.find(|known| known.is(key)) {
            url.clone_into(&mut moved.address.url);
            moved.learned_at = Some(said_at);
            return false;
        }
        if self.known.len() >= limits::SIGNALLERS {
            let idle = |signaller: &Signaller| {
                signaller.learned_at.is_some() && signaller.failure.is_some()
            };
            let Some(index) =
                self.known.iter().position(|known| idle(known) && known.link().is_none())
            else {
                return false;
            };
            self.known.remove(index);
        }
        let address = SignallerAddress { url: url.to_owned(), pinned: Some(key) };
        let learned_at = Some(said_at);
        self.known.push(Signaller { learned_at, ..Signaller::new(address, now) });
        true
    }

    fn of(&mut self, link: LinkId) -> Option<&mut Signaller> {
        self.known.iter_mut().find(|signaller| signaller.link() == Some(link))
    }

    /// Whether this link leads to a signaller.
    pub(crate) fn has(&self, link: LinkId) -> bool {
        self.known.iter().any(|signaller| signaller.link() == Some(link))
    }

    /// The key of the signaller at the other end of a link.
    pub(crate) fn key(&self, link: LinkId) -> Option<PeerId> {
        self.known.iter().find(|signaller| signaller.link() == Some(link))?.key()
    }

    /// All links to signallers.
    pub(crate) fn links(&self) -> Vec<LinkId> {
        self.known.iter().filter_map(Signaller::link).collect()
    }

    /// The links to signallers that took our join; first the one that holds the join `with`.
    pub(crate) fn joined(&self, with: Option<Joined>) -> Vec<LinkId> {
        let mut joined: Vec<_> = self.known.iter().filter_map(Signaller::joined).collect();
        joined.sort_by_key(|(link, ours)| {
            (with.is_none_or(|with| with.signaller != ours.signaller), *link)
        });
        joined.into_iter().map(|(link, _)| link).collect()
    }

    /// The join that a fresh presence of ours should name.
    pub(crate) fn current_join(&self) -> Option<Joined> {
        self.known.iter().find_map(Signaller::joined).map(|(_, with)| with)
    }

    /// The address behind a link.
    pub(crate) fn url(&self, link: LinkId) -> Option<&str> {
        let signaller = self.known.iter().find(|signaller| signaller.link() == Some(link))?;
        Some(&signaller.address.url)
    }

    /// A connection to the signaller of this index was begun.
    pub(crate) fn dialled(&mut self, index: usize, link: LinkId, now: Time) {
        if let Some(signaller) = self.known.get_mut(index) {
            signaller.stage = Stage::Dialling { link };
            signaller.session = None;
            signaller.since = now;
            signaller.probe = None;
            (signaller.awaited, signaller.offences) = (0, 0);
            signaller.signals = Budget::new(limits::SIGNALS, now);
            signaller.work = links::Work::new(now);
        }
    }

    /// A connection is open: gives the first message of a session.
    pub(crate) fn opened(
        &mut self,
        link: LinkId,
        rng: &mut Rng,
        now: Time,
    ) -> Option<Result<Vec<u8>, BadSession>> {
        let signaller = self.of(link)?;
        if !matches!(signaller.stage, Stage::Dialling { .. }) {
            return None;
        }
        let opening = Opening { version: VERSION, dialled: signaller.address.url.clone() };
        let opened = Dialler::new(Purpose::Client, &opening, rng.nonce());
        let (dialler, first) = match opened {
            Ok(opened) => opened,
            Err(bad) => return Some(Err(bad)),
        };
        signaller.stage = Stage::Opening { link, dialler: Box::new(dialler) };
        signaller.since = now;
        signaller.hears(now);
        signaller.spoke = now;
        Some(Ok(first))
    }

    /// A message came from it: whether it is its turn.
    pub(crate) fn arrives(&mut self, link: LinkId, message: Vec<u8>, now: Time) -> Arrival {
        match self.of(link) {
            Some(signaller) => signaller.work.arrives(message, now),
            None => Arrival::Waits,
        }
    }

    /// A message that has waited until its signaller may make work again.
    pub(crate) fn next_waiting(&mut self, now: Time) -> Option<(LinkId, Vec<u8>)> {
        self.known.iter_mut().find_map(|signaller| {
            let link = signaller.link()?;
            Some((link, signaller.work.next(now)?))
        })
    }

    /// Charges it for work that is done for it.
    pub(crate) fn spend(&mut self, link: LinkId, units: u64, now: Time) {
        if let Some(signaller) = self.of(link) {
            signaller.work.spend(units, now);
        }
    }

    /// Reads a message of it.
    ///
    /// # Errors
    /// [`Misbehaviour::BadSession`]; [`Misbehaviour::OutOfTurn`] if nothing was asked of it yet.
    pub(crate) fn read(&mut self, link: LinkId, message: &[u8]) -> Result<Heard, Misbehaviour> {
        let signaller = self.of(link).ok_or(Misbehaviour::OutOfTurn)?;
        if let Some(session) = &mut signaller.session {
            return session.open(message).map(Heard::Frame).map_err(|_| Misbehaviour::BadSession);
        }
        let stage = core::mem::replace(&mut signaller.stage, Stage::Opened { link });
        let Stage::Opening { dialler, .. } = stage else {
            signaller.stage = stage;
            return Err(Misbehaviour::OutOfTurn);
        };
        match dialler.answered(message).map_err(|_| Misbehaviour::BadSession)? {
            Answer::Session(session) => {
                signaller.session = Some(session);
                Ok(Heard::Opened)
            }
            Answer::Declined(declined) => Ok(Heard::Declined(declined)),
        }
    }

    /// Seals a frame for it; none while there is no session to seal it in.
    pub(crate) fn seal(&mut self, link: LinkId, frame: &[u8]) -> Option<Vec<u8>> {
        self.of(link)?.session.as_mut()?.seal(frame).ok()
    }

    /// It says who it is: it signs the session, and with it the address that we dialled. Our join
    /// names the session, too.
    ///
    /// # Errors
    /// [`Misbehaviour::OutOfTurn`]; [`Misbehaviour::BadProof`] if it cannot prove its key, or it is
    /// not the one that its address names.
    pub(crate) fn welcome(
        &mut self,
        link: LinkId,
        welcome: &Welcome,
        me: PeerId,
        now: Time,
    ) -> Result<Option<Joined>, Misbehaviour> {
        let signaller = self.of(link).ok_or(Misbehaviour::OutOfTurn)?;
        let (Stage::Opened { .. }, Some(session)) = (&signaller.stage, &signaller.session) else {
            return Err(Misbehaviour::OutOfTurn);
        };
        if signaller.address.pinned.is_some_and(|pinned| pinned != welcome.signaller) {
            return Err(Misbehaviour::BadProof);
        }
        let key = welcome.signaller.public_key().map_err(|_| Misbehaviour::BadProof)?;
        let challenge = *session.hash();
        key.verify(Domain::Welcome, &challenge, &welcome.signature)
            .map_err(|_| Misbehaviour::BadProof)?;
        let with = Joined { signaller: welcome.signaller, challenge };
        if welcome.work > 0 {
            let work = Box::new(Work::new(challenge, me, welcome.work));
            signaller.stage = Stage::Working { link, with, work, again_at: now };
            signaller.since = now;
            return Ok(None);
        }
        signaller.joins(link, with, now);
        Ok(Some(with))
    }

    /// A join of ours is on its way: if it still minds our clock, it will say so.
    pub(crate) fn asks_for_time(&mut self, link: LinkId) {
        if let Some(signaller) = self.of(link) {
            signaller.clock_ahead = None;
        }
    }

    /// It says what its clock says.
    pub(crate) fn tells_time(&mut self, link: LinkId, theirs: Timestamp, now: Time) {
        if let Some(signaller) = self.of(link) {
            signaller.tells_time(theirs, now);
        }
    }

    /// It relays so many links for us at once.
    pub(crate) fn relays(&mut self, link: LinkId, circuits: u8) {
        if let Some(signaller) = self.of(link) {
            signaller.relays = circuits;
        }
    }

    /// The links to those that relay, each with how many links they relay for us.
    pub(crate) fn relaying(&self) -> impl Iterator<Item = (LinkId, u8)> {
        let relaying = self.known.iter().filter(|signaller| signaller.relays > 0);
        relaying.filter_map(|signaller| Some((signaller.joined()?.0, signaller.relays)))
    }

    /// It took our join. Gives its key when that is news.
    pub(crate) fn took_join(&mut self, link: LinkId, now: Time) -> Option<(String, PeerId)> {
        let signaller = self.of(link)?;
        let Stage::Joining { with, joined, .. } = &mut signaller.stage else { return None };
        let news = !core::mem::replace(joined, true);
        let key = with.signaller;
        signaller.retry.reset();
        signaller.ask.reset();
        signaller.ask_at = now;
        signaller.failure = None;
        news.then(|| (signaller.address.url.clone(), key))
    }

    /// Something came from it.
    pub(crate) fn hears(&mut self, link: LinkId, now: Time) {
        if let Some(signaller) = self.of(link) {
            signaller.hears(now);
        }
    }

    /// Something was sent to it.
    pub(crate) fn speaks(&mut self, link: LinkId, now: Time) {
        if let Some(signaller) = self.of(link) {
            signaller.spoke = now;
        }
    }

    /// The connection is gone: try again after a wait that doubles, but not before `retry_after`.
    /// Gives the address and the time, for an event.
    pub(crate) fn link_down(
        &mut self,
        link: LinkId,
        cause: &Disconnect,
        retry_after: core::time::Duration,
        rng: &mut Rng,
        now: Time,
    ) -> Option<(String, Time)> {
        let signaller = self.of(link)?;
        let wait = signaller.retry.wait(rng).max(retry_after.min(limits::REDIAL_BACKOFF.1));
        let retry_at = now.after(wait).max(signaller.not_before);
        signaller.stage = Stage::Away { retry_at };
        signaller.session = None;
        signaller.relays = 0;
        signaller.work = links::Work::new(now);
        signaller.failure = Some(cause.clone());
        Some((signaller.address.url.clone(), retry_at))
    }

    /// Candidates are wanted: the links to ask now. Each is asked ever more rarely until
    /// [`Self::ask_again`].
    pub(crate) fn ask(&mut self, rng: &mut Rng, now: Time) -> Vec<LinkId> {
        let mut links = Vec::new();
        for signaller in &mut self.known {
            let Some((link, _)) = signaller.joined() else { continue };
            if now >= signaller.ask_at {
                signaller.ask_at = now.after(signaller.ask.wait(rng));
                signaller.awaited = (signaller.awaited + 1).min(limits::INTRODUCTIONS_AWAITED);
                links.push(link);
            }
        }
        links
    }

    /// Peers that want the same are wanted: the links to ask now.
    pub(crate) fn ask_for(&mut self, now: Time) -> Vec<LinkId> {
        let mut links = Vec::new();
        for signaller in &mut self.known {
            let Some((link, _)) = signaller.joined() else { continue };
            if signaller.awaited_for < limits::INTRODUCTIONS_AWAITED
                && signaller.named.take(NAMED, now)
            {
                signaller.awaited_for += 1;
                links.push(link);
            }
        }
        links
    }

    /// It passes us a signal.
    ///
    /// # Errors
    /// [`Misbehaviour::SignalFlood`]
    pub(crate) fn signals(&mut self, link: LinkId, now: Time) -> Result<(), Misbehaviour> {
        let within = self.of(link).is_none_or(|signaller| signaller.signals.take(1, now));
        if within { Ok(()) } else { Err(Misbehaviour::SignalFlood) }
    }

    /// It introduces: whether it was asked to.
    pub(crate) fn answers(&mut self, link: LinkId) -> bool {
        self.of(link).is_some_and(|signaller| takes_one(&mut signaller.awaited))
    }

    /// It introduces peers that want the same, or refuses something: whether it was asked to.
    pub(crate) fn answers_for(&mut self, link: LinkId) -> bool {
        self.of(link).is_some_and(|signaller| takes_one(&mut signaller.awaited_for))
    }

    /// Whether the one at the other end has proven who it is.
    pub(crate) fn is_proven(&self, link: LinkId) -> bool {
        let proven = |signaller: &Signaller| {
            matches!(signaller.stage, Stage::Working { .. } | Stage::Joining { .. })
        };
        self.known.iter().any(|signaller| signaller.link() == Some(link) && proven(signaller))
    }

    /// It did wrong. Whether the connection is to end: at once over what is fatal, and over too much of
    /// what it must have done itself. One that had taken our join is then left alone for a while.
    pub(crate) fn offends(
        &mut self,
        link: LinkId,
        misbehaviour: Misbehaviour,
        rng: &mut Rng,
        now: Time,
    ) -> bool {
        let Some(signaller) = self.of(link) else { return false };
        signaller.offences += u32::from(misbehaviour.weight() > 0);
        let over = misbehaviour.is_fatal() || signaller.offences >= limits::SIGNALLER_OFFENCES;
        // A carrier of the connection can change a message: that is not held against the signaller.
        if over && misbehaviour.weight() > 0 && signaller.joined().is_some() {
            signaller.not_before = now.after(signaller.distrust.wait(rng));
        }
        over
    }

    /// When [`Self::ask`] has a signaller to ask again.
    pub(crate) fn ask_deadline(&self) -> Option<Time> {
        self.known
            .iter()
            .filter(|signaller| signaller.joined().is_some())
            .map(|signaller| signaller.ask_at)
            .min()
    }

    /// It must not be asked before `retry_after` has passed.
    pub(crate) fn not_before(
        &mut self,
        link: LinkId,
        retry_after: core::time::Duration,
        now: Time,
    ) {
        if let Some(signaller) = self.of(link) {
            let at = now.after(retry_after.min(limits::REDIAL_BACKOFF.1));
            signaller.ask_at = signaller.ask_at.max(at);
        }
    }

    /// Things have changed (a neighbour was lost): asking soon makes sense again.
    pub(crate) fn ask_again(&mut self, rng: &mut Rng, now: Time) {
        for signaller in &mut self.known {
            signaller.ask.reset();
            let soon = now.after(rng.jitter(limits::INTRODUCE_BACKOFF.0));
            signaller.ask_at = signaller.ask_at.min(soon);
        }
    }

    /// The device is back on a network: no waiting.
    pub(crate) fn wake(&mut self, now: Time) {
        for signaller in &mut self.known {
            signaller.retry.reset();
            signaller.ask.reset();
            signaller.ask_at = now;
            if let Stage::Away { retry_at } = &mut signaller.stage {
                *retry_at = now.max(signaller.not_before);
            }
        }
    }

    /// We have slept, or the network was gone: each is judged by what is heard from now on, and one
    /// that has been in the making for long is given up soon. Gives the links to ping. If not
    /// `again`, one that is probed already is left alone.
    pub(crate) fn probe(&mut self, again: bool, now: Time) -> Vec<LinkId> {
        let mut links = Vec::new();
        for signaller in self.known.iter_mut().filter(|known| again || known.probe.is_none()) {
            let joined = signaller.joined();
            let from = if joined.is_some() { now } else { signaller.since };
            signaller.probe = Some(from.after(limits::WAKE_PROBE).max(now));
            links.extend(joined.map(|(link, _)| link));
        }
        links
    }

    fn bounds(&self) -> Bounds {
        let connected = self.known.iter().filter_map(Signaller::link).count();
        let silence = if self.dozing { limits::DOZE_SILENCE } else { limits::SIGNALLER_SILENCE };
        Bounds {
            room: connected < limits::SIGNALLER_LINKS,
            wanting: connected < limits::SIGNALLERS_ENOUGH,
            silence,
        }
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let bounds = self.bounds();
        let waiting = self.known.iter().filter_map(|signaller| signaller.work.deadline());
        self.known.iter().filter_map(|known| known.deadline(bounds)).chain(waiting).min()
    }

    /// One thing that is due, if any; call until there is none.
    pub(crate) fn due(&mut self, now: Time) -> Option<Due> {
        let bounds = self.bounds();
        let due = |signaller: &Signaller| {
            signaller.deadline(bounds).is_some_and(|deadline| deadline <= now)
        };
        let index = self.known.iter().position(due)?;
        let signaller = self.known.get_mut(index)?;
        let judged_at = signaller.judged_at(bounds);
        Some(match &mut signaller.stage {
            Stage::Away { retry_at } => {
                // Not again before the caller has said what came of it.
                *retry_at = now.after(limits::DIAL_TIMEOUT);
                Due::Dial { index, url: signaller.address.url.clone() }
            }
            Stage::Dialling { link } => Due::Drop { link: *link, cause: Disconnect::DialTimeout },
            Stage::Working { link, with, work, again_at } => {
                let (link, with) = (*link, *with);
                if now >= signaller.since.after(limits::WORK_TIMEOUT) {
                    return Some(Due::Drop { link, cause: Disconnect::HandshakeTimeout });
                }
                *again_at = now.after(limits::WORK_PAUSE);
                let Some(work) = work.search(limits::WORK_TRIES) else { return Some(Due::Works) };
                signaller.joins(link, with, now);
                Due::Join { link, with, work }
            }
            Stage::Opening { link, .. }
            | Stage::Opened { link }
            | Stage::Joining { link, joined: false, .. } => {
                Due::Drop { link: *link, cause: Disconnect::HandshakeTimeout }
            }
            Stage::Joining { link, with, renew_at, .. } => {
                if now >= judged_at {
                    Due::Drop { link: *link, cause: Disconnect::Silent }
                } else if now >= *renew_at {
                    *renew_at = signaller::renew_at(now);
                    signaller.spoke = now;
                    Due::Join { link: *link, with: *with, work: 0 }
                } else {
                    signaller.spoke = now;
                    Due::Ping { link: *link }
                }
            }
        })
    }

    pub(crate) fn status(&self) -> Vec<SignallerStatus> {
        let status = |signaller: &Signaller| SignallerStatus {
            url: signaller.address.url.clone(),
            signaller: match signaller.stage {
                Stage::Joining { with, .. } => Some(with.signaller),
                _ => None,
            },
            joined: signaller.joined().is_some(),
            relays: signaller.relays > 0,
            failure: signaller.failure.clone(),
            clock_ahead_ms: signaller.clock_ahead,
        };
        self.known.iter().map(status).collect()
    }
}

fn takes_one(awaited: &mut u8) -> bool {
    let was_awaited = *awaited > 0;
    *awaited = awaited.saturating_sub(1);
    was_awaited
}

#[cfg(test)]
mod tests;
