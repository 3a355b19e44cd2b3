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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::{
        testing::{self, NOW, identity},
        wire::Slot,
    };

    /// A peer of which all neighbours came of their own accord, some while ago.
    fn full() -> (Cx, [LinkId; 3]) {
        let mut cx = testing::cx();
        let links = [1, 2, 3].map(|number| testing::neighbour(&mut cx, &identity(number)));
        for link in links {
            cx.links.get_mut(link).unwrap().incoming = true;
        }
        cx.now = NOW.after(limits::EARNED_WITHIN);
        (cx, links)
    }

    fn brings(cx: &mut Cx, link: LinkId) {
        cx.links.get_mut(link).unwrap().brought_at = Some(cx.now);
    }

    fn is_there(cx: &Cx, links: [LinkId; 3]) -> [bool; 3] {
        links.map(|link| cx.links.get(link).is_some())
    }

    #[test]
    fn a_stranger_that_brings_nothing_gives_way_to_the_next_but_not_again_and_again() {
        let (mut cx, links) = full();
        let stranger = LinkId::from_raw(99);
        brings(&mut cx, links[0]);
        assert!(cx.makes_room(stranger));
        assert_eq!(is_there(&cx, links), [true, false, true]);
        assert!(!cx.makes_room(stranger), "so soon");
        cx.now = cx.now.after(limits::DISPLACE_EVERY);
        assert!(cx.makes_room(stranger));
        assert_eq!(is_there(&cx, links), [true, false, false]);
        cx.now = cx.now.after(limits::DISPLACE_EVERY);
        assert!(!cx.makes_room(stranger), "that one has earned its place");
    }

    #[test]
    fn where_nobody_brings_anything_nobody_gives_way() {
        let (mut cx, links) = full();
        assert!(!cx.makes_room(LinkId::from_raw(99)));
        brings(&mut cx, links[0]);
        cx.now = cx.now.after(limits::EARNED_WITHIN + Duration::from_secs(1));
        assert!(!cx.makes_room(LinkId::from_raw(99)), "not of late");
    }

    #[test]
    fn what_we_chose_what_is_new_and_what_leads_to_others_is_kept() {
        let (mut cx, links) = full();
        brings(&mut cx, links[0]);
        cx.links.get_mut(links[1]).unwrap().incoming = false;
        cx.links.get_mut(links[2]).unwrap().leads_up.set(Slot(1), true);
        let young = testing::neighbour(&mut cx, &identity(4));
        cx.links.get_mut(young).unwrap().incoming = true;
        assert!(!cx.makes_room(LinkId::from_raw(99)));
        // One below which others stand,
        let state = cx.links.get_mut(links[2]).unwrap();
        state.leads_up.set(Slot(1), false);
        state.brings = [0, 2];
        assert!(!cx.makes_room(LinkId::from_raw(99)));
        // and not one that stands there alone.
        cx.links.get_mut(links[2]).unwrap().brings = [0, 1];
        assert!(cx.makes_room(LinkId::from_raw(99)));
        assert_eq!(is_there(&cx, links), [true, true, false]);
    }
}
