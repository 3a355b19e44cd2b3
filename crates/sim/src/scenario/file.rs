//! The file of a scenario: read, changed and checked as a whole.

use core::fmt;
use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;
use toml::Spanned;

use super::{
    figures::{Bound, Figure},
    network::NetworkSection,
    sections::{Attack, Fault, Interest, Join, Publish, Times},
    values::{Any, Count, Peers, Rate, Seconds, SomeShare},
    wrong::Wrong,
};

/// A scenario as its file says it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What it shows, in a sentence.
    pub about: String,
    /// What all chances are drawn from.
    #[serde(default = "one")]
    pub seed: u64,
    /// How many peers there are.
    pub peers: Peers,
    /// How long everything takes.
    #[serde(default)]
    pub time: Times,
    /// How far apart peers are, and what links carry.
    #[serde(default)]
    pub network: NetworkSection,
    /// How peers come.
    #[serde(default)]
    pub join: Join,
    /// What is published, and by whom.
    #[serde(default)]
    pub publish: Publish,
    /// Who wants what.
    pub interest: Interest,
    /// What befalls the mesh.
    #[serde(default)]
    pub fault: Vec<Fault>,
    /// Who is hostile.
    #[serde(default)]
    pub attack: Vec<Attack>,
    /// What must hold.
    #[serde(default)]
    pub bounds: BTreeMap<Figure, Bound>,
    /// What is aimed at.
    #[serde(default)]
    pub aims: BTreeMap<Figure, Bound>,
    /// What is different in the short form.
    short: Option<Short>,
}

const fn one() -> u64 {
    1
}
/// `[short]`: what the short form has instead.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Short {
    peers: Option<Peers>,
    warm_up_s: Option<Seconds>,
    measured_s: Option<Spanned<Seconds>>,
    patience_s: Option<Seconds>,
    join_s: Option<Seconds>,
    per_second: Option<Rate>,
    share: Option<SomeShare>,
    topics: Option<Count>,
    #[serde(default)]
    bounds: BTreeMap<Figure, Bound>,
}

/// What the command line changes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Changes {
    /// Takes the short form.
    pub short: bool,
    /// Another seed.
    pub seed: Option<u64>,
    /// Another number of peers.
    pub peers: Option<usize>,
}

/// What is wrong with a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError(String);

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for ScenarioError {}

