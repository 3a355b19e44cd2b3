//! One signaller: how far the connection to it is.

use taiinet_document::Timestamp;
use taiinet_identity::PeerId;

use super::work::Work;
use crate::{
    Budget, Disconnect, LinkId, SignallerAddress, Time, limits, links,
    rng::Backoff,
    session::{Dialler, Session},
    wire::Joined,
};

#[derive(Debug)]
pub(super) enum Stage {
    /// Not connected.
    Away { retry_at: Time },
    /// Being connected.
    Dialling { link: LinkId },
    /// We opened a session and await the answer to that.
    Opening { link: LinkId, dialler: Box<Dialler> },
    /// The session stands; it is to say who it is.
    Opened { link: LinkId },
    /// It asks for work before a join.
    Working { link: LinkId, with: Joined, work: Box<Work>, again_at: Time },
    /// We know who it is and sent our join; `joined` once it was taken.
    Joining { link: LinkId, with: Joined, renew_at: Time, joined: bool },
}

/// One signaller.
#[derive(Debug)]
pub(super) struct Signaller {
    pub(super) address: SignallerAddress,
    /// Whether another signaller told us of it, and when that one signed its address.
    pub(super) learned_at: Option<Timestamp>,
    pub(super) stage: Stage,
    /// The session of this connection, from [`Stage::Opened`] on.
    pub(super) session: Option<Session>,
    pub(super) since: Time,
    pub(super) heard: Time,
    pub(super) spoke: Time,
    /// After a sleep: until when something must be heard, whatever was not heard before.
    pub(super) probe: Option<Time>,
    pub(super) retry: Backoff,
    pub(super) ask: Backoff,
    pub(super) ask_at: Time,
    /// How often it may be asked for peers that want the same.
    pub(super) named: Budget,
    /// Those of such introductions that have not come; one of an earlier version never answers.
    pub(super) awaited_for: u8,
    /// Introductions that were asked for and have not come.
    pub(super) awaited: u8,
    /// What it did wrong on this connection that is certainly its own doing.
    pub(super) offences: u32,
    /// How long it is not trusted after it did too much of that, and until when it is not.
    pub(super) distrust: Backoff,
    pub(super) not_before: Time,
    /// Signals that it may still pass us.
    pub(super) signals: Budget,
    /// How much work it may still make for us, and the messages that wait for that.
    pub(super) work: links::Work,
    pub(super) failure: Option<Disconnect>,
    /// How many milliseconds our clock is ahead of its own, if it minded.
    pub(super) clock_ahead: Option<i64>,
    /// How many links it relays for us at once; none, if it does not relay.
    pub(super) relays: u8,
}

/// What holds for each because of all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Whether another connection may be opened.
    pub(super) room: bool,
    /// Whether one to a learned signaller may.
    pub(super) wanting: bool,
    /// The silence after which one is gone.
    pub(super) silence: core::time::Duration,
}

impl Signaller {
    pub(super) fn new(address: SignallerAddress, now: Time) -> Self {
        Self {
            address,
            learned_at: None,
            stage: Stage::Away { retry_at: now },
            session: None,
            since: now,
            heard: now,
            spoke: now,
            probe: None,
            retry: Backoff::new(limits::SIGNALLER_BACKOFF),
            ask: Backoff::new(limits::INTRODUCE_BACKOFF),
            ask_at: now,
            named: Budget::new(limits::INTRODUCE_FOR, now),
            awaited_for: 0,
            awaited: 0,
            offences: 0,
            distrust: Backoff::new(limits::SIGNALLER_DISTRUST),
            not_before: now,
            signals: Budget::new(limits::SIGNALS, now),
            work: links::Work::new(now),
            failure: None,
            clock_ahead: None,
            relays: 0,
        }
    }

    pub(super) const fn link(&self) -> Option<LinkId> {
        match self.stage {
            Stage::Away { .. } => None,
            Stage::Dialling { link }
            | Stage::Opening { link, .. }
            | Stage::Opened { link }
            | Stage::Working { link, .. }
            | Stage::Joining { link, .. } => Some(link),
        }
    }

    /// Its key, as far as we know it.
    pub(super) fn key(&self) -> Option<PeerId> {
        let proven = match self.stage {
            Stage::Working { with, .. } | Stage::Joining { with, .. } => Some(with.signaller),
            _ => None,
        };
        self.address.pinned.or(proven)
    }

    pub(super) fn is(&self, key: PeerId) -> bool {
        self.key() == Some(key)
    }

    pub(super) const fn joined(&self) -> Option<(LinkId, Joined)> {
        match self.stage {
            Stage::Joining { link, with, joined: true, .. } => Some((link, with)),
            _ => None,
        }
    }

    /// When it is to be looked at again.
    pub(super) fn deadline(&self, bounds: Bounds) -> Option<Time> {
        match self.stage {
            Stage::Away { retry_at } => {
                let wanted = if self.learned_at.is_some() { bounds.wanting } else { bounds.room };
                wanted.then_some(retry_at)
            }
            Stage::Dialling { .. } => Some(self.pending_until(limits::DIAL_TIMEOUT)),
            Stage::Opening { .. } | Stage::Opened { .. } | Stage::Joining { joined: false, .. } => {
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
    pub(super) fn pending_until(&self, limit: core::time::Duration) -> Time {
        let until = self.since.after(limit);
        self.probe.map_or(until, |probe| until.min(probe))
    }

    /// When silence counts as the end.
    pub(super) fn judged_at(&self, bounds: Bounds) -> Time {
        self.probe.unwrap_or_else(|| self.heard.after(bounds.silence))
    }

    pub(super) const fn hears(&mut self, now: Time) {
        self.heard = now;
        self.probe = None;
    }

    /// It says what its clock says.
    pub(super) fn tells_time(&mut self, theirs: Timestamp, now: Time) {
        let millis = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
        self.clock_ahead = Some(millis(now.as_millis()) - millis(theirs.as_millis()));
    }

    /// Our join is on its way.
    pub(super) fn joins(&mut self, link: LinkId, with: Joined, now: Time) {
        self.stage = Stage::Joining { link, with, renew_at: renew_at(now), joined: false };
        self.since = now;
        self.spoke = now;
    }
}

pub(super) fn renew_at(now: Time) -> Time {
    now.after(limits::PRESENCE_LIFE / 2)
}
