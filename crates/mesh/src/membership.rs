//! The peers that this one is linked to, and could be: the active and the passive view.
//!
//! After HyParView ([`candidates`]), with two changes: a peer that has more links than it needs parts
//! with one only where the other end has as well, and now and then a full view changes at random.

mod archives;
mod candidates;
mod crowd;
mod hunger;
mod lookout;
mod parting;
mod presence;
mod seeds;
mod source;
mod topology;

use taiinet_identity::{PeerId, Signed};

pub(crate) use crowd::Crowd;
pub(crate) use presence::{OwnPresence, Said};
pub(crate) use source::Source;
pub(crate) use topology::Topology;

use crate::{
    Disconnect, LinkFailure, LinkId, Misbehaviour, Time,
    cx::Cx,
    limits,
    links::Link,
    notice::{Candidacy, LinkDown, NeighbourUp, Notice},
    sync::Part,
    wire::{Presence, VERIFICATION, ViewFrame},
};
use archives::Lookout;
use candidates::Candidates;
use hunger::Hunger;
use seeds::Seeds;

/// The room of the views.
#[derive(Debug)]
pub(crate) struct Membership {
    candidates: Candidates,
    seeds: Seeds,
    lookout: Lookout,
    shuffle_at: Time,
    /// How often views were not exchanged since they were last, for want of need.
    calm: u32,
    /// When a neighbour was last lost.
    lost_at: Time,
    mix_at: Time,
    hunger: Hunger,
    /// When to look for a link that can go; none while there is no surplus.
    trim_at: Option<Time>,
    /// When to tell neighbours whether we could part with them, if that may have changed, and when we did
    /// last.
    surplus_at: Option<Time>,
    surplus_told: Time,
}

impl Membership {
    pub(crate) fn new(cx: &mut Cx) -> Self {
        Self {
            candidates: Candidates::default(),
            seeds: Seeds::new(cx.topology.seeds(), cx.now),
            lookout: Lookout::default(),
            shuffle_at: cx.now.after(cx.rng.jitter(limits::SHUFFLE_EVERY)),
            calm: 0,
            lost_at: cx.now,
            mix_at: cx.now.after(cx.rng.jitter(limits::MIX_EVERY)),
            hunger: Hunger::default(),
            trim_at: None,
            surplus_at: None,
            surplus_told: Time::default(),
        }
    }

    /// The operator names other addresses to dial.
    pub(crate) fn rename_seeds(&mut self, cx: &Cx) {
        self.seeds.rename(cx.topology.seeds(), cx.now);
    }

    /// What is known of the network's peers in general: how many of those that one knows by their own word want everything.
    pub(crate) fn crowd(&self, cx: &Cx) -> Crowd {
        let mut crowd = self.candidates.crowd();
        for neighbour in cx.links.active().filter(|link| !self.candidates.knows(&link.peer)) {
            if let Some(presence) = &neighbour.presence {
                crowd.count(presence);
            }
        }
        crowd
    }

    /// How many candidates for links it knows.
    pub(crate) fn known(&self) -> usize {
        self.candidates.len()
    }

    /// The peers that could not be reached, and why.
    pub(crate) fn failures(&self) -> Vec<(PeerId, Disconnect)> {
        self.candidates.failures()
    }

    pub(crate) fn frame(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        frame: ViewFrame,
    ) -> Result<(), Misbehaviour> {
        match frame {
            ViewFrame::Shuffle(presences) => self.shuffled(cx, link, presences, true),
            ViewFrame::ShuffleReply(presences) => self.shuffled(cx, link, presences, false),
            ViewFrame::Surplus(surplus) => {
                let Some(state) = cx.links.get_mut(link) else { return Ok(()) };
                state.budgets.state(cx.now)?;
                state.surplus = surplus;
                parting::part_with_extras(cx);
                Ok(())
            }
        }
    }

