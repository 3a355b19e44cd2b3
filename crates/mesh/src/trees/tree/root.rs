//! Being the root: a peer offers itself when there is none, and signs the bulletins.

use taiinet_identity::Verified;
use taiinet_query::DocumentKeys;

use super::{
    super::{
        following::Following,
        office::{Office, Rank},
        unnamed::Unnamed,
    },
    Tree,
};
use crate::{
    Time,
    cx::Cx,
    limits,
    membership::Crowd,
    notice::Accepted,
    routes::Spreading,
    wire::{Bulletin, Entry, IdPrefix, TreeFrame},
};

impl Tree {
    /// A document has come to us; if we are the root, it is named.
    pub(in crate::trees) fn name(&mut self, id: IdPrefix, accepted: &Accepted, now: Time) {
        if let Some(office) = &mut self.office {
            let about = self.below.about(&accepted.keys());
            office.name(Entry { id, about }, accepted.document.signed().size(), now);
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

    pub(super) fn stand(&mut self, cx: &mut Cx, recent: &Unnamed) {
        self.stand_at = None;
        if cx.dozing || self.around.is_empty() || self.following.is_some() {
            return;
        }
        if let Some(parent) = self.lose_parent(cx) {
            cx.send(parent, TreeFrame::Leave(self.slot));
        }
        let (id, now) = (cx.id(), cx.now);
        self.following = Some(Following::new(id, Rank::of(self.slot, &id), now));
        let mut office = Office::new(cx.spreading, now);
        for id in recent.all() {
            // What is not here any more is here for nobody that asks.
            let document = cx.store.get(&id).and_then(|kept| kept.decode().ok());
            let Some(document) = document else { continue };
            let about = self.below.about(&DocumentKeys::of(&document));
            office.name(Entry { id: (&id).into(), about }, 0, now);
        }
        self.office = Some(office);
        self.depth = 0;
    }

    /// Signs a bulletin. Gives what it names.
    pub(super) fn issue(&mut self, cx: &mut Cx, crowd: Crowd) -> Option<Vec<Entry>> {
        let told = Crowd { peers: self.below.peers(), open: self.below.open(self.is_open) };
        let peers = told.peers;
        let (office, following) = self.office.as_mut().zip(self.following.as_mut())?;
        let is_new = office.is_new();
        let (named, spreading) = office.issue(told, crowd, cx.now);
        let after_last = Time::from(following.newest).after(limits::BEAT_LEAST).timestamp();
        let issued_at = cx.now.timestamp().max(after_last);
        let beat = if spreading == Spreading::Route { limits::BEAT } else { limits::BEAT_IDLE };
        let bulletin = Bulletin {
            network: cx.config.network.clone(),
            slot: self.slot,
            issued_at,
            beat_ms: u32::try_from(beat.as_millis()).unwrap_or(u32::MAX),
            peers,
            spreading: spreading.into(),
            named,
        };
        let bulletin = Verified::sign(&cx.identity, bulletin);
        following.hears(bulletin.signed().clone(), &bulletin, cx.now);
        self.pass(cx, &bulletin, None, is_new);
        Some(bulletin.named.clone())
    }
}
