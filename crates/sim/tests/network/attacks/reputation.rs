//! A peer that floods is blacklisted; one that merely relayed, slept, has a wrong clock or is spoken ill of
//! is not.

use std::time::Duration;

use taiinet_document::{Mark, Timestamp};
use taiinet_identity::Identity;
use taiinet_mesh::{
    Blacklisted, Event, Misbehaviour, Quota, Time, limits,
    wire::{
        Compare, DocumentFrame, Frame, LinkFrame, Piece, Push, SignalBody, SignalFrame, SignalPart,
        SyncFrame, ViewFrame,
    },
};
use taiinet_sim::{
    DeskConfig, Manners, PeerIndex, PeerSpec, PuppetIndex, PuppetSpec, WireId, World, WorldConfig,
    forge,
};

use crate::common::{Setting, network, seconds, sparse};

fn blacklisted(world: &World, by: PeerIndex) -> Vec<Blacklisted> {
    let events = world.events(by).iter().filter_map(|(_, event)| match event {
        Event::Blacklisted(listed) => Some(*listed),
        _ => None,
    });
    events.collect()
}

/// Whether a peer that has this key gets a link to the other within some seconds.
fn gets_in(
    setting: &mut Setting,
    identity: &Identity,
    peer: PeerIndex,
) -> Option<(PuppetIndex, WireId)> {
    // A peer that happens to have no room says so.
    (0..5).find_map(|_| {
        let puppet = setting.world.add_puppet(PuppetSpec {
            identity: identity.clone(),
            network: network(),
            signaller: setting.signaller,
            manners: Manners::HONEST,
        });
        let wire = setting.world.call(puppet, setting.world.id(peer));
        let in_time = setting.world.run_until(seconds(5), |world| world.wire(wire).is_neighbour());
        in_time.then_some((puppet, wire))
    })
}

