//! Private messages: peers that read them, and peers that never get to see them.

use taiinet_document::{Document, DocumentId, VerifiedDocument};
use taiinet_identity::Recipient;
use taiinet_mesh::{
    Audience, PublishError, PublishOptions, limits,
    wire::{DocumentFrame, Frame, Push},
};
use taiinet_sim::{Delivered, Manners, PeerIndex, World, forge};

use crate::common::{meshed, network, seconds, seeds, sparse, started};

/// Text that is nowhere else.
const SECRET: &str = "the-falcon-flies-at-midnight";

fn secret() -> String {
    format!(r#"{{"type": "order", "text": "{SECRET}", "amount": 7}}"#)
}

fn to(audience: Audience) -> PublishOptions {
    PublishOptions { audience, public: vec!["type".to_owned()], ..PublishOptions::default() }
}

fn got(world: &World, peer: PeerIndex, id: DocumentId) -> Option<&Delivered> {
    world.deliveries(peer).iter().find(|delivered| delivered.id == id)
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Publishes as soon as there is a recipient to seal to.
fn publish(
    world: &mut World,
    peer: PeerIndex,
    content: &str,
    options: &PublishOptions,
) -> DocumentId {
    for _ in 0..100 {
        match world.publish_with(peer, content, options.clone()) {
            Err(PublishError::NoRecipient) => world.run_for(seconds(1) / 10),
            result => return result.expect("it is small"),
        }
    }
    panic!("no recipient was heard of within 10 s");
}

#[test]
fn a_private_subscriber_reads_it_and_nobody_else_sees_it_on_any_wire() {
    for seed in seeds(0..4) {
        let mut setting = sparse(seed, 12);
        let world = &mut setting.world;
        world.tap();
        let [author, reader, other, ..] = setting.peers[..] else { panic!("twelve peers") };
        let author_id = world.id(author);
        world.subscribe_privately(reader, r#"{"type": "order", "amount": {"$gt": 5}}"#);
        world.subscribe_privately(other, r#"{"type": "order", "amount": {"$gt": 50}}"#);
        let id = publish(world, author, &secret(), &to(Audience::Subscribers));
        assert!(world.run_until(seconds(10), |world| got(world, reader, id).is_some()));
        world.run_for(seconds(10));

        let delivered = got(world, reader, id).expect("just seen");
        let opened = delivered.opened.as_ref().expect("it was sealed");
        assert_eq!(delivered.author, author_id);
        assert_eq!(opened.fields, taiinet_sim::forge::fields(&secret()));
        assert!(opened.recipient.is_forward_secret());
        // All are subscribed to everything, and one privately to larger orders: they get nothing.
        for peer in world.alive() {
            assert_eq!(got(world, peer, id).is_some(), peer == reader, "{peer:?}");
        }
        // It went over wires, its public field in clear, and nothing else of it.
        let tapped = world.tapped();
        assert!(tapped.len() > 100);
        assert!(tapped.iter().any(|message| contains(message, "order")));
        assert!(!tapped.iter().any(|message| contains(message, SECRET)));
        assert!(!tapped.iter().any(|message| contains(message, "amount\u{2}")));
        setting.sound();
    }
}

#[test]
fn the_tap_would_hear_it() {
    let mut setting = meshed(7, 6);
    setting.world.tap();
    let published = setting.world.publish(setting.peers[0], &secret());
    setting.world.run_for(seconds(5));
    assert!(published.is_ok());
    assert!(setting.world.tapped().iter().any(|message| contains(message, SECRET)));
}

#[test]
fn peers_that_are_named_read_it_whether_they_subscribed_privately_or_not() {
    let mut setting = meshed(1, 8);
    let world = &mut setting.world;
    let [author, private, plain, ..] = setting.peers[..] else { panic!("eight peers") };
    world.subscribe_privately(private, r#"{"type": "order"}"#);
    world.run_for(seconds(5));
    let named = to(Audience::Peers(vec![world.id(private), world.id(plain)]));
    let id = publish(world, author, &secret(), &named);
    world.run_for(seconds(5));
    let forward_secret = |peer| {
        let opened = got(world, peer, id)?.opened.as_ref()?;
        Some(opened.recipient.is_forward_secret())
    };
    assert_eq!(forward_secret(private), Some(true));
    assert_eq!(forward_secret(plain), Some(false), "by its identity key");
    let readers = world.alive().into_iter().filter(|peer| got(world, *peer, id).is_some());
    assert_eq!(readers.collect::<Vec<_>>(), [private, plain]);
    setting.sound();
}

#[test]
fn an_ended_subscription_reads_nothing_more_even_of_what_was_sealed_to_it() {
    let mut setting = meshed(2, 6);
    let world = &mut setting.world;
    let [author, reader, ..] = setting.peers[..] else { panic!("six peers") };
    let subscription = world.subscribe_privately(reader, "{}");
    let first = publish(world, author, &secret(), &to(Audience::Subscribers));
    assert!(world.run_until(seconds(10), |world| got(world, reader, first).is_some()));
    // In the same moment as the author seals to it: the message is still on its way.
    let options = PublishOptions { key: Some("late".into()), ..to(Audience::Subscribers) };
    let late = publish(world, author, &secret(), &options);
    world.unsubscribe(reader, subscription);
    world.run_for(seconds(10));
    assert!(got(world, reader, late).is_none(), "its key is gone");
    let nobody = world.publish_with(author, &secret(), to(Audience::Subscribers));
    assert_eq!(nobody, Err(PublishError::NoRecipient), "the author was told");
    setting.sound();
}

/// A peer that leaves tells each neighbour outright: what it only announced could not be asked for any more.
#[test]
fn a_peer_that_leaves_takes_its_subscriptions_along() {
    for seed in seeds(20..36) {
        let mut setting = meshed(seed, 3);
        let world = &mut setting.world;
        let [author, reader, third] = setting.peers[..] else { panic!("three peers") };
        world.subscribe_privately(reader, "{}");
        // So many that the tree is drawn, and one link is not of it; perhaps the one that is left.
        for number in 0..40 {
            for peer in setting.peers.clone() {
                setting.world.publish(peer, &format!(r#"{{"number": {number}}}"#)).expect("room");
            }
            setting.world.run_for(std::time::Duration::from_millis(100));
        }
        assert_eq!(setting.world.status(author).private, 1);
        setting.world.leave(third);
        setting.world.run_for(seconds(1));
        setting.world.leave(reader);
        setting.world.run_for(seconds(2));
        assert_eq!(setting.world.status(author).private, 0, "seed {seed}");
    }
}

#[test]
fn a_subscription_is_still_known_after_a_long_time_and_forgotten_after_its_peer_died() {
    let mut setting = meshed(3, 8);
    let world = &mut setting.world;
    let [author, reader, ..] = setting.peers[..] else { panic!("eight peers") };
    world.subscribe_privately(reader, "{}");
    for minute in 0..12 {
        world.run_for(seconds(60));
        let id = publish(world, author, &secret(), &to(Audience::Subscribers));
        world.run_for(seconds(5));
        assert!(got(world, reader, id).is_some(), "minute {minute}");
    }
    world.crash(reader);
    world.run_for(seconds(300));
    let nobody = world.publish_with(author, &secret(), to(Audience::Subscribers));
    assert_eq!(nobody, Err(PublishError::NoRecipient));
    setting.sound();
}

#[test]
fn a_peer_that_joins_late_soon_knows_which_peers_it_can_write_to() {
    for seed in seeds(10..13) {
        let mut setting = meshed(seed, 8);
        let reader = setting.peers[1];
        setting.world.subscribe_privately(reader, r#"{"type": "order"}"#);
        setting.world.run_for(seconds(47));
        let spec = taiinet_sim::PeerSpec::new(crate::common::network(), &[setting.signaller]);
        let late = setting.world.add_peer(spec);
        let world = &mut setting.world;
        world.subscribe(late, "{}");
        assert!(world.run_until(seconds(10), |world| !world.neighbours(late).is_empty()));
        let linked = world.now();
        let id = publish(world, late, &secret(), &to(Audience::Subscribers));
        assert!(world.now().since(linked) < seconds(3));
        world.run_for(seconds(5));
        assert!(got(world, reader, id).is_some());
        setting.sound();
    }
}

#[test]
fn a_dozing_reader_stays_known() {
    let mut setting = meshed(4, 8);
    let world = &mut setting.world;
    let [author, reader, ..] = setting.peers[..] else { panic!("eight peers") };
    world.subscribe_privately(reader, "{}");
    world.run_for(seconds(5));
    world.doze(reader, true);
    for _ in 0..10 {
        world.run_for(seconds(60));
        let known = world.publish_with(author, &secret(), to(Audience::Subscribers));
        assert!(known.is_ok(), "{known:?}");
    }
    setting.sound();
}

#[test]
fn an_envelope_replayed_under_another_name_is_read_by_nobody() {
    let mut setting = sparse(5, 6);
    let [author, reader, ..] = setting.peers[..] else { panic!("six peers") };
    let (_, wire) = setting.befriend(reader, Manners::HONEST);
    let world = &mut setting.world;
    world.subscribe_privately(reader, "{}");
    let id = publish(world, author, &secret(), &to(Audience::Subscribers));
    assert!(world.run_until(seconds(5), |world| world.wire(wire).pushed().contains(&id)));
    assert!(got(world, reader, id).is_some());
    // The thief takes the envelope out of what it was sent, and signs it as its own.
    let sealed = world.wire(wire).frames().iter().find_map(|frame| match frame {
        Frame::Documents(DocumentFrame::Push(push)) if push.document.id() == id => {
            push.document.decode().ok()
        }
        _ => None,
    });
    let sealed = Document { created_at: world.now().timestamp(), ..sealed.expect("pushed") };
    let thief = world.identity();
    let stolen = VerifiedDocument::sign(&thief, sealed).expect("it is small");
    let acknowledged = world.wire(wire).acknowledged();
    world.speak(
        wire,
        &[Frame::Documents(DocumentFrame::Push(Push {
            hops: 0,
            document: stolen.signed().clone(),
        }))],
    );
    world.run_for(seconds(5));
    assert!(world.wire(wire).acknowledged() > acknowledged, "it was taken, and passed on");
    for peer in world.alive() {
        assert!(got(world, peer, stolen.id()).is_none(), "{peer:?}");
    }
    setting.sound();
}

#[test]
fn a_search_finds_what_was_sealed_to_the_searcher_only() {
    let mut setting = meshed(6, 6);
    let world = &mut setting.world;
    let [author, reader, other, ..] = setting.peers[..] else { panic!("six peers") };
    world.subscribe_privately(reader, "{}");
    let id = publish(world, author, &secret(), &to(Audience::Subscribers));
    world.run_for(seconds(5));
    let find = |world: &mut World, peer| {
        let find = world.find(peer, r#"{"type": "order"}"#, 10).expect("few searches");
        world.run_for(seconds(5));
        world.found(peer, find).documents
    };
    assert_eq!(find(world, reader), [id]);
    assert_eq!(find(world, other), []);
    setting.sound();
}

/// Whether a sealed document is for a peer shows only by a key exchange with each of its keys. What others
/// seal to any key, in one name or in many, takes no more of these than are allowed; meanwhile no link is
/// lost, and what is for it is opened.
#[test]
fn a_flood_of_what_is_sealed_to_others_costs_so_many_exchanges_and_keeps_nothing_out() {
    for seed in seeds(40..41) {
        let mut setting = meshed(seed, 5);
        let [reader, author, third, ..] = setting.peers[..] else { panic!("five peers") };
        for number in 0..limits::PRIVATE_SUBSCRIPTIONS {
            setting.world.subscribe_privately(reader, &format!(r#"{{"number": {number}}}"#));
        }
        let (flooder, wire) = setting.befriend(third, Manners::HONEST);
        let one = setting.world.puppet(flooder).identity().clone();
        let write = |world: &mut World, number| {
            publish(
                world,
                author,
                &format!(r#"{{"number": {number}}}"#),
                &to(Audience::Subscribers),
            )
        };
        let mut written = vec![write(&mut setting.world, 0)];
        setting.world.run_for(seconds(5));
        let exchanges = |world: &World| world.status(reader).counters.exchanges;
        let (before, start) = (exchanges(&setting.world), setting.world.now());
        let neighbours = setting.world.neighbours(reader);

        let to_nobody = [Recipient::Peer(setting.world.identity().peer_id())];
        for round in 0..100_u64 {
            for number in 0..12 {
                // Half of them by one author, and half by as many as there are documents.
                let signer = if number % 2 == 0 { one.clone() } else { setting.world.identity() };
                let (now, entropy) = (setting.world.now().as_millis(), setting.world.entropy());
                let content = format!(r#"{{"round": {round}, "number": {number}}}"#);
                let at = now + number;
                let document =
                    forge::sealed(&signer, &network(), at, &content, &to_nobody, entropy);
                setting.world.speak(
                    wire,
                    &[Frame::Documents(DocumentFrame::Push(Push { hops: 0, document }))],
                );
            }
            if round % 10 == 0 {
                written.push(write(&mut setting.world, round % 32));
            }
            setting.world.run_for(seconds(1) / 10);
        }
        let all = |world: &World| written.iter().all(|id| got(world, reader, *id).is_some());
        assert!(setting.world.run_until(seconds(5), all), "what is for it waits");

        let elapsed = setting.world.now().since(start).as_secs() + 1;
        let (burst, rate) = limits::OPENINGS;
        let keys = limits::PRIVATE_SUBSCRIPTIONS as u64 + 1;
        // What was for it does not count.
        let allowed = u64::from(burst) + u64::from(rate) * elapsed + keys * written.len() as u64;
        let took = exchanges(&setting.world) - before;
        assert!(took <= allowed && took > allowed / 2, "{took} of {allowed}");
        assert!(allowed < 1200 * keys, "all of them would take more");
        assert!(setting.world.neighbours(reader).is_superset(&neighbours), "a link was lost");
        setting.sound();
    }
}

#[test]
fn nothing_is_sealed_to_nobody() {
    let mut setting = started(8, 1);
    let alone = setting.peers[0];
    let nobody = setting.world.publish_with(alone, &secret(), to(Audience::Subscribers));
    assert_eq!(nobody, Err(PublishError::NoRecipient));
    let nobody = setting.world.publish_with(alone, &secret(), to(Audience::Peers(Vec::new())));
    assert_eq!(nobody, Err(PublishError::NoRecipient));
}

/// Its end is told at the same moment as its beginning, and counts all the same.
#[test]
fn what_ends_in_the_moment_it_begins_is_written_to_by_nobody() {
    let mut setting = meshed(9, 4);
    let world = &mut setting.world;
    let [author, reader, ..] = setting.peers[..] else { panic!("four peers") };
    let subscription = world.subscribe_privately(reader, "{}");
    world.unsubscribe(reader, subscription);
    world.run_for(seconds(5));
    assert!(world.alive().iter().all(|peer| world.status(*peer).private == 0));
    let nobody = world.publish_with(author, &secret(), to(Audience::Subscribers));
    assert_eq!(nobody, Err(PublishError::NoRecipient));
    setting.sound();
}

/// Each look at what waits once counted the queries that it had no time for, twenty times a second.
#[test]
fn what_waits_for_a_recipient_counts_none_as_left_out() {
    let mut setting = meshed(70, 3);
    let [author, dear, ..] = setting.peers[..] else { panic!("three peers") };
    setting.world.subscribe_privately(dear, r#"{"text": {"$regex": "[b-z]{150}$"}}"#);
    setting.world.run_for(seconds(2));
    let content = format!(r#"{{"text": "{}"}}"#, "a".repeat(200_000));
    let publish =
        |world: &mut World| world.publish_with(author, &content, to(Audience::Subscribers)).err();
    for _ in 0..10 {
        assert_eq!(publish(&mut setting.world), Some(PublishError::NoRecipient));
    }
    assert_eq!(setting.world.status(author).counters.left_out, 0);
    setting.world.subscribe_privately(setting.peers[2], "{}");
    setting.world.run_for(seconds(2));
    assert_eq!(publish(&mut setting.world), None);
    assert_eq!(setting.world.status(author).counters.left_out, 1, "once, when it is sealed");
}
