//! A scenario played in a world.

use core::time::Duration;
use std::{collections::BTreeSet, time::Instant};

use taiinet_identity::PeerId;
use taiinet_mesh::limits;

use super::{
    agenda::{Action, Agenda, SETTLES},
    figures::Figures,
    file::Scenario,
    hostile::{self, Cast},
    interest::{Draft, Wishes, Zipf},
    measure::Measure,
    sections::{Attack, Deed, Publishers},
};
use crate::{Behaviour, DeskConfig, Node, PeerIndex, PeerSpec, SignallerIndex, World, rng::Rng};

/// Peers that one signaller serves.
const PEERS_PER_SIGNALLER: usize = 8_000;
/// How many documents are drawn, which are then published again and again, each with a number of its own.
const DRAFTS: usize = 400;
/// After so many milliseconds it is looked whether to go on.
const SLICE: u64 = 100;

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// Milliseconds on the virtual clock.
    pub at: u64,
    /// At which it will be over.
    pub until: u64,
    /// What is going on.
    pub what: &'a str,
}

/// Plays a scenario, to its end or until `goes_on`, which is asked again and again, says no.
///
/// # Errors
/// If its documents cannot be drawn.
pub fn run(
    scenario: &Scenario,
    goes_on: impl FnMut(Moment<'_>) -> bool,
) -> Result<Figures, String> {
    let (begun, worked) = (Instant::now(), cpu_s());
    let mut play = Play::new(scenario)?;
    let interrupted = !play.play(goes_on);
    let mut figures = play.figures();
    figures.interrupted = interrupted;
    figures.scenario.clone_from(&scenario.name);
    figures.seed = scenario.seed;
    figures.wall_s = begun.elapsed().as_secs_f64();
    figures.cpu_s = cpu_s().zip(worked).map(|(now, before)| now - before);
    figures.memory_mib = memory_mib();
    // A part of a run tells nothing of the whole.
    if !interrupted {
        let checks = figures.check(&scenario.bounds);
        figures.broken = checks.into_iter().filter(|check| !check.met).collect();
        figures.aims = figures.check(&scenario.aims);
    }
    Ok(figures)
}

/// For how many seconds this thread has run.
fn cpu_s() -> Option<f64> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: u64 = times.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds as f64 / 1e9)
}

/// The most that this process has taken.
fn memory_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024)
}

pub(super) struct Play<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) rng: Rng,
    world: World,
    signallers: Vec<SignallerIndex>,
    pub(super) wishes: Wishes,
    pub(super) drafts: Vec<Draft>,
    pub(super) agenda: Agenda,
    measure: Measure,
    cast: Cast,
    /// The publishers, the busiest first.
    pub(super) publishers: Vec<usize>,
    pub(super) busy: Zipf,
    /// Since when each peer lives, in milliseconds from the begin; nothing while it does not.
    since: Vec<Option<u64>>,
}

