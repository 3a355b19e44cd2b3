//! Peers that have not proven who they are, or are many.

use taiinet_document::DocumentId;
use taiinet_identity::Signature;
use taiinet_mesh::{
    LinkState, Misbehaviour,
    wire::{DocumentFrame, Fragment, Frame, Hello, LinkFrame, Neighbour, Push, ViewFrame},
};
use taiinet_sim::{DeskConfig, Manners, PeerSpec, PuppetSpec, World, WorldConfig, forge};

use crate::common::{describe, network, seconds, seeds, sparse};

/// A neighbour that cares for everything.
fn neighbour() -> Neighbour {
    Neighbour { presence: None, since: taiinet_document::Timestamp::from_millis(0) }
}

/// What a stranger may say instead of proving itself.
fn words(document: &taiinet_document::SignedDocument) -> Vec<Frame> {
    let id = document.id();
    vec![
        Frame::Documents(DocumentFrame::Push(Push { hops: 0, document: document.clone() })),
        Frame::Documents(DocumentFrame::Have(vec![id])),
        Frame::Documents(DocumentFrame::Graft(vec![id])),
        Frame::Documents(DocumentFrame::Feed(0)),
        Frame::Link(LinkFrame::Ack(1000)),
        Frame::View(ViewFrame::Shuffle(Vec::new())),
        Frame::View(ViewFrame::ShuffleReply(Vec::new())),
        Frame::Link(LinkFrame::Neighbour(neighbour())),
        Frame::Fragment(Fragment { last: false, bytes: vec![1, 2, 3] }),
        Frame::Link(LinkFrame::Ping(1)),
        Frame::Link(LinkFrame::Pong(1)),
    ]
}

