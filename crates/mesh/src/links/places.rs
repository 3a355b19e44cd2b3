//! Places among the neighbours, and who has earned one.
//!
//! Places for strangers go to whoever comes first. So that no number of peers that bring nothing takes all of them,
//! one that has brought no document for a while gives way to the next stranger, as long as others bring some; now and
//! then, so that strangers that come again and again change little.

use crate::{LinkId, cx::Cx, limits, wire::RefusalReason};

impl Cx {
    /// Has a stranger that brings nothing give way to another. Whether there is a place now.
    pub(crate) fn makes_room(&mut self, stranger: LinkId) -> bool {
        let now = self.now;
        let is_due = self.displaced_at.is_none_or(|at| now >= at.after(limits::DISPLACE_EVERY));
        let are_fed =
            self.links.active().any(|link| link.brought_at.is_some() && !link.is_idle(now));
        if !is_due || !are_fed {
            return false;
        }
        let may_go = self.links.active().filter(|link| {
            (link.incoming || link.sought)
                && link.id != stranger
                && !link.extra
                && !link.is_archive
                && link.is_idle(now)
                && link.leads_up.is_empty()
                && link.brings_most() <= 1
                && !link.is_of_supply(now)
        });
        let last = may_go.min_by_key(|link| (link.brings_most(), link.brought_at, link.since()));
        let Some(last) = last.map(|link| link.id) else { return false };
        self.displaced_at = Some(now);
        self.refuse(last, RefusalReason::Full);
        true
    }
}
