//! What is learned from each copy that comes: which neighbour pushes well, and which would do better.

use core::time::Duration;

use taiinet_document::DocumentId;
use taiinet_identity::PeerId;

use super::{
    Tree,
    groups::{Group, Groups},
    neighbour::Sent,
};
use crate::{LinkId, Time, cx::Cx};

/// A document that had to be asked for counts so much, and one that was pushed takes 1 off;
const LACK: u8 = 8;
/// from so much on, its announcer is to push its group, though another is relied on to do so.
const LACKS_BEFORE_GRAFT: u8 = 2 * LACK;
/// A neighbour that announces so much sooner than another pushes would push sooner: half of its round
/// trip, within these bounds.
const WORTH_A_CHANGE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(40));

impl Tree {
    /// A document came over `from` that is new to us.
    pub(crate) fn received(
        &mut self,
        cx: &Cx,
        from: LinkId,
        sent: Sent,
        id: DocumentId,
        author: &PeerId,
    ) {
        let group = Group::of(author);
        let announced = self.announcers(&id, from, sent);
        let first = announced.first().copied();
        for (link, neighbour) in &mut self.neighbours {
            if *link == from {
                neighbour.received += 1;
            } else {
                neighbour.feeding.idles();
            }
        }
        if sent.asked {
            if let Some((at, _)) = first {
                self.lateness.pulled(id, at);
            }
            self.lacked(from, group, &announced);
            return;
        }
        let lacks = self.lacks.get_mut(group);
        *lacks = lacks.saturating_sub(1);
        let late = first.map_or(Duration::ZERO, |(at, _)| cx.now.since(at));
        self.lateness.sample(late);
        if let Some(neighbour) = self.neighbours.get_mut(&from) {
            neighbour.feeding.pushes(group);
        }
        if let Some((_, first)) = first.filter(|(_, first)| *first != from)
            && let Some(neighbour) = self.neighbours.get_mut(&first)
            && !neighbour.dozing
        {
            let (least, most) = WORTH_A_CHANGE;
            let round_trip = cx.links.get(first).and_then(|link| link.round_trip());
            let worth = round_trip.map_or(most, |time| (time / 2).clamp(least, most));
            neighbour.feeding.is_sooner(group, late >= worth, cx.now);
        }
    }

    /// The neighbours that have announced a document and when, the first first; also the one that sent it.
    fn announcers(&self, id: &DocumentId, from: LinkId, sent: Sent) -> Vec<(Time, LinkId)> {
        let others = self.neighbours.iter();
        let others =
            others.filter_map(|(link, other)| Some((other.promises.announced(id)?, *link)));
        let mut announced: Vec<(Time, LinkId)> =
            others.chain(sent.announced.map(|at| (at, from))).collect();
        announced.sort_unstable();
        announced
    }

    /// A document of this group had to be asked for. If no neighbour is proven to push the group,
    /// or this happens again, another is to push it: the one that sent the document, or, if that was to push it
    /// already and did not, the next one that announced it.
    fn lacked(&mut self, from: LinkId, group: Group, announced: &[(Time, LinkId)]) {
        let relied_on = self.proven_but(None).contains(group);
        let lacks = self.lacks.get_mut(group);
        *lacks = lacks.saturating_add(LACK);
        if relied_on && *lacks < LACKS_BEFORE_GRAFT {
            return;
        }
        *lacks = 0;
        for neighbour in self.neighbours.values_mut() {
            neighbour.feeding.lapses(group);
        }
        let others = announced.iter().map(|(_, link)| *link).filter(|link| *link != from);
        for link in core::iter::once(from).chain(others) {
            if let Some(neighbour) = self.neighbours.get_mut(&link)
                && !neighbour.dozing
                && !neighbour.feeding.wants(group)
            {
                neighbour.feeding.graft(group.into());
                return;
            }
        }
    }

    /// Another copy of a document came over `link`. If most that it pushes are that, and not asked for, the
    /// neighbour is to announce that group.
    pub(crate) fn duplicate(
        &mut self,
        cx: &Cx,
        link: LinkId,
        sent: Sent,
        id: &DocumentId,
        author: &PeerId,
    ) {
        let group = Group::of(author);
        let others = self.proven_but(Some(link)).contains(group);
        let Some(neighbour) = self.neighbours.get_mut(&link) else { return };
        neighbour.duplicates += 1;
        // An author pushes to all. And if it was on its way when we asked another, we were impatient,
        // and it is not to blame.
        let author = cx.links.peer(link) == Some(*author);
        if author || sent.asked || sent.announced.is_some() || self.lateness.overtaken(id, cx.now) {
            return;
        }
        neighbour.feeding.is_late(group, others, cx.now);
    }

    /// A document that a neighbour sent is refused, in whatever copy it comes.
    pub(crate) fn refused(
        &mut self,
        cx: &Cx,
        link: LinkId,
        sent: Sent,
        id: DocumentId,
        author: &PeerId,
    ) {
        if !self.unwanted.insert(id) {
            self.duplicate(cx, link, sent, &id, author);
            return;
        }
        self.received(cx, link, sent, id, author);
        self.asked.remove(&id);
        for neighbour in self.neighbours.values_mut() {
            neighbour.promises.settled(&id);
        }
    }

    /// The neighbour that pushed these groups does so no more: where no other is proven to, one is to that
    /// was often sooner, or pushes most.
    pub(super) fn replace(&mut self, groups: Groups) {
        for group in (groups & !self.proven_but(None)).iter() {
            let wakeful = self.neighbours.values_mut().filter(|neighbour| !neighbour.dozing);
            let next = wakeful.max_by_key(|neighbour| {
                (neighbour.feeding.sooner(group), neighbour.proven().len())
            });
            if let Some(next) = next {
                next.feeding.graft(group.into());
            }
        }
    }

    /// Of which groups neighbours other than this one are proven to push to us.
    fn proven_but(&self, link: Option<LinkId>) -> Groups {
        let others = self.neighbours.iter().filter(|(other, _)| Some(**other) != link);
        others.fold(Groups::NONE, |all, (_, neighbour)| all | neighbour.proven())
    }
}
