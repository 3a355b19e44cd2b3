//! What is missed, and asked for.

use super::*;

fn prefix(number: u64) -> IdPrefix {
    IdPrefix::from(&id(number))
}

/// Or a root that names what there is not, or a parent that drops much, would have honest peers put each other on the
/// blacklist.
#[test]
fn who_misses_much_asks_each_neighbour_for_no_more_than_it_bears() {
    let mut setting = setting(Spreading::Route);
    setting.interest.subscribe("{}".parse().unwrap()).unwrap();
    setting.tick();
    setting.sent();
    for number in 0..1000 {
        setting.named(&id(number), DocumentKeys::EVERYTHING);
    }
    setting.cx.now = NOW.after(limits::ASK_AFTER);
    setting.tick();
    let most = limits::TREE_FRAMES.0 as usize;
    let asks = setting.asks();
    assert!(asks.iter().all(|asks| *asks <= most), "{asks:?}");
}

#[test]
fn what_is_named_and_wanted_and_does_not_come_is_asked_for_so_often() {
    let mut setting = setting(Spreading::Route);
    setting.interest.subscribe(query(1)).unwrap();
    let [wanted, other, here] =
        [(5, 1), (6, 2), (7, 1)].map(|(author, number)| document(&identity(author), number, None));
    setting.cx.store.insert(&here, 0, NOW);
    for document in [&wanted, &other, &here] {
        setting.named(&document.id(), DocumentKeys::of(document));
    }
    setting.cx.now = NOW.after(limits::ASK_AFTER - core::time::Duration::from_millis(1));
    setting.tick();
    assert_eq!(setting.asks(), [0; 3], "it may come by itself");
    let (mut asked, mut at_once) = ([0; 3], Vec::new());
    for _ in 0..100 {
        let Some(due) = setting.routes.missing.deadline() else { break };
        setting.cx.now = due.max(setting.cx.now);
        setting.tick();
        let asks = setting.asks();
        at_once.extend(Some(asks.iter().sum::<usize>()).filter(|asks| *asks > 0));
        asked = [0, 1, 2].map(|at| asked[at] + asks[at]);
    }
    assert_eq!(setting.routes.missing.deadline(), None, "it gives up");
    assert_eq!(at_once[..2], [1; 2], "one at a time at first");
    assert_eq!(at_once.iter().max(), Some(&limits::ASK_WIDELY));
    let [least, most] = [asked.iter().min(), asked.iter().max()].map(|asked| *asked.unwrap());
    assert!(
        most - least <= 1 && most <= usize::from(limits::ASK_TRIES),
        "each by turns: {asked:?}"
    );
}

/// Or a root that names what there is not would have peers leave honest parents and suppliers.
#[test]
fn what_was_owed_counts_when_it_comes_from_elsewhere_and_so_exists() {
    let mut setting = setting(Spreading::Route);
    setting.interest.subscribe(query(1)).unwrap();
    let [late, prompt] = [5, 6].map(|author| document(&identity(author), 1, None));
    for id in [late.id(), id(7)] {
        setting.named(&id, DocumentKeys::of(&late));
    }
    let missed = |setting: &mut Setting| {
        let notices = setting.cx.notices.drain(..);
        notices.filter(|notice| matches!(notice, Notice::Missed { slot: SLOT, .. })).count()
    };
    setting.cx.now = NOW.after(limits::ASK_AFTER);
    setting.tick();
    assert!(setting.asks().iter().sum::<usize>() > 1);
    assert_eq!(missed(&mut setting), 0, "who knows whether they exist");
    setting.named(&prompt.id(), DocumentKeys::of(&prompt));
    let from = setting.links[0];
    setting.route(&prompt, Some((from, Way::Down(SLOT))));
    assert_eq!(missed(&mut setting), 0, "it came before it was asked for");
    setting.route(&late, Some((from, Way::Aside)));
    assert_eq!(missed(&mut setting), 1);
}