    pub(crate) fn on(&mut self, cx: &mut Cx, notice: &Notice) {
        match notice {
            Notice::Proven { link, peer } => self.seeds.proven(*link, *peer),
            Notice::NeighbourUp(up) => self.neighbour_up(cx, up),
            Notice::LinkDown(down) => self.link_down(cx, down),
            Notice::Dozes { .. } | Notice::Moved => self.weigh_surplus(cx),
            Notice::Searches => self.look_out(cx),
            Notice::Woke => self.candidates.wake(cx.now),
            Notice::Heard { via, source, presences } => {
                if let Err(misbehaviour) = self.learn(cx, *via, *source, presences.clone()) {
                    cx.charge(*via, misbehaviour);
                }
            }
            Notice::DialForSupply(peer) => {
                let may = self.candidates.may_dial(peer, cx.now)
                    && !cx.reputation.is_blacklisted(peer, cx.now);
                if let Some(candidacy) = self.candidacy(*peer).filter(|_| may) {
                    cx.notify(Notice::Dial(Candidacy { sought: true, ..candidacy }));
                }
            }
            Notice::Forget(peer) => self.candidates.forget(peer),
            Notice::Rest { peer, wait } => self.candidates.rest(peer, *wait, cx.now),
            Notice::NoWay { peer, cause } => {
                self.candidates.failed(peer, cause.clone(), &mut cx.rng, cx.now);
                self.looked_out(cx, None);
            }
            Notice::RouteFound => self.candidates.found_route(cx.now),
            Notice::RouteLost(link) => self.candidates.lost_route(*link),
            _ => {}
        }
    }

    /// `is_cut_off`: what happens in the network does not reach us.
    pub(crate) fn tick(&mut self, cx: &mut Cx, is_cut_off: bool) {
        self.dial_seeds(cx);
        let now = cx.now;
        if self.hunger.is_due(is_cut_off, cx) {
            self.change(cx);
        }
        if now >= self.shuffle_at {
            self.shuffle_at = now.after(cx.rng.jitter(cx.topology.shuffle_every()));
            self.shuffle(cx);
        }
        if self.surplus_at.is_some_and(|at| now >= at) {
            self.surplus_at = None;
            self.tell_surplus(cx);
        }
        if self.trim_at.is_some_and(|at| now >= at) {
            self.trim_at = Some(now.after(cx.rng.jitter(limits::TRIM_EVERY)));
            parting::part(cx, |link| link.surplus, parting::A_LEAF);
            self.weigh_surplus(cx);
        }
        if now >= self.mix_at {
            self.mix_at = now.after(cx.rng.jitter(limits::MIX_EVERY));
            self.mix(cx);
        }
    }

    /// When there is something to do; `introduced` is when signallers may be asked for candidates.
    pub(crate) fn deadline(&self, cx: &Cx, introduced: Option<Time>) -> Option<Time> {
        let always = self.shuffle_at.min(self.mix_at);
        let seek = (wanting(cx).links > 0).then(|| {
            let taken = |peer: &PeerId| cx.links.leads_to(peer);
            [self.candidates.deadline(taken, cx.topology.is_full()), introduced]
        });
        let seek = seek.into_iter().flatten().flatten();
        let told = self.trim_at.into_iter().chain(self.surplus_at);
        let others = told.chain(self.seeds.deadline()).chain(self.hunger.deadline());
        seek.chain([always]).chain(others).min()
    }

    /// Has candidates dialled while neighbours are wanting, and signallers asked for more of them, if
    /// anything has changed since the last time.
    pub(crate) fn seek(&mut self, cx: &mut Cx) {
        if !core::mem::take(&mut cx.view_changed) {
            return;
        }
        let Wanting { links: mut wanting, has_room } = wanting(cx);
        let mut picked = Vec::new();
        // One at a time, beyond the target if need be: what it keeps shows when the link is there.
        let may_dial = has_room && !self.dials_archive(cx);
        let archive = if may_dial { self.pick_archive(cx) } else { None };
        let lacks_archive = cx.wants_archive && may_dial && archive.is_none();
        if let Some(candidacy) = archive {
            picked.push(candidacy.peer);
            cx.notify(Notice::Dial(candidacy));
            wanting = wanting.saturating_sub(1);
        }
        wanting = self.dial(cx, wanting, picked);
        if lacks_archive {
            self.look_out(cx);
        }
        if wanting > 0 || lacks_archive {
            cx.notify(Notice::Introduce { want: limits::INTRODUCE });
        }
    }

    fn pick(&mut self, cx: &mut Cx, not: &[PeerId]) -> Option<Candidacy> {
        self.pick_of(cx, not, |_| true)
    }

    /// Has so many candidates dialled, besides those that were picked. How many there were too few.
    fn dial(&mut self, cx: &mut Cx, mut count: usize, mut picked: Vec<PeerId>) -> usize {
        while count > 0
            && let Some(candidacy) = self.pick(cx, &picked)
        {
            picked.push(candidacy.peer);
            cx.notify(Notice::Dial(candidacy));
            count -= 1;
        }
        count
    }

