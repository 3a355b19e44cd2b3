use core::time::Duration;
use std::sync::Arc;

use taiinet_document::{Content, Deletion, Document, Key, Subscription};

use super::*;
use crate::testing::{self, NOW};

struct Setting {
    directory: Directory,
    rng: Rng,
}

fn setting() -> Setting {
    Setting { directory: Directory::new(1, NOW), rng: Rng::new([1; 32]) }
}

fn recipient(byte: u8) -> RecipientId {
    RecipientId::from_bytes([byte; 32])
}

fn said(author: u8, content: Content, key: Option<String>, at: Time) -> Arc<VerifiedDocument> {
    let key = key.map(Key::from);
    let document = Document {
        network: "tests".parse().expect("a name"),
        created_at: at.timestamp(),
        nonce: 0,
        expires_at: None,
        key,
        next_key: None,
        content,
    };
    Arc::new(VerifiedDocument::sign(&testing::identity(author), document).expect("signs"))
}

fn peer(author: u8) -> PeerId {
    testing::identity(author).peer_id()
}

impl Setting {
    fn announce(&mut self, author: u8, query: &str, to: RecipientId, at: Time) {
        let subscription = Subscription { query: query.to_owned(), recipient: to };
        let content = Content::Subscription(subscription.clone());
        let document = said(author, content, Some(subscription.key()), at);
        self.directory.announced(&document, &subscription, &mut self.rng, at);
    }

    fn withdraw(&mut self, author: u8, to: RecipientId, at: Time) {
        let key = Subscription { query: String::new(), recipient: to }.key();
        let document = said(author, Content::Deleted(Deletion::Key), Some(key), at);
        self.directory.deleted(&document, &mut self.rng, at);
    }

    fn recipients(&self, json: &str, audience: &Audience, at: Time) -> Vec<Recipient> {
        let attributes = Attributes {
            id: None,
            author: peer(9),
            owner: peer(9),
            key: None,
            created_at: at.timestamp(),
        };
        let content = taiinet_document::parse_map(json).expect("a document");
        self.directory
            .recipients(attributes, &content, audience, at)
            .recipients
            .into_iter()
            .collect()
    }
}

fn after(seconds: u64) -> Time {
    NOW.after(Duration::from_secs(seconds))
}

fn subscription(byte: u8) -> Recipient {
    Recipient::Subscription(recipient(byte))
}

