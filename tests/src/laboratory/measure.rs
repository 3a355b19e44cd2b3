//! Two peers meet: how long that takes, which way, and whether all comes through.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::json;

use super::{Access, Home, Laboratory, Way};
use crate::{Peer, taiinet};

/// Which two meet: one subscribes, then the other comes and publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Encounter {
    /// Who is there first.
    pub subscriber: Access,
    /// Who comes, and so dials.
    pub publisher: Access,
}

/// What is tried.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    /// How many documents are published as fast as they are taken, once one has arrived.
    pub burst: usize,
    /// How long the first document is waited for.
    pub patience: Duration,
}

impl Default for Trial {
    fn default() -> Self {
        Self { burst: 200, patience: Duration::from_secs(25) }
    }
}

/// What came of it. Times are from the start of the publisher's process, which has to join the signaller first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Who met.
    pub encounter: Encounter,
    /// How long until the two were neighbours; none if they never were.
    pub link: Option<Duration>,
    /// How long until the first document was there.
    pub document: Option<Duration>,
    /// Which way the burst took.
    pub way: Option<Way>,
    /// What became of it.
    pub burst: Burst,
}

/// What became of a burst.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Burst {
    /// Documents published, with the first.
    pub published: usize,
    /// Different ones that the subscriber was delivered.
    pub delivered: usize,
    /// How often it was delivered one that it had.
    pub twice: usize,
    /// How long it took, from the first written to the last delivered.
    pub took: Duration,
}

impl Measured {
    /// Whether all documents came, each once.
    pub const fn is_whole(&self) -> bool {
        self.burst.delivered == self.burst.published && self.burst.twice == 0
    }
}

impl Laboratory {
    /// A command that takes part in a network, on a home's host.
    pub fn peer(&self, home: &Home, name: &str, network: &str, args: &[&str]) -> Peer {
        let mut command = taiinet(args);
        command.args(["--network", network, "--signaller", &self.url_for(home)]);
        Peer::start(name, &mut home.command(&command))
    }

    /// Has two peers meet, each in a home of its own.
    pub fn measure(&self, encounter: Encounter, trial: Trial) -> Measured {
        let (here, there) = (self.home(encounter.subscriber), self.home(encounter.publisher));
        self.measure_between(&here, &there, trial)
    }

    /// Has a subscriber in one home and a publisher in another meet.
    ///
    /// # Panics
    /// If either cannot even join the signaller, or does not end as it should.
    pub fn measure_between(&self, here: &Home, there: &Home, trial: Trial) -> Measured {
        let network = network();
        let subscribe = ["subscribe", "{}", "--json", "--report"];
        let mut subscriber = self.peer(here, "subscriber", &network, &subscribe);
        subscriber.eventually("joins", |_| subscriber.has_joined().then_some(()));

        let started = wall_millis();
        let mut publisher = self.peer(there, "publisher", &network, &["publish", "--report"]);
        publisher.publish(&json!({ "n": 0 }));
        let first = within(trial.patience, || subscriber.deliveries().into_iter().next());
        let since = |millis: u64| Duration::from_millis(millis.saturating_sub(started));
        let document = first.and_then(|first| first["received_at"].as_u64()).map(since);
        // Reports come four times a second, and name the time.
        let link =
            document.and_then(|_| within(trial.patience, || linked_at(&publisher))).map(since);

        let mut measured = Measured {
            encounter: Encounter { subscriber: here.access(), publisher: there.access() },
            link,
            document,
            way: None,
            burst: Burst::default(),
        };
        if document.is_none() {
            return measured;
        }
        self.reset_ways();
        let begun = Instant::now();
        let filler = "x".repeat(400);
        for n in 1..=trial.burst {
            publisher.publish(&json!({ "n": n, "filler": filler }));
        }
        // It ends when all was taken, and the subscriber when it has printed everything.
        publisher.end_input();
        publisher.succeeds();
        subscriber.receives(1 + trial.burst);
        let took = begun.elapsed();
        measured.way = self.way_of((trial.burst * filler.len()) as u64);
        subscriber.signal("INT");
        subscriber.succeeds();
        let delivered = subscriber.deliveries();
        let different: BTreeSet<String> =
            delivered.iter().map(|delivery| delivery["id"].to_string()).collect();
        measured.burst = Burst {
            published: 1 + trial.burst,
            delivered: different.len(),
            twice: delivered.len() - different.len(),
            took,
        };
        measured
    }
}

/// A network that no other trial has.
pub(super) fn network() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("laboratory-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn linked_at(peer: &Peer) -> Option<u64> {
    let report = peer.report()?;
    let mut links = report["links"].as_array()?.iter();
    links.find(|link| link["state"] == "active")?["since"].as_u64()
}

fn within<T>(patience: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        let found = condition();
        if found.is_some() || Instant::now() >= deadline {
            return found;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn wall_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
