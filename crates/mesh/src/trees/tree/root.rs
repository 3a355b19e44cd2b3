//! Being the root: a peer offers itself when there is none, and signs the bulletins.

use taiinet_document::{DocumentId, VerifiedDocument};
use taiinet_identity::Verified;
use taiinet_query::DocumentKeys;

use super::{
    super::{
        following::Following,
        office::{Office, Rank},
        unnamed::Unnamed,
    },
    To, Tree,
};
use crate::{
    Time,
    cx::Cx,
    limits,
    membership::Crowd,
    routes::Spreading,
    wire::{Bulletin, Entry, Slot, TreeFrame},
};

impl Tree {
    /// A document has come to us; if we are the root, it is named.
    pub(in crate::trees) fn name(
        &mut self,
        document: &VerifiedDocument,
        keys: &DocumentKeys,
        now: Time,
    ) {
        if let Some(office) = &mut self.office {
            let about = self.below.about(keys);
            let id = (&document.id()).into();
            office.name(Entry { id, about }, document.signed().size(), now);
        }
    }

    /// We are the root no longer, if we were.
    pub(in crate::trees) fn resign(&mut self, cx: &mut Cx) {
        if self.office.take().is_some() {
            self.following = None;
            self.tell(cx);
        }
    }

    /// We may be the root again.
    pub(in crate::trees) fn wake(&mut self, cx: &Cx) {
        if self.following.is_none() && !self.around.is_empty() {
            self.will_stand(cx);
        }
    }

    /// There is no root: we offer ourselves before long, unless another does.
    pub(super) fn will_stand(&mut self, cx: &Cx) {
        let known = u32::try_from(self.around.len()).unwrap_or(u32::MAX).saturating_add(1);
        let peers = self.following.as_ref().map_or(known, |root| root.peers.max(known));
        let mut wait = Rank::of(self.slot, &cx.id()).wait(peers);
        // Those come first that are likely to stay and have many neighbours, where there are any.
        if !cx.config.steady {
            wait += limits::STAND_UNSTEADY;
        }
        if cx.now < cx.started.after(limits::STAND_UP) {
            wait += limits::STAND_YOUNG;
        }
        let at = cx.now.after(limits::STAND_LEAST + wait.min(limits::STAND_MOST));
        self.stand_at.get_or_insert(at);
    }

    pub(super) fn stand(&mut self, cx: &mut Cx, recent: &Unnamed, alone: bool) {
        self.stand_at = None;
        if cx.dozing || self.around.is_empty() || self.following.is_some() {
            return;
        }
        if let Some(parent) = self.lose_parent(cx) {
            cx.send(parent, TreeFrame::Leave(self.slot));
        }
        let (id, now) = (cx.id(), cx.now);
        self.following = Some(Following::new(id, Rank::of(self.slot, &id), now));
        self.office = Some(Office::new(cx.spreading, now));
        self.depth = 0;
        let slot = self.slot;
        let ours = recent.all().filter(|id| alone || Slot::of(id) == slot);
        self.name_all(cx, ours);
    }

    /// Names what the root of another tree should have named and has not, once there is nothing else to name.
    pub(super) fn name_late(&mut self, cx: &Cx, recent: &Unnamed) {
        if !self.office.as_ref().is_some_and(Office::is_idle) {
            return;
        }
        let (slot, late) = (self.slot, recent.before(cx.now.before(limits::NAMED_LATE)));
        self.name_all(cx, late.filter(|id| Slot::of(id) != slot));
    }

    fn name_all(&mut self, cx: &Cx, ids: impl Iterator<Item = DocumentId>) {
        let Some(office) = &mut self.office else { return };
        for id in ids {
            // What is not here any more is here for nobody that asks.
            let Some(document) = cx.store.decoded(&id) else { continue };
            let about = self.below.about(&DocumentKeys::of(&document));
            office.name(Entry { id: (&id).into(), about }, 0, cx.now);
        }
    }

    /// Signs a bulletin. Gives what it names.
    pub(super) fn issue(&mut self, cx: &mut Cx, crowd: Crowd) -> Option<Vec<Entry>> {
        let told = Crowd { peers: self.below.peers(), open: self.below.open(self.is_open) };
        let peers = told.peers;
        let (office, following) = self.office.as_mut().zip(self.following.as_mut())?;
        let is_new = office.is_new();
        let (named, spreading) = office.issue(told, crowd, cx.now);
        let after = following.newest;
        let least = Time::from(after).after(limits::BEAT_LEAST).timestamp();
        let issued_at = cx.now.timestamp().max(least);
        let beat = if spreading == Spreading::Route { limits::BEAT } else { limits::BEAT_IDLE };
        let bulletin = Bulletin {
            network: cx.config.network.clone(),
            slot: self.slot,
            issued_at,
            after,
            beat_ms: u32::try_from(beat.as_millis()).unwrap_or(u32::MAX),
            peers,
            spreading: spreading.into(),
            named,
        };
        let bulletin = Verified::sign(&cx.identity, bulletin);
        following.hears(bulletin.signed().clone(), &bulletin, cx.now);
        self.pass(cx, &bulletin, None, if is_new { To::All } else { To::Lacking });
        Some(bulletin.named.clone())
    }
}
