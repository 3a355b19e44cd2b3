//! Who could supply us: for each key that we want, who was asked, and when we seek further.

use std::collections::{BTreeMap, BTreeSet};

use taiinet_query::{KeySet, RoutingKey};

use crate::{LinkId, Time, cx::Cx, interest::Wants, limits, owed::Owed, rng::Backoff};

/// What is to be done for a key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Next {
    /// This neighbour may be its supplier.
    Ask(LinkId),
    /// None may: one is to be sought, for the so-manieth time.
    Seek(u8),
}

/// A key that we want.
#[derive(Debug)]
struct Own {
    /// The neighbour that is to say whether it supplies us, and until when.
    asked: Option<(LinkId, Time)>,
    /// Those that do not.
    refused: BTreeSet<LinkId>,
    seek_at: Time,
    backoff: Backoff,
    seeks: u8,
}

#[derive(Debug, Default)]
pub(super) struct Suppliers {
    of: BTreeMap<RoutingKey, Own>,
    /// What neighbours owed us and failed to bring.
    owed: BTreeMap<LinkId, Owed>,
    /// Those that failed too often are not asked before then.
    rest: BTreeMap<LinkId, Time>,
}

impl Suppliers {
    pub(super) fn deadline(&self, wants: &Wants) -> Option<Time> {
        let open = self.of.iter().filter(|(key, _)| wants.supplier(key).is_none());
        open.map(|(_, own)| own.asked.map_or(own.seek_at, |(_, until)| until)).min()
    }

    /// We want other keys than before. One that wants a great many leaves them to the trees.
    pub(super) fn renew(&mut self, cx: &mut Cx, wants: &Wants) {
        let many = wants.is_everything() || wants.len() > limits::SUPPLIED_KEYS;
        self.of.retain(|key, _| !many && wants.has(key));
        if many {
            return;
        }
        for key in wants.keys() {
            self.of.entry(*key).or_insert_with(|| {
                let mut backoff = Backoff::new(limits::SEEK_BACKOFF);
                let seek_at = cx.now.after(backoff.wait(&mut cx.rng));
                Own { asked: None, refused: BTreeSet::new(), seek_at, backoff, seeks: 0 }
            });
        }
    }

    /// What is to be done next, if anything is.
    pub(super) fn next(
        &mut self,
        cx: &mut Cx,
        wants: &Wants,
        neighbours: &BTreeMap<LinkId, KeySet>,
    ) -> Option<(RoutingKey, Next)> {
        let now = cx.now;
        self.rest.retain(|_, until| *until > now);
        for (key, own) in &mut self.of {
            if wants.supplier(key).is_some() {
                continue;
            }
            if let Some((link, until)) = own.asked {
                if now < until {
                    continue;
                }
                own.asked = None;
                own.refused.insert(link);
            }
            let may = neighbours.iter().filter(|(link, wanted)| {
                wanted.may_hold(key)
                    && !own.refused.contains(link)
                    && !self.rest.contains_key(link)
                    && !cx.links.get(**link).is_none_or(|link| link.dozing)
            });
            let may: Vec<LinkId> = may.map(|(link, _)| *link).collect();
            if let Some(link) = cx.rng.choose(&may).copied() {
                own.asked = Some((link, now.after(limits::SUPPLY_ANSWER)));
                return Some((*key, Next::Ask(link)));
            }
            if now >= own.seek_at {
                own.seek_at = now.after(own.backoff.wait(&mut cx.rng));
                own.seeks = own.seeks.saturating_add(1);
                // They may have room now.
                own.refused.clear();
                return Some((*key, Next::Seek(own.seeks)));
            }
        }
        None
    }

    /// A neighbour says that it supplies us. Whether it was asked, and we still want it.
    pub(super) fn agrees(&mut self, key: &RoutingKey, link: LinkId) -> bool {
        let Some(own) = self.of.get_mut(key) else { return false };
        let agrees = own.asked.is_some_and(|(asked, _)| asked == link);
        if agrees {
            own.asked = None;
            own.backoff.reset();
        }
        agrees
    }

    /// A neighbour does not supply us, or not any more.
    pub(super) fn refuses(&mut self, key: &RoutingKey, link: LinkId) {
        if let Some(own) = self.of.get_mut(key) {
            own.asked = own.asked.filter(|(asked, _)| *asked != link);
            own.refused.insert(link);
        }
    }

    /// It wants something else than it did.
    pub(super) fn may_ask_again(&mut self, link: LinkId) {
        for own in self.of.values_mut() {
            own.refused.remove(&link);
        }
    }

    pub(super) fn link_down(&mut self, link: LinkId) {
        for own in self.of.values_mut() {
            own.asked = own.asked.filter(|(asked, _)| *asked != link);
            own.refused.remove(&link);
        }
        self.owed.remove(&link);
        self.rest.remove(&link);
    }

    /// A document has come from a neighbour.
    pub(super) fn brings(&mut self, link: LinkId) {
        if let Some(owed) = self.owed.get_mut(&link) {
            owed.brought();
        }
    }

    /// A supplier has not brought what it owed. Whether that is the end of it.
    pub(super) fn misses(&mut self, link: LinkId, now: Time) -> bool {
        let is_end = self.owed.entry(link).or_default().missed();
        if is_end {
            self.owed.remove(&link);
            self.rest.insert(link, now.after(limits::OWED_RESTS));
        }
        is_end
    }
}