    fn pick_of(
        &mut self,
        cx: &mut Cx,
        not: &[PeerId],
        which: impl Fn(&Presence) -> bool,
    ) -> Option<Candidacy> {
        let links = &cx.links;
        let taken = |peer: &PeerId| links.leads_to(peer) || not.contains(peer);
        let by_address = cx.topology.is_full();
        let peer = self.candidates.pick(taken, by_address, which, &mut cx.rng, cx.now)?;
        self.candidacy(peer)
    }

    fn candidacy(&self, peer: PeerId) -> Option<Candidacy> {
        let (presence, heard_from) = self.candidates.get(&peer)?;
        Some(Candidacy {
            peer,
            joined: presence.joined,
            address: presence.reachable_at().map(str::to_owned),
            heard_from: heard_from.to_vec(),
            sought: false,
        })
    }

    /// Dials the addresses that are due.
    fn dial_seeds(&mut self, cx: &mut Cx) {
        while self.seeds.deadline().is_some_and(|due| due <= cx.now) {
            let links = &cx.links;
            let due = self.seeds.due(|peer| links.leads_to(peer), &mut cx.rng, cx.now);
            if let Some(address) = due {
                let link = cx.dial_address(address.pinned, address.url.clone());
                self.seeds.dialled(&address, link);
            }
        }
    }

    fn neighbour_up(&mut self, cx: &mut Cx, up: &NeighbourUp) {
        if !cx.links.get(up.link).is_some_and(|link| link.extra) {
            self.candidates.succeeded(&up.peer);
        }
        if cx.topology.is_full() {
            let presence = cx.links.get(up.link).and_then(|link| link.presence.as_ref());
            if let Some(presence) = presence
                && let Some(address) = presence.reachable_at()
            {
                self.seeds.learn(address, up.peer, presence.issued_at, cx.now);
            }
            // All are to be linked to all: the newcomer is told at once of those that are there.
            let presences = self.presences_for(cx, &up.peer);
            cx.send(up.link, ViewFrame::Shuffle(presences));
        }
        self.weigh_surplus(cx);
        if cx.links.get(up.link).is_some_and(|link| link.is_archive) {
            self.archive_up(cx);
        }
    }

    fn link_down(&mut self, cx: &mut Cx, down: &LinkDown) {
        if down.active && matches!(down.cause, Disconnect::Silent | Disconnect::Link(_)) {
            self.lost_at = cx.now;
        }
        self.seeds.link_down(down.link, &mut cx.rng, cx.now);
        self.candidates.lost_route(down.link);
        let fault = match &down.cause {
            Disconnect::Misbehaved(_) if down.active => true,
            Disconnect::Silent | Disconnect::Link(_) if down.active => {
                !down.blameless && !down.extra
            }
            Disconnect::Local => false,
            // Whether there is a direct path is another question.
            _ if down.extra => false,
            _ => !down.active && !down.incoming && !down.blameless,
        };
        if fault {
            self.candidates.failed(&down.peer, down.cause.clone(), &mut cx.rng, cx.now);
        } else if is_our_mistake(down) {
            self.candidates.noted(&down.peer, down.cause.clone());
        }
        self.weigh_surplus(cx);
        self.looked_out(cx, Some(down.link));
    }

    /// Tells a neighbour at random of some peers, and of what we have.
    fn shuffle(&mut self, cx: &mut Cx) {
        let active: Vec<(LinkId, PeerId)> = cx
            .links
            .active()
            .filter(|link| !cx.reputation.is_suspect(&link.peer, cx.now))
            .map(|link| (link.id, link.peer))
            .collect();
        if let Some((link, peer)) = cx.rng.choose(&active).copied() {
            self.calm = if self.is_calm(cx) { (self.calm + 1) % limits::SHUFFLE_CALM } else { 0 };
            if self.calm == 0 {
                let presences = self.presences_for(cx, &peer);
                cx.send(link, ViewFrame::Shuffle(presences));
            }
            cx.notify(Notice::Compare { link, part: Part::Any });
        }
    }

