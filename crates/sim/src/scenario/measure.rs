//! What is measured while a scenario runs: sums as it goes, so that nothing is kept for each delivery.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use taiinet_document::DocumentId;
use taiinet_mesh::{LinkState, Spreading, wire::FrameKind};

use super::{
    figures::{Figures, Second},
    newcomers::Newcomers,
    quantile::quantile,
};
use crate::{PeerIndex, Traffic, World};

/// Within this a document reaches everybody in a mesh that is well.
const WELL_MS: u64 = 3_000;

/// One bit for each peer.
#[derive(Debug, Default, Clone)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(peers: usize) -> Self {
        Self(vec![0; peers.div_ceil(64)])
    }

    fn has(&self, peer: usize) -> bool {
        self.0.get(peer / 64).is_some_and(|word| word >> (peer % 64) & 1 == 1)
    }

    /// Whether it was not there before.
    fn insert(&mut self, peer: usize) -> bool {
        let is_new = !self.has(peer);
        if let Some(word) = self.0.get_mut(peer / 64) {
            *word |= 1 << (peer % 64);
        }
        is_new
    }

    fn remove(&mut self, peer: usize) {
        if let Some(word) = self.0.get_mut(peer / 64) {
            *word &= !(1 << (peer % 64));
        }
    }
}

/// A document on its way.
#[derive(Debug)]
struct Sent {
    at: u64,
    by: PeerIndex,
    measured: bool,
    due: Bits,
    got: Bits,
    due_count: u64,
    delivered: u64,
    last_hop: u8,
    /// When the last of those to whom it was due got it.
    done_at: u64,
}

/// What each peer had counted when it was looked at last.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    received: u64,
    duplicates: u64,
    bytes: u64,
    document_bytes: u64,
}

/// The sums of a run.
#[derive(Debug)]
pub(super) struct Measure {
    peers: usize,
    patience_ms: u64,
    documents: Vec<Sent>,
    places: HashMap<DocumentId, usize>,
    /// The first that may still arrive in time.
    open: usize,
    delays: BTreeMap<u64, u64>,
    doubles: u64,
    pub(super) refused: u64,
    seconds: Vec<Second>,
    seen: Vec<Seen>,
    /// First copies that are wanted since the last look.
    wanted: u64,
    /// When the measurement began and ended, and what each peer had sent then.
    begun: Option<(u64, Vec<Traffic>)>,
    ended: Option<(u64, Vec<Traffic>)>,
    /// What peers had done in all when it began, and in between.
    before: Work,
    work: Work,
    /// When the last fault struck, or the last attack began or ceased.
    fault: Option<u64>,
    /// The honest peers that attacks are aimed at.
    targets: BTreeSet<PeerIndex>,
    newcomers: Newcomers,
}

/// What all peers did.
#[derive(Debug, Default)]
struct Work {
    by_kind: BTreeMap<FrameKind, u64>,
    asked: u64,
    resent: u64,
}

impl Work {
    fn of(world: &World) -> Self {
        let counters = world.counters();
        let by_kind = world.bytes_by_kind().clone();
        Self { by_kind, asked: counters.asked, resent: counters.resent }
    }

    fn since(self, before: &Self) -> Self {
        let earlier = |kind: &FrameKind| before.by_kind.get(kind).copied().unwrap_or(0);
        let by_kind = self.by_kind.into_iter();
        Self {
            by_kind: by_kind.map(|(kind, bytes)| (kind, bytes - earlier(&kind))).collect(),
            asked: self.asked.saturating_sub(before.asked),
            resent: self.resent.saturating_sub(before.resent),
        }
    }
}

/// See [`Figures::in_six_s_share`].
const SIX_SECONDS_MS: u64 = 6000;

impl Measure {
    pub(super) fn new(peers: usize, patience_ms: u64) -> Self {
        Self {
            peers,
            patience_ms,
            documents: Vec::new(),
            places: HashMap::new(),
            open: 0,
            delays: BTreeMap::new(),
            doubles: 0,
            refused: 0,
            seconds: Vec::new(),
            seen: vec![Seen::default(); peers],
            wanted: 0,
            begun: None,
            ended: None,
            before: Work::default(),
            work: Work::default(),
            fault: None,
            targets: BTreeSet::new(),
            newcomers: Newcomers::default(),
        }
    }