#[test]
fn a_neighbour_gets_what_it_asks_for_at_once_or_when_it_comes() {
    let mut setting = setting(Spreading::Route);
    let [asks, other, third] = setting.links;
    for link in [other, third] {
        setting.hears(link, wants(9));
    }
    setting.hears(asks, wants(9));
    let here = document(&identity(5), 1, None);
    setting.cx.store.insert(&here, 0, NOW);
    let ask = |id: DocumentId, hops| RouteFrame::Ask(Ask { slot: SLOT, id: (&id).into(), hops });
    setting.cx.notices.clear();
    setting.hears(asks, ask(here.id(), 0));
    let passed = setting.cx.notices.iter().any(|notice| {
        matches!(notice, Notice::Pass { id, steps, .. }
            if *id == here.id() && *steps == BTreeMap::from([(asks, Step::Push(Way::Aside))]))
    });
    assert!(passed);

    // And not without end.
    setting.cx.notices.clear();
    for _ in 0..10 {
        setting.hears(asks, ask(here.id(), 0));
    }
    assert_eq!(setting.cx.notices.len(), usize::from(limits::SERVINGS) - 1);
    setting.hears(other, ask(here.id(), 0));
    assert_eq!(setting.cx.notices.len(), usize::from(limits::SERVINGS), "others get it");

    let later = document(&identity(5), 2, None);
    setting.hears(asks, ask(later.id(), 0));
    setting.tick();
    assert_eq!(setting.asks(), [0; 3], "it has gone far enough");
    setting.hears(asks, ask(later.id(), u8::MAX));
    setting.tick();
    assert_eq!(setting.asks(), [0; 3], "no root has named it");
    setting.named(&later.id(), DocumentKeys::of(&later));
    setting.hears(asks, ask(later.id(), u8::MAX));
    setting.tick();
    let sent = setting.sent();
    let hops: Vec<u8> = sent
        .iter()
        .flatten()
        .filter_map(|frame| match frame {
            RouteFrame::Ask(ask) => Some(ask.hops),
            RouteFrame::Wants(_) => None,
        })
        .collect();
    assert_eq!(hops, [limits::ASK_HOPS - 1], "of one neighbour, and not without end");
    let steps = setting.route(&later, Some((other, Way::Aside)));
    assert_eq!(steps.get(&asks), Some(&Step::Push(Way::Aside)));
    assert_eq!(steps.len(), 1);
}

/// What lies behind the first may be lost each time.
#[test]
fn a_neighbour_that_asks_again_has_another_asked_and_none_that_waits_itself() {
    let mut setting = setting(Spreading::Route);
    let [asks, other, third] = setting.links;
    setting.named(&id(1), DocumentKeys::EVERYTHING);
    let ask = RouteFrame::Ask(Ask { slot: SLOT, id: (&id(1)).into(), hops: 5 });
    let mut rounds = Vec::new();
    for _ in 0..2 {
        // Twice in a moment is once.
        for _ in 0..2 {
            setting.hears(asks, ask.clone());
            setting.tick();
        }
        rounds.push(setting.asks());
        setting.cx.now = setting.cx.now.after(limits::ASK_EVERY);
    }
    rounds.sort_unstable();
    assert_eq!(rounds, [[0, 0, 1], [0, 1, 0]]);
    let mut all = 0;
    for _ in 0..20 {
        setting.hears(asks, ask.clone());
        setting.tick();
        all += setting.asks().iter().sum::<usize>();
        setting.cx.now = setting.cx.now.after(limits::ASK_LATER);
    }
    assert!(all <= usize::from(limits::ASK_RELAYED), "{all}");
    // Who waits for it has not got it.
    setting.cx.now = NOW.after(limits::ASK_KEPT * 3);
    setting.tick();
    for link in [other, third] {
        setting.hears(link, ask.clone());
    }
    setting.tick();
    assert_eq!(setting.asks(), [1, 0, 0]);
}

