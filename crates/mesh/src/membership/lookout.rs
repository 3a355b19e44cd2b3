//! How an archive is found among the peers that are known, and by asking neighbours whom they know.

use super::{
    Membership,
    archives::{self, Archives},
    wanting,
};
use crate::{
    LinkId, Time,
    cx::Cx,
    limits,
    links::Link,
    notice::{Candidacy, Notice},
    wire::ViewFrame,
};

impl Membership {
    pub(super) fn pick_archive(&mut self, cx: &mut Cx) -> Option<Candidacy> {
        let archives = Archives::of(cx);
        if archives.are_enough() { None } else { self.pick_of(cx, &[], |one| archives.want(one)) }
    }

    /// Whether we are making a link to an archive. One that others begin may never be finished.
    pub(super) fn dials_archive(&self, cx: &Cx) -> bool {
        let is_archive = |link: &Link| {
            let presence = self.candidates.get(&link.peer).map(|(presence, _)| presence);
            presence.is_some_and(|presence| presence.archive.is_some())
        };
        cx.links.iter().any(|link| !link.is_active() && !link.incoming && is_archive(link))
    }

    /// A search begins. Where no neighbour has an archive, one that is known of is dialled, and others are asked whom
    /// they know: the search waits for that.
    pub(super) fn look_out(&mut self, cx: &mut Cx) {
        if cx.archive_until.is_some() || archives::are_any(cx) {
            return;
        }
        if self.may_reach_archive(cx) {
            cx.view_changed = true;
            // One that has not answered is not waited for by each search anew.
            let vainly = |at: Time| cx.now < at.after(limits::ARCHIVE_REST);
            if !self.lookout.waited_at.is_some_and(vainly) {
                self.expect_archive(cx);
            }
            return;
        }
        let soon = |at: Time| cx.now < at.after(limits::SHUFFLE_EVERY);
        if cx.topology.is_full() || self.lookout.asked_at.is_some_and(soon) {
            return;
        }
        let is_suspect = |link: &Link| cx.reputation.is_suspect(&link.peer, cx.now);
        let mut links =
            cx.links.named(|link| link.is_active() && !link.dozing && !is_suspect(link));
        cx.rng.sample(&mut links, 2);
        for link in &links {
            if let Some(peer) = cx.links.peer(*link) {
                let presences = self.presences_for(cx, &peer);
                cx.send(*link, ViewFrame::Shuffle(presences));
            }
        }
        if !links.is_empty() {
            cx.archive_until = Some(cx.now.after(limits::ARCHIVE_HEARD));
            (self.lookout.asked, self.lookout.asked_at) = (links, Some(cx.now));
        }
    }

    /// A neighbour that was asked has answered, or its link is gone; or there is no way to a candidate.
    pub(super) fn looked_out(&mut self, cx: &mut Cx, link: Option<LinkId>) {
        self.lookout.asked.retain(|asked| Some(*asked) != link);
        if cx.archive_until.is_none() {
            return;
        }
        if self.may_reach_archive(cx) {
            self.expect_archive(cx);
        } else if self.lookout.asked.is_empty() {
            cx.archive_until = None;
            cx.notify(Notice::NoArchive);
        }
    }

    fn may_reach_archive(&mut self, cx: &mut Cx) -> bool {
        self.dials_archive(cx) || wanting(cx).has_room && self.pick_archive(cx).is_some()
    }

    fn expect_archive(&mut self, cx: &mut Cx) {
        if !self.lookout.asked.is_empty() || cx.archive_until.is_none() {
            cx.archive_until = Some(cx.now.after(limits::ARCHIVE_DIALLED));
            self.lookout.waited_at = Some(cx.now);
        }
        self.lookout.asked.clear();
        cx.view_changed = true;
    }

    /// An archive has become a neighbour.
    pub(super) fn archive_up(&mut self, cx: &mut Cx) {
        cx.archive_until = None;
        self.lookout.waited_at = None;
    }
}
