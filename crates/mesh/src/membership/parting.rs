//! Which neighbours a peer parts with, where it has more than it wants or changes one: so its view is partly what it chose at
//! random, partly what is near, partly what tree and suppliers need.

use core::time::Duration;

use super::{archives, can_spare_ours, is_ours};
use crate::{LinkId, cx::Cx, links::Link, wire::RefusalReason};

/// Parts with relayed links where both ends have enough that are not.
pub(super) fn part_with_extras(cx: &mut Cx) {
    for link in cx.links.named(|link| link.extra && link.surplus && link.told_surplus) {
        cx.refuse(link, RefusalReason::Full);
    }
}

/// Below a neighbour in a tree there is nobody but itself, at most.
pub(super) const A_LEAF: u32 = 1;
/// There may be many, but it does not lead up.
pub(super) const A_CHILD: u32 = u32::MAX - 1;

/// Parts with one of these neighbours, below which so many peers stand in a tree at the most: with one that misbehaved most, and
/// with none of our own choice that we must have.
pub(super) fn part(cx: &mut Cx, which: impl Fn(&Link) -> bool, most_below: u32) {
    let (spare_ours, needed) = (can_spare_ours(cx), archives::needed(cx));
    let now = cx.now;
    let mut candidates: Vec<(u32, LinkId)> = cx
        .links
        .active()
        .filter(|link| which(link) && !link.extra && (!is_ours(link) || spare_ours))
        .filter(|link| !needed.contains(&link.id) && !link.is_of_supply(now))
        .map(|link| (cx.reputation.points(&link.peer, cx.now), link.id))
        .collect();
    // Rather one that no tree needs, else one to a leaf: whoever stands below would miss what comes until it has found
    // another way.
    let of_tree = |link: &LinkId| {
        let link = cx.links.get(*link);
        link.map(|link| if link.leads_up.is_empty() { link.brings_most() } else { u32::MAX })
    };
    candidates.retain(|(_, link)| of_tree(link).is_some_and(|brings| brings <= most_below));
    let most = candidates.iter().map(|(points, _)| *points).max();
    candidates.retain(|(points, _)| Some(*points) == most);
    let least = candidates.iter().map(|(_, link)| of_tree(link)).min();
    candidates.retain(|(_, link)| Some(of_tree(link)) == least);
    // Rather one that we rely on for little. What it would have us push does not count: it may ask for
    // everything without need.
    let relied_on = |link: &LinkId| cx.links.get(*link).map(|link| link.relied_on);
    let least = candidates.iter().map(|(_, link)| relied_on(link)).min();
    candidates.retain(|(_, link)| Some(relied_on(link)) == least);
    let Some((_, link)) = cx.rng.choose(&candidates).copied() else { return };
    let link = farther(cx, &candidates, link);
    cx.refuse(link, RefusalReason::Full);
}

/// Of two that others chose the one that is farther away goes, so that part of the view is near, and none is sure of its place.
/// Those that we chose stay as chance would have it: they hold the mesh together.
fn farther(cx: &mut Cx, candidates: &[(u32, LinkId)], by_chance: LinkId) -> LinkId {
    let theirs = |link: &LinkId| cx.links.get(*link).is_some_and(|link| !is_ours(link));
    let theirs: Vec<LinkId> = candidates.iter().map(|(_, link)| *link).filter(theirs).collect();
    if !theirs.contains(&by_chance) {
        return by_chance;
    }
    let other = cx.rng.choose(&theirs).copied().unwrap_or(by_chance);
    // One that was never measured counts as far.
    let distance = |link: LinkId| {
        cx.links.get(link).and_then(|link| link.round_trip()).unwrap_or(Duration::MAX)
    };
    if distance(other) > distance(by_chance) { other } else { by_chance }
}
