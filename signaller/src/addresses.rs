//! What counts as one address, and counts for each.
//!
//! A client with one IPv6 address has at least 2⁶⁴ of them, and often 2⁸⁰: a household is given a /64
//! at least, a site a /48 (RFC 6177). So what is limited is limited for ranges of addresses: the narrow one
//! that is configured, and for IPv6 a wide one around it, which may have more but not without end.

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;

use crate::{limits, sweep::Sweep};

/// The leading bits that addresses have in common which count as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefixes {
    /// Of IPv4 addresses, 0 to 32.
    pub ipv4: u8,
    /// Of IPv6 addresses, 0 to 128. If these are more than [`limits::IPV6_SITE_PREFIX`], addresses are
    /// counted by those, too.
    pub ipv6: u8,
}

impl Default for Prefixes {
    fn default() -> Self {
        Self { ipv4: limits::IPV4_PREFIX, ipv6: limits::IPV6_PREFIX }
    }
}

impl Prefixes {
    /// The ranges that an address is counted in. IPv4 addresses that are written as IPv6 addresses count
    /// as IPv4.
    pub fn ranges(&self, address: IpAddr) -> Ranges {
        let address = address.to_canonical();
        let around = |bits| {
            let net = IpNet::new(address, bits).unwrap_or_else(|_| IpNet::from(address));
            net.trunc()
        };
        match address {
            IpAddr::V4(_) => Ranges { narrow: around(self.ipv4), wide: None },
            IpAddr::V6(_) => {
                let has_wide = self.ipv6 > limits::IPV6_SITE_PREFIX;
                let wide = has_wide.then(|| around(limits::IPV6_SITE_PREFIX));
                Ranges { narrow: around(self.ipv6), wide }
            }
        }
    }
}

/// The ranges that one address is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ranges {
    narrow: IpNet,
    wide: Option<IpNet>,
}

impl Ranges {
    /// The range that is counted around all others.
    pub(crate) fn widest(&self) -> IpNet {
        self.wide.unwrap_or(self.narrow)
    }

    /// The narrow range, which counts as one address.
    pub const fn narrow(&self) -> IpNet {
        self.narrow
    }

    /// Each range, and how many times as much as a narrow one it may have.
    pub fn each(self) -> impl Iterator<Item = (IpNet, u32)> {
        let wide = self.wide.map(|wide| (wide, limits::SITE_SHARE));
        core::iter::once((self.narrow, 1)).chain(wide)
    }
}

/// Counts of each range of addresses.
#[derive(Debug)]
pub(crate) struct AddressCounts<T> {
    counts: BTreeMap<IpNet, T>,
    /// Where [`Self::sweep`] goes on.
    swept: Sweep<IpNet>,
}

impl<T> Default for AddressCounts<T> {
    fn default() -> Self {
        Self { counts: BTreeMap::new(), swept: Sweep::default() }
    }
}

impl<T> AddressCounts<T> {
    /// How many ranges are counted.
    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether all ranges of an address are counted.
    pub(crate) fn has(&self, ranges: Ranges) -> bool {
        ranges.each().all(|(range, _)| self.get(&range).is_some())
    }

    /// What is counted of a range.
    pub(crate) fn get(&self, range: &IpNet) -> Option<&T> {
        self.counts.get(range)
    }

    /// Whether something holds for all ranges of an address; for those of which nothing is counted it
    /// does. The second argument is how many times as much as a narrow one the range may have.
    pub(crate) fn all(&self, ranges: Ranges, mut holds: impl FnMut(&T, u32) -> bool) -> bool {
        ranges
            .each()
            .all(|(range, share)| self.counts.get(&range).is_none_or(|count| holds(count, share)))
    }

    /// Changes the counts of all ranges of an address. `fresh` begins one, for a range that may have so
    /// many times as much as a narrow one.
    pub(crate) fn update(
        &mut self,
        ranges: Ranges,
        fresh: impl Fn(u32) -> T,
        mut change: impl FnMut(&mut T),
    ) {
        for (range, share) in ranges.each() {
            change(self.counts.entry(range).or_insert_with(|| fresh(share)));
        }
    }

