//! Bulletins that are missing.

use super::*;

/// One that was signed so long after the one before.
fn next(root: &Identity, (after_ms, offset_ms): (i64, i64)) -> TreeFrame {
    let after = if after_ms < 0 { Timestamp::from_millis(0) } else { at(after_ms) };
    passed(Signed::new(root, &Bulletin { after, ..says(offset_ms) }))
}

/// Which bulletins are missing, as a `Join` to a neighbour says: those after this.
fn joins(place: &mut Place, link: LinkId) -> Vec<Timestamp> {
    testing::sent_of(&mut place.cx, link, |frame| match frame {
        Frame::Tree(TreeFrame::Join(join)) => join.newest.map(|(_, newest)| newest),
        _ => None,
    })
}

/// Or a parent that drops bulletins keeps from us what they name, though we change it.
#[test]
fn a_peer_that_starved_gets_the_bulletins_that_it_missed_and_passes_them_on() {
    let (mut place, [parent, child, other]) = Place::new();
    let root = &roots()[1];
    place.hears(parent, next(root, (-1, 0))).unwrap();
    let brings = Brings { peers: 1, open: 0, keys: None };
    let newest = Some((root.peer_id(), at(0)));
    place.hears(child, TreeFrame::Join(Join { slot: SLOT, newest, brings })).unwrap();
    place.passes(seconds(2));
    place.sent(other);
    place.sent(child);
    place.hears(other, next(root, (2000, 3000))).unwrap();
    assert_eq!(place.trees.parent(SLOT), Some(other));
    assert_eq!(joins(&mut place, other), [at(0)]);
    for (after, offset) in [(0, 1000), (1000, 2000)] {
        place.cx.notices.clear();
        place.hears(other, next(root, (after, offset))).unwrap();
        assert!(place.cx.notices.iter().any(|notice| matches!(notice, Notice::Named(_))));
    }
    assert_eq!(place.bulletins(child).len(), 3);
    // Each counts once, and what came after all of them is missing in nothing.
    place.cx.notices.clear();
    for (after, offset) in [(0, 1000), (1000, 2000), (2000, 3000), (-1, 300), (1000, 1800)] {
        place.hears(other, next(root, (after, offset))).unwrap();
    }
    assert!(place.cx.notices.is_empty() && place.bulletins(child).is_empty());
    place.hears(other, next(root, (3000, 4000))).unwrap();
    place.sent(parent);
    place.trees.tree(SLOT).unwrap().join(&mut place.cx, parent);
    assert_eq!(joins(&mut place, parent), [at(4000)]);
}

#[test]
fn a_parent_that_starves_its_child_is_none_for_a_while() {
    let (mut place, [parent, other, _]) = Place::new();
    let root = &roots()[1];
    place.hears(parent, next(root, (-1, 0))).unwrap();
    place.passes(seconds(2));
    place.hears(other, next(root, (0, 1000))).unwrap();
    let near = |depth| Beacon { slot: SLOT, follows: Some((root.peer_id(), at(0))), depth };
    place.hears(parent, TreeFrame::Beacon(near(Some(0)))).unwrap();
    // That another root is followed is not its fault.
    let better = &roots()[0];
    let (mut other_place, [first, second, _]) = Place::new();
    other_place.hears(first, next(root, (-1, 0))).unwrap();
    other_place.hears(second, next(better, (-1, 1000))).unwrap();
    let nearer = Beacon { slot: SLOT, follows: Some((better.peer_id(), at(1000))), depth: Some(0) };
    other_place.hears(first, TreeFrame::Beacon(nearer)).unwrap();
    other_place.trees.tree(SLOT).unwrap().join_nearest(&mut other_place.cx, u8::MAX);
    assert_eq!(other_place.trees.parent(SLOT), Some(first));
    let improves = |place: &mut Place| {
        place.trees.tree(SLOT).unwrap().join_nearest(&mut place.cx, u8::MAX);
        place.trees.parent(SLOT)
    };
    assert_eq!(improves(&mut place), Some(other));
    place.cx.now = place.cx.now.after(limits::STARVED_RESTS);
    assert_eq!(improves(&mut place), Some(parent));
}

/// It may be the root that lies.
#[test]
fn a_parent_that_leaves_out_bulletins_is_left_but_few_are_for_that() {
    let (mut place, [parent, other, third]) = Place::new();
    let root = &roots()[1];
    place.hears(parent, next(root, (-1, 0))).unwrap();
    for link in [other, third] {
        let follows = Some((root.peer_id(), at(0)));
        let beacon = Beacon { slot: SLOT, follows, depth: Some(1) };
        place.hears(link, TreeFrame::Beacon(beacon)).unwrap();
    }
    let mut parents = vec![parent];
    for number in 1..20 {
        place.cx.now = place.cx.now.after(limits::BEAT);
        let now = *parents.last().unwrap();
        // One between them is missing each time.
        let (after, offset) = (number * 1000 - 400, number * 1000);
        place.hears(now, next(root, (after, offset))).unwrap();
        let parent = place.trees.parent(SLOT).unwrap();
        if parent != now {
            assert_eq!(joins(&mut place, parent), [at(0)], "it is asked for what is missing");
            parents.push(parent);
        }
    }
    assert_eq!(parents, [parent, other, third]);
}

/// Whoever passes them on would be taken for a flood.
#[test]
fn a_root_says_no_more_than_it_has_reason_to_whatever_it_says_is_missing() {
    let (mut place, [parent, ..]) = Place::new();
    let root = &roots()[1];
    place.hears(parent, next(root, (-1, -130_000))).unwrap();
    let end = Timestamp::from_millis(u64::MAX);
    for number in 0..12 {
        let says = Bulletin { after: end, ..says(100_000 + number * 1000) };
        place.hears(parent, passed(Signed::new(root, &says))).unwrap();
    }
    let mut taken = 0;
    for number in 1..100 {
        place.cx.notices.clear();
        place.hears(parent, next(root, (-1, -130_000 + number))).unwrap();
        taken += place.cx.notices.iter().filter(|one| matches!(one, Notice::Named(_))).count();
    }
    assert_eq!(taken, 0);
}

/// They are too many to be told of: a peer does without those that are older than the last twelve.
#[test]
fn what_is_missing_for_long_is_done_without() {
    let (mut place, [parent, other, _]) = Place::new();
    let root = &roots()[1];
    place.hears(parent, next(root, (-1, 0))).unwrap();
    for number in 2..20 {
        place.cx.now = place.cx.now.after(limits::BEAT);
        place.hears(parent, next(root, (number * 1000 - 1000, number * 1000))).unwrap();
    }
    place.sent(other);
    place.trees.tree(SLOT).unwrap().join(&mut place.cx, other);
    assert_eq!(joins(&mut place, other), [at(19_000)]);
}