    /// Whether there are neighbours and candidates enough, and none was lost of late: then views are exchanged
    /// less often, since they take most of what a quiet peer sends.
    fn is_calm(&self, cx: &Cx) -> bool {
        wanting(cx).links == 0
            && self.candidates.len() >= limits::PASSIVE_VIEW / 2
            && cx.now.since(self.lost_at) >= limits::CALM_AFTER
    }

    fn shuffled(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        presences: Vec<Signed<Presence>>,
        reply: bool,
    ) -> Result<(), Misbehaviour> {
        let Some(state) = cx.links.get_mut(link) else { return Ok(()) };
        state.budgets.exchange(cx.now)?;
        let (peer, source) = (state.peer, Source::of(state, &cx.topology));
        if cx.reputation.is_suspect(&peer, cx.now) {
            return Ok(());
        }
        self.learn(cx, link, source, presences)?;
        if reply {
            let presences = self.presences_for(cx, &peer);
            cx.send(link, ViewFrame::ShuffleReply(presences));
        } else {
            self.looked_out(cx, Some(link));
        }
        Ok(())
    }

    /// Hears of peers.
    fn learn(
        &mut self,
        cx: &mut Cx,
        via: LinkId,
        source: Source,
        presences: Vec<Signed<Presence>>,
    ) -> Result<(), Misbehaviour> {
        if presences.len() > limits::PRESENCES_PER_FRAME {
            return Err(Misbehaviour::Oversize);
        }
        for presence in presences {
            let peer = presence.signer();
            if peer == cx.id() || cx.reputation.is_blacklisted(&peer, cx.now) {
                continue;
            }
            let Cx { links, config, rng, now, .. } = cx;
            let verifies = || links.spend(via, VERIFICATION, *now);
            let from = (via, source);
            let learned =
                self.candidates.learn(presence, from, &config.network, verifies, rng, *now);
            match learned {
                Ok(news) => {
                    cx.view_changed |= news;
                    if let Some((presence, _)) = self.candidates.get(&peer) {
                        cx.links.tells(presence);
                    }
                }
                // What depends on a clock is no reason to hear nothing of the rest.
                Err(Misbehaviour::OutOfTime) => {
                    let proven = cx.links.get(via).filter(|link| link.is_proven());
                    let from = proven.map(|link| link.peer);
                    cx.reject(from, Misbehaviour::OutOfTime);
                }
                Err(misbehaviour) => return Err(misbehaviour),
            }
        }
        Ok(())
    }

    /// Our own presence, our neighbours' (which we can introduce), and some of the passive view.
    fn presences_for(&self, cx: &mut Cx, peer: &PeerId) -> Vec<Signed<Presence>> {
        let mut presences = vec![cx.own_presence()];
        presences.extend(cx.links.presences(peer, cx.now));
        presences.truncate(limits::PRESENCES_PER_FRAME / 2 + 1);
        let rest = limits::PRESENCES_PER_FRAME - presences.len();
        presences.extend(self.candidates.some(rest.min(6), peer, &mut cx.rng, cx.now));
        presences
    }

    /// How many neighbours we have that are awake may have changed: each is told whether we are ready to
    /// part with it, but not again and again while that changes back and forth.
    fn weigh_surplus(&mut self, cx: &mut Cx) {
        let surplus = wakeful(cx) > cx.config.target_links;
        if surplus != self.trim_at.is_some() {
            self.trim_at = surplus.then(|| cx.now.after(cx.rng.jitter(limits::TRIM_EVERY)));
        }
        self.surplus_at.get_or_insert(self.surplus_told.after(limits::TELL_EVERY).max(cx.now));
    }

    fn tell_surplus(&mut self, cx: &mut Cx) {
        let surplus = self.trim_at.is_some();
        let (spare_ours, direct) = (can_spare_ours(cx), wakeful(cx));
        let needed = archives::needed(cx);
        let now = cx.now;
        let mut news = Vec::new();
        for link in cx.links.iter_mut().filter(|link| link.is_active()) {
            let spare = if link.extra {
                direct >= limits::CIRCUITS_ENOUGH
            } else {
                surplus
                    && (!is_ours(link) || spare_ours)
                    && link.leads_up.is_empty()
                    && !link.is_of_supply(now)
                    && !needed.contains(&link.id)
            };
            if core::mem::replace(&mut link.told_surplus, spare) != spare {
                news.push((link.id, ViewFrame::Surplus(spare)));
            }
        }
        if !news.is_empty() {
            self.surplus_told = cx.now;
        }
        for (link, frame) in news {
            cx.send(link, frame);
        }
        parting::part_with_extras(cx);
    }

