//! The signallers that a peer knows: knocking, joining, asking for introductions, coming back.

use core::net::Ipv6Addr;

use taiinet_document::{Network, Timestamp};
use taiinet_identity::{Domain, Identity, PeerId, Verified};

use crate::{
    Disconnect, LinkId, Misbehaviour, SignallerAddress, SignallerStatus, Time,
    frame::{IceServer, Joined, Presence, RefusalReason, ToSignaller, VERSION, Welcome},
    limits,
    rng::{Backoff, Rng},
    work::Work,
};

#[derive(Debug)]
enum Stage {
    /// Not connected.
    Away { retry_at: Time },
    /// Being connected.
    Dialling { link: LinkId },
    /// We knocked with this nonce.
    Knocked { link: LinkId, nonce: [u8; 32] },
    /// It asks for work before a join.
    Working { link: LinkId, with: Joined, work: Box<Work>, again_at: Time },
    /// We know who it is and sent our join; `joined` once it was taken.
    Joining { link: LinkId, with: Joined, renew_at: Time, joined: bool },
}

/// One signaller.
#[derive(Debug)]
struct Signaller {
    address: SignallerAddress,
    /// Whether another signaller told us of it, and when that one signed its address.
    learned: Option<Timestamp>,
    stage: Stage,
    since: Time,
    heard: Time,
    spoke: Time,
    /// After a sleep: until when something must be heard, whatever was not heard before.
    probe: Option<Time>,
    retry: Backoff,
    ask: Backoff,
    ask_at: Time,
    /// Introductions that were asked for and have not come.
    awaited: u8,
    /// What it did wrong on this connection that is certainly its own doing.
    offences: u32,
    /// How long it is not trusted after it did too much of that, and until when it is not.
    distrust: Backoff,
    not_before: Time,
    failure: Option<Disconnect>,
}

/// What holds for each because of all.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Whether another connection may be opened.
    room: bool,
    /// Whether one to a learned signaller may.
    wanting: bool,
    /// The silence after which one is gone.
    silence: core::time::Duration,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Signallers {
    known: Vec<Signaller>,
    /// Whether we doze, and so may have to wait for our own turn to hear anything.
    pub(crate) dozing: bool,
}

/// What is due at a signaller.
#[derive(Debug)]
pub(crate) enum Due {
    /// Open a connection; tell its name with [`Signallers::dialled`].
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

impl Signaller {
    fn new(address: SignallerAddress, now: Time) -> Self {
        Self {
            address,
            learned: None,
            stage: Stage::Away { retry_at: now },
            since: now,
            heard: now,
            spoke: now,
            probe: None,
            retry: Backoff::new(limits::SIGNALLER_BACKOFF),
            ask: Backoff::new(limits::INTRODUCE_BACKOFF),
            ask_at: now,
            awaited: 0,
            offences: 0,
            distrust: Backoff::new(limits::SIGNALLER_DISTRUST),
            not_before: now,
            failure: None,
        }
    }

    const fn link(&self) -> Option<LinkId> {
        match self.stage {
            Stage::Away { .. } => None,
            Stage::Dialling { link }
            | Stage::Knocked { link, .. }
            | Stage::Working { link, .. }
            | Stage::Joining { link, .. } => Some(link),
        }
    }

    /// Whether this is its key, as far as we know it.
    fn is(&self, key: PeerId) -> bool {
        let proven = match self.stage {
            Stage::Working { with, .. } | Stage::Joining { with, .. } => Some(with.signaller),
            _ => None,
        };
        self.address.pinned.or(proven) == Some(key)
    }

    const fn joined(&self) -> Option<(LinkId, Joined)> {
        match self.stage {
            Stage::Joining { link, with, joined: true, .. } => Some((link, with)),
            _ => None,
        }
    }

    /// When it is to be looked at again.
    fn deadline(&self, bounds: Bounds) -> Option<Time> {
        match self.stage {
            Stage::Away { retry_at } => {
                let wanted = if self.learned.is_some() { bounds.wanting } else { bounds.room };
                wanted.then_some(retry_at)
            }
            Stage::Dialling { .. } => Some(self.pending_until(limits::DIAL_TIMEOUT)),
            Stage::Knocked { .. } | Stage::Joining { joined: false, .. } => {
                Some(self.pending_until(limits::HANDSHAKE_TIMEOUT))
            }
            Stage::Working { again_at, .. } => Some(again_at),
            Stage::Joining { renew_at, .. } => Some(
                renew_at
                    .min(self.spoke.after(limits::SIGNALLER_PING_AFTER))
                    .min(self.judged_at(bounds)),
            ),
        }
    }

