//! Neighbours with an archive. What was before is asked of neighbours, so each peer wants some that keep it: one for
//! each kind of archive it knows of, and a second one, so that none of them need be trusted.

use crate::{
    LinkId, Time,
    cx::Cx,
    limits,
    links::Link,
    wire::{Kept, Presence},
};

/// What those keep that a peer is linked to, and so which others it wants.
#[derive(Debug)]
pub(super) struct Archives {
    kept: Vec<Kept>,
    most: usize,
}

impl Archives {
    /// Those of our neighbours.
    pub(super) fn of(cx: &Cx) -> Self {
        let kept = counted(cx).map(|link| link.keeps().cloned().unwrap_or_default()).collect();
        Self { kept, most: most(cx) }
    }

    /// Whether there are enough, whatever else there may be.
    pub(super) const fn are_enough(&self) -> bool {
        self.kept.len() >= self.most
    }

    /// Whether this one is wanted as well.
    pub(super) fn want(&self, presence: &Presence) -> bool {
        let Some(kept) = &presence.archive else { return false };
        !self.are_enough() && (self.kept.len() < 2 || !self.kept.iter().any(|one| one.covers(kept)))
    }
}

/// What is done for searches while no neighbour has an archive.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    /// Neighbours that were asked whom they know.
    pub(super) asked: Vec<LinkId>,
    pub(super) asked_at: Option<Time>,
    /// When searches began to wait for one that has not become a neighbour so far.
    pub(super) waited_at: Option<Time>,
}

/// Whether there is one to be asked.
pub(super) fn are_any(cx: &Cx) -> bool {
    linked(cx).next().is_some()
}

fn linked(cx: &Cx) -> impl Iterator<Item = &Link> {
    cx.links.active().filter(|link| link.is_archive && !link.is_doubted())
}

/// The links to archives that a peer must not part with because it has too many.
pub(super) fn needed(cx: &Cx) -> Vec<LinkId> {
    counted(cx).take(most(cx)).map(|link| link.id).collect()
}

/// How many archives a peer keeps links to: at most half of its neighbours.
fn most(cx: &Cx) -> usize {
    limits::ARCHIVES.min(cx.config.max_links / 2).max(1)
}

/// The links to archives that answer, the oldest first: of those that others chose not so many that we choose none.
fn counted(cx: &Cx) -> impl Iterator<Item = &Link> {
    let rests = |link: &Link| cx.links.promptness.rests(&link.peer, cx.now);
    let mut links: Vec<&Link> = linked(cx).filter(|link| !rests(link)).collect();
    links.sort_unstable_by_key(|link| (link.since(), link.id));
    let mut others = (most(cx) - 1).max(1);
    links.retain(|link| {
        let counts = !link.incoming || others > 0;
        others -= usize::from(link.incoming && counts);
        counts
    });
    links.into_iter()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use taiinet_document::Timestamp;
    use taiinet_query::Query;

    use super::*;
    use crate::testing::{self, NOW, identity};

    fn keeping(queries: &[&str], since: u64) -> Kept {
        let queries = queries.iter().map(|query| (*query).to_owned()).collect();
        Kept { since: Timestamp::from_millis(since), queries, indexed: Vec::new() }
    }

    /// Whether a peer that is linked to these wants one more that keeps this.
    fn wants(linked: &[Kept], candidate: &Kept) -> bool {
        let mut cx = testing::cx();
        for (number, kept) in (1..).zip(linked) {
            let link = testing::neighbour(&mut cx, &identity(number));
            let presence = testing::archive(&identity(number), NOW, kept.clone());
            let state = cx.links.get_mut(link).unwrap();
            (state.is_archive, state.presence) = (true, Some(presence));
        }
        let candidate = testing::archive(&identity(100), NOW, candidate.clone());
        Archives::of(&cx).want(&candidate)
    }

    #[test]
    fn a_peer_wants_two_archives_and_one_of_each_kind() {
        let all = keeping(&[Kept::EVERYTHING], 0);
        let [tweets, quakes] = [r#"{"type":"tweet"}"#, r#"{"type":"quake"}"#];
        let (tweets, quakes) = (keeping(&[tweets], 0), keeping(&[quakes], 0));
        let unsaid = keeping(&[], 0);
        assert_eq!(Query::all().to_string(), Kept::EVERYTHING);
        for one in [&all, &tweets, &unsaid] {
            assert!(wants(&[], one) && wants(core::slice::from_ref(one), one), "{one:?}");
        }
        let two = [tweets.clone(), tweets.clone()];
        assert!(!wants(&two, &tweets));
        assert!(wants(&two, &quakes) && wants(&two, &all) && wants(&two, &unsaid));
        let covered = [all.clone(), tweets.clone()];
        assert!(!wants(&covered, &quakes) && !wants(&covered, &all) && !wants(&covered, &unsaid));
        // From when on counts as well, if it is more than a day.
        let recent = keeping(&[Kept::EVERYTHING], 10 * Kept::ABOUT_MS);
        assert!(wants(&[recent.clone(), recent.clone()], &tweets));
        assert!(!wants(&[recent.clone(), recent.clone()], &keeping(&[], 9 * Kept::ABOUT_MS)));
        assert!(!wants(&[tweets.clone(), quakes.clone(), unsaid], &recent), "enough is enough");
    }

    #[test]
    fn a_neighbour_without_an_archive_is_none() {
        let mut cx = testing::cx();
        testing::neighbour(&mut cx, &identity(1));
        assert!(needed(&cx).is_empty() && !Archives::of(&cx).are_enough());
        assert!(!Archives::of(&cx).want(&testing::presence(&identity(2), NOW)));
    }
}
