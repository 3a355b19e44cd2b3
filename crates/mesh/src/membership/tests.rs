#![allow(clippy::unwrap_used)]

use core::time::Duration;

use taiinet_document::Timestamp;

use super::*;
use crate::{
    testing::{self, NOW, identity, work_left},
    wire::{Frame, Kept},
};

/// A peer with three neighbours that chose it; it relies on the last of them for much.
fn with_neighbours() -> (Cx, [LinkId; 3]) {
    let mut cx = testing::cx();
    let links = [1, 2, 3].map(|number| testing::neighbour(&mut cx, &identity(number)));
    for (link, relied_on) in links.iter().zip([0, 1, 40]) {
        let state = cx.links.get_mut(*link).unwrap();
        (state.incoming, state.relied_on) = (true, relied_on);
    }
    (cx, links)
}

#[test]
fn of_the_links_that_can_go_one_goes_that_we_rely_on_for_least() {
    for seed in 0..20 {
        let (mut cx, [nothing, little, much]) = with_neighbours();
        cx.rng = crate::rng::Rng::new([seed; 32]);
        parting::part(&mut cx, |_| true, parting::A_LEAF);
        let left = |cx: &Cx| [nothing, little, much].map(|link| cx.links.get(link).is_some());
        assert_eq!(left(&cx), [false, true, true]);
        parting::part(&mut cx, |_| true, parting::A_LEAF);
        assert_eq!(left(&cx), [false, false, true]);
    }
}

/// A peer that is full of those that have others below them would never get an archive.
#[test]
fn one_that_has_others_below_it_goes_for_a_need_and_the_parent_never() {
    let parted = |most_below| {
        let (mut cx, links) = with_neighbours();
        for (link, brings) in links.into_iter().zip([30, 20, 2]) {
            cx.links.get_mut(link).unwrap().brings = [0, brings];
        }
        cx.links.get_mut(links[2]).unwrap().leads_up.set(crate::wire::Slot(0), true);
        parting::part(&mut cx, |_| true, most_below);
        links.iter().position(|link| cx.links.get(*link).is_none())
    };
    assert_eq!(parted(parting::A_LEAF), None);
    assert_eq!(parted(parting::A_CHILD), Some(1));
}

/// So part of the view is near. What we chose ourselves stays as chance would have it.
#[test]
fn of_two_that_are_relied_on_alike_the_farther_goes_unless_it_is_of_our_choice() {
    let setting = |incoming: [bool; 3], seed: u8| {
        let (mut cx, links) = with_neighbours();
        cx.rng = crate::rng::Rng::new([seed; 32]);
        (cx.config.target_links, cx.config.max_links) = (1, 2);
        for ((link, incoming), millis) in links.into_iter().zip(incoming).zip([20, 300, 100]) {
            let state = cx.links.get_mut(link).unwrap();
            (state.incoming, state.relied_on) = (incoming, 0);
            state.set_round_trip(Duration::from_millis(millis));
        }
        parting::part(&mut cx, |_| true, parting::A_LEAF);
        links.iter().position(|link| cx.links.get(*link).is_none()).unwrap()
    };
    let mut gone = [0; 3];
    (0..90).for_each(|seed| gone[setting([true; 3], seed)] += 1);
    let [near, far, between] = gone;
    assert!(0 < near && near < between && between < far, "{gone:?}");
    let ours: std::collections::BTreeSet<usize> =
        (0..20).map(|seed| setting([false; 3], seed)).collect();
    assert_eq!(ours.len(), 3, "by chance");
}

/// Who has something for an archive links to one beyond the links that it wants, and to nobody else.
#[test]
fn something_for_an_archive_is_worth_a_link_to_one() {
    let mut cx = testing::cx();
    (cx.config.target_links, cx.config.max_links) = (1, 4);
    let first = testing::neighbour(&mut cx, &identity(1));
    testing::neighbour(&mut cx, &identity(2));
    let mut membership = Membership::new(&mut cx);
    let seeks = |membership: &mut Membership, cx: &mut Cx, told: Vec<Signed<Presence>>| {
        membership.frame(cx, first, ViewFrame::ShuffleReply(told)).unwrap();
        (cx.view_changed, cx.now) = (true, cx.now.after(core::time::Duration::from_millis(500)));
        cx.notices.clear();
        membership.seek(cx);
        let dialled = cx.notices.iter().find_map(|notice| match notice {
            Notice::Dial(candidacy) => Some(candidacy.peer),
            _ => None,
        });
        let asks = cx.notices.iter().any(|notice| matches!(notice, Notice::Introduce { .. }));
        (dialled, asks)
    };
    let plain = testing::presence(&identity(3), NOW);
    let plain_four = testing::presence(&identity(4), NOW).signed().peek().unwrap();
    let keeps = Presence { archive: Some(Default::default()), ..plain_four };
    let keeps = Signed::new(&identity(4), &keeps);
    assert_eq!(seeks(&mut membership, &mut cx, vec![plain.signed().clone()]), (None, false));
    cx.wants_archive = true;
    assert_eq!(seeks(&mut membership, &mut cx, Vec::new()), (None, true), "none is known");
    // It waits to be told of one, and is not called again and again meanwhile.
    assert!(membership.deadline(&cx, None) > Some(cx.now));
    assert_eq!(seeks(&mut membership, &mut cx, vec![keeps]), (Some(identity(4).peer_id()), false));
    cx.config.max_links = 2;
    assert_eq!(seeks(&mut membership, &mut cx, Vec::new()), (None, false), "there is no room");
}

