//! A home is somewhere else, or seems to be: how long that keeps documents from coming.

use std::{collections::BTreeSet, fmt, time::Duration};

use serde_json::json;

use super::{
    Access, Burst, Home, Laboratory,
    measure::{PATIENCE, joined_network, wall_millis, within},
};

/// What happens to a home in which a peer runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// The host is in another network, with another address behind another router: Wi-Fi, then mobile.
    Moves,
    /// The router has another public address, of which the host is told nothing.
    AnotherLine,
    /// The router forgets what it has translated (a restart), and keeps its address.
    Forgets,
    /// The host is without its network for four seconds, then has it again with the same address.
    Outage,
}

/// How long [`Change::Outage`] lasts: not so long that all would be given up.
const OUTAGE: Duration = Duration::from_secs(4);
/// How often a document is published meanwhile.
const PACE: Duration = Duration::from_millis(100);

impl Change {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Moves, Self::AnotherLine, Self::Forgets, Self::Outage];

    /// Each of them, with each kind of home for which it is something of its own: where nothing translates
    /// addresses, nothing forgets them, and another line is another network. What an outage does to an open home
    /// it does to a full cone, too.
    pub fn everywhere() -> impl Iterator<Item = (Access, Self)> {
        let homes = Access::ALL.into_iter().filter(|access| *access != Access::Lossy);
        let is_translated = |access| !matches!(access, Access::Open | Access::Ipv6Only);
        let happens = move |(access, change): &(Access, Self)| {
            *change == Self::Moves || is_translated(*access)
        };
        let all = Self::ALL.into_iter();
        all.flat_map(move |change| homes.clone().map(move |access| (access, change)))
            .filter(happens)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Moves => "another network",
            Self::AnotherLine => "another public address",
            Self::Forgets => "the router forgets",
            Self::Outage => "4 s without a network",
        })
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recovery {
    /// How the home is connected.
    pub access: Access,
    /// What happened to it.
    pub change: Change,
    /// Whether the publisher is at home, and not the subscriber.
    pub publishes: bool,
    /// How long after the change (its end) the first document that was published after it was delivered.
    pub after: Option<Duration>,
    /// What became of all that were published, before and after.
    pub documents: Burst,
}

impl Laboratory {
    /// Makes it happen.
    pub fn change(&self, home: &mut Home, change: Change) {
        match change {
            Change::Moves => home.moves(self.public(), self.new_line()),
            Change::AnotherLine => home.gets_another_line(self.public(), self.new_line()),
            Change::Forgets => home.forgets(),
            Change::Outage => {
                home.plugs(false);
                // This is what happens, and nothing that is waited for.
                std::thread::sleep(OUTAGE);
                home.plugs(true);
            }
        }
    }

    /// Two are linked, one at home and one elsewhere; ten documents a second go from one to the other when
    /// something happens to the home.
    ///
    /// # Panics
    /// If they do not meet at all, or documents that were taken do not come.
    pub fn measure_change(&self, access: Access, change: Change, publishes: bool) -> Recovery {
        let (mut home, elsewhere) = (self.home(access), self.home(Access::Open));
        let (here, there) = if publishes { (&elsewhere, &home) } else { (&home, &elsewhere) };
        let (network, subscriber) = joined_network(self, here);
        let mut subscriber = subscriber;
        let mut publisher = self.peer(there, "publisher", &network, &["publish", "--report"]);
        let mut published = 0;
        let mut publish = || {
            publisher.publish(&json!({ "n": published, "at": wall_millis() }));
            published += 1;
        };
        publish();
        subscriber.receives(1);
        for _ in 0..20 {
            publish();
            std::thread::sleep(PACE);
        }
        subscriber.receives(10);
        self.change(&mut home, change);
        let changed = wall_millis();
        let after = within(PATIENCE, || {
            publish();
            std::thread::sleep(PACE);
            let deliveries = subscriber.deliveries();
            let later = deliveries.iter().filter(|one| one["data"]["at"].as_u64() > Some(changed));
            later.filter_map(|one| one["received_at"].as_u64()).min()
        });
        publisher.end_input();
        publisher.succeeds();
        subscriber.receives(published);
        subscriber.signal("INT");
        subscriber.succeeds();
        let delivered = subscriber.deliveries();
        let different: BTreeSet<String> =
            delivered.iter().map(|delivery| delivery["id"].to_string()).collect();
        Recovery {
            access,
            change,
            publishes,
            after: after.map(|at| Duration::from_millis(at.saturating_sub(changed))),
            documents: Burst {
                published,
                delivered: different.len(),
                twice: delivered.len() - different.len(),
                took: Duration::ZERO,
            },
        }
    }
}
