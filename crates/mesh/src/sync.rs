//! Neighbours compare what they have, so that what went astray is found.

use crate::{
    LinkId, Misbehaviour,
    cx::Cx,
    limits,
    notice::Notice,
    wire::{Compare, SyncFrame},
};

/// The room of comparisons. It holds nothing: the digests are those of the store.
#[derive(Debug, Default)]
pub(crate) struct Sync;

impl Sync {
    pub(crate) fn frame(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        frame: SyncFrame,
    ) -> Result<(), Misbehaviour> {
        match frame {
            SyncFrame::Compare(compare) => self.compared(cx, link, &compare),
        }
    }

    pub(crate) fn on(&mut self, cx: &mut Cx, notice: &Notice) {
        if let Notice::Compare(link) = notice {
            self.compare(cx, *link);
        }
    }

    /// Tells a neighbour what we have, so that it announces what we lack.
    fn compare(&mut self, cx: &mut Cx, link: LinkId) {
        let since = cx.cares_since();
        let until = cx.now.before(limits::COMPARE_MARGIN).timestamp();
        let digests = cx.store.digests_until(since, until);
        cx.send(link, SyncFrame::Compare(Compare { since, digests }));
    }

    /// A neighbour tells what it has.
    fn compared(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        compare: &Compare,
    ) -> Result<(), Misbehaviour> {
        if compare.digests.len() > limits::DIGESTS {
            return Err(Misbehaviour::Oversize);
        }
        let Some(state) = cx.links.get_mut(link) else { return Ok(()) };
        state.budgets.exchange(cx.now)?;
        let ids = cx.store.differing_within(compare.since, &compare.digests, cx.now);
        cx.notify(Notice::Missing { link, ids });
        Ok(())
    }
}
