use super::*;
use crate::testing::{NOW, identity};

fn group() -> Group {
    Group::of(&identity(1).peer_id())
}

/// A feeding in which one group was pushed.
fn proven() -> Feeding {
    let mut feeding = Feeding::new(NOW);
    feeding.pushes(group());
    feeding
}

fn all_but(group: Group) -> Groups {
    !Groups::from(group)
}

#[test]
fn more_late_copies_than_first_ones_end_pushes_of_a_group_and_more_after_each_graft() {
    let mut feeding = proven();
    for borne in [2, 4, 8, 16, 32, 32] {
        for _ in 0..100 {
            feeding.is_late(group(), true, NOW);
            feeding.pushes(group());
            assert!(feeding.wants(group()), "as often first as late");
        }
        for _ in 0..100 {
            feeding.is_late(group(), false, NOW);
            assert!(feeding.wants(group()), "the last feeder is kept");
        }
        for _ in 0..borne {
            feeding.pushes(group());
        }
        for late in 0..borne {
            assert!(feeding.wants(group()), "after {late} of {borne}");
            feeding.is_late(group(), true, NOW);
        }
        assert_eq!(feeding.wanted, all_but(group()));
        assert!(feeding.proven().is_empty());
        feeding.graft(group().into());
        assert_eq!(feeding.wanted, Groups::ALL);
        assert!(feeding.proven().is_empty(), "it has yet to push");
        feeding.pushes(group());
        assert!(feeding.proven().contains(group()));
    }
}

#[test]
fn what_is_to_be_pushed_is_told_at_most_so_often_and_the_last_state_counts() {
    let mut feeding = Feeding::new(NOW);
    assert_eq!((feeding.deadline(), feeding.tell(NOW)), (None, None), "both ends begin with all");
    feeding.prune();
    assert_eq!(feeding.tell(NOW), Some(DocumentFrame::Feed(0)));
    feeding.graft(group().into());
    feeding.prune();
    assert_eq!(feeding.deadline(), None, "it knows that");
    for _ in 0..1000 {
        feeding.graft(Groups::ALL);
        feeding.prune();
        feeding.graft(group().into());
        assert_eq!(feeding.tell(NOW), None);
    }
    let later = NOW.after(TELL_EVERY);
    assert_eq!(feeding.deadline(), Some(later));
    assert_eq!(feeding.tell(later), Some(DocumentFrame::Feed(Groups::from(group()).bits())));
}

/// How often a neighbour must be sooner until it is to push as well, each time anew.
fn times_sooner(feeding: &mut Feeding, rounds: usize, lapses: bool) -> Vec<u32> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        feeding.prune();
        let mut count = 0;
        while !feeding.wants(group()) {
            feeding.is_sooner(group(), true, NOW);
            count += 1;
        }
        times.push(count);
        if lapses {
            feeding.lapses(group());
        }
    }
    times
}

#[test]
fn a_neighbour_that_was_taken_for_sooner_must_be_so_more_often_the_next_time() {
    let mut feeding = proven();
    assert_eq!(times_sooner(&mut feeding, 5, false), [4, 8, 16, 32, 32]);
    // As often later as sooner is not sooner.
    feeding.prune();
    for _ in 0..1000 {
        feeding.is_sooner(group(), true, NOW);
        feeding.is_sooner(group(), false, NOW);
    }
    assert!(!feeding.wants(group()));
    // Half of it is forgiven each minute, also while nothing comes; and not to a neighbour that is late.
    let later = NOW.after(FORGIVEN_EVERY);
    for _ in 0..20 {
        feeding.is_sooner(group(), true, NOW);
    }
    for _ in 0..10 {
        feeding.is_sooner(group(), false, later);
        assert!(!feeding.wants(group()));
    }
    assert_eq!(feeding.records.get(group()).often, 16);
    feeding.is_sooner(group(), false, later.after(10 * FORGIVEN_EVERY));
    assert_eq!(feeding.records.get(group()).often, TIMES_SOONER.0);
}

#[test]
fn a_neighbour_that_did_not_push_what_it_was_relied_on_for_must_be_sooner_more_often() {
    let mut feeding = proven();
    assert_eq!(times_sooner(&mut feeding, 5, true), [4, 16, 64, 128, 128]);
    let later = NOW.after(FORGIVEN_EVERY);
    feeding.is_sooner(group(), false, later);
    assert!(feeding.lapses <= 4);
}