    /// When this stage must be over.
    fn pending_until(&self, limit: core::time::Duration) -> Time {
        let until = self.since.after(limit);
        self.probe.map_or(until, |probe| until.min(probe))
    }

    /// When silence counts as the end.
    fn judged_at(&self, bounds: Bounds) -> Time {
        self.probe.unwrap_or_else(|| self.heard.after(bounds.silence))
    }

    const fn hears(&mut self, now: Time) {
        self.heard = now;
        self.probe = None;
    }

    /// Our join is on its way.
    fn joins(&mut self, link: LinkId, with: Joined, now: Time) {
        self.stage = Stage::Joining { link, with, renew_at: renew_at(now), joined: false };
        self.since = now;
        self.spoke = now;
    }
}

impl Signallers {
    /// Adds one, unless it is known or there are too many.
    pub(crate) fn add(&mut self, address: SignallerAddress, now: Time) {
        let known = self.known.iter().any(|signaller| signaller.address.url == address.url);
        if !known && self.known.len() < limits::SIGNALLERS {
            self.known.push(Signaller::new(address, now));
        }
    }

    /// Whether it is no news that this key is at this address, or was when that was signed. Nobody
    /// takes over the address of one that was named, nor stands in the way of another's by signing it.
    pub(crate) fn knows(&self, url: &str, key: PeerId, said_at: Timestamp) -> bool {
        self.known.iter().any(|signaller| match signaller.learned {
            None => signaller.address.url == url || signaller.is(key),
            Some(earlier) => {
                signaller.is(key) && (signaller.address.url == url || earlier >= said_at)
            }
        })
    }

    /// Those that others have told of, each with its key.
    pub(crate) fn learned(&self) -> Vec<SignallerAddress> {
        let learned = self.known.iter().filter(|signaller| signaller.learned.is_some());
        learned.map(|signaller| signaller.address.clone()).collect()
    }

    /// Another signaller told us of this one, which said so itself at that time; it is turned to when
    /// those that were named are too few. Whether it is one more.
    pub(crate) fn learn(&mut self, url: &str, key: PeerId, said_at: Timestamp, now: Time) -> bool {
        if self.knows(url, key, said_at) {
            return false;
        }
        // One key has one place: it has moved.
        let mut learned = self.known.iter_mut().filter(|known| known.learned.is_some());
        if let Some(moved) = learned.find(|known| known.is(key)) {
            url.clone_into(&mut moved.address.url);
            moved.learned = Some(said_at);
            return false;
        }
        if self.known.len() >= limits::SIGNALLERS {
            let idle =
                |signaller: &Signaller| signaller.learned.is_some() && signaller.failure.is_some();
            let Some(index) =
                self.known.iter().position(|known| idle(known) && known.link().is_none())
            else {
                return false;
            };
            self.known.remove(index);
        }
        let address = SignallerAddress { url: url.to_owned(), pinned: Some(key) };
        let learned = Some(said_at);
        self.known.push(Signaller { learned, ..Signaller::new(address, now) });
        true
    }

    fn of(&mut self, link: LinkId) -> Option<&mut Signaller> {
        self.known.iter_mut().find(|signaller| signaller.link() == Some(link))
    }

    /// Whether this link leads to a signaller.
    pub(crate) fn has(&self, link: LinkId) -> bool {
        self.known.iter().any(|signaller| signaller.link() == Some(link))
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
            signaller.since = now;
            signaller.probe = None;
            (signaller.awaited, signaller.offences) = (0, 0);
        }
    }

    /// A connection is open: knock.
    pub(crate) fn opened(&mut self, link: LinkId, rng: &mut Rng, now: Time) -> Option<ToSignaller> {
        let signaller = self.of(link)?;
        if !matches!(signaller.stage, Stage::Dialling { .. }) {
            return None;
        }
        let nonce = rng.nonce();
        signaller.stage = Stage::Knocked { link, nonce };
        signaller.since = now;
        signaller.hears(now);
        signaller.spoke = now;
        Some(ToSignaller::Knock { version: VERSION, nonce })
    }

