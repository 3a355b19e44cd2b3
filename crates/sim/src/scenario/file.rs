//! The file of a scenario: its sections and keys.

use core::fmt;
use std::{collections::BTreeMap, fs, ops::Range, path::Path};

use serde::Deserialize;
use toml::Spanned;

use super::{
    figures::{Bound, Figure},
    network::NetworkSection,
    values::{Bytes, Count, Exponent, Peers, Rate, Seconds, Share, SomeShare},
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

/// `[time]`: seconds on the virtual clock. First peers join, then it warms up, then it is measured; what was published
/// has some time more to arrive.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Times {
    /// For so long documents are published before anything is measured.
    pub warm_up_s: Seconds,
    /// For so long it is measured.
    pub measured_s: Spanned<Seconds>,
    /// What has not arrived so long after its publication counts as lost.
    pub patience_s: Seconds,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            warm_up_s: Seconds::of(20.0),
            measured_s: Spanned::new(0..0, Seconds::of(40.0)),
            patience_s: Seconds::of(25.0),
        }
    }
}

/// `[join]`: peers come evenly over some seconds, but for those that come in bursts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Join {
    /// Over so many seconds; all at once, if 0.
    pub spread_s: Option<Seconds>,
    /// Some that come at one moment.
    pub bursts: Vec<Burst>,
}

/// Peers that come at one moment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// When, in seconds from the begin.
    pub at_s: Spanned<Seconds>,
    /// How many of all.
    pub share: Share,
}

/// `[publish]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Publish {
    /// Documents a second in the whole network.
    pub per_second: Rate,
    /// How large the text of each is.
    pub bytes: Bytes,
    /// Who publishes how much.
    pub publishers: Publishers,
    /// How many of the peers publish; all, if left out.
    pub count: Option<Count>,
}

impl Default for Publish {
    fn default() -> Self {
        Self {
            per_second: Rate::of(10.0),
            bytes: Bytes::of(1024),
            publishers: Publishers::Uniform,
            count: None,
        }
    }
}

/// Who publishes how much.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Publishers {
    /// Each as much as any other.
    Uniform,
    /// By Zipf's law with this exponent.
    Zipf(Exponent),
}

/// `[interest]`: who wants what. Each document is drawn so that about the share of peers wants it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Interest {
    /// All want everything.
    Everyone,
    /// One to three topics each, by Zipf's law.
    Topics(Topics),
    /// The same within groups of peers that have topics of their own.
    Clustered(Clustered),
    /// A range of a number, as wide as the share.
    Ranges(OfShare),
    /// A range of a number whose width is log-uniform from 0.0001 to 0.1 of all.
    LogUniformRanges(OfShare),
    /// One to three conjunctions of type, tag, author and a range.
    Conjunctions(OfShare),
    /// One to three titles, each by a regular expression, by Zipf's law.
    Regex(Topics),
}

/// What share of the peers wants a document.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfShare {
    /// About this one: from 0.6 to 1.5 times as many.
    pub share: SomeShare,
}

/// Topics, and what share of the peers wants a document.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topics {
    /// About this one: from 0.6 to 1.5 times as many.
    pub share: SomeShare,
    /// How many topics there are.
    #[serde(default = "topics")]
    pub topics: Count,
}

const fn topics() -> Count {
    Count::of(2000)
}

/// Groups of peers, with topics of their own.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clustered {
    /// About this one: from 0.6 to 1.5 times as many.
    pub share: SomeShare,
    /// How many groups there are.
    pub clusters: Count,
    /// How many topics each has.
    pub topics: Count,
}

/// `[[fault]]`: what befalls the mesh; times are seconds from the begin of the measurement.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Some peers vanish at once, without a word.
    Death(Death),
    /// Peers vanish all the time, and come back without what they had.
    Churn(Churn),
    /// Some peers cannot reach the others.
    Partition(Partition),
}

/// Peers that vanish at once.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Death {
    /// Of the living.
    pub share: Share,
    /// When.
    pub at_s: Spanned<Seconds>,
}

/// Peers that come and go, during all of the measurement.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Churn {
    /// Of all, in a minute.
    pub share_per_minute: Share,
    /// How long each is away.
    pub away_s: Seconds,
}

/// A part of the peers that is cut off.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// How large the smaller part is.
    pub share: Share,
    /// From when.
    pub from_s: Seconds,
    /// Until when.
    pub to_s: Spanned<Seconds>,
}

/// `[[attack]]`: who is hostile, from the begin.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Attack {
    /// Peers that silently drop the documents of others.
    Droppers(Hostile),
}

/// How many of all peers.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hostile {
    /// This share.
    pub share: Share,
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

/// Something that is wrong at a place.
pub(super) struct Wrong {
    pub(super) at: Range<usize>,
    pub(super) why: String,
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
            let given = super::values::Any::Integer(i64::try_from(peers).unwrap_or(i64::MAX));
            scenario.peers = Peers::try_from(given)?;
        }
        scenario.seed = changes.seed.unwrap_or(scenario.seed);
        match scenario.wrong() {
            Some(Wrong { at, why }) => Err(ScenarioError(pointed(text, at, &why))),
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
        let hostile: f64 = self.attack.iter().map(|Attack::Droppers(of)| of.share.get()).sum();
        let bursts: f64 = self.join.bursts.iter().map(|burst| burst.share.get()).sum();
        let place = |wrong: bool, why: &str| wrong.then(|| Wrong { at: 0..0, why: why.to_owned() });
        self.fault
            .iter()
            .find_map(of_fault)
            .or_else(|| self.network.wrong())
            .or_else(|| place(hostile >= 1.0, "[[attack]]: somebody has to be honest"))
            .or_else(|| place(bursts > 1.0, "[join]: the bursts have more than all peers"))
    }
}

/// A complaint as TOML's own are, with the line.
fn pointed(text: &str, at: Range<usize>, why: &str) -> String {
    if at.is_empty() {
        return why.to_owned();
    }
    let before = text.get(..at.start).unwrap_or_default();
    let number = before.lines().count().max(1);
    let begin = before.rfind('\n').map_or(0, |end| end + 1);
    let line = text.get(begin..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    format!("line {number}: {why}\n{number} | {line}")
}