impl<'a> Play<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Result<Self, String> {
        let peers = scenario.peers.get();
        // Not the world's own chances, so that the same peers want the same in any world.
        let mut rng = Rng::new(scenario.seed ^ 0x7363_656e_6172_696f);
        let mut world = World::new(scenario.seed, scenario.network.world());
        let desk = DeskConfig { clients: 2 * PEERS_PER_SIGNALLER, ..DeskConfig::default() };
        let signallers = (0..peers.div_ceil(PEERS_PER_SIGNALLER))
            .map(|_| world.add_signaller(desk.clone()))
            .collect();
        let agenda = Agenda::of(scenario);
        let mut wishes = Wishes::draw(&scenario.interest, peers, &mut rng);
        let mut drafts = (0..agenda.documents().clamp(1, DRAFTS))
            .map(|_| wishes.document(&mut rng))
            .collect::<Result<Vec<Draft>, _>>()?;
        let mut order: Vec<usize> = (0..peers).collect();
        shuffle(&mut order, &mut rng);
        let cast = Cast::new(&scenario.attack, peers, &order);
        let honest = order.into_iter().filter(|peer| !cast.contains(*peer));
        let count = scenario.publish.count.map_or(peers, |count| count.get());
        let publishers: Vec<usize> = honest.take(count).collect();
        if scenario.publish.only_publish {
            wishes.forget(&publishers);
            for draft in &mut drafts {
                draft.wanted_by.retain(|peer| !publishers.contains(&(*peer as usize)));
            }
        }
        let exponent = match scenario.publish.publishers {
            Publishers::Uniform => 0.0,
            Publishers::Zipf(exponent) => exponent.get(),
        };
        Ok(Self {
            busy: Zipf::new(publishers.len(), exponent),
            measure: Measure::new(peers, (scenario.time.patience_s.get() * 1000.0) as u64),
            since: Vec::with_capacity(peers),
            scenario,
            rng,
            world,
            signallers,
            wishes,
            drafts,
            agenda,
            cast,
            publishers,
        })
    }

    /// Whether it came to its end.
    fn play(&mut self, mut goes_on: impl FnMut(Moment<'_>) -> bool) -> bool {
        let mut what = "peers join";
        while let Some((at, action)) = self.agenda.pop() {
            while self.now() < at {
                let moment = Moment { at: self.now(), until: self.agenda.until, what };
                if !goes_on(moment) {
                    return false;
                }
                let slice = (at - self.now()).min(SLICE);
                self.world.run_for(Duration::from_millis(slice));
                self.measure.take(&mut self.world);
            }
            match action {
                Action::Publish(0) => what = "it warms up",
                Action::Begin => what = "it is measured",
                Action::End => what = "the last documents arrive",
                Action::Over => return true,
                _ => {}
            }
            self.perform(action);
        }
        true
    }

    fn now(&self) -> u64 {
        crate::rng::millis(self.world.elapsed())
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Join(count) => (0..count).for_each(|_| self.join()),
            Action::Begin => self.measure.begin(&self.world),
            Action::Kill(share) => {
                let living = self.world.alive().len();
                let count = living as f64 * f64::from(share) / 1e6;
                for peer in self.some_living(count.round() as usize) {
                    self.kill(peer);
                }
                self.measure.fault(&self.world);
            }
            Action::Churn(count, away) => {
                for peer in self.some_living(count) {
                    self.kill(peer);
                    self.agenda.add(self.now() + away, Action::Return(peer.index()));
                }
            }
            Action::Return(peer) => {
                let now = self.now();
                if let Some(peer) = self.world.peers().get(peer) {
                    self.world.restart(*peer);
                    self.since[peer.index()] = Some(now);
                    self.measure.came(*peer, now);
                }
            }
            Action::Cut(share) => {
                let count = self.world.peers().len() as f64 * f64::from(share) / 1e6;
                let cut: BTreeSet<PeerIndex> =
                    self.some_living(count.round() as usize).into_iter().collect();
                let (one, other): (Vec<Node>, Vec<Node>) = self
                    .world
                    .peers()
                    .into_iter()
                    .map(Node::Peer)
                    .partition(|node| matches!(node, Node::Peer(peer) if cut.contains(peer)));
                self.world.partition(&[one, other]);
            }
            Action::Heal => {
                self.world.heal();
                self.measure.fault(&self.world);
            }
            Action::Attack(number) => self.attack(number, true),
            Action::Cease(number) => self.attack(number, false),
            Action::Publish(number) => self.publish(number),
            Action::Look => self.measure.look(&self.world),
            Action::End => self.measure.end(&self.world),
            Action::Over => {}
        }
    }

    fn join(&mut self) {
        let number = self.since.len();
        if number >= self.scenario.peers.get() {
            return;
        }
        let count = self.signallers.len();
        let known: BTreeSet<SignallerIndex> =
            (0..2).map(|next| self.signallers[(number + next) % count]).collect();
        let known: Vec<SignallerIndex> = known.into_iter().collect();
        let network = &self.scenario.network;
        let of_network = network.links.map_or(limits::TARGET_LINKS, |links| links.get());
        let attack = self.cast.attack_of(number).map(|attack| &self.scenario.attack[attack]);
        let links = attack.and_then(|attack| attack.links).map(|links| links.get());
        let target = links.unwrap_or(of_network);
        let most = network.max_links.map_or(limits::MAX_LINKS, |most| most.get());
        let spec = PeerSpec {
            target_links: target,
            max_links: most.max(links.map_or(target, |links| links + links / 2)),
            region: network.region(&mut self.rng),
            ..PeerSpec::new("scenario".parse().expect("a name"), &known)
        };
        let peer = if self.cast.is_root(number) {
            let identity = hostile::root_key(self.scenario.peers.get(), &mut self.rng);
            self.world.add_peer_with(identity, spec)
        } else {
            self.world.add_peer(spec)
        };
        if let Some(attack) = attack {
            let begins = attack.from_s.is_none();
            let behaviours = if begins { self.behaviours(attack) } else { Vec::new() };
            self.world.behave(peer, behaviours);
        }
        for query in self.wishes.queries(number) {
            self.world.subscribe(peer, &query);
        }
        let now = self.now();
        self.since.push(Some(now));
    }

    /// The honest peers that an attack is aimed at, of those that have joined.
    fn targets(&self, attack: &Attack) -> Vec<PeerIndex> {
        let all = self.world.peers();
        let targets = self.publishers.iter().take(attack.targets.get_ref().get());
        targets.filter_map(|target| all.get(*target).copied()).collect()
    }

    fn behaviours(&self, attack: &Attack) -> Vec<Behaviour> {
        let targets = self.targets(attack).into_iter().map(|peer| self.world.id(peer));
        hostile::behaviours(attack, &targets.collect::<Vec<_>>())
    }

    /// The peers of an attack begin or cease.
    fn attack(&mut self, number: usize, begins: bool) {
        let attack = &self.scenario.attack[number];
        let all = self.world.peers();
        let of_attack = self.cast.of_attack(number);
        let hostile: Vec<PeerIndex> = of_attack.filter_map(|peer| all.get(peer).copied()).collect();
        let behaviours = if begins { self.behaviours(attack) } else { Vec::new() };
        for peer in &hostile {
            self.world.behave(*peer, behaviours.clone());
        }
        let targets = self.targets(attack);
        let is_aimed = |deed: &Deed| matches!(deed, Deed::Censors | Deed::Surrounds);
        if attack.does.get_ref().iter().any(is_aimed) {
            self.measure.aimed_at(&targets);
        }
        if attack.does.get_ref().contains(&Deed::Surrounds) {
            let targets: Vec<PeerId> =
                targets.into_iter().map(|peer| self.world.id(peer)).collect();
            hostile::surround(&mut self.world, &hostile, &targets, begins);
        }
        if attack.from_s.is_some() || !begins {
            self.measure.fault(&self.world);
        }
    }

    fn kill(&mut self, peer: PeerIndex) {
        self.world.crash(peer);
        self.measure.take(&mut self.world);
        self.measure.died(peer);
        self.since[peer.index()] = None;
    }

    /// So many of the living, by chance.
    fn some_living(&mut self, count: usize) -> Vec<PeerIndex> {
        let mut living = self.world.alive();
        shuffle(&mut living, &mut self.rng);
        living.truncate(count);
        living
    }

    /// Whether a peer has been there for a while.
    fn is_settled(&self, peer: usize) -> bool {
        let now = self.now();
        self.since.get(peer).copied().flatten().is_some_and(|since| since + SETTLES <= now)
    }

    fn publish(&mut self, number: usize) {
        let draws = 0..100;
        let drawn = draws.map(|_| self.publishers[self.busy.draw(&mut self.rng)]);
        let drawn: Vec<usize> = drawn.collect();
        let by = drawn.into_iter().find(|peer| self.is_settled(*peer));
        let all = self.world.peers();
        let Some(by) = by.and_then(|by| all.get(by).copied()) else {
            self.measure.refused += 1;
            return;
        };
        let draft = &self.drafts[number % self.drafts.len()];
        let content = draft.content(number, self.scenario.publish.bytes.get());
        let Ok(id) = self.world.publish(by, &content) else {
            self.measure.refused += 1;
            return;
        };
        let wanted = draft.wanted_by.iter().filter_map(|peer| all.get(*peer as usize).copied());
        let wanted = wanted.filter(|peer| *peer != by && !self.cast.contains(peer.index()));
        let (due, new): (Vec<PeerIndex>, Vec<PeerIndex>) =
            wanted.partition(|peer| self.is_settled(peer.index()));
        self.measure.may_get(due.iter().chain(&new), self.now());
        self.measure.published(&self.world, id, by, due.into_iter());
    }

    fn figures(mut self) -> Figures {
        self.measure.take(&mut self.world);
        let world = &self.world;
        let honest = |peer: &PeerIndex| !world.is_hostile(*peer);
        let listed = world.alive().into_iter().filter(honest).flat_map(|peer| {
            let blacklist = world.status(peer).blacklist;
            blacklist.into_iter().filter_map(|listed| world.peer_of(&listed.peer))
        });
        let listed = listed.filter(honest).count() as u64;
        let mut figures = self.measure.figures(world);
        figures.hostile = self.cast.len();
        figures.honest_cut = world.honest_cut() + listed;
        figures.violations = world.violations().len() as u64 - world.honest_cut();
        figures.connected = world.is_connected();
        let parts = world.components_among(|peer| !world.is_hostile(peer));
        let honest = parts.iter().map(BTreeSet::len).sum::<usize>();
        let together = parts.first().map(|part| part.len() as f64 / honest as f64);
        figures.honest_together = together.filter(|_| figures.hostile > 0);
        figures.series.degrees = world.degrees();
        let links: usize = figures.series.degrees.iter().map(|(links, peers)| links * peers).sum();
        let living: usize = figures.series.degrees.values().sum();
        figures.degree = (living > 0).then(|| links as f64 / living as f64);
        figures.virtual_s = world.elapsed().as_secs_f64();
        figures.verification_shared = true;
        figures
    }
}

fn shuffle<T>(items: &mut [T], rng: &mut Rng) {
    for last in (1..items.len()).rev() {
        let other = usize::try_from(rng.below(last as u64 + 1)).unwrap_or(0);
        items.swap(last, other);
    }
}
