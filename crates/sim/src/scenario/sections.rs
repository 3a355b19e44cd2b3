//! The sections of a scenario's file but the network's.

use serde::Deserialize;
use toml::Spanned;

use super::values::{Bytes, Count, Exponent, Rate, Seconds, Share, SomeShare};

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