/// Sends documents whose signatures do not hold until the link is closed; how many it took.
fn flood(setting: &mut Setting, wire: WireId, attacker: PuppetIndex) -> usize {
    let author = setting.world.puppet(attacker).identity().clone();
    for number in 1..500 {
        let now = setting.world.now().as_millis();
        let content = format!(r#"{{"number": {number}}}"#);
        let document = forge::document(&author, &network(), now, &content);
        let document = forge::with_bad_signature(&document);
        setting
            .world
            .speak(wire, &[Frame::Documents(DocumentFrame::Push(Push { hops: 0, document }))]);
        setting.world.run_for(Duration::from_millis(150));
        if setting.world.wire(wire).ended().is_some() {
            return number;
        }
    }
    panic!("the flood still has its link")
}

#[test]
fn a_flooder_is_blacklisted_each_time_for_longer_and_then_forgiven() {
    let mut setting = sparse(1, 5);
    let victim = setting.peers[0];
    let (mut attacker, mut wire) = setting.befriend(victim, Manners::HONEST);
    let identity = setting.world.puppet(attacker).identity().clone();
    let name = identity.peer_id();
    for times in 1..=2 {
        let count = flood(&mut setting, wire, attacker);
        assert!(count <= 11, "it took {count} invalid signatures");
        let listed = *blacklisted(&setting.world, victim).last().expect("it is listed");
        assert_eq!((listed.peer, listed.times), (name, times));
        assert_eq!(listed.misbehaviour, Some(Misbehaviour::InvalidSignature));
        assert_eq!(setting.world.status(victim).blacklist, [listed]);
        assert!(gets_in(&mut setting, &identity, victim).is_none(), "it came in again");
        // The others know nothing of it: an accusation is no proof.
        assert!(
            setting.peers[1..].iter().all(|peer| blacklisted(&setting.world, *peer).is_empty())
        );
        setting.still_works();
        let until = Time::from(listed.until.expect("not for ever"));
        let length = if times == 1 { 1 } else { 2 } * limits::BLACKLISTED_FOR.0;
        assert!(until.since(setting.world.now()) > length - seconds(60));
        setting.world.run_for(until.since(setting.world.now()));
        assert_eq!(setting.world.status(victim).blacklist, []);
        (attacker, wire) = gets_in(&mut setting, &identity, victim).expect("it is forgiven");
    }
    setting.sound();
}

#[test]
fn by_hand_a_peer_and_its_documents_are_kept_out_until_it_is_unblocked() {
    let mut setting = sparse(2, 4);
    let (victim, other) = (setting.peers[0], setting.peers[1]);
    let (stranger, wire) = setting.befriend(victim, Manners::HONEST);
    let also = setting.befriend(other, Manners::HONEST).1;
    let author = setting.world.puppet(stranger).identity().clone();
    setting.world.blacklist(victim, author.peer_id()).expect("there is room");
    let ended = |world: &World| world.wire(wire).ended().is_some();
    assert!(setting.world.run_until(seconds(5), ended));
    assert!(gets_in(&mut setting, &author, victim).is_none());
    let publish = |setting: &mut Setting, wire, number: u32| {
        let now = setting.world.now().as_millis();
        let content = format!(r#"{{"number": {number}}}"#);
        let document = forge::document(&author, &network(), now, &content);
        let id = document.id();
        setting
            .world
            .speak(wire, &[Frame::Documents(DocumentFrame::Push(Push { hops: 0, document }))]);
        setting.world.run_for(seconds(8));
        let got = |peer: &PeerIndex| setting.world.deliveries(*peer).iter().any(|got| got.id == id);
        setting.peers.iter().map(got).collect::<Vec<bool>>()
    };
    assert_eq!(publish(&mut setting, also, 1), [false, true, true, true]);
    assert!(setting.world.blacklist(victim, setting.world.id(victim)).is_err(), "not itself");
    let name = setting.world.puppet(stranger).id();
    assert!(setting.world.unblock(victim, &name));
    assert_eq!(publish(&mut setting, also, 2), [true; 4]);
    assert!(gets_in(&mut setting, &author, victim).is_some());
    setting.sound();
}

/// Some peers, few links each, that let no author write much.
fn with_quota(seed: u64, count: usize, documents: (u32, u32)) -> Setting {
    let mut world = World::new(seed, WorldConfig::default());
    let signaller = world.add_signaller(DeskConfig::default());
    let quota = Quota { documents, ..Quota::default() };
    let spec =
        PeerSpec { target_links: 3, max_links: 8, quota, ..PeerSpec::new(network(), &[signaller]) };
    let peers = world.add_peers(count, &spec);
    for peer in &peers {
        world.subscribe(*peer, "{}");
    }
    let mut setting = Setting { world, signaller, peers };
    setting.connect();
    setting
}

#[test]
fn an_author_over_its_quota_is_cut_and_a_peer_that_passed_it_on_is_not() {
    let mut setting = with_quota(3, 6, (20, 1));
    let most = 2 * (20 + 60);
    let victim = setting.peers[0];
    let (attacker, wire) = setting.befriend(victim, Manners::HONEST);
    let author = setting.world.puppet(attacker).identity().clone();
    let now = setting.world.now().as_millis();
    for number in 0..1000 {
        let content = format!(r#"{{"number": {number}}}"#);
        let document = forge::document(&author, &network(), now, &content);
        setting
            .world
            .speak(wire, &[Frame::Documents(DocumentFrame::Push(Push { hops: 0, document }))]);
    }
    setting.world.run_for(seconds(20));
    let listed = blacklisted(&setting.world, victim);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0].misbehaviour, Some(Misbehaviour::AuthorFlood));
    for peer in setting.peers.clone() {
        let of_it = |got: &&taiinet_sim::Delivered| got.author == author.peer_id();
        let count = setting.world.deliveries(peer).iter().filter(of_it).count();
        assert!(count <= most, "{peer:?} got {count}");
        assert!(peer == victim || blacklisted(&setting.world, peer).is_empty());
    }
    setting.still_works();
    setting.sound();
}

/// An honest author is held back where it publishes, and so never refused elsewhere.
#[test]
fn an_author_keeps_to_its_quota_and_loses_nothing() {
    let mut setting = with_quota(4, 5, (20, 10));
    let author = setting.peers[0];
    let (mut published, mut held_back) = (0, 0);
    while published < 150 {
        match setting.world.publish(author, &format!(r#"{{"number": {published}}}"#)) {
            Ok(_) => published += 1,
            Err(_) => {
                held_back += 1;
                setting.world.run_for(Duration::from_millis(50));
            }
        }
    }
    assert!(held_back > 0);
    setting.arrives(seconds(10), |_| true);
    for peer in setting.peers.clone() {
        assert_eq!(setting.refused(peer, Misbehaviour::AuthorFlood), 0);
    }
    setting.sound();
}

/// Colluders send an honest peer what it must pass on, each as much as it may, all for one victim.
#[test]
fn colluders_cannot_have_a_third_blacklisted_for_the_signals_it_passes_on() {
    let mut setting = sparse(5, 4);
    let (victim, relay) = (setting.peers[0], setting.peers[1]);
    let linked = |world: &World| world.neighbours(victim).contains(&relay);
    assert!(setting.world.run_until(seconds(30), linked));
    let colluders: Vec<_> = (0..3).map(|_| setting.befriend(relay, Manners::HONEST)).collect();
    let to = setting.world.id(victim);
    let (burst, _) = limits::SIGNALS;
    for number in 0..burst {
        for (colluder, wire) in &colluders {
            let identity = setting.world.puppet(*colluder).identity().clone();
            let entropy = setting.world.entropy();
            let part = SignalPart::Candidate("candidate:1".to_owned());
            let body = SignalBody { session: number.into(), part };
            let now = setting.world.now().as_millis();
            let signal = forge::signal(&identity, &network(), to, &body, now, entropy);
            setting
                .world
                .speak(*wire, &[Frame::Signal(SignalFrame::Signal(signal.expect("a usable key")))]);
        }
    }
    setting.world.run_for(seconds(5));
    let refused = |peer: PeerIndex| setting.refused(peer, Misbehaviour::SignalFlood);
    assert_eq!((refused(relay), refused(victim)), (0, 0), "each kept to its budget");
    for (_, wire) in &colluders {
        let told = setting.world.wire(*wire).frames();
        assert!(
            told.contains(&Frame::Signal(SignalFrame::Unreachable(to))),
            "nothing was held back"
        );
    }
    assert!(setting.world.neighbours(victim).contains(&relay));
    setting.still_works();
    setting.sound();
}

/// Clocks as wrong as they may be, and an attacker that dates its documents so that some are in time
/// for one and not for the next.
#[test]
fn documents_at_the_edge_of_time_harm_no_peer_that_passed_them_on() {
    let mut world = World::new(6, WorldConfig::default());
    let signaller = world.add_signaller(DeskConfig::default());
    let mut peers = Vec::new();
    for number in 0..6 {
        let clock_error = (i64::from(number) - 3) * 35_000;
        let usual = PeerSpec::new(network(), &[signaller]);
        let spec = PeerSpec { target_links: 3, max_links: 8, clock_error, ..usual };
        peers.push(world.add_peer(spec));
    }
    for peer in &peers {
        world.subscribe(*peer, "{}");
    }
    let mut setting = Setting { world, signaller, peers };
    setting.connect();
    let attackers: Vec<_> = setting
        .peers
        .clone()
        .into_iter()
        .map(|peer| (peer, setting.befriend(peer, Manners::HONEST)))
        .collect();
    let author = setting.world.identity();
    for number in 0..300_u64 {
        for (peer, (_, wire)) in &attackers {
            let now = setting.world.time_of(*peer);
            let oldest = now.before(limits::LIVE_WINDOW).after(Duration::from_millis(100));
            let newest = now.after(limits::CLOCK_SKEW).before(Duration::from_millis(100));
            let at = if number % 2 == 0 { oldest } else { newest };
            let content = format!(r#"{{"number": {number}}}"#);
            let document = forge::document(&author, &network(), at.as_millis(), &content);
            setting
                .world
                .speak(*wire, &[Frame::Documents(DocumentFrame::Push(Push { hops: 0, document }))]);
        }
        setting.world.run_for(Duration::from_millis(20));
    }
    setting.world.run_for(seconds(5));
    let out_of_time = |peer: &PeerIndex| setting.refused(*peer, Misbehaviour::OutOfTime);
    assert!(setting.peers.iter().map(out_of_time).sum::<u64>() > 300);
    for peer in setting.peers.clone() {
        for (_, event) in setting.world.events(peer) {
            let Event::PeerDisconnected { peer: lost, cause } = event else { continue };
            let honest = setting.world.peer_of(lost).is_some();
            let blamed = matches!(cause, taiinet_mesh::Disconnect::Misbehaved(_));
            assert!(!honest || !blamed, "{peer:?} lost {lost}: {cause}");
        }
    }
    setting.sound();
}

#[test]
fn a_peer_that_replays_what_is_long_over_loses_the_link_and_rests() {
    let mut setting = sparse(7, 4);
    let victim = setting.peers[0];
    let (attacker, wire) = setting.befriend(victim, Manners::HONEST);
    let identity = setting.world.puppet(attacker).identity().clone();
    let author = setting.world.identity();
    let then = setting.world.now().as_millis() - 3_600_000;
    for number in 0..1000 {
        let document = forge::document(&author, &network(), then + number, "{}");
        setting
            .world
            .speak(wire, &[Frame::Documents(DocumentFrame::Push(Push { hops: 0, document }))]);
    }
    setting.world.run_for(seconds(5));
    assert!(setting.world.wire(wire).ended().is_some());
    let (burst, _) = limits::LINK_TOLERANCE;
    let counted = setting.refused(victim, Misbehaviour::LongOver);
    assert!(counted <= u64::from(burst) + 10, "{counted} were looked at");
    assert_eq!(blacklisted(&setting.world, victim), [], "clocks may be wrong");
    assert!(gets_in(&mut setting, &identity, victim).is_none(), "it rests");
    setting.world.run_for(limits::USELESS_RESTS);
    assert!(gets_in(&mut setting, &identity, victim).is_some());
    setting.still_works();
    setting.sound();
}

#[test]
fn a_peer_that_tells_of_peers_or_compares_without_end_is_cut() {
    for number in 0..2 {
        let mut setting = sparse(8, 4);
        let victim = setting.peers[0];
        let wire = setting.befriend(victim, Manners::HONEST).1;
        let from = Mark::from(Timestamp::from_millis(0));
        let until = |millis| Mark::from(Timestamp::from_millis(u64::MAX - 1000 + millis));
        let piece = |number| Piece { until: until(number), count: 7, sum: 7 };
        let pieces: Vec<Piece> = (0..limits::PIECES as u64).map(piece).collect();
        for _ in 0..300 {
            let frame = match number {
                0 => Frame::View(ViewFrame::Shuffle(Vec::new())),
                _ => Frame::Sync(SyncFrame::Compare(Compare {
                    salt: [7; 32],
                    from,
                    pieces: pieces.clone(),
                })),
            };
            setting.world.speak(wire, &[frame]);
        }
        setting.world.run_for(seconds(3));
        assert!(setting.world.wire(wire).ended().is_some(), "{number}");
        let listed = blacklisted(&setting.world, victim);
        assert_eq!(listed[0].misbehaviour, Some(Misbehaviour::ExchangeFlood));
        setting.still_works();
        setting.sound();
    }
}

/// A neighbour that does not wait for acknowledgements cannot fill the memory of one whose application
/// is behind; nor can many.
#[test]
fn nobody_fills_the_memory_of_a_peer_that_is_behind() {
    let mut setting = sparse(9, 3);
    let victim = setting.peers[0];
    setting.world.set_behind(victim, true);
    let text = "x".repeat(100_000);
    let mut sent = 0;
    let mut ended = 0;
    for round in 0..15 {
        let (attacker, wire) = setting.befriend(victim, Manners::HONEST);
        let author = setting.world.puppet(attacker).identity().clone();
        for number in 0..30 {
            let now = setting.world.now().as_millis();
            let content = format!(r#"{{"text": "{text}", "number": "{round} {number}"}}"#);
            let document = forge::document(&author, &network(), now, &content);
            sent += document.size();
            let frame = codec_push(document);
            for piece in taiinet_mesh::wire::codec::fragment(&frame) {
                setting.world.speak_frame(wire, &piece);
            }
        }
        setting.world.run_for(seconds(3));
        ended += usize::from(setting.world.wire(wire).ended().is_some());
    }
    assert_eq!(ended, 15, "each sent more than its window holds");
    assert!(sent > 2 * limits::BEHIND_BYTES);
    let taken = setting.world.deliveries(victim).len() * text.len();
    assert!(taken <= limits::BEHIND_BYTES, "{taken} bytes wait for the application");
    setting.world.set_behind(victim, false);
    setting.still_works();
}

/// What waits for the application counts for what it holds: a document of 50 kB may hold 5 MB.
#[test]
fn expensive_documents_fill_no_more_of_it() {
    let mut setting = sparse(9, 3);
    let victim = setting.peers[0];
    setting.world.set_behind(victim, true);
    let (attacker, wire) = setting.befriend(victim, Manners::HONEST);
    let author = setting.world.puppet(attacker).identity().clone();
    let maps = vec![r#"{"":null}"#; taiinet_document::limits::VALUES / 2 - 2].join(",");
    let before = setting.world.deliveries(victim).len();
    let mut heap = 0;
    for number in 0..8 {
        let now = setting.world.now().as_millis();
        let content = format!(r#"{{"list": [{maps}], "number": {number}}}"#);
        let document = forge::document(&author, &network(), now, &content);
        heap = document.decode().expect("a document").heap_size();
        for piece in taiinet_mesh::wire::codec::fragment(&codec_push(document)) {
            setting.world.speak_frame(wire, &piece);
        }
    }
    setting.world.run_for(seconds(3));
    let taken = setting.world.deliveries(victim).len() - before;
    assert!(taken > 0 && taken * heap <= limits::BEHIND_BYTES + heap, "{taken} of {heap} bytes");
    setting.world.set_behind(victim, false);
    setting.still_works();
    setting.sound();
}

/// An author that knew the salt of a comparison ahead could choose documents that it does not see.
#[test]
fn no_two_comparisons_have_the_same_salt() {
    let mut setting = sparse(8, 4);
    let victim = setting.peers[0];
    let wires = [0; 3].map(|_| setting.befriend(victim, Manners::HONEST).1);
    setting.world.run_for(seconds(100));
    let mut salts: Vec<[u8; 32]> = Vec::new();
    for wire in wires {
        let salt = |frame: &Frame| match frame {
            Frame::Sync(SyncFrame::Compare(compare)) => Some(compare.salt),
            _ => None,
        };
        salts.extend(setting.world.wire(wire).frames().iter().filter_map(salt));
    }
    assert!(salts.len() > 5, "{} comparisons", salts.len());
    let all = salts.len();
    salts.sort_unstable();
    salts.dedup();
    assert_eq!(salts.len(), all);
}

fn codec_push(document: taiinet_document::SignedDocument) -> Vec<u8> {
    taiinet_mesh::wire::codec::encode(&Frame::Documents(DocumentFrame::Push(Push {
        hops: 0,
        document,
    })))
}

/// What every honest peer takes for granted of an attacker's name: nothing.
#[test]
fn an_attacker_in_anothers_name_harms_its_bearer_nowhere() {
    let mut setting = sparse(10, 4);
    let (victim, honest) = (setting.peers[0], setting.peers[1]);
    // It names an honest peer, cannot prove it, and misbehaves as much as it can before that.
    let identity = setting.world.identity();
    let liar = setting.world.add_puppet(PuppetSpec {
        identity,
        network: network(),
        signaller: setting.signaller,
        manners: Manners::MUTE,
    });
    let named = setting.world.id(honest);
    for nonce in 0..20 {
        let wire = setting.world.call(liar, setting.world.id(victim));
        let open = |world: &World| world.wire(wire).theirs().is_some();
        setting.world.run_until(seconds(5), open);
        let hello = forge::hello(named, &network(), [nonce; 32]);
        setting.world.speak(
            wire,
            &[
                Frame::Link(LinkFrame::Hello(hello)),
                Frame::Documents(DocumentFrame::Feed(0)),
                Frame::Link(LinkFrame::Ack(u32::MAX)),
            ],
        );
        setting.world.run_for(seconds(1));
    }
    assert_eq!(blacklisted(&setting.world, victim), []);
    setting.still_works();
    setting.sound();
}
