//! `[network]`: how far apart peers are, and what links carry.

use core::time::Duration;
use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{
    values::{BytesPerSecond, Links, Millis, Share, Weight},
    wrong::Wrong,
};
use crate::{Keep, Regions, Spread, WorldConfig, rng::Rng};

/// `[network]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkSection {
    /// The regions of the world, and how many peers live in each, against the others.
    pub regions: Spanned<BTreeMap<String, Weight>>,
    /// From each region to each, in the order of their names: milliseconds, one way.
    pub one_way_ms: Spanned<Vec<Vec<Millis>>>,
    /// A message takes up to so much longer.
    pub jitter_ms: Millis,
    /// How often a message has to be sent again, 200 ms later.
    pub loss: Share,
    /// What all links of a peer carry away from it together; no limit, if left out.
    pub uplink_bytes_per_s: Option<BytesPerSecond>,
    /// How many links a peer keeps; as many as usual, if left out.
    pub links: Option<Links>,
    /// How many it has at most.
    pub max_links: Option<Links>,
}

impl Default for NetworkSection {
    /// Six regions, from 30 to 150 ms.
    fn default() -> Self {
        let weights = [
            ("africa", 8.0),
            ("asia", 34.0),
            ("europe", 26.0),
            ("north_america", 20.0),
            ("oceania", 3.0),
            ("south_america", 9.0),
        ];
        let one_way_ms: [[u16; 6]; 6] = [
            [40, 110, 70, 110, 140, 150],
            [110, 40, 95, 100, 70, 150],
            [70, 95, 30, 55, 130, 100],
            [110, 100, 55, 30, 85, 75],
            [140, 70, 130, 85, 30, 140],
            [150, 150, 100, 75, 140, 35],
        ];
        let weights = weights.map(|(name, weight)| (name.to_owned(), Weight::of(weight)));
        let row = |row: [u16; 6]| row.map(Millis::of).to_vec();
        Self {
            regions: Spanned::new(0..0, weights.into()),
            one_way_ms: Spanned::new(0..0, one_way_ms.map(row).to_vec()),
            jitter_ms: Millis::of(5),
            loss: Share::of(0.0),
            uplink_bytes_per_s: None,
            links: None,
            max_links: None,
        }
    }
}

impl NetworkSection {
    fn map(&self) -> Option<Regions> {
        let row = |row: &Vec<Millis>| row.iter().map(|ms| ms.get()).collect();
        let rows = self.one_way_ms.get_ref().iter().map(row).collect();
        let regions = Regions::new(rows, self.jitter_ms.get())?;
        (regions.count() == self.regions.get_ref().len()).then_some(regions)
    }

    pub(super) fn wrong(&self) -> Option<Wrong> {
        if self.map().is_some() {
            return None;
        }
        let count = self.regions.get_ref().len();
        let table = self.one_way_ms.span();
        let at = if table.is_empty() { self.regions.span() } else { table };
        let why = format!(
            "one_way_ms needs a row for each of the {count} regions, with {count} numbers from 1 on in each"
        );
        Some(Wrong { at, why })
    }

    /// How the world behaves.
    pub(super) fn world(&self) -> WorldConfig {
        WorldConfig {
            // To signallers.
            latency: Spread::millis(20, 100),
            regions: self.map(),
            // 100 Mbit/s for each link.
            bandwidth: 12_500,
            uplink: self.uplink_bytes_per_s.map(|bytes| (bytes.get() / 1000).max(1)),
            link_loss: self.loss.get(),
            retransmission: Duration::from_millis(200),
            early_lost: true,
            keep: Keep::Totals,
            shared_verification: true,
            ..WorldConfig::default()
        }
    }

    /// Where a peer lives.
    pub(super) fn region(&self, rng: &mut Rng) -> usize {
        let weights = self.regions.get_ref();
        let mut left = rng.unit() * weights.values().map(|weight| weight.get()).sum::<f64>();
        let found = weights.values().position(|weight| {
            left -= weight.get();
            left < 0.0
        });
        found.unwrap_or(0)
    }
}
