//! The sections of a scenario's file but the network's.

use serde::Deserialize;
use toml::Spanned;

use super::values::{Bytes, Count, Exponent, Links, Rate, Seconds, Share, SomeShare};

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
    /// Whether these want nothing themselves, as a `taiinet publish` does.
    pub only_publish: bool,
}

impl Default for Publish {
    fn default() -> Self {
        Self {
            per_second: Rate::of(10.0),
            bytes: Bytes::of(1024),
            publishers: Publishers::Uniform,
            count: None,
            only_publish: false,
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

/// `[[attack]]`: peers that are hostile, and what they do; times are seconds from the begin of the measurement.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// How many of all peers.
    pub share: SomeShare,
    /// What they do otherwise than honest peers.
    pub does: Spanned<Vec<Deed>>,
    /// From when on they do it; if left out, from when they have joined.
    pub from_s: Option<Spanned<Seconds>>,
    /// Until when; from then on they behave well. If left out, to the end.
    pub until_s: Option<Spanned<Seconds>>,
    /// When they join, all at once; if left out, among the others.
    pub joins_at_s: Option<Spanned<Seconds>>,
    /// How many links each of them makes; as many as any peer, if left out.
    pub links: Option<Links>,
    /// How many honest peers they aim at: the first of those that publish.
    #[serde(default = "one_target")]
    pub targets: Spanned<Count>,
    /// Whether the first of them has tried keys until it ranks best, and so is the root.
    #[serde(default)]
    pub root: bool,
}

impl Attack {
    /// How many of so many peers are hostile.
    pub fn count(&self, peers: usize) -> usize {
        (self.share.get() * peers as f64).round() as usize
    }
}

fn one_target() -> Spanned<Count> {
    Spanned::new(0..0, Count::of(1))
}

/// Something that hostile peers do ([`crate::Behaviour`]).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Silently drop the documents of others.
    DropsDocuments,
    /// Drop all that is of use to others.
    DropsEverything,
    /// Drop the documents that the targets write.
    Censors,
    /// Link to the targets and to one another alone.
    Surrounds,
    /// Send each document so many times under a bad signature before it is passed on.
    FloodsInvalid(Count),
    /// Announce so many documents that there are not, with each message.
    Promises(Count),
    /// Say that they and many below them want everything.
    ClaimsAll,
    /// Say that nobody below them wants anything.
    ClaimsNothing,
    /// Tell of one another alone.
    TellsOfAccomplices,
    /// As roots, name nothing of a third of the authors, and drop it.
    HidesAuthors,
    /// As roots, name so many documents that there are not, each time.
    InventsNames(Count),
}