    /// Links to peers at random, in the place of those that bring nothing if there is no other.
    fn change(&mut self, cx: &mut Cx) {
        for _ in free_places(cx)..limits::CHANGES {
            hunger::part_with_idle(cx);
        }
        cx.notify(Notice::Introduce { want: limits::INTRODUCE });
        self.dial(cx, limits::CHANGES, Vec::new());
    }

    /// With a full view, now and then a change: a link to a peer at random, so that parts of the
    /// mesh that happen to be closed in themselves meet; a link less where there is no room left.
    fn mix(&mut self, cx: &mut Cx) {
        let now = cx.now;
        if free_places(cx) == 0 {
            // An archive is worth that those below a child find another way.
            let lacks_archive = self.pick_archive(cx).is_some();
            let most_below = if lacks_archive { parting::A_CHILD } else { parting::A_LEAF };
            parting::part(cx, |link| now.since(link.since()) >= limits::MIX_EVERY, most_below);
        } else if wakeful(cx) >= cx.config.target_links {
            cx.notify(Notice::Introduce { want: 2 });
            self.dial(cx, 1, Vec::new());
        }
    }
}

/// Whether something here stands in the way of those that dial us, which a user can mend.
fn is_our_mistake(down: &LinkDown) -> bool {
    let is_mistake = matches!(down.cause, Disconnect::Link(LinkFailure::Mistaken { .. }));
    is_mistake && down.incoming && !down.active && !down.extra
}

/// How many neighbours more there may be.
fn free_places(cx: &Cx) -> usize {
    let admitted = cx.links.iter().filter(|link| link.is_admitted() && !link.extra).count();
    cx.config.max_links.saturating_sub(admitted)
}

/// How many more links should be dialled now: up to the target, and in any case so many that a
/// share of the neighbours are of our own choice. Strangers that only knock count for nothing.
fn wanting(cx: &Cx) -> Wanting {
    let (mut all, mut dozing, mut ours, mut pending) = (0, 0, 0, 0);
    let counts =
        |link: &&Link| !link.extra && !link.is_doubted() && (link.is_admitted() || !link.incoming);
    for link in cx.links.iter().filter(counts) {
        all += 1;
        dozing += usize::from(link.dozing);
        ours += usize::from(is_ours(link));
        pending += usize::from(!link.is_admitted() && !link.sought);
    }
    // A neighbour that dozes is none to rely on.
    let to_target =
        cx.config.target_links.saturating_sub((all - dozing).saturating_sub(beside(cx)));
    let to_share = (cx.config.max_links - cx.max_incoming()).saturating_sub(ours);
    let room = cx.config.max_links.saturating_sub(all);
    let budget = (limits::PENDING_LINKS / 2).saturating_sub(pending);
    let links = to_target.max(to_share).min(room).min(budget);
    Wanting { links, has_room: room > 0 && pending < limits::PENDING_LINKS }
}

/// Which links should be dialled now.
struct Wanting {
    /// How many of them to whomever.
    links: usize,
    /// Whether there may be one more, to an archive.
    has_room: bool,
}

/// How many of our neighbours are awake, of those that count towards the links that we want.
fn wakeful(cx: &Cx) -> usize {
    let awake = cx.links.iter().filter(|link| is_awake(link)).count();
    awake - beside(cx)
}

/// How many neighbours that supply us or that we supply are beside the links that we want: were all of them to count, the
/// mesh would be one of those that want the same, and fall apart.
fn beside(cx: &Cx) -> usize {
    let supplying = cx.links.iter().filter(|link| is_awake(link) && link.supplies > 0).count();
    supplying.saturating_sub(limits::SUPPLY_LINKS_COUNTED)
}

fn is_awake(link: &Link) -> bool {
    link.is_admitted() && !link.dozing && !link.extra
}

/// Whether we chose the other end: not if it found us because it seeks a supplier.
const fn is_ours(link: &Link) -> bool {
    !link.incoming && !link.sought
}

/// Whether we have more links of our own choice than we must have.
fn can_spare_ours(cx: &Cx) -> bool {
    let ours = |link: &&Link| link.is_admitted() && is_ours(link) && !link.extra;
    let ours = cx.links.iter().filter(ours).count();
    ours > cx.config.max_links - cx.max_incoming()
}

#[cfg(test)]
mod tests;
