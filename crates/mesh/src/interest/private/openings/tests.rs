use core::time::Duration;

use super::*;
use crate::testing::{NOW, document, identity};

/// As many as the most private subscriptions make.
const KEYS: usize = limits::PRIVATE_SUBSCRIPTIONS + 1;

const CAME: Came = Came { hops: 1, via: None };

fn unopened(author: u8, nonce: u32) -> Unopened {
    Unopened { document: document(&identity(author), nonce, 10), came: CAME }
}

fn author(next: Option<(Unopened, Option<Recipient>)>) -> Option<PeerId> {
    next.map(|(unopened, _)| unopened.document.author())
}

/// Opens what may be opened now; the authors of those documents.
fn drain(openings: &mut Openings, now: Time) -> Vec<PeerId> {
    core::iter::from_fn(|| author(openings.next(KEYS, now))).collect()
}

fn peer(number: u8) -> PeerId {
    identity(number).peer_id()
}

/// An author may send a thousand documents a second; each took 3.3 ms.
#[test]
fn exchanges_are_bounded_for_an_author_and_in_all() {
    let mut openings = Openings::new(NOW);
    let (mut dropped, mut opened) = (0, 0);
    let seconds = 5;
    for tick in 0..seconds * 20 {
        let now = NOW.after(Duration::from_millis(tick * 50));
        for nonce in 0..10 {
            dropped += openings.push(unopened(1, tick as u32 * 10 + nonce), now).len();
        }
        opened += drain(&mut openings, now).len();
    }
    let (burst, rate) = limits::AUTHOR_OPENINGS;
    let most = (u64::from(burst) + u64::from(rate) * seconds) as usize / KEYS;
    assert!(opened <= most && opened + 2 > most / 2, "{opened} opened, {most} allowed");
    assert_eq!(dropped, 0, "they wait");
    assert_eq!(openings.documents, 1000 - opened);
    // Of many authors as many as of all.
    for author in 2..100 {
        for nonce in 0..4 {
            openings.push(unopened(author, nonce), NOW.after(Duration::from_secs(seconds)));
        }
    }
    let opened = drain(&mut openings, NOW.after(Duration::from_secs(seconds))).len();
    assert!(opened <= limits::OPENINGS.0 as usize / KEYS, "{opened}");
    assert!(openings.documents <= limits::UNOPENED && openings.bytes <= limits::UNOPENED_BYTES);
}

/// An author that writes little has its turn beside those that flood, in whatever order their names are.
#[test]
fn nobody_waits_for_those_that_flood() {
    let mut authors: Vec<u8> = (1..=10).collect();
    authors.sort_by_key(|number| peer(*number));
    for honest in [authors[0], authors[9]] {
        let mut openings = Openings::new(NOW);
        // Some were opened before.
        openings.push(unopened(honest, 0), NOW);
        openings.next(KEYS, NOW);
        for flooding in authors.iter().filter(|author| **author != honest) {
            for nonce in 0..60 {
                openings.push(unopened(*flooding, nonce), NOW);
            }
        }
        openings.push(unopened(honest, 1), NOW);
        assert!(drain(&mut openings, NOW).contains(&peer(honest)));
    }
}

#[test]
fn an_author_that_wrote_to_us_before_comes_first() {
    for (known, other) in [(2, 3), (3, 2)] {
        let mut openings = Openings::new(NOW);
        openings.push(unopened(known, 0), NOW);
        openings.next(KEYS, NOW);
        openings.opened(&peer(known), Recipient::Peer(peer(0)), KEYS, NOW);
        openings.push(unopened(other, 0), NOW);
        openings.push(unopened(known, 1), NOW);
        assert_eq!(author(openings.next(KEYS, NOW)), Some(peer(known)));
    }
}

/// An author that writes little has its turn beside one that floods, and one that wrote to us before has it
/// first.
#[test]
fn authors_have_turns() {
    let mut openings = Openings::new(NOW);
    for nonce in 0..300 {
        openings.push(unopened(1, nonce), NOW);
    }
    openings.push(unopened(2, 0), NOW);
    let opened = drain(&mut openings, NOW);
    assert!(opened.contains(&peer(2)), "{}", opened.len());
    // All are used up now. What is for us costs nothing, and brings its author forward.
    openings.opened(&peer(3), Recipient::Peer(peer(0)), KEYS, NOW);
    openings.push(unopened(3, 0), NOW);
    openings.opened(&peer(3), Recipient::Peer(peer(0)), KEYS, NOW);
    openings.push(unopened(2, 1), NOW);
    let (next, likely) = openings.next(KEYS, NOW).expect("given back");
    assert_eq!((next.document.author(), likely), (peer(3), Some(Recipient::Peer(peer(0)))));
}

#[test]
fn what_has_no_room_to_wait_is_the_floods() {
    let mut openings = Openings::new(NOW);
    for (flood, honest) in [(2, 1), (1, 2)] {
        openings = Openings::new(NOW);
        let mut dropped = openings.push(unopened(honest, 0), NOW).len();
        for nonce in 0..2000 {
            dropped += openings.push(unopened(flood, nonce), NOW).len();
        }
        assert_eq!((dropped, openings.documents), (2001 - 1024, limits::UNOPENED));
        assert!(drain(&mut openings, NOW).contains(&peer(honest)));
    }
    assert_eq!(openings.deadline(), Some(NOW.after(limits::OPENING_RETRY)));
    let later = NOW.after(Duration::from_secs(1000));
    while !drain(&mut openings, later).is_empty() && openings.documents > 0 {
        openings.all = Budget::new(limits::OPENINGS, later);
        openings.authors.values_mut().for_each(|own| {
            own.budget = Budget::new(limits::AUTHOR_OPENINGS, later);
        });
    }
    assert_eq!((openings.documents, openings.bytes, openings.deadline()), (0, 0, None));
}

#[test]
fn authors_are_forgotten() {
    let mut openings = Openings::new(NOW);
    let template = document(&identity(1), 0, 10);
    for number in 0..limits::OPENING_AUTHORS as u64 {
        let mut name = [7; 32];
        name[..8].copy_from_slice(&number.to_be_bytes());
        let author = Author {
            budget: Budget::new(limits::AUTHOR_OPENINGS, NOW),
            key: None,
            waiting: VecDeque::new(),
        };
        openings.authors.insert(PeerId::from_bytes(name), author);
    }
    openings.push(Unopened { document: template, came: CAME }, NOW);
    assert_eq!(openings.authors.len(), 1);
}