/// Each of a hundred peers would ask 32 times for each of sixteen names a second.
#[test]
fn a_root_that_names_what_there_is_not_is_asked_after_less_and_less() {
    let asks = |exists: bool| {
        let mut setting = setting(Spreading::Route);
        setting.interest.subscribe(query(1)).unwrap();
        let (mut all, mut number) = (0, 0);
        for second in 0..60 {
            setting.cx.now = NOW.after(core::time::Duration::from_secs(second));
            for _ in 0..8 {
                number += 1;
                let document = document(&identity(5), 1, None);
                setting.named(&id(number), DocumentKeys::of(&document));
            }
            setting.tick();
            all += setting.asks().iter().sum::<usize>();
            // What was asked for comes.
            for number in (0..=number - 8).filter(|_| exists) {
                setting.routes.missing.came(&prefix(number), setting.cx.now);
            }
        }
        all
    };
    let (none, real) = (asks(false), asks(true));
    let most = usize::try_from(limits::ASKS_IN_VAIN.0 + 60 * limits::ASKS_IN_VAIN.1).unwrap();
    assert!(none <= most * limits::ASK_WIDELY, "{none}");
    assert!(real > 400, "{real}");
}

#[test]
fn a_root_that_names_what_there_is_not_keeps_nobody_from_what_the_other_names() {
    let mut missing = Missing::default();
    let (bad, good) = ((SLOT, None), (Slot(1), None));
    let wait = core::time::Duration::ZERO;
    for number in 0..limits::MISSING as u64 {
        missing.want(prefix(number), bad, wait, NOW);
    }
    while missing.overdue(NOW).is_some() {}
    // One of them is real, and another has been named by both from the beginning.
    let named_by_both = [3, 9_000_000];
    for number in named_by_both {
        missing.want(prefix(number), good, wait, NOW);
    }
    let again = NOW.after(limits::ASK_EVERY);
    let mut asked: Vec<IdPrefix> = Vec::new();
    for _ in 0..limits::ASKS_AT_ONCE {
        asked.extend(missing.overdue(again).map(|(id, _)| id));
    }
    for number in named_by_both {
        assert!(asked.contains(&prefix(number)), "{number}");
    }
    assert!(asked.len() < 10, "{}", asked.len());
}

#[test]
fn what_cannot_be_asked_for_now_is_accused_of_nobody_and_waited_for_as_long() {
    let (mut missing, link) = (Missing::default(), LinkId::from_raw(1));
    missing.wanted_by(link, prefix(1), (SLOT, 3), NOW);
    missing.want(prefix(2), (SLOT, None), core::time::Duration::ZERO, NOW);
    while let Some((_, missed)) = missing.overdue(NOW) {
        missed.put_off(NOW);
    }
    let later = NOW.after(limits::ASK_EVERY * 2);
    missing.give_up(later);
    assert!(missing.came(&prefix(2), later).unwrap().owed_by().is_none());
    assert_eq!(missing.came(&prefix(1), later).map(Missed::into_waiters), Some(vec![link]));
}

#[test]
fn what_is_missed_is_bounded_and_forgets_links_that_are_gone() {
    let (mut missing, link) = (Missing::default(), LinkId::from_raw(1));
    let most = (limits::MISSING / limits::SLOTS) as u64;
    for number in 0..most + 10 {
        missing.wanted_by(link, prefix(number), (SLOT, 3), NOW);
    }
    missing.want(prefix(0), (SLOT, None), core::time::Duration::ZERO, NOW);
    let waiters = missing.came(&prefix(most - 1), NOW).map(Missed::into_waiters);
    assert_eq!(waiters, Some(vec![link]));
    assert!(missing.came(&prefix(most), NOW).is_none(), "there was no room");
    missing.link_down(link);
    assert!(missing.came(&prefix(1), NOW).is_none_or(|missed| missed.into_waiters().is_empty()));
    let (_, missed) = missing.overdue(NOW).unwrap();
    assert_eq!(missed.hops(), limits::ASK_HOPS, "ours");
    let (_, missed) = missing.overdue(NOW).unwrap();
    assert_eq!(missed.hops(), 0, "nobody waits for it any more");
    let mut asked = 1;
    let mut now = NOW;
    while let Some(due) = missing.deadline() {
        now = due.max(now);
        missing.give_up(now);
        while let Some((id, _)) = missing.overdue(now) {
            asked += u8::from(id == prefix(0));
        }
    }
    assert_eq!(asked, limits::ASK_TRIES);
}