    /// Changes the counts of the ranges of an address, as far as there are any.
    pub(crate) fn change(&mut self, ranges: Ranges, change: impl FnMut(&mut T)) {
        self.release(ranges, change, |_| false);
    }

    /// Changes the counts of the ranges of an address, as far as there are any, and drops
    /// those that are idle afterwards.
    pub(crate) fn release(
        &mut self,
        ranges: Ranges,
        mut change: impl FnMut(&mut T),
        mut is_idle: impl FnMut(&T) -> bool,
    ) {
        for (range, _) in ranges.each() {
            if let Some(count) = self.counts.get_mut(&range) {
                change(count);
                if is_idle(count) {
                    self.counts.remove(&range);
                }
            }
        }
    }

    /// Drops counts that are idle. Looks at `most` of them and goes on from there the next time, so that
    /// no call is long.
    pub(crate) fn sweep(&mut self, most: usize, is_idle: impl FnMut(&T) -> bool) {
        self.swept.run(&mut self.counts, most, is_idle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(prefixes: Prefixes, text: &str) -> Vec<String> {
        let address = text.parse().expect("an address");
        prefixes.ranges(address).each().map(|(range, _)| range.to_string()).collect()
    }

    #[test]
    fn an_ipv6_address_counts_by_its_household_and_its_site() {
        let usual = Prefixes::default();
        assert_eq!(ranges(usual, "192.0.2.7"), ["192.0.2.7/32"]);
        assert_eq!(ranges(usual, "::ffff:192.0.2.7"), ["192.0.2.7/32"]);
        assert_eq!(ranges(usual, "2001:db8:1:2:3::4"), ["2001:db8:1:2::/64", "2001:db8:1::/48"]);
        let wider = Prefixes { ipv4: 24, ipv6: 40 };
        assert_eq!(ranges(wider, "192.0.2.7"), ["192.0.2.0/24"]);
        assert_eq!(ranges(wider, "2001:db8:1ff::1"), ["2001:db8:100::/40"]);
        let too_many = Prefixes { ipv4: 200, ipv6: 200 };
        assert_eq!(ranges(too_many, "192.0.2.7"), ["192.0.2.7/32"]);
    }

    #[test]
    fn counts_are_of_all_ranges_and_go_when_they_are_idle() {
        let range = |text: &str| Prefixes::default().ranges(text.parse().expect("an address"));
        let mut counts = AddressCounts::<u32>::default();
        let (one, other) = (range("2001:db8:1:1::1"), range("2001:db8:1:2::1"));
        counts.update(one, |_| 0, |count| *count += 1);
        counts.update(other, |_| 0, |count| *count += 1);
        assert_eq!(counts.len(), 3);
        assert_eq!(counts.get(&one.narrow()), Some(&1));
        assert!(counts.all(one, |count, share| *count <= share));
        assert!(!counts.all(one, |count, _| *count < 2), "the site has two");
        counts.release(one, |count| *count -= 1, |count| *count == 0);
        assert_eq!(counts.len(), 2);
        counts.release(other, |count| *count -= 1, |count| *count == 0);
        assert_eq!(counts.len(), 0);
    }

    #[test]
    fn a_sweep_looks_at_some_and_goes_on_from_there() {
        let mut counts = AddressCounts::<bool>::default();
        for last in 0..10 {
            let address = IpAddr::from([192, 0, 2, last]);
            counts.update(Prefixes::default().ranges(address), |_| last % 2 == 0, |_| {});
        }
        for left in [8, 7, 5, 5, 5] {
            let mut looked = 0;
            counts.sweep(3, |idle| {
                looked += 1;
                *idle
            });
            assert!(looked <= 3);
            assert_eq!(counts.len(), left);
        }
    }
}