/// Offences weigh more than any service.
#[test]
fn a_neighbour_that_misbehaved_goes_before_one_that_is_of_no_use() {
    let (mut cx, [nothing, _, much]) = with_neighbours();
    let peer = cx.links.peer(much).unwrap();
    cx.reputation.charge(peer, Misbehaviour::InvalidSignature, NOW);
    parting::part(&mut cx, |_| true, parting::A_LEAF);
    assert!(cx.links.get(much).is_none() && cx.links.get(nothing).is_some());
}

#[test]
fn a_link_that_tells_of_peers_pays_for_each_signature_that_is_verified() {
    let mut cx = testing::cx();
    let link = testing::neighbour(&mut cx, &identity(1));
    let mut membership = Membership::new(&mut cx);
    let told: Vec<_> =
        (2..12).map(|of| testing::presence(&identity(of), NOW).signed().clone()).collect();
    let mut costs = || {
        let before = work_left(&cx, link);
        membership.frame(&mut cx, link, ViewFrame::ShuffleReply(told.clone())).unwrap();
        before - work_left(&cx, link)
    };
    assert_eq!(costs(), 10 * VERIFICATION as i64);
    assert_eq!(costs(), 0, "they are known");
}

/// As a TURN server here that is full: it lets nobody in that dials, and is no fault of theirs.
#[test]
fn what_keeps_out_those_that_dial_us_is_told_and_makes_nobody_wait() {
    let mut cx = testing::cx();
    let neighbour = testing::neighbour(&mut cx, &identity(1));
    let mut membership = Membership::new(&mut cx);
    let told = testing::presence(&identity(2), NOW).signed().clone();
    membership.frame(&mut cx, neighbour, ViewFrame::ShuffleReply(vec![told])).unwrap();
    let peer = identity(2).peer_id();
    let mistaken = LinkFailure::Mistaken { what: String::new(), cure: String::new() };
    let mut ends = |cx: &mut Cx, incoming, failure: LinkFailure| {
        let link = cx.links.open(peer, incoming, 0, NOW).id;
        cx.notices.clear();
        cx.drop_link(link, Disconnect::Link(failure));
        for notice in core::mem::take(&mut cx.notices) {
            membership.on(cx, &notice);
        }
        let can_be_dialled = membership.pick(cx, &[]).is_some();
        (membership.failures().into_iter().map(|(_, cause)| cause).next(), can_be_dialled)
    };
    assert_eq!(ends(&mut cx, true, LinkFailure::Remote), (None, true));
    let told = Disconnect::Link(mistaken.clone());
    assert_eq!(ends(&mut cx, true, mistaken.clone()), (Some(told.clone()), true));
    assert_eq!(ends(&mut cx, false, mistaken), (Some(told), false));
}

#[test]
fn what_an_archive_keeps_now_is_told_and_heard() {
    let keeping = |since| Kept { since: Timestamp::from_millis(since), ..Kept::default() };
    let mut cx = testing::cx();
    cx.config.archive = Some(keeping(1));
    let first = cx.own_presence();
    cx.config.archive = Some(keeping(2));
    assert_eq!(cx.own_presence(), first, "so soon there is no other");
    cx.now = cx.now.after(limits::PRESENCE_NEWS);
    let second = cx.own_presence();
    assert_eq!(second.peek().unwrap().archive, Some(keeping(2)));
    cx.now = cx.now.after(limits::PRESENCE_NEWS);
    assert_eq!(cx.own_presence(), second, "nothing has changed");

    let link = testing::neighbour(&mut cx, &identity(1));
    let [older, newer] = [1, 2].map(|number| {
        testing::archive(&identity(1), NOW.after(Duration::from_secs(number)), keeping(number))
    });
    cx.links.get_mut(link).unwrap().presence = Some(older.clone());
    let mut membership = Membership::new(&mut cx);
    for told in [newer, older] {
        let reply = ViewFrame::ShuffleReply(vec![told.signed().clone()]);
        membership.frame(&mut cx, link, reply).unwrap();
        assert_eq!(cx.links.get(link).unwrap().keeps(), Some(&keeping(2)));
    }
}

// ---- Suppliers ----