/// Neither before the hello nor before the proof does anything count but the handshake.
#[test]
fn a_stranger_that_never_proved_itself_is_neither_heard_nor_told_anything() {
    let mut setting = sparse(1, 6);
    let victim = setting.peers[0];
    let witness = setting.befriend(victim, Manners::HONEST).1;
    let kept = setting.world.publish(victim, r#"{"for": "neighbours"}"#).expect("there is room");
    setting.world.run_for(seconds(1));
    let stranger = setting.world.identity();
    let now = setting.world.now().as_millis();
    let document = forge::document(&stranger, &network(), now, r#"{"from": "a stranger"}"#);
    let before = setting.refused(victim, Misbehaviour::Unproven);
    let mut refused = 0;
    for greets in [false, true] {
        let mut said = words(&document);
        said.push(Frame::Documents(DocumentFrame::Graft(vec![kept])));
        for frame in said {
            let manners = Manners { greets, ..Manners::MUTE };
            let wire = setting.stranger(victim, manners);
            setting.world.run_for(seconds(1));
            setting.world.speak(wire, std::slice::from_ref(&frame));
            refused += 1;
            let closed =
                setting.world.run_until(seconds(1), |world| world.wire(wire).ended().is_some());
            assert!(closed, "{frame:?} kept the link of a stranger open");
            let heard = setting.world.wire(wire).frames();
            let only = |frame: &Frame| {
                matches!(frame, Frame::Link(LinkFrame::Hello(_)) | Frame::Link(LinkFrame::Proof(_)))
            };
            assert!(heard.iter().all(only), "after {frame:?} the stranger was told {heard:?}");
        }
    }
    assert_eq!(setting.refused(victim, Misbehaviour::Unproven) - before, refused);
    setting.world.run_for(seconds(5));
    for peer in setting.world.alive() {
        let got = setting.world.deliveries(peer);
        assert!(got.iter().all(|delivered| delivered.id != document.id()), "{peer:?}");
    }
    assert!(!setting.world.wire(witness).pushed().contains(&document.id()));
    setting.still_works();
    setting.sound();
}

/// Proven, but never taken as a neighbour on its own side.
#[test]
fn a_document_before_the_stranger_joined_is_out_of_turn() {
    let mut setting = sparse(2, 5);
    let victim = setting.peers[0];
    let manners = Manners { greets: true, proves: true, ..Manners::MUTE };
    let wire = setting.stranger(victim, manners);
    setting.world.run_for(seconds(1));
    let author = setting.world.identity();
    let now = setting.world.now().as_millis();
    let document = forge::document(&author, &network(), now, "{}");
    let id = document.id();
    setting.world.speak(wire, &[Frame::Documents(DocumentFrame::Push(Push { hops: 0, document }))]);
    setting.world.run_for(seconds(2));
    assert!(setting.world.wire(wire).ended().is_some());
    assert!(setting.refused(victim, Misbehaviour::OutOfTurn) > 0);
    for peer in setting.world.alive() {
        assert!(setting.world.deliveries(peer).iter().all(|delivered| delivered.id != id));
    }
    setting.still_works();
}

#[test]
fn wrong_proofs_and_foreign_names_are_refused() {
    let mut setting = sparse(3, 5);
    let (victim, other) = (setting.peers[0], setting.peers[1]);
    let their_name = setting.world.id(other);
    let nonce = [7; 32];
    let before = setting.refused(victim, Misbehaviour::BadProof);

    // Names another.
    let wire = setting.stranger(victim, Manners::MUTE);
    setting
        .world
        .speak(wire, &[Frame::Link(LinkFrame::Hello(forge::hello(their_name, &network(), nonce)))]);
    setting.world.run_for(seconds(1));
    assert!(setting.world.wire(wire).ended().is_some());

    // Sends the victim's own words back.
    let wire = setting.stranger(victim, Manners::MUTE);
    setting.world.run_for(seconds(1));
    let hello = setting.world.wire(wire).theirs().cloned().expect("the victim greets");
    setting.world.speak(wire, &[Frame::Link(LinkFrame::Hello(hello))]);
    setting.world.run_for(seconds(1));
    assert!(setting.world.wire(wire).ended().is_some());

    // A proof by another key, and one that is none.
    for good_key in [false, true] {
        let wire = setting.stranger(victim, Manners { greets: true, ..Manners::MUTE });
        setting.world.run_for(seconds(1));
        let wrong = setting.world.identity();
        let mut proof = setting.world.wire(wire).proof(&wrong).expect("both have greeted");
        if good_key {
            proof = Signature::from_bytes([9; 64]);
        }
        setting.world.speak(wire, &[Frame::Link(LinkFrame::Proof(proof))]);
        setting.world.run_for(seconds(1));
        assert!(setting.world.wire(wire).ended().is_some());
    }
    assert_eq!(setting.refused(victim, Misbehaviour::BadProof) - before, 4);

    // Another network, another version.
    let puppet = setting.puppet(Manners::MUTE);
    let name = setting.world.puppet(puppet).id();
    for (network, version) in [("elsewhere", 1), ("tests", 77)] {
        let wire = setting.world.call(puppet, setting.world.id(victim));
        let greeted = |world: &World| world.wire(wire).theirs().is_some();
        assert!(setting.world.run_until(seconds(20), greeted));
        let network = network.parse().expect("a name");
        let hello = Hello { version, ..forge::hello(name, &network, nonce) };
        setting.world.speak(wire, &[Frame::Link(LinkFrame::Hello(hello))]);
        setting.world.run_for(seconds(7));
        assert!(setting.world.wire(wire).ended().is_some());
        assert!(!setting.world.wire(wire).is_neighbour());
    }
    setting.still_works();
    setting.sound();
}

/// An attacker in the middle of a channel relays an honest handshake word for word. Everything holds
/// but the channel: both ends must notice.
#[test]
fn a_handshake_relayed_over_other_channels_does_not_hold() {
    let config = WorldConfig { early_lost: false, ..WorldConfig::default() };
    let mut world = World::new(4, config);
    // Each victim knows a signaller of its own, so the one in the middle can be the other to it.
    let here = world.add_signaller(DeskConfig::default());
    let there = world.add_signaller(DeskConfig::default());
    let alice = world.add_peer(PeerSpec::new(network(), &[here]));
    let bob = world.add_peer(PeerSpec::new(network(), &[there]));
    // Bob may be introduced to "Alice", not she to "Bob": so the roles are as on a direct link.
    world.tamper(
        here,
        Box::new(|frame| match frame {
            taiinet_mesh::wire::FromSignaller::Introduced { .. } => Vec::new(),
            frame => vec![frame],
        }),
    );
    // That the signals carry the victims' signatures is assumed broken here: the binding alone is
    // to hold.
    let as_bob = world.add_puppet(PuppetSpec {
        identity: world.stolen_identity(bob),
        network: network(),
        signaller: here,
        manners: Manners::MUTE,
    });
    let as_alice = world.add_puppet(PuppetSpec {
        identity: world.stolen_identity(alice),
        network: network(),
        signaller: there,
        manners: Manners { takes_offers: true, shows: true, ..Manners::MUTE },
    });
    let bob_calls = |world: &World| world.puppet(as_alice).incoming().count() > 0;
    assert!(world.run_until(seconds(30), bob_calls), "the one in the middle has a channel to Bob");
    let to_alice = world.call(as_bob, world.id(alice));
    let alice_answers = |world: &World| world.wire(to_alice).is_open();
    assert!(world.run_until(seconds(4), alice_answers), "and one to Alice");
    let to_bob = world.wires(as_alice).into_iter().next_back().expect("it is open");
    assert_ne!(world.wire(to_alice).binding(), world.wire(to_bob).binding());
    let (mut from_alice, mut from_bob) = (0, 0);
    for _ in 0..100 {
        world.run_for(std::time::Duration::from_millis(20));
        let words = world.wire(to_alice).frames()[from_alice..].to_vec();
        from_alice += words.len();
        world.speak(to_bob, &words);
        let words = world.wire(to_bob).frames()[from_bob..].to_vec();
        from_bob += words.len();
        world.speak(to_alice, &words);
    }
    assert!(from_alice >= 2 && from_bob >= 2, "hello and proof were relayed");
    for victim in [alice, bob] {
        let status = world.status(victim);
        assert!(status.counters.rejected.contains_key(&Misbehaviour::BadProof), "{status:?}");
        assert!(status.links.iter().all(|link| link.state != LinkState::Active), "{status:?}");
    }
}

/// The links of a peer that it opened itself.
fn outgoing(world: &World, peer: taiinet_sim::PeerIndex) -> Vec<taiinet_identity::PeerId> {
    let links = world.status(peer).links;
    let ours = |link: &&taiinet_mesh::LinkStatus| {
        link.state == LinkState::Active
            && !link.incoming
            && world.peer_of(&link.peer).is_some_and(|other| world.is_alive(other))
    };
    links.iter().filter(ours).map(|link| link.peer).collect()
}

/// Strangers besiege a peer for minutes. They never are more than their share, and the peer keeps
/// links of its own choice to honest peers, so that they cannot cut it off.
#[test]
fn forty_strangers_at_once_push_nobody_out() {
    for seed in seeds(10..12) {
        let mut setting = crate::common::meshed(seed, 15);
        setting.world.run_for(seconds(15));
        let own_links = |world: &World, peer: taiinet_sim::PeerIndex| outgoing(world, peer).len();
        let victim = setting
            .world
            .alive()
            .into_iter()
            .find(|peer| own_links(&setting.world, *peer) >= 3)
            .expect("some peer has links of its own choice");
        let puppets: Vec<_> = (0..40).map(|_| setting.puppet(Manners::HONEST)).collect();
        let mut fewest = usize::MAX;
        for round in 0..30 {
            for puppet in &puppets {
                setting.world.call(*puppet, setting.world.id(victim));
            }
            setting.world.run_for(seconds(4));
            let status = setting.world.status(victim);
            let active = status.links.iter().filter(|link| link.state == LinkState::Active);
            assert!(active.count() <= 10, "round {round}: {status:?}");
            assert!(status.links.len() <= 10 + taiinet_mesh::limits::PENDING_LINKS);
            let strangers = status.links.iter().filter(|link| {
                link.state == LinkState::Active && setting.world.peer_of(&link.peer).is_none()
            });
            assert!(strangers.count() <= 7, "round {round}: {status:?}");
            fewest = fewest.min(own_links(&setting.world, victim));
        }
        assert!(fewest >= 2, "seed {seed}: it came down to {fewest} honest links of its own");
        assert!(setting.world.is_connected(), "{}", describe(&setting.world));
        setting.still_works();
        setting.sound();
    }
}

/// Strangers that take links and never say who they are do not keep honest peers out for long.
#[test]
fn half_open_links_of_many_strangers_do_not_block_newcomers() {
    let mut setting = sparse(20, 4);
    let victims = setting.peers.clone();
    let puppets: Vec<_> =
        (0..40).map(|_| setting.puppet(Manners { takes_offers: true, ..Manners::MUTE })).collect();
    let newcomer = setting
        .world
        .add_peer(PeerSpec { target_links: 3, ..PeerSpec::new(network(), &[setting.signaller]) });
    setting.world.subscribe(newcomer, "{}");
    for _ in 0..8 {
        for (number, puppet) in puppets.iter().enumerate() {
            let victim = victims[number % victims.len()];
            setting.world.call(*puppet, setting.world.id(victim));
        }
        setting.world.run_for(seconds(5));
        for victim in &victims {
            let links = setting.world.status(*victim).links.len();
            assert!(links <= 8 + taiinet_mesh::limits::PENDING_LINKS, "{links} links");
        }
    }
    let found = |world: &World| !world.neighbours(newcomer).is_empty();
    assert!(setting.world.run_until(seconds(60), found), "{}", describe(&setting.world));
    setting.still_works();
}

/// One peer that asks for many links still is one neighbour.
#[test]
fn many_links_of_one_stranger_are_one_neighbour() {
    let mut setting = sparse(30, 4);
    let victim = setting.peers[0];
    let puppet = setting.puppet(Manners::HONEST);
    for _ in 0..20 {
        setting.world.call(puppet, setting.world.id(victim));
        setting.world.run_for(std::time::Duration::from_millis(300));
    }
    setting.world.run_for(seconds(5));
    let name = setting.world.puppet(puppet).id();
    let links = setting.world.status(victim).links;
    let active =
        links.iter().filter(|link| link.peer == name && link.state == LinkState::Active).count();
    assert!(active <= 1, "{links:?}");
    setting.still_works();
}

#[test]
fn a_neighbour_may_not_start_over() {
    let mut setting = sparse(31, 4);
    let victim = setting.peers[0];
    let (puppet, wire) = setting.befriend(victim, Manners::HONEST);
    let name = setting.world.puppet(puppet).id();
    let hello = Frame::Link(LinkFrame::Hello(forge::hello(name, &network(), [3; 32])));
    setting.world.speak(wire, &[hello]);
    setting.world.run_for(seconds(1));
    assert!(setting.world.wire(wire).ended().is_some());
    assert!(setting.refused(victim, Misbehaviour::OutOfTurn) > 0);
    let unknown = DocumentId::from_bytes([1; 32]);
    let (_, wire) = setting.befriend(victim, Manners::HONEST);
    let neighbour = Frame::Link(LinkFrame::Neighbour(neighbour()));
    setting.world.speak(wire, &[Frame::Documents(DocumentFrame::Graft(vec![unknown])), neighbour]);
    setting.world.run_for(seconds(1));
    assert!(setting.world.wire(wire).ended().is_some());
    setting.still_works();
}

/// Four offers of silent strangers each few seconds take all places of those that are pending. Others that
/// come meanwhile, one after the other, find one nevertheless.
#[test]
fn silent_offers_do_not_keep_newcomers_out() {
    let mut setting = sparse(40, 3);
    let victim = setting.peers[0];
    let name = setting.world.id(victim);
    let silent: Vec<_> = (0..4).map(|_| setting.puppet(Manners::MUTE)).collect();
    let newcomers: Vec<_> = (0..12).map(|_| setting.puppet(Manners::HONEST)).collect();
    setting.world.run_for(seconds(2));
    let mut admitted = 0;
    for newcomer in newcomers {
        for puppet in &silent {
            setting.world.call(*puppet, name);
        }
        setting.world.run_for(seconds(1));
        let wire = setting.world.call(newcomer, name);
        let is_admitted = |world: &World| world.wire(wire).is_neighbour();
        admitted += usize::from(setting.world.run_until(seconds(3), is_admitted));
        setting.world.hang_up(wire);
        setting.world.run_for(seconds(2));
    }
    assert!(admitted >= 8, "{admitted} of 12");
    setting.still_works();
}