impl From<String> for ScenarioError {
    fn from(message: String) -> Self {
        Self(message)
    }
}
impl Scenario {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ScenarioError`] names the file, the line, and what would be right.
    pub fn read(path: &Path, changes: Changes) -> Result<Self, ScenarioError> {
        let failed = |error: &dyn fmt::Display| {
            ScenarioError(format!("{}: {error}", path.display()).trim_end().to_owned())
        };
        let text = fs::read_to_string(path).map_err(|error| failed(&error))?;
        Self::parse(&text, changes).map_err(|error| failed(&error))
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// [`ScenarioError`] names the line, and what would be right.
    pub fn parse(text: &str, changes: Changes) -> Result<Self, ScenarioError> {
        let mut scenario: Self =
            toml::from_str(text).map_err(|error| ScenarioError(error.to_string()))?;
        if changes.short {
            scenario.shorten()?;
        }
        if let Some(peers) = changes.peers {
            let given = Any::Integer(i64::try_from(peers).unwrap_or(i64::MAX));
            scenario.peers = Peers::try_from(given)?;
        }
        scenario.seed = changes.seed.unwrap_or(scenario.seed);
        match scenario.wrong() {
            Some(wrong) => Err(ScenarioError(wrong.pointed(text))),
            None => Ok(scenario),
        }
    }

    fn shorten(&mut self) -> Result<(), ScenarioError> {
        let none = || "it has no short form: there is no section [short]".to_owned();
        let short = self.short.take().ok_or_else(none)?;
        self.peers = short.peers.unwrap_or(self.peers);
        self.time.warm_up_s = short.warm_up_s.unwrap_or(self.time.warm_up_s);
        self.time.patience_s = short.patience_s.unwrap_or(self.time.patience_s);
        if let Some(measured) = short.measured_s {
            self.time.measured_s = measured;
        }
        self.join.spread_s = short.join_s.or(self.join.spread_s);
        self.publish.per_second = short.per_second.unwrap_or(self.publish.per_second);
        let (share, topics) = (short.share, short.topics);
        match &mut self.interest {
            Interest::Everyone => {}
            Interest::Topics(interest) | Interest::Regex(interest) => {
                interest.share = share.unwrap_or(interest.share);
                interest.topics = topics.unwrap_or(interest.topics);
            }
            Interest::Clustered(interest) => {
                interest.share = share.unwrap_or(interest.share);
                interest.topics = topics.unwrap_or(interest.topics);
            }
            Interest::Ranges(interest)
            | Interest::LogUniformRanges(interest)
            | Interest::Conjunctions(interest) => {
                interest.share = share.unwrap_or(interest.share);
            }
        }
        self.bounds = short.bounds;
        self.aims = BTreeMap::new();
        Ok(())
    }

    fn nobody_wants(&self) -> bool {
        let peers = self.peers.get();
        self.publish.only_publish && self.publish.count.is_none_or(|count| count.get() >= peers)
    }

    /// What no value alone shows to be wrong.
    fn wrong(&self) -> Option<Wrong> {
        let measured = &self.time.measured_s;
        let end = measured.get_ref().get();
        if end <= 0.0 {
            let why = "nothing would be measured: give it at least a second".to_owned();
            return Some(Wrong { at: measured.span(), why });
        }
        let late = |time: &Spanned<Seconds>, what: &str| {
            let at = time.get_ref().get();
            let why = || format!("{what} at {at} s, but the measurement ends at {end} s");
            (at > end).then(|| Wrong { at: time.span(), why: why() })
        };
        let of_fault = |fault: &Fault| match fault {
            Fault::Death(death) => late(&death.at_s, "peers vanish"),
            Fault::Partition(cut) if cut.to_s.get_ref() <= &cut.from_s => Some(Wrong {
                at: cut.to_s.span(),
                why: format!("it has to end after it begins, at {} s", cut.from_s.get()),
            }),
            Fault::Partition(cut) => late(&cut.to_s, "the parts meet"),
            Fault::Churn(_) => None,
        };
        let hostile: f64 = self.attack.iter().map(|attack| attack.share.get()).sum();
        let peers = self.peers.get();
        let all_hostile: usize = self.attack.iter().map(|attack| attack.count(peers)).sum();
        let of_attack = |attack: &Attack| {
            let from = attack.from_s.as_ref().map_or(0.0, |from| from.get_ref().get());
            if attack.does.get_ref().is_empty() {
                let why = "hostile peers that do nothing are honest".to_owned();
                return Some(Wrong { at: attack.does.span(), why });
            }
            let until = attack.until_s.as_ref();
            if let Some(until) = until.filter(|until| until.get_ref().get() <= from) {
                let why = format!("it has to end after it begins, at {from} s");
                return Some(Wrong { at: until.span(), why });
            }
            let joins = attack.joins_at_s.as_ref();
            if let Some(joins) = joins.filter(|_| attack.root) {
                let why = "a root is there before all others".to_owned();
                return Some(Wrong { at: joins.span(), why });
            }
            let honest = self.peers.get() - self.peers.get().min(all_hostile);
            if attack.targets.get_ref().get() > honest.max(1) {
                let why = format!("there are {honest} honest peers to aim at");
                return Some(Wrong { at: attack.targets.span(), why });
            }
            let begins = attack.from_s.as_ref();
            until
                .and_then(|until| late(until, "the attack is over"))
                .or_else(|| begins.and_then(|from| late(from, "the attack begins")))
                .or_else(|| joins.and_then(|joins| late(joins, "hostile peers join")))
        };
        let bursts: f64 = self.join.bursts.iter().map(|burst| burst.share.get()).sum();
        let place = |wrong: bool, why: &str| wrong.then(|| Wrong { at: 0..0, why: why.to_owned() });
        self.fault
            .iter()
            .find_map(of_fault)
            .or_else(|| self.attack.iter().find_map(of_attack))
            .or_else(|| self.network.wrong())
            .or_else(|| place(hostile >= 1.0, "[[attack]]: somebody has to be honest"))
            .or_else(|| place(self.nobody_wants(), "[publish]: count has to leave some that want"))
            .or_else(|| place(bursts > 1.0, "[join]: the bursts have more than all peers"))
    }
}
