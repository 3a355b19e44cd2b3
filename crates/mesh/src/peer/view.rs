//! The views through the front door: neighbours sought, shuffles, now and then a change.

use taiinet_identity::{PeerId, Signed};

use super::Peer;
use crate::{
    LinkId, Misbehaviour, Time,
    frame::{Frame, Presence, RefusalReason, ToSignaller},
    limits,
    link::Link,
    signallers,
};

impl Peer {
    /// Dials candidates while neighbours are wanting, and asks signallers for more of them, if
    /// anything has changed since the last time.
    pub(super) fn seek(&mut self, now: Time) {
        if !core::mem::take(&mut self.restless) {
            return;
        }
        let mut wanting = self.wanting();
        while wanting > 0 {
            let Some(peer) = self.pick(now) else { break };
            self.dial(peer, now);
            wanting -= 1;
        }
        if wanting > 0 {
            for link in self.signallers.ask(&mut self.rng, now) {
                self.tell(link, &ToSignaller::Introduce { want: limits::INTRODUCE }, now);
            }
        }
    }

    /// How many more links should be dialled now: up to the target, and in any case so many that a
    /// share of the neighbours are of our own choice. Strangers that only knock count for nothing.
    fn wanting(&self) -> usize {
        let (mut all, mut dozing, mut ours, mut pending) = (0, 0, 0, 0);
        for link in self.links.values().filter(|link| link.is_admitted() || !link.incoming) {
            all += 1;
            dozing += usize::from(link.dozing);
            ours += usize::from(!link.incoming);
            pending += usize::from(!link.is_admitted());
        }
        // Who dozes is no neighbour to rely on.
        let to_target = self.config.target_links.saturating_sub(all - dozing);
        let to_share = (self.config.max_links - self.max_incoming()).saturating_sub(ours);
        let room = self.config.max_links.saturating_sub(all);
        let budget = (limits::PENDING_LINKS / 2).saturating_sub(pending);
        to_target.max(to_share).min(room).min(budget)
    }

    fn pick(&mut self, now: Time) -> Option<PeerId> {
        let links = &self.links;
        let taken = |peer: &PeerId| links.values().any(|link| link.peer == *peer);
        self.candidates.pick(taken, self.config.direct.is_some(), &mut self.rng, now)
    }

    pub(super) fn view_deadline(&self) -> Option<Time> {
        let seek = if self.wanting() > 0 {
            let links = &self.links;
            let taken = |peer: &PeerId| links.values().any(|link| link.peer == *peer);
            let by_address = self.config.direct.is_some();
            [self.candidates.deadline(taken, by_address), self.signallers.ask_deadline()]
                .into_iter()
                .flatten()
                .min()
        } else {
            None
        };
        let always = self.shuffle_at.min(self.mix_at);
        [seek, self.trim_at, Some(always)].into_iter().flatten().min()
    }

    pub(super) fn tick_view(&mut self, now: Time) {
        if now >= self.shuffle_at {
            let every = match self.config.direct {
                Some(_) => limits::POOL_SHUFFLE_EVERY,
                None => limits::SHUFFLE_EVERY,
            };
            self.shuffle_at = now.after(self.rng.jitter(every));
            self.shuffle(now);
        }
        if self.trim_at.is_some_and(|at| now >= at) {
            self.trim_at = Some(now.after(self.rng.jitter(limits::TRIM_EVERY)));
            self.part(|link| link.surplus, now);
        }
        if now >= self.mix_at {
            self.mix_at = now.after(self.rng.jitter(limits::MIX_EVERY));
            self.mix(now);
        }
    }

    /// Tells a neighbour at random of some peers, and of what we have.
    fn shuffle(&mut self, now: Time) {
        let active: Vec<(LinkId, PeerId)> = self
            .links
            .values()
            .filter(|link| link.is_active() && !self.reputation.is_suspect(&link.peer, now))
            .map(|link| (link.id, link.peer))
            .collect();
        if let Some((link, peer)) = self.rng.choose(&active).copied() {
            let presences = self.presences_for(&peer, now);
            self.control(link, &Frame::Shuffle(presences), now);
            self.compare(link, now);
        }
    }

    pub(super) fn shuffled(
        &mut self,
        link: LinkId,
        presences: Vec<Signed<Presence>>,
        reply: bool,
        now: Time,
    ) -> Result<(), Misbehaviour> {
        self.may_exchange(link, now)?;
        let Some(peer) = self.links.get(&link).map(|link| link.peer) else { return Ok(()) };
        if self.reputation.is_suspect(&peer, now) {
            return Ok(());
        }
        self.hear(link, presences, now)?;
        if reply {
            let presences = self.presences_for(&peer, now);
            self.control(link, &Frame::ShuffleReply(presences), now);
        }
        Ok(())
    }

