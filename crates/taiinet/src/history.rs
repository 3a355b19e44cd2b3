//! What subscriptions want of the time before them: looked for once there is a neighbour to ask, shown in
//! order, and each document once, whether it is found or comes.

use std::collections::{BTreeMap, BTreeSet};

use taiinet_document::DocumentId;
use taiinet_query::SharedQuery;

use crate::delivery::{Delivery, Ready, Versions, keep_newest};

/// What one subscription wants.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) query: SharedQuery,
    /// The newest, so many at most.
    pub(crate) limit: u16,
}

/// What is looked for, and was found, for one subscription.
#[derive(Debug)]
enum History {
    Wanted {
        wish: Wish,
        live: Live,
    },
    Sought {
        limit: u16,
        live: Live,
    },
    /// Found: should one of them come live as well, or an older version, it is known.
    Shown {
        documents: BTreeSet<DocumentId>,
        versions: Versions,
    },
}

/// What comes meanwhile.
#[derive(Debug, Default)]
struct Live {
    documents: BTreeSet<DocumentId>,
    versions: Versions,
}

/// Those of all subscriptions that want one.
#[derive(Debug, Default)]
pub(crate) struct Histories(BTreeMap<u64, History>);

impl Histories {
    pub(crate) fn want(&mut self, subscription: u64, wish: Wish) {
        self.0.insert(subscription, History::Wanted { wish, live: Live::default() });
    }

    pub(crate) fn end(&mut self, subscription: u64) {
        self.0.remove(&subscription);
    }

    /// The next to be looked for, with how many documents: one more than wanted, to see whether there are more.
    pub(crate) fn next(&self) -> Option<(u64, SharedQuery, u16)> {
        self.0.iter().find_map(|(subscription, history)| match history {
            History::Wanted { wish, .. } => {
                Some((*subscription, wish.query.clone(), wish.limit.saturating_add(1)))
            }
            _ => None,
        })
    }

    /// It is looked for from now on.
    pub(crate) fn seek(&mut self, subscription: u64) {
        if let Some(history) = self.0.get_mut(&subscription)
            && let History::Wanted { wish, live } = history
        {
            *history = History::Sought { limit: wish.limit, live: core::mem::take(live) };
        }
    }

    /// A document comes live; whether it is to be shown.
    pub(crate) fn comes(&mut self, subscription: u64, delivery: &Delivery) -> bool {
        match self.0.get_mut(&subscription) {
            None => true,
            Some(History::Shown { documents, versions }) => {
                !documents.remove(&delivery.id()) && !versions.has_newer(delivery)
            }
            Some(History::Wanted { live, .. } | History::Sought { live, .. }) => {
                live.documents.insert(delivery.id());
                live.versions.is_newest(delivery)
            }
        }
    }

    /// What a search found; gives what is to be shown, the oldest first. Nothing if the subscription has ended.
    pub(crate) fn found(
        &mut self,
        subscription: u64,
        mut found: Vec<Delivery>,
        complete: bool,
    ) -> Option<(Vec<Delivery>, Ready)> {
        let history = self.0.get_mut(&subscription)?;
        let History::Sought { limit, live } = history else { return None };
        keep_newest(&mut found);
        let complete = complete && found.len() <= usize::from(*limit);
        found.truncate((*limit).into());
        found.reverse();
        let Live { documents, mut versions } = core::mem::take(live);
        found
            .retain(|delivery| !documents.contains(&delivery.id()) && versions.is_newest(delivery));
        *history = History::Shown { documents: found.iter().map(Delivery::id).collect(), versions };
        Some((found, Ready { complete }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use taiinet_document::{Content, Document, Map, Timestamp, VerifiedDocument};
    use taiinet_identity::{Identity, Seed};

    use super::*;

    fn delivery(millis: u64) -> Delivery {
        under(None, millis)
    }

    fn under(key: Option<&str>, millis: u64) -> Delivery {
        let identity = Identity::from_seed(&Seed::from_bytes([1; 32]));
        let document = Document {
            network: "n".parse().expect("a name"),
            created_at: Timestamp::from_millis(millis),
            nonce: 0,
            expires_at: None,
            key: key.map(Into::into),
            next_key: None,
            content: Content::Open(Map::new()),
        };
        let document = VerifiedDocument::sign(&identity, document).expect("signed");
        Delivery::new(Arc::new(document), None, Timestamp::from_millis(0), 0, None)
    }

    fn seeking(limit: u16) -> Histories {
        let mut histories = Histories::default();
        histories.want(1, Wish { query: SharedQuery::all(), limit });
        assert_eq!(histories.next().map(|(id, _, limit)| (id, limit)), Some((1, limit + 1)));
        histories.seek(1);
        assert!(histories.next().is_none(), "once");
        histories
    }

    fn shown(histories: &mut Histories, found: &[u64], complete: bool) -> (Vec<u64>, bool) {
        let found = found.iter().map(|millis| delivery(*millis)).collect();
        let (shown, ready) = histories.found(1, found, complete).expect("it is there");
        let millis = |delivery: &Delivery| delivery.created_at().as_millis();
        (shown.iter().map(millis).collect(), ready.complete)
    }

    #[test]
    fn the_newest_come_oldest_first_and_it_is_said_whether_that_is_all() {
        assert_eq!(shown(&mut seeking(3), &[5, 3, 4], true), (vec![3, 4, 5], true));
        assert_eq!(shown(&mut seeking(3), &[5, 3, 4], false), (vec![3, 4, 5], false));
        assert_eq!(shown(&mut seeking(2), &[5, 3, 4], true), (vec![4, 5], false));
        assert_eq!(shown(&mut seeking(2), &[], true), (vec![], true));
    }

    #[test]
    fn each_document_comes_once_found_or_live() {
        let mut histories = seeking(9);
        assert!(histories.comes(1, &delivery(5)));
        assert_eq!(shown(&mut histories, &[5, 4], true), (vec![4], true));
        assert!(!histories.comes(1, &delivery(4)));
        assert!(histories.comes(1, &delivery(6)));
        assert!(histories.comes(2, &delivery(4)), "another subscription wants no history");
        histories.end(1);
        assert!(histories.found(1, Vec::new(), true).is_none());
    }

    #[test]
    fn an_older_version_never_comes_after_a_newer_one_found_or_live() {
        let mut histories = seeking(9);
        let version = |millis| under(Some("key"), millis);
        assert!(histories.comes(1, &version(5)));
        let (shown, _) =
            histories.found(1, vec![version(4), delivery(3)], true).expect("it is there");
        assert_eq!(shown.iter().map(Delivery::id).collect::<Vec<_>>(), [delivery(3).id()]);
        assert!(!histories.comes(1, &version(4)));
        assert!(histories.comes(1, &version(6)));

        let mut histories = seeking(9);
        let found = vec![version(5), version(4)];
        let (shown, _) = histories.found(1, found, true).expect("it is there");
        assert_eq!(shown.len(), 1);
        assert!(!histories.comes(1, &version(4)) && histories.comes(1, &version(6)));
    }
}
