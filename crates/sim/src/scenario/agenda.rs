//! What happens when: all that a scenario does to its world, in order of time.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    file::Scenario,
    sections::{Attack, Fault},
};

/// For so long a peer takes part before anything is due to it, in milliseconds.
pub(super) const SETTLES: u64 = 5_000;

/// Something that a scenario does, in the order in which it is done at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    /// Peers up to this number join.
    Join(usize),
    /// What is published counts from here on.
    Begin,
    /// A share of the living dies, in millionths.
    Kill(u32),
    /// So many peers go, to come back after so many milliseconds.
    Churn(usize, u64),
    /// One that went comes back.
    Return(usize),
    /// A share is cut off, in millionths.
    Cut(u32),
    /// Everybody can reach everybody again.
    Heal,
    /// The peers of an attack do what they are there for.
    Attack(usize),
    /// They behave well again.
    Cease(usize),
    /// A document is published.
    Publish(usize),
    /// The sums of a second are taken.
    Look,
    /// What is published does not count any more.
    End,
    /// Nothing more can arrive in time.
    Over,
}

/// What is yet to be done, by milliseconds from the begin.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    actions: BinaryHeap<Reverse<(u64, Action)>>,
    /// When the last thing is done.
    pub(super) until: u64,
}

fn millis(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

pub(super) fn millionths(share: f64) -> u32 {
    (share * 1e6).round() as u32
}

impl Agenda {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let mut agenda = Self::default();
        let joined = agenda.joins(scenario);
        let time = &scenario.time;
        let begin = joined + millis(time.warm_up_s.get());
        let end = begin + millis(time.measured_s.get_ref().get());
        agenda.until = end + millis(time.patience_s.get());
        agenda.add(begin, Action::Begin);
        agenda.add(end, Action::End);
        agenda.add(agenda.until, Action::Over);
        let every = 1000.0 / scenario.publish.per_second.get();
        // Not before those that came last may publish.
        let first = (joined + SETTLES).min(begin);
        let count = ((end - first) as f64 / every) as usize;
        for number in 0..count {
            agenda.add(first + (number as f64 * every) as u64, Action::Publish(number));
        }
        for second in 1..=agenda.until / 1000 {
            agenda.add(second * 1000, Action::Look);
        }
        for fault in &scenario.fault {
            agenda.befalls(fault, scenario.peers.get(), begin, end);
        }
        for (number, attack) in scenario.attack.iter().enumerate() {
            agenda.is_attacked(number, attack, scenario.peers.get(), (joined, begin));
        }
        agenda
    }

    /// Gives when the last peer has joined.
    fn joins(&mut self, scenario: &Scenario) -> u64 {
        let late = scenario.attack.iter().filter(|attack| attack.joins_at_s.is_some());
        let late: usize = late.map(|attack| attack.count(scenario.peers.get())).sum();
        let peers = scenario.peers.get() - late;
        let spread = scenario.join.spread_s.map_or_else(
            // So many that one signaller takes them as they come.
            || (peers as f64 / 400.0).max(2.0),
            |seconds| seconds.get(),
        );
        let mut last = millis(spread);
        let mut bursts = 0;
        for burst in &scenario.join.bursts {
            let at = millis(burst.at_s.get_ref().get());
            bursts += (burst.share.get() * peers as f64) as usize;
            last = last.max(at);
            self.add(at, Action::Join((burst.share.get() * peers as f64) as usize));
        }
        let evenly = peers.saturating_sub(bursts);
        let steps = usize::try_from(millis(spread) / 100).unwrap_or(1).max(1);
        let mut joined = 0;
        for step in 1..=steps {
            let upto = evenly * step / steps;
            self.add((step as u64 - 1) * 100, Action::Join(upto - joined));
            joined = upto;
        }
        last
    }

    fn befalls(&mut self, fault: &Fault, peers: usize, begin: u64, end: u64) {
        let after = |seconds: f64| begin + millis(seconds);
        match fault {
            Fault::Death(death) => {
                let share = millionths(death.share.get());
                self.add(after(death.at_s.get_ref().get()), Action::Kill(share));
            }
            Fault::Churn(churn) => {
                let away = millis(churn.away_s.get());
                let each_second = churn.share_per_minute.get() * peers as f64 / 60.0;
                let mut gone = 0;
                for second in 0..(end - begin) / 1000 {
                    let upto = ((second + 1) as f64 * each_second) as usize;
                    self.add(begin + second * 1000, Action::Churn(upto - gone, away));
                    gone = upto;
                }
            }
            Fault::Partition(cut) => {
                self.add(after(cut.from_s.get()), Action::Cut(millionths(cut.share.get())));
                self.add(after(cut.to_s.get_ref().get()), Action::Heal);
            }
        }
    }

    fn is_attacked(
        &mut self,
        number: usize,
        attack: &Attack,
        peers: usize,
        (joined, begin): (u64, u64),
    ) {
        let after = |seconds: f64| begin + millis(seconds);
        if let Some(at) = &attack.joins_at_s {
            self.add(after(at.get_ref().get()), Action::Join(attack.count(peers)));
        }
        // Who joins later does it from then on anyway.
        let from = attack.from_s.as_ref().map_or(joined, |from| after(from.get_ref().get()));
        self.add(from, Action::Attack(number));
        if let Some(until) = &attack.until_s {
            self.add(after(until.get_ref().get()), Action::Cease(number));
        }
    }

    pub(super) fn add(&mut self, at: u64, action: Action) {
        self.actions.push(Reverse((at, action)));
    }

    /// How many documents are to be published.
    pub(super) fn documents(&self) -> usize {
        let publishes = |action: &&Reverse<(u64, Action)>| matches!(action.0.1, Action::Publish(_));
        self.actions.iter().filter(publishes).count()
    }

    /// The next thing to do, and when.
    pub(super) fn pop(&mut self) -> Option<(u64, Action)> {
        self.actions.pop().map(|Reverse(next)| next)
    }
}