    /// Ourselves, our neighbours (whom we can introduce), and some of the passive view.
    pub(super) fn presences_for(&mut self, peer: &PeerId, now: Time) -> Vec<Signed<Presence>> {
        let mut presences = vec![self.own_presence(now)];
        presences.extend(self.neighbour_presences(peer, now));
        presences.truncate(limits::PRESENCES_PER_FRAME / 2 + 1);
        let rest = limits::PRESENCES_PER_FRAME - presences.len();
        presences.extend(self.candidates.some(rest.min(6), peer, &mut self.rng, now));
        presences
    }

    /// The presences of our neighbours but one.
    pub(super) fn neighbour_presences(&self, but: &PeerId, now: Time) -> Vec<Signed<Presence>> {
        self.links
            .values()
            .filter(|link| link.is_active() && link.peer != *but)
            .filter_map(|link| link.presence.as_ref())
            .filter(|presence| crate::candidates::is_worth_telling(presence, now))
            .map(|presence| presence.signed().clone())
            .collect()
    }

    /// Our own presence, fresh enough to be passed on.
    pub(super) fn own_presence(&mut self, now: Time) -> Signed<Presence> {
        let fresh = self.presence.as_ref().filter(|presence| {
            Time::from(presence.expires_at) > now.after(limits::PRESENCE_LIFE / 2)
        });
        if let Some(presence) = fresh {
            return presence.signed().clone();
        }
        let joined = self.signallers.current_join();
        let address = self.config.direct.as_ref().and_then(|direct| direct.address.clone());
        let presence =
            signallers::presence(&self.identity, &self.config.network, joined, address, now);
        self.presence.insert(presence).signed().clone()
    }

    /// Tells each neighbour when we come to be ready to part with it, or no longer are.
    pub(super) fn weigh_surplus(&mut self, now: Time) {
        let surplus = self.wakeful() > self.config.target_links;
        if surplus != self.trim_at.is_some() {
            self.trim_at = surplus.then(|| now.after(self.rng.jitter(limits::TRIM_EVERY)));
        }
        let spare_ours = self.can_spare_ours();
        let mut news = Vec::new();
        for link in self.links.values_mut().filter(|link| link.is_active()) {
            let spare = surplus && (link.incoming || spare_ours);
            if core::mem::replace(&mut link.told_surplus, spare) != spare {
                news.push((link.id, Frame::Surplus(spare)));
            }
        }
        for (link, frame) in news {
            self.control(link, &frame, now);
        }
    }

    /// How many of our neighbours are awake.
    fn wakeful(&self) -> usize {
        self.links.values().filter(|link| link.is_admitted() && !link.dozing).count()
    }

    /// Whether we have more links of our own choice than we must have.
    fn can_spare_ours(&self) -> bool {
        let ours = self.links.values().filter(|link| link.is_admitted() && !link.incoming).count();
        ours > self.config.max_links - self.max_incoming()
    }

    /// With a full view, now and then a change: a link to a peer at random, so that parts of the
    /// mesh that happen to be closed in themselves meet; a link less where there is no room left.
    fn mix(&mut self, now: Time) {
        let admitted = self.links.values().filter(|link| link.is_admitted()).count();
        if admitted >= self.config.max_links {
            self.part(|link| now.since(link.since()) >= limits::MIX_EVERY, now);
        } else if self.wakeful() >= self.config.target_links {
            for link in self.signallers.ask(&mut self.rng, now) {
                self.tell(link, &ToSignaller::Introduce { want: 2 }, now);
            }
            if let Some(peer) = self.pick(now) {
                self.dial(peer, now);
            }
        }
    }

    /// Parts with one of these neighbours, of those who misbehaved most at random, but keeps those of our
    /// own choice that we must have.
    fn part(&mut self, which: impl Fn(&Link) -> bool, now: Time) {
        let spare_ours = self.can_spare_ours();
        let mut candidates: Vec<(u32, LinkId)> = self
            .links
            .values()
            .filter(|link| link.is_active() && which(link) && (link.incoming || spare_ours))
            .map(|link| (self.reputation.points(&link.peer, now), link.id))
            .collect();
        let most = candidates.iter().map(|(points, _)| *points).max();
        candidates.retain(|(points, _)| Some(*points) == most);
        if let Some((_, link)) = self.rng.choose(&candidates).copied() {
            self.refuse(link, RefusalReason::Full, now);
        }
    }
}
