//! A peer that is cut off: what happens in its network does not reach it, and so its neighbours are not worth their
//! places.
//!
//! Either the trees in which it stands have far fewer peers than it knows, or documents are named there and none
//! comes. Then it changes some neighbours, and others later, by its own choice.

use crate::{LinkId, Time, cx::Cx, limits, rng::Backoff, wire::RefusalReason};

/// Since when it is, and when a neighbour is changed next.
#[derive(Debug)]
pub(super) struct Hunger {
    next_at: Option<Time>,
    backoff: Backoff,
}

impl Default for Hunger {
    fn default() -> Self {
        Self { next_at: None, backoff: Backoff::new(limits::CUT_OFF_BACKOFF) }
    }
}

impl Hunger {
    pub(super) const fn deadline(&self) -> Option<Time> {
        self.next_at
    }

    /// Whether a neighbour is to be changed now.
    pub(super) fn is_due(&mut self, is_cut_off: bool, cx: &mut Cx) -> bool {
        if !is_cut_off {
            *self = Self::default();
            return false;
        }
        let next_at = *self.next_at.get_or_insert(cx.now.after(limits::CUT_OFF_AFTER));
        let is_due = cx.now >= next_at;
        if is_due {
            self.next_at = Some(cx.now.after(self.backoff.wait(&mut cx.rng)));
        }
        is_due
    }
}

/// Parts with a neighbour that has brought nothing for a while, not even what a root says, whoever chose it.
pub(super) fn part_with_idle(cx: &mut Cx) {
    let now = cx.now;
    let idle = cx.links.active().filter(|link| {
        !link.extra && !link.is_archive && link.leads_up.is_empty() && link.is_idle(now)
    });
    let idle: Vec<LinkId> = idle.map(|link| link.id).collect();
    if let Some(link) = cx.rng.choose(&idle).copied() {
        cx.refuse(link, RefusalReason::Full);
    }
}