#[test]
fn what_matches_goes_to_all_that_subscribed_to_it() {
    let mut setting = setting();
    setting.announce(1, r#"{"a": 1}"#, recipient(1), NOW);
    setting.announce(2, r#"{"a": {"$gt": 1}}"#, recipient(2), NOW);
    setting.announce(3, &format!(r#"{{"_author": "{}"}}"#, peer(9)), recipient(3), NOW);
    let to = |json| setting.recipients(json, &Audience::Subscribers, NOW);
    assert_eq!(to(r#"{"a": 1}"#), [subscription(1), subscription(3)]);
    assert_eq!(to(r#"{"a": 2}"#), [subscription(2), subscription(3)]);
    assert_eq!(setting.recipients("{}", &Audience::Everyone, NOW), []);
}

#[test]
fn a_peer_that_is_named_gets_it_by_a_subscription_or_else_by_name() {
    let mut setting = setting();
    setting.announce(1, r#"{"a": 1}"#, recipient(1), NOW);
    setting.announce(1, r#"{"a": {"$lt": 5}}"#, recipient(2), NOW);
    setting.announce(2, r#"{"a": 1}"#, recipient(3), NOW);
    let named = Audience::Peers(vec![peer(1), peer(7), peer(1)]);
    let to = |json| setting.recipients(json, &named, NOW);
    let other = Recipient::Peer(peer(7));
    assert_eq!(to(r#"{"a": 1}"#), [subscription(1), subscription(2), other]);
    let mut both = [Recipient::Peer(peer(1)), other];
    both.sort_unstable();
    assert_eq!(to(r#"{"a": 9}"#), both, "no subscription of it matches");
}

#[test]
fn a_subscription_ends_when_it_is_withdrawn_or_not_renewed() {
    let mut setting = setting();
    setting.announce(1, "{}", recipient(1), NOW);
    setting.announce(2, "{}", recipient(2), NOW);
    let to = |setting: &Setting, at| setting.recipients("{}", &Audience::Subscribers, at);
    setting.withdraw(1, recipient(1), after(1));
    assert_eq!(to(&setting, after(1)), [subscription(2)]);
    // An announcement from before that was overtaken.
    setting.announce(1, "{}", recipient(1), NOW);
    assert_eq!(to(&setting, after(1)), [subscription(2)]);
    let last = NOW.after(limits::ANNOUNCED_FOR);
    setting.announce(3, "{}", recipient(3), last);
    assert_eq!(to(&setting, last), [subscription(3)]);
    assert_eq!(setting.directory.len(), 1, "what is over is forgotten");
}

#[test]
fn nobody_speaks_for_another() {
    let mut setting = setting();
    setting.announce(1, r#"{"a": 1}"#, recipient(1), NOW);
    // The same key, under another query or withdrawn, by another author.
    setting.announce(2, r#"{"a": 2}"#, recipient(1), after(1));
    setting.withdraw(2, recipient(1), after(2));
    setting.withdraw(3, recipient(1), after(2));
    let to = setting.recipients(r#"{"a": 1}"#, &Audience::Subscribers, after(3));
    assert_eq!(to, [subscription(1)]);
    // An announcement under a key by which it could not be withdrawn.
    let astray = Subscription { query: "{}".to_owned(), recipient: recipient(4) };
    let document = said(4, Content::Subscription(astray.clone()), None, NOW);
    setting.directory.announced(&document, &astray, &mut setting.rng, NOW);
    assert_eq!(setting.recipients("{}", &Audience::Subscribers, NOW), []);
}

#[test]
fn a_query_that_is_none_is_left_out() {
    let mut setting = setting();
    setting.announce(1, r#"{"a": {"$later": 1}}"#, recipient(1), NOW);
    setting.announce(1, "nonsense", recipient(2), NOW);
    // Too expensive to evaluate for others.
    setting.announce(1, r#"{"a": {"$regex": "^.{0,140}$"}}"#, recipient(3), NOW);
    assert_eq!(setting.directory.len(), 0);
}

#[test]
fn an_author_has_so_many_and_all_have_so_many() {
    let mut setting = setting();
    setting.announce(2, "{}", recipient(1), NOW);
    let long = format!(r#"{{"a": "{}"}}"#, "x".repeat(4000));
    for n in 1..=64 {
        setting.announce(1, &long, recipient(n), NOW);
    }
    assert_eq!(setting.directory.entries.len(), limits::PRIVATE_SUBSCRIPTIONS + 1);
    // More than twice what there is room for.
    for author in 3..67 {
        for n in 0..32 {
            setting.announce(author, &long, recipient(n), NOW);
        }
        let Directory { entries, by_end, announcers, by_size, bytes, standing, .. } =
            &setting.directory;
        assert!(
            entries.len() <= limits::DIRECTORY_ENTRIES && *bytes <= limits::DIRECTORY_BYTES + 8192
        );
        assert!(entries.len() == by_end.len() && entries.len() == *standing);
        assert!(announcers.iter().all(|(peer, own)| by_size.contains(&(own.bytes, *peer))));
        assert_eq!(announcers.len(), by_size.len());
        assert_eq!(*bytes, announcers.values().map(|announcer| announcer.bytes).sum::<usize>());
        assert_eq!(*bytes, entries.values().map(|entry| entry.bytes).sum::<usize>());
    }
    assert!(setting.directory.entries.len() < 32 * 32, "it is full");
}

#[test]
fn keys_in_names_are_read_strictly() {
    let key = Subscription { query: String::new(), recipient: recipient(0xab) }.key();
    assert_eq!(named_by(&key), Some(recipient(0xab)));
    let hex = "ab".repeat(32);
    for wrong in ["", "subscription ", &hex, &format!("subscription {hex}0"), &key.to_uppercase()] {
        assert_eq!(named_by(wrong), None, "{wrong}");
    }
    assert_eq!(named_by(&format!("subscription {}", "AB".repeat(32))), None);
}

#[test]
fn a_newcomer_is_told_what_stands() {
    let mut setting = setting();
    setting.announce(1, "{}", recipient(1), NOW);
    setting.announce(2, "{}", recipient(2), after(100));
    setting.announce(3, "{}", recipient(3), NOW);
    setting.withdraw(3, recipient(3), after(5));
    let told =
        |since, at| setting.directory.announcements(after(since).timestamp(), after(at)).len();
    assert_eq!(told(50, 101), 1, "the other is told as what is recent");
    assert_eq!(told(150, 150), 2);
    assert_eq!(told(300, 300), 1);
}

/// Otherwise an author that announces it would make every document of all others fail.
#[test]
fn a_key_that_is_none_is_not_kept() {
    let mut setting = setting();
    setting.announce(1, "{}", recipient(0), NOW);
    setting.announce(2, "{}", recipient(2), NOW);
    assert_eq!(setting.recipients("{}", &Audience::Subscribers, NOW), [subscription(2)]);
}

#[test]
fn where_there_are_too_many_each_peer_has_its_turn() {
    let name = |peer: u32, key: u32| {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&peer.wrapping_mul(0x9e37_79b9).to_be_bytes());
        bytes[4..8].copy_from_slice(&key.to_be_bytes());
        bytes
    };
    let peer = |number| PeerId::from_bytes(name(number, 0));
    let key = |number, key| Recipient::Subscription(RecipientId::from_bytes(name(number, key)));
    // Forty with as many keys as one may have, and three hundred with one each.
    let mut keys: BTreeMap<PeerId, BTreeSet<Recipient>> = BTreeMap::new();
    for number in 0..340 {
        let count = if number < 40 { limits::PRIVATE_SUBSCRIPTIONS as u32 } else { 1 };
        keys.insert(peer(number), (0..count).map(|at| key(number, at)).collect());
    }
    let (chosen, left_out) = share_out(&keys, peer(7));
    assert_eq!((chosen.len(), left_out), (RECIPIENTS, 40 * 32 + 300 - RECIPIENTS));
    assert!((40..340).all(|number| chosen.contains(&key(number, 0))));
    // With more peers than there is room, each has a chance.
    keys.extend((340..2340).map(|number| (peer(number), BTreeSet::from([key(number, 0)]))));
    let directory = Directory::new(1, NOW);
    let mut ever = BTreeSet::new();
    for millis in 0..50 {
        let at = NOW.after(Duration::from_millis(millis)).timestamp();
        let (chosen, left_out) = share_out(&keys, directory.place(at));
        assert_eq!((chosen.len(), left_out), (RECIPIENTS, 40 * 32 + 2300 - RECIPIENTS));
        ever.extend(chosen);
    }
    assert!((0..2340).all(|number| ever.contains(&key(number, 0))));
}

/// A query that takes much work, which made one call of `recipients` take 5.9 s for a text of 280 bytes, and
/// much memory: some 20 kB.
fn hostile_query() -> String {
    let maps: Vec<String> = (0..30).map(|n| format!(r#"{{"a":{n}}}"#)).collect();
    format!(r#"{{"text":{{"$regex":"(a?){{30}}a{{30}}b","$nin":[{}]}}}}"#, maps.join(","))
}

/// 225 keys announce about twice as many hostile queries as there is room for.
fn fill(setting: &mut Setting) {
    let query = hostile_query();
    for author in 1..=225 {
        for n in 0..8_u8 {
            setting.announce(author, &query, recipient((2 * n).wrapping_add(author) | 1), NOW);
        }
    }
    assert!(setting.directory.len() < 1000, "it is full");
}

fn hostile() -> Setting {
    let mut setting = setting();
    fill(&mut setting);
    setting
}

fn chosen(setting: &Setting, content: &Map, audience: &Audience, millis: u64) -> Chosen {
    let created_at = NOW.after(Duration::from_millis(millis)).timestamp();
    let attributes =
        Attributes { id: None, author: peer(9), owner: peer(9), key: None, created_at };
    setting.directory.recipients(attributes, content, audience, NOW)
}

#[test]
fn expensive_queries_of_strangers_are_left_out_and_cheap_ones_are_not() {
    let mut setting = hostile();
    setting.announce(230, r#"{"type": "tweet"}"#, recipient(2), NOW);
    setting.announce(231, r#"{"text": {"$regex": "aaa"}}"#, recipient(4), NOW);
    // One that has both loses neither.
    setting.announce(232, &hostile_query(), recipient(6), NOW);
    setting.announce(232, r#"{"type": {"$in": ["tweet"]}}"#, recipient(8), NOW);
    for (millis, len) in [280, 1000, 20_000].into_iter().enumerate() {
        let json = format!(r#"{{"type": "tweet", "text": "{}"}}"#, "a".repeat(len));
        let content = taiinet_document::parse_map(&json).expect("a document");
        let Chosen { recipients, unevaluated, .. } =
            chosen(&setting, &content, &Audience::Subscribers, millis as u64);
        for cheap in [2, 8] {
            assert!(recipients.contains(&subscription(cheap)), "{cheap} of {len}");
        }
        assert!(len > 1000 || recipients.contains(&subscription(4)), "{len}");
        // What was evaluated of it is within the budget.
        let expensive = (limits::MATCH_WORK as usize) / (4000 * len);
        let evaluated = setting.directory.len() - unevaluated;
        assert!(evaluated <= 3 + expensive, "{evaluated} of {len}");
    }
    // A peer that is named gets it, by a subscription if that was found in time.
    let content = taiinet_document::parse_map(&format!(r#"{{"text": "{}"}}"#, "a".repeat(20_000)));
    let content = content.expect("a document");
    let named = Audience::Peers(vec![peer(1), peer(232)]);
    let Chosen { recipients, .. } = chosen(&setting, &content, &named, 0);
    assert_eq!(recipients, [peer(1), peer(232)].map(Recipient::Peer).into());
}

/// Expensive queries leave room for cheaper ones, and so on down to the cheapest: together they would use up
/// all of the work, were it not for turns.
#[test]
fn no_mixture_of_queries_takes_a_cheap_one_its_turn() {
    let mut setting = setting();
    setting.announce(230, r#"{"type": "tweet"}"#, recipient(2), NOW);
    for author in 1..=150 {
        for n in 0..4 {
            setting.announce(
                author,
                &format!(r#"{{"text": {{"$regex": "[b-z]{{8}}{n}"}}}}"#),
                recipient(4 + n),
                NOW,
            );
            setting.announce(
                author,
                &format!(r#"{{"text": {{"$contains": "b{n}"}}}}"#),
                recipient(14 + n),
                NOW,
            );
            setting.announce(author, &format!(r#"{{"n": {n}}}"#), recipient(24 + n), NOW);
        }
    }
    assert_eq!(setting.directory.len(), 1 + 150 * 12, "all of them have room");
    let json = format!(r#"{{"type": "tweet", "text": "{}"}}"#, "a".repeat(1000));
    let content = taiinet_document::parse_map(&json).expect("a document");
    for millis in 0..20 {
        let Chosen { recipients, unevaluated, .. } =
            chosen(&setting, &content, &Audience::Subscribers, millis);
        assert!(unevaluated > 0 && recipients == [subscription(2)].into(), "{unevaluated}");
    }
}

/// Where only some can be evaluated, those are others for each document.
#[test]
fn each_announcer_has_its_turn() {
    let mut setting = setting();
    for author in 1..=225 {
        setting.announce(author, r#"{"text": {"$regex": "[b-z]{8}a?"}}"#, recipient(2), NOW);
    }
    let text = format!("{}bcdefghi", "a".repeat(1000));
    let content = Map::from([("text".to_owned(), text.into())]);
    let mut ever = BTreeSet::new();
    for millis in 0..200 {
        let place = setting.directory.place(NOW.after(Duration::from_millis(millis)).timestamp());
        let queries = setting.directory.queries(place, None, NOW);
        let attributes = Attributes {
            id: None,
            author: peer(9),
            owner: peer(9),
            key: None,
            created_at: NOW.timestamp(),
        };
        let Matching { keys, unevaluated, work } = turns::evaluate(queries, attributes, &content);
        assert_eq!(keys.len() + unevaluated, 225);
        assert!(unevaluated > 50 && keys.len() > 10, "{} found", keys.len());
        assert!(work > limits::MATCH_WORK / 2 && work <= limits::MATCH_WORK, "{work}");
        ever.extend(keys.into_keys());
    }
    assert_eq!(ever.len(), 225);
}

/// Everything that stands on the heap is counted.
#[test]
fn the_directory_occupies_no_more_than_it_says() {
    let content = Map::from([("text".to_owned(), "a".repeat(280).into())]);
    let mut kept = None;
    let heap = allocation_counter::measure(|| {
        let setting = hostile();
        // Also what matching keeps for the next time.
        for millis in 0..50 {
            chosen(&setting, &content, &Audience::Subscribers, millis);
        }
        kept = Some(setting);
    });
    let counted = kept.as_ref().map_or(0, |setting| setting.directory.bytes) as i64;
    assert!(counted <= limits::DIRECTORY_BYTES as i64 + 64 * 1024, "{counted}");
    assert!(heap.bytes_current <= counted, "{} of {counted}", heap.bytes_current);
}

/// However much others announce, an author that announces little keeps it.
#[test]
fn a_full_directory_takes_from_those_that_have_most() {
    let mut setting = setting();
    for author in 240..250 {
        setting.announce(author, r#"{"type": "tweet"}"#, recipient(author), NOW);
    }
    fill(&mut setting);
    let content = taiinet_document::parse_map(r#"{"type": "tweet"}"#).expect("a document");
    assert_eq!(chosen(&setting, &content, &Audience::Subscribers, 0).recipients.len(), 10);
}

/// Each announcement takes compiling a query and a key exchange.
#[test]
fn announcements_are_read_so_often() {
    let mut setting = setting();
    let mut read = 0;
    for n in 0..1000_u64 {
        let at = NOW.after(Duration::from_millis(n));
        setting.announce(1, &format!(r#"{{"a": {n}}}"#), recipient(2), at);
        let content = Map::from([("a".to_owned(), taiinet_document::Value::Int(n as i64))]);
        read += chosen(&setting, &content, &Audience::Subscribers, n).recipients.len();
    }
    let (burst, rate) = limits::ANNOUNCER_ANNOUNCEMENTS;
    assert!(read <= (burst + rate + 1) as usize && read >= burst as usize, "{read}");
    // No other author pays.
    setting.announce(2, "{}", recipient(4), after(1));
    assert_eq!(chosen(&setting, &Map::new(), &Audience::Subscribers, 1000).recipients.len(), 1);
}

/// An author of whom nothing was understood yet once had no budget of its own, and could use up that of all.
#[test]
fn announcements_that_are_not_understood_are_counted_from_the_first_on() {
    let mut setting = setting();
    let (burst, _) = limits::ANNOUNCER_ANNOUNCEMENTS;
    for number in 0..burst {
        setting.announce(1, "{", recipient(u8::try_from(number % 256).expect("a byte")), NOW);
    }
    setting.announce(1, "{}", recipient(1), NOW);
    assert!(
        setting.recipients("{}", &Audience::Subscribers, NOW).is_empty(),
        "its budget is used up"
    );
    setting.announce(2, "{}", recipient(2), NOW);
    assert_eq!(setting.recipients("{}", &Audience::Subscribers, NOW), [subscription(2)]);
}
