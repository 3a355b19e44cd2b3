//! The search for a supplier: it climbs a tree until someone beside it wants the same, goes down there, and ends at a
//! peer that may supply the seeker. That one offers it a link.
//!
//! A search is one chain: it never branches. Where it ends in nothing, the seeker seeks again later.

use taiinet_identity::{PeerId, Verified};
use taiinet_query::RoutingKey;

use super::{
    clients::Clients,
    order::{Order, supplies},
};
use crate::{
    Budget, LinkId, Misbehaviour,
    cx::Cx,
    interest::Wants,
    limits,
    notice::{Candidacy, Notice},
    trees::Trees,
    wire::{Seek, Slot, Sought, SupplyFrame, VERIFICATION},
};

/// We seek a supplier. Every second search leaves by a neighbour at random, which may know others than our parent.
pub(super) fn begins(cx: &mut Cx, key: RoutingKey, turn: u8, trees: &Trees) {
    // Where children want the same, it comes by the tree in any case.
    let comes_by_tree = trees.slots().any(|slot| !trees.children_that_seek(slot, &key).is_empty());
    if comes_by_tree || !has_room(cx, limits::SUPPLY_LINKS) {
        return;
    }
    if cx.config.introduce_by_interest {
        cx.notify(Notice::IntroduceFor { key });
    }
    let Some(slot) = trees.in_turn(turn / 2) else { return };
    let sought = Sought {
        network: cx.config.network.clone(),
        key,
        joined: cx.presence.joined,
        issued_at: cx.now.timestamp(),
    };
    let sought = Verified::sign(&cx.identity, sought).signed().clone();
    let parent = trees.parent(slot);
    let by_parent = turn % 2 == 1;
    let others: Vec<LinkId> =
        cx.links.active().filter(|link| link.has_trees).map(|link| link.id).collect();
    let to = parent.filter(|_| by_parent).or_else(|| cx.rng.choose(&others).copied());
    if let Some(to) = to {
        send(cx, to, Seek { slot, hops: limits::SEEK_HOPS, down: false, sought });
    }
}

/// A signaller says that these want the same: one that may supply us is dialled, and asked like any neighbour when the link is
/// there. Those that we may supply ask the signaller themselves.
pub(super) fn dials(cx: &mut Cx, key: &RoutingKey, peers: &[PeerId], wants: &Wants) {
    let lacks = cx.config.introduce_by_interest && wants.has(key) && wants.supplier(key).is_none();
    if !lacks || cx.dozing || pending(cx) > 0 || !has_room(cx, limits::SUPPLY_LINKS) {
        return;
    }
    let ours = Order::of(&cx.id(), key);
    let may = |peer: &PeerId| {
        !cx.links.leads_to(peer)
            && !cx.reputation.is_resting(peer, cx.now)
            && Order::of(peer, key) < ours
    };
    let peers = peers.iter().take(limits::PRESENCES_PER_FRAME).copied();
    let peers: Vec<PeerId> = peers.filter(may).collect();
    if let Some(peer) = cx.rng.choose(&peers) {
        cx.notify(Notice::DialForSupply(*peer));
    }
}

