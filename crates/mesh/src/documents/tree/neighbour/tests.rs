#![allow(clippy::unwrap_used)]

use core::time::Duration;

use super::*;
use crate::{
    LinkId,
    documents::{Recent, tree::asked::Asked},
    testing::NOW,
};

fn id(number: u32) -> DocumentId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    DocumentId::from_bytes(bytes)
}

const WAIT: Duration = Duration::from_millis(250);
const LINK: LinkId = LinkId::from_raw(1);

#[test]
fn announcements_are_gathered_and_bounded() {
    let mut neighbour = Neighbour::new(NOW);
    for number in 0..limits::OWED_IDS as u32 + 5 {
        neighbour.owe(id(number), NOW);
    }
    assert_eq!(neighbour.announce(NOW), None);
    let (mut now, mut count) = (NOW, 0);
    while let Some(at) = neighbour.announce_at {
        now = at;
        let Some(DocumentFrame::Have(ids)) = neighbour.announce(now) else { panic!() };
        count += ids.len();
    }
    assert_eq!(count, limits::OWED_IDS);
    assert!(now > NOW);
}

#[test]
fn while_we_doze_nothing_is_gathered() {
    let mut neighbour = Neighbour::new(NOW);
    let (mut asked, recent) = (Asked::default(), Recent::default());
    // Also what was being gathered when we began to.
    neighbour.owe(id(1), NOW);
    neighbour.promise(id(2), WAIT, NOW);
    assert_eq!(neighbour.announce(NOW), None);
    assert_eq!(neighbour.promises.ask(LINK, &mut asked, &recent, NOW), None);
    for round in [0, 10] {
        neighbour.set_unbatched(true, NOW);
        assert_eq!(neighbour.deadline(false), Some(NOW));
        assert_eq!(neighbour.announce(NOW), Some(DocumentFrame::Have(vec![id(round + 1)])));
        let graft = neighbour.promises.ask(LINK, &mut asked, &recent, NOW);
        assert_eq!(graft, Some(vec![id(round + 2)]));
        assert!(neighbour.promises.sent(&id(round + 2), NOW).asked);
        assert_eq!(neighbour.deadline(false), None);
        neighbour.owe(id(11), NOW);
        neighbour.promise(id(12), WAIT, NOW);
    }
    neighbour.set_unbatched(false, NOW);
    neighbour.announce(NOW);
    neighbour.owe(id(20), NOW);
    assert_eq!(neighbour.announce(NOW), None);
}

#[test]
fn what_a_dozer_announced_is_awaited_longer_from_others() {
    let mut neighbour = Neighbour { dozing: true, ..Neighbour::new(NOW) };
    neighbour.promise(id(1), WAIT, NOW);
    let due = NOW.after(WAIT).after(limits::DOZE_GRAFT_AFTER);
    assert_eq!(neighbour.deadline(false), Some(due));
}

#[test]
fn while_the_application_is_behind_nothing_is_asked_or_compared() {
    let mut neighbour = Neighbour::new(NOW);
    neighbour.promise(id(1), WAIT, NOW);
    neighbour.promises.schedule_compare(NOW);
    assert_eq!(neighbour.deadline(true), None);
    assert_eq!(neighbour.deadline(false), Some(NOW.after(WAIT)));
}
