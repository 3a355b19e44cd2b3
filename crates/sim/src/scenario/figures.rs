//! What is measured, and what must hold of it.

use core::fmt;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a run has shown. Figures of documents are of those that were published while it was measured.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures {
    /// The scenario's name.
    pub scenario: String,
    /// The seed that all chances were drawn from.
    pub seed: u64,
    /// How many peers there were, those included that died.
    pub peers: usize,
    /// Of these, the hostile ones.
    pub hostile: usize,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// Documents that were published.
    pub published: u64,
    /// Documents that a peer would not publish, for want of room.
    pub refused: u64,
    /// How many deliveries were due: to each honest peer but the author that wanted the document, was there five seconds
    /// before its publication, and did not die before it could come.
    pub due: u64,
    /// How many of them came in time.
    pub delivered: u64,
    /// The same as a share; 1, if nothing was due.
    pub delivered_share: f64,
    /// Of those that were due, the share that came within six seconds: where gossipsub v1.1's report draws the line.
    pub in_six_s_share: Option<f64>,
    /// Of the deliveries from and to those that an attack was aimed at, the share that came.
    pub target_share: Option<f64>,
    /// How often an application got a document a second time.
    pub doubles: u64,
    /// Documents that honest peers carried and did not want, for each delivery.
    pub unwanted_per_wanted: Option<f64>,
    /// Copies that honest peers got beyond the first, for each first one.
    pub copies: Option<f64>,
    /// The most links that a document crossed, in the mean over the documents.
    pub last_hop: Option<f64>,
    /// The middle one of all delays.
    pub p50_ms: Option<u64>,
    /// The delay that 99 of 100 deliveries do not exceed.
    pub p99_ms: Option<u64>,
    /// The longest delay.
    pub slowest_ms: Option<u64>,
    /// Peers that came while it was measured and could have got a document since.
    pub newcomers: u64,
    /// How long 99 of 100 of them waited for the first document that they want and that was published after they had come, from when one was.
    pub join_p99_ms: Option<u64>,
    /// All bytes that an honest peer sends to others in a second, control included: the mean.
    pub bytes_per_s: Option<f64>,
    /// The same of the one that sends most.
    pub bytes_per_s_max: Option<f64>,
    /// Of the mean, those that are not documents on their way.
    pub control_bytes_per_s: Option<f64>,
    /// Of the mean, what each kind of frame takes, by its group and number.
    pub bytes_by_kind: BTreeMap<String, f64>,
    /// The share of the peers that at the end send documents where they are wanted, and do not flood.
    pub routed_share: Option<f64>,
    /// The share of the routing keys that peers want with which a neighbour supplies them at the end.
    pub supplied_share: Option<f64>,
    /// How many neighbours an honest peer has at the end: the mean.
    pub links_mean: Option<f64>,
    /// Questions for documents that a root had named and that had not come, each link of their way counted.
    pub asked: u64,
    /// How often a document was sent towards the root once more.
    pub resent: u64,
    /// The largest state that a peer keeps for the interests of others, at the end.
    pub interest_bytes_max: Option<u64>,
    /// Links between honest peers that ended for misbehaviour, and honest peers in honest peers' blacklists.
    pub honest_cut: u64,
    /// Seconds from the last fault, or from when an attack began or ceased last, to the first moment after which every document that was published later reached all
    /// within three seconds.
    pub recovered_after_s: Option<f64>,
    /// Seconds from the last fault until all peers had all that had been published between it and the recovery.
    pub caught_up_after_s: Option<f64>,
    /// Whether all living peers hang together at the end.
    pub connected: bool,
    /// Where some are hostile, the share of the honest ones that hang together at the end by links among themselves:
    /// what is not with them hears only what hostile peers pass on.
    pub honest_together: Option<f64>,
    /// Active links of a living peer at the end: the mean.
    pub degree: Option<f64>,
    /// What no driver would stand for, which is the core's fault.
    pub violations: u64,
    /// Seconds on the virtual clock.
    pub virtual_s: f64,
    /// Seconds on the real one.
    pub wall_s: f64,
    /// Seconds that the processor worked for it, which other programs on the machine do not change much.
    pub cpu_s: Option<f64>,
    /// The most memory that the process took.
    pub memory_mib: Option<u64>,
    /// Whether a document that one peer had verified was verified for all, which real peers do not.
    pub verification_shared: bool,
    /// What was asked of it and is not so.
    pub broken: Vec<Check>,
    /// What was aimed at, and whether it is reached.
    pub aims: Vec<Check>,
    /// What the plots show.
    #[serde(skip)]
    pub series: Series,
}

/// What the plots show.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// Each second of the run.
    pub seconds: Vec<Second>,
    /// Deliveries by their delay: how many took so many milliseconds.
    pub delays: BTreeMap<u64, u64>,
    /// What each honest peer that lives sent in a second, in bytes, from the least to the most.
    pub loads: Vec<f64>,
    /// How many living peers have so many links.
    pub degrees: BTreeMap<usize, usize>,
}