    fn now(world: &World) -> u64 {
        crate::rng::millis(world.elapsed())
    }

    fn traffic(&self, world: &World) -> Vec<Traffic> {
        world.peers().into_iter().map(|peer| world.traffic(peer)).collect()
    }

    /// From now on it is measured.
    pub(super) fn begin(&mut self, world: &World) {
        self.look(world);
        self.begun = Some((Self::now(world), self.traffic(world)));
        self.before = Work::of(world);
    }

    /// Nothing that is published from now on counts.
    pub(super) fn end(&mut self, world: &World) {
        if self.ended.is_none() {
            self.ended = Some((Self::now(world), self.traffic(world)));
            self.work = Work::of(world).since(&self.before);
        }
    }

    pub(super) fn fault(&mut self, world: &World) {
        self.fault = Some(Self::now(world));
    }

    pub(super) fn aimed_at(&mut self, targets: &[PeerIndex]) {
        self.targets.extend(targets);
    }

    /// A peer has come while it is measured.
    pub(super) fn came(&mut self, peer: PeerIndex, now: u64) {
        if self.begun.is_some() && self.ended.is_none() {
            self.newcomers.came(peer.index(), now);
        }
    }

    /// A document is published that these want, whether they have been there for long or not.
    pub(super) fn may_get<'a>(&mut self, peers: impl Iterator<Item = &'a PeerIndex>, now: u64) {
        peers.for_each(|peer| self.newcomers.may_get(peer.index(), now));
    }

    /// A document was published that is due to these.
    pub(super) fn published(
        &mut self,
        world: &World,
        id: DocumentId,
        by: PeerIndex,
        due: impl Iterator<Item = PeerIndex>,
    ) {
        let mut bits = Bits::new(self.peers);
        let due_count = due.filter(|peer| bits.insert(peer.index())).count() as u64;
        self.places.insert(id, self.documents.len());
        let at = Self::now(world);
        self.documents.push(Sent {
            at,
            by,
            measured: self.begun.is_some() && self.ended.is_none(),
            due: bits,
            got: Bits::new(self.peers),
            due_count,
            delivered: 0,
            last_hop: 0,
            done_at: at,
        });
        while self.documents.get(self.open).is_some_and(|sent| sent.at + self.patience_ms < at) {
            self.open += 1;
        }
    }

    /// Takes what has been delivered.
    pub(super) fn take(&mut self, world: &mut World) {
        for (peer, delivered) in world.take_delivered() {
            let Some(sent) = self.places.get(&delivered.id).map(|at| &mut self.documents[*at])
            else {
                continue;
            };
            if peer == sent.by || world.is_hostile(peer) {
                continue;
            }
            if !sent.got.insert(peer.index()) {
                self.doubles += 1;
                continue;
            }
            self.wanted += u64::from(delivered.from.is_some());
            let at = delivered.at.since(taiinet_mesh::Time::from_millis(crate::world::GENESIS));
            let at = crate::rng::millis(at);
            let delay = at.saturating_sub(sent.at);
            self.newcomers.gets(peer.index(), sent.at, at);
            if sent.due.has(peer.index()) && delay <= self.patience_ms {
                sent.delivered += 1;
                sent.last_hop = sent.last_hop.max(delivered.hops);
                sent.done_at = sent.done_at.max(at);
                if sent.measured {
                    *self.delays.entry(delay).or_default() += 1;
                }
            }
        }
    }

    /// A peer has died: what has not reached it yet is not due any more, and in its next life it may get what it had.
    pub(super) fn died(&mut self, peer: PeerIndex) {
        let place = peer.index();
        self.newcomers.died(place);
        for sent in &mut self.documents[self.open..] {
            if sent.due.has(place) && !sent.got.has(place) {
                sent.due.remove(place);
                sent.due_count -= 1;
            }
        }
        for sent in &mut self.documents {
            // What it got counts; it is not due to its next life.
            if sent.got.has(place) {
                sent.due.remove(place);
                sent.got.remove(place);
            }
        }
        self.seen[place].received = 0;
        self.seen[place].duplicates = 0;
    }

    /// Adds what has happened since the last look, once a second.
    pub(super) fn look(&mut self, world: &World) {
        let mut second = Second { wanted: core::mem::take(&mut self.wanted), ..Second::default() };
        for peer in world.peers() {
            second.alive += u64::from(world.is_alive(peer));
            if world.is_hostile(peer) || !world.is_alive(peer) {
                continue;
            }
            let (counters, traffic) = (world.counters_of(peer), world.traffic(peer));
            let now = Seen {
                received: counters.received,
                duplicates: counters.duplicates,
                bytes: traffic.bytes,
                document_bytes: traffic.document_bytes,
            };
            let before = core::mem::replace(&mut self.seen[peer.index()], now);
            second.received += now.received.saturating_sub(before.received);
            second.duplicates += now.duplicates.saturating_sub(before.duplicates);
            second.bytes += now.bytes - before.bytes;
            second.document_bytes += now.document_bytes - before.document_bytes;
        }
        second.at_s = i64::try_from(Self::now(world)).unwrap_or(i64::MAX);
        self.seconds.push(second);
    }

    /// When the measurement began, if it has.
    pub(super) fn begun_at(&self) -> Option<u64> {
        self.begun.as_ref().map(|(at, _)| *at)
    }

    /// All figures so far that follow from these sums.
    pub(super) fn figures(mut self, world: &World) -> Figures {
        self.look(world);
        self.end(world);
        let mut figures = Figures {
            peers: self.peers,
            doubles: self.doubles,
            refused: self.refused,
            ..Figures::default()
        };
        // Where it was interrupted, what may still arrive says nothing yet.
        let last = Self::now(world).saturating_sub(self.patience_ms);
        let is_over = |sent: &&Sent| sent.at <= last || sent.delivered >= sent.due_count;
        let measured = || self.documents.iter().filter(|sent| sent.measured).filter(is_over);
        figures.published = measured().count() as u64;
        figures.due = measured().map(|sent| sent.due_count).sum();
        figures.delivered = measured().map(|sent| sent.delivered).sum();
        figures.target_share = self.of_targets(measured());
        figures.delivered_share = share(figures.delivered, figures.due).unwrap_or(1.0);
        let soon = self.delays.range(..=SIX_SECONDS_MS).map(|(_, count)| count).sum();
        figures.in_six_s_share = share(soon, figures.due);
        let hops = measured().filter(|sent| sent.delivered > 0);
        let hops: Vec<u64> = hops.map(|sent| sent.last_hop.into()).collect();
        figures.last_hop = share(hops.iter().sum(), hops.len() as u64);
        (figures.p50_ms, figures.p99_ms) = (quantile(&self.delays, 50), quantile(&self.delays, 99));
        figures.slowest_ms = self.delays.keys().next_back().copied();
        (figures.newcomers, figures.join_p99_ms) = self.newcomers.waited(Self::now(world));
        self.of_copies(&mut figures);
        self.of_traffic(world, &mut figures);
        self.of_recovery(&mut figures);
        figures.series.seconds = self.by_second();
        figures.series.delays = self.delays;
        figures
    }

    /// What share of the documents that targets wrote, or that were due to them, came.
    fn of_targets<'a>(&self, documents: impl Iterator<Item = &'a Sent>) -> Option<f64> {
        let (mut due, mut delivered) = (0, 0);
        for sent in documents {
            if self.targets.contains(&sent.by) {
                due += sent.due_count;
                delivered += sent.delivered;
                continue;
            }
            let to = self.targets.iter().map(|peer| peer.index());
            for peer in to.filter(|peer| sent.due.has(*peer)) {
                due += 1;
                delivered += u64::from(sent.got.has(peer));
            }
        }
        share(delivered, due)
    }

    /// Of everything that came since the measurement began, also what had been published before.
    fn of_copies(&self, figures: &mut Figures) {
        let Some(begun) = self.begun_at() else { return };
        let begun = i64::try_from(begun).unwrap_or(i64::MAX);
        let seconds = || self.seconds.iter().filter(|second| second.at_s > begun);
        let sum = |of: fn(&Second) -> u64| seconds().map(of).sum::<u64>();
        let received = sum(|second| second.received);
        let wanted = sum(|second| second.wanted);
        figures.copies = share(sum(|second| second.duplicates), received);
        figures.unwanted_per_wanted = share(received.saturating_sub(wanted), wanted);
    }

    /// Of those that live at the end.
    fn of_traffic(&self, world: &World, figures: &mut Figures) {
        let (Some((from, before)), Some((to, after))) = (&self.begun, &self.ended) else { return };
        let seconds = to.saturating_sub(*from) as f64 / 1000.0;
        if seconds <= 0.0 {
            return;
        }
        let mut control = 0;
        let mut loads = Vec::new();
        let living = world.alive().into_iter().filter(|peer| !world.is_hostile(*peer));
        for peer in living.map(PeerIndex::index) {
            let (Some(after), before) = (after.get(peer), before.get(peer)) else { continue };
            let before = before.copied().unwrap_or_default();
            let bytes = after.bytes - before.bytes;
            control += bytes - (after.document_bytes - before.document_bytes);
            loads.push(bytes as f64 / seconds);
        }
        loads.sort_by(f64::total_cmp);
        let count = loads.len().max(1) as f64;
        figures.bytes_per_s = Some(loads.iter().sum::<f64>() / count);
        figures.bytes_per_s_max = loads.last().copied();
        figures.control_bytes_per_s = Some(control as f64 / seconds / count);
        figures.series.loads = loads;
        let each = |bytes: &u64| *bytes as f64 / seconds / count;
        let by_kind = self.work.by_kind.iter().filter(|(_, bytes)| **bytes > 0);
        figures.bytes_by_kind =
            by_kind.map(|(kind, bytes)| (kind.to_string(), each(bytes))).collect();
        (figures.asked, figures.resent) = (self.work.asked, self.work.resent);
        let honest = world.alive().into_iter().filter(|peer| !world.is_hostile(*peer));
        let status = honest.map(|peer| world.status(peer));
        let (mut most, mut routed, mut wanted, mut supplied, mut links) = (0, 0, 0, 0, 0);
        for status in status {
            most = status.interest_bytes.max(most);
            routed += usize::from(status.spreading == Spreading::Route);
            wanted += status.supply.wanted;
            supplied += status.supply.supplied;
            links += status.links.iter().filter(|link| link.state == LinkState::Active).count();
        }
        figures.interest_bytes_max = Some(most as u64);
        figures.routed_share = Some(routed as f64 / count);
        figures.supplied_share = Some(supplied as f64 / wanted.max(1) as f64);
        figures.links_mean = Some(links as f64 / count);
    }

    fn of_recovery(&self, figures: &mut Figures) {
        let Some(fault) = self.fault else { return };
        let later: Vec<&Sent> =
            self.documents.iter().filter(|sent| sent.measured && sent.at >= fault).collect();
        let is_well = |sent: &&Sent| {
            sent.delivered >= sent.due_count && sent.done_at.saturating_sub(sent.at) <= WELL_MS
        };
        let ill = later.iter().rposition(|sent| !is_well(sent));
        let recovered = match ill {
            None => Some(fault),
            Some(last) => later.get(last + 1).map(|sent| sent.at),
        };
        let Some(recovered) = recovered else { return };
        let seconds = |at: u64| Some(at.saturating_sub(fault) as f64 / 1000.0);
        figures.recovered_after_s = seconds(recovered);
        let before = || later.iter().filter(|sent| sent.at < recovered);
        if before().all(|sent| sent.delivered >= sent.due_count) {
            let done = before().map(|sent| sent.done_at).max().unwrap_or(fault);
            figures.caught_up_after_s = seconds(done);
        }
    }

    fn by_second(&self) -> Vec<Second> {
        let mut seconds = self.seconds.clone();
        for sent in &self.documents {
            let at = i64::try_from(sent.at).unwrap_or(i64::MAX);
            let place = seconds.partition_point(|second| second.at_s <= at);
            if let Some(second) = seconds.get_mut(place) {
                second.published += 1;
                second.due += sent.due_count;
                second.delivered += sent.delivered;
            }
        }
        let begun = i64::try_from(self.begun_at().unwrap_or(0)).unwrap_or(0);
        for second in &mut seconds {
            second.at_s = (second.at_s - begun).div_euclid(1000);
        }
        seconds
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