    /// It says who it is, and what our join must answer.
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
        let Stage::Knocked { nonce, .. } = signaller.stage else {
            return Err(Misbehaviour::OutOfTurn);
        };
        if signaller.address.pinned.is_some_and(|pinned| pinned != welcome.signaller) {
            return Err(Misbehaviour::BadProof);
        }
        let key = welcome.signaller.public_key().map_err(|_| Misbehaviour::BadProof)?;
        let transcript = Welcome::transcript(&nonce, &welcome.challenge);
        key.verify(Domain::Welcome, &transcript, &welcome.signature)
            .map_err(|_| Misbehaviour::BadProof)?;
        let with = Joined { signaller: welcome.signaller, challenge: welcome.challenge };
        if welcome.work > 0 {
            let work = Box::new(Work::new(welcome.challenge, me, welcome.work));
            signaller.stage = Stage::Working { link, with, work, again_at: now };
            signaller.since = now;
            return Ok(None);
        }
        signaller.joins(link, with, now);
        Ok(Some(with))
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
    pub(crate) fn lost(
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

    /// It introduces: whether it was asked to.
    pub(crate) fn answers(&mut self, link: LinkId) -> bool {
        let Some(signaller) = self.of(link).filter(|signaller| signaller.awaited > 0) else {
            return false;
        };
        signaller.awaited -= 1;
        true
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
        if over && signaller.joined().is_some() {
            signaller.not_before = now.after(signaller.distrust.wait(rng));
        }
        over
    }

    /// When [`Self::ask`] has somebody to ask again.
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
        self.known.iter().filter_map(|signaller| signaller.deadline(bounds)).min()
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
            Stage::Knocked { link, .. } | Stage::Joining { link, joined: false, .. } => {
                Due::Drop { link: *link, cause: Disconnect::HandshakeTimeout }
            }
            Stage::Joining { link, with, renew_at, .. } => {
                if now >= judged_at {
                    Due::Drop { link: *link, cause: Disconnect::Silent }
                } else if now >= *renew_at {
                    *renew_at = self::renew_at(now);
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
            failure: signaller.failure.clone(),
        };
        self.known.iter().map(status).collect()
    }
}

fn renew_at(now: Time) -> Time {
    now.after(limits::PRESENCE_LIFE / 2)
}

/// After these refusals a signaller closes the connection.
pub(crate) const fn is_final(reason: RefusalReason) -> bool {
    !matches!(reason, RefusalReason::TooOften)
}

/// A presence of our own, signed now.
pub(crate) fn presence(
    identity: &Identity,
    network: &Network,
    joined: Option<Joined>,
    address: Option<String>,
    now: Time,
) -> Verified<Presence> {
    let presence = Presence {
        network: network.clone(),
        joined,
        issued_at: now.timestamp(),
        expires_at: now.after(limits::PRESENCE_LIFE).timestamp(),
        address,
    };
    Verified::sign(identity, presence)
}

/// Whether this is an address that a signaller may have: `ws` or `wss`, a host and perhaps a port and a
/// path, and nothing that could mean something else to whoever reads it, such as a name and password.
pub(crate) fn is_address(url: &str) -> bool {
    let rest = url.strip_prefix("wss://").or_else(|| url.strip_prefix("ws://"));
    let Some(rest) = rest.filter(|_| url.len() <= limits::ADDRESS_BYTES) else { return false };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let in_path = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%+=,:".contains(&byte);
    let in_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let Some((host, port)) = v6.split_once(']') else { return false };
            if host.parse::<Ipv6Addr>().is_err() {
                return false;
            }
            (host, port)
        }
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            if host.is_empty() || !host.bytes().all(in_host) {
                return false;
            }
            (host, port)
        }
    };
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|port| digits(port) && port.parse::<u16>().is_ok_and(|port| port > 0));
    !host.is_empty() && port && path.bytes().all(in_path)
}

/// The STUN servers that a signaller names; an empty host means the signaller's own.
pub(crate) fn ice_servers(welcome: &Welcome, url: &str) -> Vec<IceServer> {
    let fill = |server: &String| {
        let server = match server.strip_prefix("stun::") {
            Some(port) => format!("stun:{}:{port}", host(url)?),
            None => server.clone(),
        };
        let server = IceServer::stun(server);
        (server.url.starts_with("stun:") && server.is_well_formed()).then_some(server)
    };
    welcome.ice_servers.iter().take(limits::ICE_SERVERS).filter_map(fill).collect()
}

/// The host in `ws://host:port/path`, with the brackets of an IPv6 address.
fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.rfind(']') {
        Some(end) => authority.get(..=end)?,
        None => authority.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests;