/// One second of a run; of documents it says what became of those that were published in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Second {
    /// Seconds from the begin of the measurement; below 0 while it joins and warms up.
    pub at_s: i64,
    /// How many peers lived.
    pub alive: u64,
    /// Documents that were published.
    pub published: u64,
    /// Deliveries of these that were due.
    pub due: u64,
    /// And came.
    pub delivered: u64,
    /// First copies that honest peers got in this second.
    pub received: u64,
    /// Further copies.
    pub duplicates: u64,
    /// Of the first copies, those that were wanted.
    pub wanted: u64,
    /// Bytes that honest peers sent.
    pub bytes: u64,
    /// Of these, documents on their way.
    pub document_bytes: u64,
}

/// A figure that can have bounds, by its name in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// [`Figures::delivered_share`]
    DeliveredShare,
    /// [`Figures::in_six_s_share`]
    InSixSShare,
    /// [`Figures::target_share`]
    TargetShare,
    /// [`Figures::doubles`]
    Doubles,
    /// [`Figures::unwanted_per_wanted`]
    UnwantedPerWanted,
    /// [`Figures::copies`]
    Copies,
    /// [`Figures::last_hop`]
    LastHop,
    /// [`Figures::p50_ms`]
    P50Ms,
    /// [`Figures::p99_ms`]
    P99Ms,
    /// [`Figures::slowest_ms`]
    SlowestMs,
    /// [`Figures::join_p99_ms`]
    JoinP99Ms,
    /// [`Figures::bytes_per_s`]
    BytesPerS,
    /// [`Figures::control_bytes_per_s`]
    ControlBytesPerS,
    /// [`Figures::interest_bytes_max`]
    InterestBytesMax,
    /// [`Figures::honest_cut`]
    HonestCut,
    /// [`Figures::recovered_after_s`]
    RecoveredAfterS,
    /// [`Figures::caught_up_after_s`]
    CaughtUpAfterS,
    /// [`Figures::violations`]
    Violations,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Between what a figure is to stay.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// At least this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// At most this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// A figure held against a bound.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// Which.
    pub figure: Figure,
    /// What is asked of it.
    #[serde(flatten)]
    pub bound: Bound,
    /// What it is; none, if it could not be measured, which no bound allows.
    pub value: Option<f64>,
    /// Whether it is within.
    pub met: bool,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.figure)?;
        match self.value {
            Some(value) => write!(f, "is {}", Short(value))?,
            None => f.write_str("was not measured")?,
        }
        let (min, max) = (self.bound.min.map(Short), self.bound.max.map(Short));
        match (min, max) {
            (Some(min), Some(max)) => write!(f, ", to be from {min} to {max}"),
            (Some(min), None) => write!(f, ", to be at least {min}"),
            (None, Some(max)) => write!(f, ", to be at most {max}"),
            (None, None) => Ok(()),
        }
    }
}

/// As many digits as tell something.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.5}", self.0);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Figures {
    fn value(&self, figure: Figure) -> Option<f64> {
        let whole = |number: u64| Some(number as f64);
        match figure {
            Figure::DeliveredShare => Some(self.delivered_share),
            Figure::InSixSShare => self.in_six_s_share,
            Figure::TargetShare => self.target_share,
            Figure::Doubles => whole(self.doubles),
            Figure::UnwantedPerWanted => self.unwanted_per_wanted,
            Figure::Copies => self.copies,
            Figure::LastHop => self.last_hop,
            Figure::P50Ms => self.p50_ms.and_then(whole),
            Figure::P99Ms => self.p99_ms.and_then(whole),
            Figure::SlowestMs => self.slowest_ms.and_then(whole),
            Figure::JoinP99Ms => self.join_p99_ms.and_then(whole),
            Figure::BytesPerS => self.bytes_per_s,
            Figure::ControlBytesPerS => self.control_bytes_per_s,
            Figure::InterestBytesMax => self.interest_bytes_max.and_then(whole),
            Figure::HonestCut => whole(self.honest_cut),
            Figure::RecoveredAfterS => self.recovered_after_s,
            Figure::CaughtUpAfterS => self.caught_up_after_s,
            Figure::Violations => whole(self.violations),
        }
    }

    /// Holds them against bounds.
    pub fn check(&self, bounds: &BTreeMap<Figure, Bound>) -> Vec<Check> {
        let check = |(figure, bound): (&Figure, &Bound)| {
            let value = self.value(*figure);
            let met = value.is_some_and(|value| {
                bound.min.is_none_or(|min| value >= min) && bound.max.is_none_or(|max| value <= max)
            });
            Check { figure: *figure, bound: *bound, value, met }
        };
        bounds.iter().map(check).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_kept_broken_or_about_what_was_not_measured() {
        let figures =
            Figures { doubles: 2, copies: None, delivered_share: 1.0, ..Figures::default() };
        let (max, min) = (Some(1.0), Some(1.0));
        let bounds = BTreeMap::from([
            (Figure::DeliveredShare, Bound { min, max: None }),
            (Figure::Doubles, Bound { min: None, max }),
            (Figure::Copies, Bound { min: None, max }),
        ]);
        let checks = figures.check(&bounds);
        assert_eq!(checks.iter().map(|check| check.met).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(checks[1].to_string(), "doubles is 2, to be at most 1");
        assert_eq!(checks[2].to_string(), "copies was not measured, to be at most 1");
    }
}
