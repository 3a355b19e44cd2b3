//! Neighbours compare what they have, so that what went astray is found: of the live window all, of what lasts
//! the archives.

mod archives;
mod compare;

pub(crate) use compare::Part;

use crate::{
    LinkId, Misbehaviour, Reconciled, Time,
    cx::Cx,
    documents::Documents,
    limits,
    notice::Notice,
    routes::Spreading,
    wire::{Compare, SyncFrame},
};
use archives::Archives;
use compare::{Answer, Comparisons};

/// The room of comparisons. What is compared stands in the store.
#[derive(Debug)]
pub(crate) struct Sync {
    comparisons: Comparisons,
    archives: Archives,
}

impl Sync {
    pub(crate) fn new(cx: &mut Cx) -> Self {
        Self { comparisons: Comparisons::new(cx.rng.split()), archives: Archives::default() }
    }

    pub(crate) fn frame(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        frame: SyncFrame,
        documents: &Documents,
    ) -> Result<(), Misbehaviour> {
        match frame {
            SyncFrame::Compare(compare) => self.compared(cx, link, &compare, documents),
            SyncFrame::Inquire(inquire) => self.archives.inquired(cx, link, inquire),
            SyncFrame::Differs(differs) => self.archives.differs(cx, link, differs),
            SyncFrame::Want(want) => self.archives.wanted(cx, link, want),
            SyncFrame::Given(given) => self.archives.given(cx, link, given),
        }
    }

    pub(crate) fn on(&mut self, cx: &mut Cx, notice: &Notice) {
        match notice {
            Notice::NeighbourUp(up) => {
                self.compare(cx, up.link, Part::Newest);
                self.archives.neighbour_up(cx, up);
            }
            Notice::LinkDown(down) => {
                self.comparisons.link_down(down.link);
                self.archives.link_down(cx, down.link);
            }
            Notice::Compare { link, part } => self.compare(cx, *link, *part),
            _ => {}
        }
    }

    /// Our archive asks a neighbour's, or answers it.
    pub(crate) fn reconciled(&mut self, cx: &mut Cx, link: LinkId, step: Reconciled) {
        self.archives.step(cx, link, step);
    }

    /// Has our archive ask those whose turn it is.
    pub(crate) fn tick(&mut self, cx: &mut Cx) {
        self.archives.tick(cx);
    }

    /// When [`Self::tick`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.archives.deadline()
    }

    /// Tells a neighbour what we have of a part of the documents, so that it announces what we lack.
    fn compare(&mut self, cx: &mut Cx, link: LinkId, part: Part) {
        // Where each has what it wants, what two have is not the same.
        if cx.spreading == Spreading::Route {
            return;
        }
        // A neighbour that is one from now on has sent us nothing that may be on its way.
        let until = match part {
            Part::Newest => cx.now.after(limits::CLOCK_SKEW),
            Part::Next | Part::Any => cx.now.before(limits::COMPARE_MARGIN),
        };
        let times = (cx.cares_since(), until.timestamp());
        let asked = self.comparisons.ask(link, part, &cx.store, times);
        let Some((compare, more)) = asked else { return };
        // A round goes on to its end.
        if more && part != Part::Any {
            cx.notify(Notice::CompareLater(link));
        }
        cx.send(link, SyncFrame::Compare(compare));
    }

    /// A neighbour tells what it has.
    fn compared(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        compare: &Compare,
        documents: &Documents,
    ) -> Result<(), Misbehaviour> {
        if compare.pieces.len() > limits::PIECES {
            return Err(Misbehaviour::Oversize);
        }
        if !compare.is_ascending() {
            return Err(Misbehaviour::Undecodable);
        }
        let Some(state) = cx.links.get_mut(link) else { return Ok(()) };
        state.budgets.exchange(cx.now)?;
        let Some(room) = documents.announcement_room(link) else { return Ok(()) };
        let Answer { ids, looked_at } =
            self.comparisons.answer(link, &cx.store, compare, room, cx.now);
        cx.spend(link, looked_at.div_ceil(limits::LOOKS_PER_UNIT) as u64);
        cx.notify(Notice::Missing { link, ids });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use taiinet_document::{DocumentId, Mark, Timestamp};

    use super::*;
    use crate::{
        interest::Interest,
        notice::NeighbourUp,
        testing::{self, NOW, identity, work_left},
        wire::Piece,
    };

    #[test]
    fn a_link_that_has_us_compare_pays_for_all_that_we_look_at() {
        let mut cx = testing::cx();
        let peer = identity(1);
        let link = testing::neighbour(&mut cx, &peer);
        let (mut documents, interest) = (Documents::new(&mut cx), Interest::new(&mut cx));
        let (session, since) = (0, NOW.timestamp());
        let up = NeighbourUp { link, peer: peer.peer_id(), session, since };
        documents.on(&mut cx, &Notice::NeighbourUp(up), &interest);
        for number in 0..100_u8 {
            let id = DocumentId::from_bytes([number; 32]);
            cx.store.pretend(Mark { created_at: NOW.timestamp(), id });
        }
        let mut sync = Sync::new(&mut cx);
        let until = Mark::from(NOW.after(limits::CLOCK_SKEW).timestamp());
        let mut costs = |count| {
            // All in one piece, and with another sum.
            let pieces = vec![Piece { until, count, sum: 1 }];
            let compare = Compare { salt: [7; 32], from: Timestamp::default().into(), pieces };
            let before = work_left(&cx, link);
            sync.frame(&mut cx, link, SyncFrame::Compare(compare), &documents).unwrap();
            before - work_left(&cx, link)
        };
        // Each document is hashed, and then looked at to be announced.
        assert_eq!(costs(100), 2 * 100 / limits::LOOKS_PER_UNIT as i64);
        assert_eq!(costs(19), (20 + 100) / limits::LOOKS_PER_UNIT as i64, "it has fewer");
    }
}