#[test]
fn a_link_over_which_one_end_supplies_the_other_is_kept_and_so_for_a_while_is_one_that_was_made_for_that()
 {
    let (mut cx, [supplies, sought, other]) = with_neighbours();
    cx.links.get_mut(supplies).unwrap().supplies = 1;
    let state = cx.links.get_mut(sought).unwrap();
    (state.incoming, state.sought) = (false, true);
    for _ in 0..3 {
        parting::part(&mut cx, |_| true, parting::A_LEAF);
    }
    let left = |cx: &Cx| [supplies, sought, other].map(|link| cx.links.get(link).is_some());
    assert_eq!(left(&cx), [true, true, false]);
    // It has shown to be of no use, and is none of our own choice.
    cx.now = NOW.after(limits::SUPPLY_TRIED);
    parting::part(&mut cx, |_| true, parting::A_LEAF);
    assert_eq!(left(&cx), [true, false, false]);
}

#[test]
fn neighbours_at_random_are_wanted_beside_those_that_supply() {
    let mut cx = testing::cx();
    (cx.config.target_links, cx.config.max_links) = (6, 10);
    for number in 1..=6 {
        let link = testing::neighbour(&mut cx, &identity(number));
        cx.links.get_mut(link).unwrap().supplies = 1;
    }
    assert_eq!(wanting(&cx).links, 6 - limits::SUPPLY_LINKS_COUNTED);
    assert_eq!(wakeful(&cx), limits::SUPPLY_LINKS_COUNTED);
}

#[test]
fn views_are_exchanged_less_often_where_there_are_enough_and_nobody_was_lost() {
    let mut cx = testing::cx();
    cx.config.target_links = 3;
    for number in 1..=4 {
        testing::neighbour(&mut cx, &identity(number));
    }
    let mut membership = Membership::new(&mut cx);
    let link = cx.links.active().next().unwrap().id;
    for number in (100..).take(limits::PASSIVE_VIEW / 2) {
        let told = vec![testing::presence(&identity(number), NOW).signed().clone()];
        let (source, via) = (Source::Stranger, link);
        membership.learn(&mut cx, via, source, told).unwrap();
    }
    let shuffles = |membership: &mut Membership, cx: &mut Cx| {
        let links: Vec<LinkId> = cx.links.active().map(|link| link.id).collect();
        let mut count = 0;
        for _ in 0..6 {
            membership.shuffle(cx);
            let frames = links.iter().flat_map(|link| testing::sent(cx, *link));
            let is_shuffle = |frame: &Frame| matches!(frame, Frame::View(ViewFrame::Shuffle(_)));
            count += frames.filter(is_shuffle).count();
        }
        count
    };
    assert_eq!(shuffles(&mut membership, &mut cx), 6, "it is new");
    cx.now = NOW.after(limits::CALM_AFTER);
    assert_eq!(shuffles(&mut membership, &mut cx), 2);
    membership.lost_at = cx.now;
    assert_eq!(shuffles(&mut membership, &mut cx), 6);
}

/// Its neighbours may all be accomplices: then nothing that happens reaches it.
#[test]
fn a_peer_that_is_cut_off_changes_the_neighbours_that_bring_nothing_again_and_again_but_less_and_less()
 {
    let mut cx = testing::cx();
    (cx.config.target_links, cx.config.max_links) = (2, 4);
    let links = [1, 2, 3, 4].map(|number| testing::neighbour(&mut cx, &identity(number)));
    let mut membership = Membership::new(&mut cx);
    let told = (10..22).map(|number| testing::presence(&identity(number), NOW).signed().clone());
    let frame = ViewFrame::ShuffleReply(told.collect());
    membership.frame(&mut cx, links[0], frame).unwrap();
    let passes = |cx: &mut Cx, membership: &mut Membership, seconds: u64, is_cut_off| {
        let mut dials = Vec::new();
        for _ in 0..seconds {
            cx.now = cx.now.after(Duration::from_secs(1));
            // The one brings what it can.
            if let Some(state) = cx.links.get_mut(links[3]) {
                state.brought_at = Some(cx.now);
            }
            cx.notices.clear();
            membership.tick(cx, is_cut_off);
            let dialled = cx.notices.iter().filter(|notice| matches!(notice, Notice::Dial(_)));
            dials.push(dialled.count());
        }
        dials
    };
    let left = |cx: &Cx| links.map(|link| cx.links.get(link).is_some());
    let fed = passes(&mut cx, &mut membership, 15, false);
    assert_eq!((fed.iter().sum::<usize>(), left(&cx)), (0, [true; 4]));
    let dials = passes(&mut cx, &mut membership, 60, true);
    let first = dials.iter().position(|dials| *dials > 0).unwrap() as u64 + 1;
    assert_eq!(dials[first as usize - 1], limits::CHANGES);
    assert_eq!(first, limits::CUT_OFF_AFTER.as_secs() + 1);
    // As there is room now, nobody else goes.
    let gone = left(&cx).into_iter().filter(|is_there| !is_there).count();
    assert!(gone == limits::CHANGES && left(&cx)[3], "{:?}", left(&cx));
    let times = dials.iter().filter(|dials| **dials > 0).count();
    assert!((3..8).contains(&times), "{dials:?}");
    // When it is fed it changes nobody.
    let fed = passes(&mut cx, &mut membership, 20, false);
    assert!(fed.iter().sum::<usize>() <= 1, "one now and then, as ever: {fed:?}");
}
