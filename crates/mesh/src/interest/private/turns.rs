//! Which of others' queries match a document of ours, with no more work than is allowed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use taiinet_document::Map;
use taiinet_identity::{PeerId, Recipient, RecipientId};
use taiinet_query::{Attributes, Fuel, SharedQuery};

use crate::limits;

/// An announcer and its queries.
pub(super) type Queries<'a> = (PeerId, VecDeque<(RecipientId, &'a SharedQuery)>);

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Matching {
    pub(super) keys: BTreeMap<PeerId, BTreeSet<Recipient>>,
    /// How many queries took too much work to be evaluated.
    pub(super) unevaluated: usize,
    /// The work that it took, in units of [`Fuel`].
    pub(super) work: u64,
}

/// Evaluates the queries in turns. In the first, each announcer has [`limits::MATCH_TURN`] units of work
/// for all of its queries, in each following one four times as many, until all are evaluated or
/// [`limits::MATCH_WORK`] units are spent. So a cheap query never waits for an expensive one, an expensive
/// one is evaluated where there is time for it, and what many keys spend on expensive queries, they take from
/// one another.
pub(super) fn evaluate(
    mut waiting: Vec<Queries<'_>>,
    attributes: Attributes<'_>,
    content: &Map,
) -> Matching {
    let mut matching = Matching::default();
    let (mut left, mut turn) = (limits::MATCH_WORK, limits::MATCH_TURN);
    while !waiting.is_empty() && turn <= 4 * limits::MATCH_WORK {
        for (peer, queries) in &mut waiting {
            let mut own = turn.min(left);
            queries.retain(|(recipient, query)| {
                let fuel = Fuel::new(own);
                let result = query.matches_within(attributes, content, &fuel);
                left -= own - fuel.left();
                own = fuel.left();
                if result == Ok(true) {
                    let recipient = Recipient::Subscription(*recipient);
                    matching.keys.entry(*peer).or_default().insert(recipient);
                }
                result.is_err()
            });
        }
        waiting.retain(|(_, queries)| !queries.is_empty());
        turn *= 4;
    }
    matching.work = limits::MATCH_WORK - left;
    matching.unevaluated = waiting.iter().map(|(_, queries)| queries.len()).sum();
    matching
}
