//! What one peer may do, on whichever connection.

use taiinet_identity::PeerId;
use taiinet_mesh::{Budget, Time};

use super::config::Budgets;
use crate::{limits, shares::Shares};

/// What is left to one peer.
#[derive(Debug)]
pub(super) struct Allowance {
    pub(super) introductions: Budget,
    pub(super) signals: Budget,
    /// Bytes that it says over links that are relayed.
    pub(super) relayed: Budget,
    /// Of its signals, those for each recipient.
    pub(super) to: Shares<PeerId>,
}

impl Allowance {
    pub(super) fn new(budgets: &Budgets, now: Time) -> Self {
        Self {
            introductions: Budget::new(budgets.introductions, now),
            signals: Budget::new(budgets.signals, now),
            relayed: Budget::new(budgets.relayed, now),
            to: Shares::new(budgets.signals_to_one, limits::RECIPIENTS),
        }
    }

    /// Whether it is as good as a fresh one.
    pub(super) fn is_full(&self, now: Time) -> bool {
        let Self { introductions, signals, relayed, to } = self;
        [introductions, signals, relayed].iter().all(|budget| budget.is_full(now))
            && to.is_full(now)
    }
}
