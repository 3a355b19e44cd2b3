//! One connection.

use core::time::Duration;
use std::collections::VecDeque;

use taiinet_identity::Verified;
use taiinet_mesh::{Budget, Time, wire::Presence};
use taiinet_query::RoutingKey;

use super::{allowance::Allowance, config::Budgets};
use crate::{addresses::Ranges, limits};

/// How far a client is.
#[derive(Debug)]
pub(super) enum Stage {
    /// Its first message is awaited, which opens a session.
    Connected { since: Time },
    /// Its join is awaited.
    Challenged { challenge: [u8; 32], work: u8, since: Time },
    /// It has joined.
    Joined { presence: Box<Verified<Presence>>, challenge: [u8; 32] },
}

/// A connection and what it may still do.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) ranges: Ranges,
    pub(super) stage: Stage,
    /// When its connection was opened.
    pub(super) came: Time,
    pub(super) heard: Time,
    pub(super) frames: Budget,
    pub(super) joins: Budget,
    pub(super) work: Budget,
    /// How often it may still ask for more work than there is a budget for.
    pub(super) overdrafts: Budget,
    pub(super) allowance: Allowance,
    /// Signals that it may still be sent, and their bytes.
    arrivals: Budget,
    arriving_bytes: Budget,
    /// Links to relay that may still be asked of it.
    pub(super) asked_of_it: Budget,
    /// Keys of what it wants, as it has named them.
    pub(super) named: VecDeque<RoutingKey>,
}

impl Client {
    pub(super) fn new(ranges: Ranges, budgets: &Budgets, now: Time) -> Self {
        Self {
            ranges,
            stage: Stage::Connected { since: now },
            came: now,
            heard: now,
            frames: Budget::new(budgets.frames, now),
            joins: Budget::new(budgets.joins, now),
            work: Budget::new(budgets.work, now),
            overdrafts: Budget::new(limits::OVERDRAFTS, now),
            allowance: Allowance::new(budgets, now),
            arrivals: Budget::new(budgets.signals_for_one, now),
            arriving_bytes: Budget::new(budgets.signal_bytes_for_one, now),
            asked_of_it: Budget::new(limits::CIRCUITS_FOR_ONE, now),
            named: VecDeque::new(),
        }
    }

    /// Its presence, if it has joined.
    pub(super) const fn presence(&self) -> Option<&Verified<Presence>> {
        match &self.stage {
            Stage::Joined { presence, .. } => Some(presence),
            Stage::Connected { .. } | Stage::Challenged { .. } => None,
        }
    }

    /// Whether one more signal of so many bytes may be sent to it: others must not be able to fill
    /// its outbox, nor to use up what it takes from its signaller.
    pub(super) fn has_room(&self, bytes: usize, now: Time) -> bool {
        self.arrivals.has(1, now) && self.arriving_bytes.has(bytes, now)
    }

    /// Takes that room.
    pub(super) fn take_room(&mut self, bytes: usize, now: Time) -> bool {
        self.has_room(bytes, now)
            && self.arrivals.take(1, now)
            && self.arriving_bytes.take(bytes, now)
    }

    pub(super) const fn challenge(&self) -> Option<[u8; 32]> {
        match self.stage {
            Stage::Connected { .. } => None,
            Stage::Challenged { challenge, .. } | Stage::Joined { challenge, .. } => {
                Some(challenge)
            }
        }
    }

    /// When it is closed if nothing changes.
    pub(super) fn deadline(&self) -> Time {
        match &self.stage {
            Stage::Connected { since } => since.after(limits::JOIN_TIMEOUT),
            Stage::Challenged { work, since, .. } => since.after(join_timeout(*work)),
            Stage::Joined { presence, .. } => {
                self.heard.after(limits::IDLE_TIMEOUT).min(presence.expires_at.into())
            }
        }
    }
}

/// How long a join may take that needs so much work.
fn join_timeout(bits: u8) -> Duration {
    let tries = if bits == 0 { 0 } else { 1_u64.checked_shl(bits.into()).unwrap_or(u64::MAX) };
    let work = Duration::from_secs(tries.saturating_mul(4) / limits::SLOW_TRIES);
    (limits::JOIN_TIMEOUT + work).min(limits::WORK_TIMEOUT)
}