/// A search has come.
///
/// # Errors
/// [`Misbehaviour::Oversize`], [`Misbehaviour::Undecodable`], [`Misbehaviour::WrongNetwork`],
/// [`Misbehaviour::InvalidSignature`]
pub(super) fn passes(
    cx: &mut Cx,
    link: LinkId,
    seek: Seek,
    (wants, trees, clients): (&Wants, &Trees, &Clients),
    budget: &mut Budget,
) -> Result<(), Misbehaviour> {
    let Seek { slot, hops, down, sought } = seek;
    let body = Sought::peek(&sought)?;
    if body.network != cx.config.network {
        return Err(Misbehaviour::WrongNetwork);
    }
    let in_time = cx.now.is_of_late(body.issued_at, limits::SOUGHT_LASTS);
    let seeker = sought.signer();
    // Clocks differ, and a search may come round.
    if !in_time || seeker == cx.id() || body.key == RoutingKey::Any {
        return Ok(());
    }
    cx.spend(link, VERIFICATION);
    let sought = sought.verify().map_err(|_| Misbehaviour::InvalidSignature)?;
    if cx.reputation.is_blacklisted(&seeker, cx.now) {
        return Ok(());
    }
    let most = if supplies(&cx.id(), wants, &seeker, &body.key) {
        // The last client gives way to a seeker that comes before it.
        let order = Order::of(&seeker, &body.key);
        let gives_way = clients.last(cx, &body.key).is_some_and(|(last, _)| order < last);
        // Else there is to be room for suppliers of our own.
        let free = wants.unsupplied().min(limits::SUPPLY_LINKS_FREE);
        if gives_way { limits::SUPPLY_LINKS + 1 } else { limits::SUPPLY_LINKS - free }
    } else if wants.has(&body.key) && wants.supplier(&body.key).is_none() {
        // It may supply us.
        limits::SUPPLY_LINKS
    } else {
        0
    };
    if most > 0 && cx.links.leads_to(&seeker) {
        // It knows, or will ask before long.
        return Ok(());
    }
    if has_room(cx, most) && offers(cx, seeker, &body, budget) {
        return Ok(());
    }
    let Some(hops) = hops.checked_sub(1) else { return Ok(()) };
    let next = next(cx, (link, seeker), (slot, down), &body.key, (wants, trees, clients));
    if let Some((to, down)) = next {
        send(cx, to, Seek { slot, hops, down, sought: sought.signed().clone() });
    }
    Ok(())
}

/// Where it goes from here: to a client of ours that may supply the seeker, to our own supplier, where a child wants the key,
/// or up.
fn next(
    cx: &mut Cx,
    (from, seeker): (LinkId, PeerId),
    (slot, down): (Slot, bool),
    key: &RoutingKey,
    (wants, trees, clients): (&Wants, &Trees, &Clients),
) -> Option<(LinkId, bool)> {
    let theirs = Order::of(&seeker, key);
    let before =
        |link: &LinkId| cx.links.peer(*link).is_some_and(|peer| Order::of(&peer, key) < theirs);
    let clients: Vec<LinkId> =
        clients.of(key).filter(|client| *client != from && before(client)).collect();
    if let Some(client) = cx.rng.choose(&clients) {
        return Some((*client, true));
    }
    if let Some(supplier) = wants.supplier(key).filter(|supplier| *supplier != from) {
        return Some((supplier, true));
    }
    let mut children = trees.children_that_seek(slot, key);
    children.retain(|child| *child != from);
    if let Some(child) = cx.rng.choose(&children) {
        return Some((*child, true));
    }
    let parent = trees.parent(slot).filter(|parent| !down && *parent != from)?;
    Some((parent, false))
}

/// Offers a link to a peer that seeks what we get. Whether we do. Few at a time, and few in all: the seeker may be one
/// that cannot be reached, or refuses, and has us offer for nothing.
fn offers(cx: &mut Cx, seeker: PeerId, sought: &Sought, offers: &mut Budget) -> bool {
    let may = pending(cx) < limits::SEEKERS_AT_ONCE
        && !cx.dozing
        && !cx.reputation.is_resting(&seeker, cx.now)
        && offers.take(1, cx.now);
    if may {
        cx.notify(Notice::Dial(Candidacy {
            peer: seeker,
            joined: sought.joined,
            address: None,
            heard_from: Vec::new(),
            sought: true,
        }));
    }
    may
}

/// How many links are being made for the sake of suppliers.
fn pending(cx: &Cx) -> usize {
    cx.links.iter().filter(|link| link.sought && !link.is_admitted()).count()
}

/// Whether there are less than so many links for the sake of suppliers, and room for one more.
fn has_room(cx: &Cx, most: usize) -> bool {
    let supplying = cx.links.iter().filter(|link| link.is_of_supply(cx.now)).count();
    supplying < most && cx.has_room(true, |link| link.is_admitted() || !link.incoming)
}

/// Well below what a neighbour takes of us, whatever others have us pass on.
fn send(cx: &mut Cx, to: LinkId, seek: Seek) {
    let may =
        cx.links.get_mut(to).is_some_and(|link| link.takes_more() && link.budgets.may_seek(cx.now));
    if may {
        cx.send(to, SupplyFrame::Seek(seek));
    }
}
