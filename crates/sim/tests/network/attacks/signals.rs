//! Hostile signallers, and hostile neighbours that introduce.

use std::{cell::RefCell, rc::Rc};

use taiinet_identity::Signed;
use taiinet_mesh::{
    Disconnect, Event, Misbehaviour, limits,
    wire::{
        Frame, FromSignaller, IceServer, POOL, Presence, RefusalReason, Signal, SignalBody,
        SignalFrame, SignalPart, ViewFrame, codec,
    },
};
use taiinet_sim::{DeskConfig, Manners, PeerSpec, World, WorldConfig, forge};

use crate::common::{describe, network, seconds, sparse};

/// The same bytes with one bit changed, somewhere in the middle; none if that does not decode.
fn altered<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> Option<T> {
    let mut bytes = codec::encode(value);
    let middle = bytes.len() * 2 / 3;
    *bytes.get_mut(middle)? ^= 1;
    codec::decode(&bytes).ok()
}

/// Two peers with an honest signaller and a hostile one.
fn between(seed: u64, tamper: taiinet_sim::Tamper) -> (World, taiinet_sim::SignallerIndex) {
    let mut world = World::new(seed, WorldConfig::default());
    let hostile = world.add_signaller(DeskConfig::default());
    let honest = world.add_signaller(DeskConfig::default());
    world.tamper(hostile, tamper);
    let peers = world.add_peers(6, &PeerSpec::new(network(), &[hostile, honest]));
    for peer in peers {
        world.subscribe(peer, "{}");
    }
    (world, hostile)
}

fn rejected(world: &World, what: Misbehaviour) -> u64 {
    world.counters().rejected.get(&what).copied().unwrap_or(0)
}

#[test]
fn altered_signals_are_ignored_and_the_honest_way_is_found() {
    let changed = Rc::new(RefCell::new(0));
    let count = Rc::clone(&changed);
    let (mut world, _) = between(
        1,
        Box::new(move |frame| match frame {
            FromSignaller::Signal(signal) => {
                *count.borrow_mut() += 1;
                altered(&signal).map(FromSignaller::Signal).into_iter().collect()
            }
            frame => vec![frame],
        }),
    );
    assert!(world.run_until(seconds(60), World::is_connected), "{}", describe(&world));
    assert!(*changed.borrow() > 0, "the hostile signaller was used");
    assert!(rejected(&world, Misbehaviour::InvalidSignature) > 0);
}

#[test]
fn forged_presences_are_not_dialled() {
    let forged = Rc::new(RefCell::new(Vec::new()));
    let made = Rc::clone(&forged);
    let (mut world, _) = between(
        2,
        Box::new(move |frame| match frame {
            FromSignaller::Introduced { presences, retry_after_ms } => {
                let presences: Vec<Signed<Presence>> =
                    presences.iter().filter_map(altered).collect();
                made.borrow_mut().extend(presences.iter().map(Signed::signer));
                vec![FromSignaller::Introduced { presences, retry_after_ms }]
            }
            frame => vec![frame],
        }),
    );
    assert!(world.run_until(seconds(60), World::is_connected), "{}", describe(&world));
    assert!(!forged.borrow().is_empty(), "the hostile signaller was used");
    let refused = world.counters().rejected;
    assert!(!refused.is_empty(), "forged presences are counted: {refused:?}");
}

#[test]
fn a_signaller_that_cannot_prove_its_key_is_not_joined() {
    for seed in 3..5 {
        let (mut world, hostile) = between(
            seed,
            Box::new(move |frame| match frame {
                FromSignaller::Welcome(mut welcome) => {
                    // Another signaller's key; or that and its signature, of another session.
                    let other = taiinet_identity::Identity::from_seed(
                        &taiinet_identity::Seed::from_bytes([5; 32]),
                    );
                    welcome.signaller = other.peer_id();
                    if seed == 4 {
                        let domain = taiinet_identity::Domain::Welcome;
                        welcome.signature = other.sign(domain, &[7; 32]);
                    }
                    vec![FromSignaller::Welcome(welcome)]
                }
                frame => vec![frame],
            }),
        );
        assert!(world.run_until(seconds(30), World::is_connected), "{}", describe(&world));
        assert!(rejected(&world, Misbehaviour::BadProof) > 0);
        assert_eq!(world.joins(hostile), &[]);
    }
}

#[test]
fn what_a_signaller_invents_is_ignored() {
    let mut setting = sparse(5, 5);
    let (victim, other) = (setting.peers[0], setting.peers[1]);
    let now = setting.world.now().as_millis();
    let stranger = setting.world.identity();
    let body = SignalBody { session: 1, part: SignalPart::Offer("v=0\r\n".to_owned()) };
    let to = setting.world.id(victim);
    // Sealed and signed for another; never signed; sealed to no key; very old.
    let mut invented = Vec::new();
    let signal = |setting: &mut crate::common::Setting, to, at| {
        let entropy = setting.world.entropy();
        forge::signal(&stranger, &network(), to, &body, at, entropy).expect("a usable key")
    };
    let elsewhere = setting.world.id(other);
    invented.push(signal(&mut setting, elsewhere, now));
    let good = signal(&mut setting, to, now);
    invented.extend(altered(&good));
    let unsealed = Signal {
        network: network(),
        to,
        sent_at: taiinet_document::Timestamp::from_millis(now),
        sealed: vec![1; 300],
    };
    invented.push(Signed::new(&stranger, &unsealed));
    invented.push(Signed::new(&stranger, &Signal { sealed: Vec::new(), ..unsealed.clone() }));
    invented.push(Signed::new(&stranger, &Signal { sealed: vec![1; 14_000], ..unsealed.clone() }));
    let foreign = Signal { network: "elsewhere".parse().expect("a name"), ..unsealed };
    invented.push(Signed::new(&stranger, &foreign));
    invented.push(signal(&mut setting, to, now - 1_000_000));
    invented.push(signal(&mut setting, to, u64::MAX - 5));
    let before = setting.world.now();
    for signal in invented {
        let signaller = setting.signaller;
        setting.world.signaller_says(signaller, &FromSignaller::Signal(signal));
        setting.world.run_for(seconds(2));
    }
    for frame in [
        FromSignaller::Joined,
        FromSignaller::Unreachable(setting.world.id(other)),
        FromSignaller::Introduced { presences: Vec::new(), retry_after_ms: u32::MAX },
        FromSignaller::Pong(u32::MAX),
    ] {
        setting.world.signaller_says(setting.signaller, &frame);
        setting.world.run_for(seconds(2));
    }
    for (at, event) in setting.world.events(victim) {
        // Parting because of too many links is the only thing that may happen.
        let harmless = match event {
            Event::PeerDisconnected { cause, .. } => {
                *cause == Disconnect::Refused(RefusalReason::Full)
            }
            _ => true,
        };
        assert!(*at < before || harmless, "{event:?}");
    }
    setting.still_works();
    setting.sound();
}

/// A signaller that tells every peer to wait for ever keeps none out for ever.
#[test]
fn a_signaller_cannot_send_peers_away_for_ever() {
    let mut world = World::new(6, WorldConfig::default());
    let hostile = world.add_signaller(DeskConfig::default());
    let until = Rc::new(RefCell::new(true));
    let hostile_now = Rc::clone(&until);
    world.tamper(
        hostile,
        Box::new(move |frame| match frame {
            FromSignaller::Joined if *hostile_now.borrow() => vec![FromSignaller::Refused {
                reason: RefusalReason::Full,
                retry_after_ms: u32::MAX,
            }],
            frame => vec![frame],
        }),
    );
    world.add_peers(3, &PeerSpec::new(network(), &[hostile]));
    world.run_for(seconds(10));
    assert!(!world.is_connected());
    *until.borrow_mut() = false;
    assert!(world.run_until(seconds(200), World::is_connected), "{}", describe(&world));
}

/// An offer that was seen once opens nothing when it comes again.
#[test]
fn replayed_offers_open_nothing() {
    let heard: Rc<RefCell<Vec<FromSignaller>>> = Rc::default();
    let record = Rc::clone(&heard);
    let mut setting = sparse(7, 4);
    setting.world.tamper(
        setting.signaller,
        Box::new(move |frame| {
            if matches!(frame, FromSignaller::Signal(_)) {
                record.borrow_mut().push(frame.clone());
            }
            vec![frame]
        }),
    );
    let victim = setting.peers[0];
    setting.befriend(victim, Manners::HONEST);
    setting.world.run_for(seconds(2));
    let links = setting.world.status(victim).links.len();
    let heard = heard.borrow().clone();
    assert!(!heard.is_empty());
    for _ in 0..20 {
        for frame in &heard {
            setting.world.signaller_says(setting.signaller, frame);
        }
        setting.world.run_for(std::time::Duration::from_millis(200));
        assert!(setting.world.status(victim).links.len() <= links);
    }
    setting.still_works();
}

/// A neighbour that passes on forged or too many signals is counted, and loses its link over it.
#[test]
fn a_neighbour_that_floods_signals_is_held_to_its_budget() {
    let mut setting = sparse(8, 5);
    let victim = setting.peers[0];
    let (_, wire) = setting.befriend(victim, Manners::HONEST);
    let witness = setting.befriend(victim, Manners::HONEST);
    let to = setting.world.puppet(witness.0).id();
    let sender = setting.world.identity();
    let body = SignalBody { session: 1, part: SignalPart::Candidate("c".to_owned()) };
    for _ in 0..400 {
        let (now, entropy) = (setting.world.now().as_millis(), setting.world.entropy());
        let signal = forge::signal(&sender, &network(), to, &body, now, entropy).expect("a key");
        setting.world.speak(wire, &[Frame::Signal(SignalFrame::Signal(signal))]);
    }
    setting.world.run_for(seconds(3));
    let passed = setting.world.wire(witness.1).frames();
    let passed = passed
        .iter()
        .filter(|frame| matches!(frame, Frame::Signal(SignalFrame::Signal(_))))
        .count();
    let budget = usize::try_from(limits::SIGNALS.0 + 4 * limits::SIGNALS.1).expect("small");
    assert!((1..=budget).contains(&passed), "{passed} signals were passed on");
    assert!(setting.refused(victim, Misbehaviour::SignalFlood) > 0);
    assert!(setting.world.wire(wire).ended().is_some(), "the flood still has its link");
    setting.still_works();
}

#[test]
fn a_neighbour_that_shuffles_forged_presences_teaches_nobody() {
    let mut setting = sparse(9, 5);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, Manners::HONEST).1;
    let sybil = setting.world.identity();
    let now = setting.world.now().as_millis();
    let good = forge::presence(&sybil, &network(), None, now);
    let foreign = forge::presence(&sybil, &"elsewhere".parse().expect("a name"), None, now);
    let old = forge::presence(&sybil, &network(), None, now - 10_000_000);
    let early = forge::presence(&sybil, &network(), None, now + 10_000_000);
    let endless = Signed::new(
        &sybil,
        &Presence {
            network: network(),
            joined: None,
            issued_at: taiinet_document::Timestamp::from_millis(now),
            expires_at: taiinet_document::Timestamp::from_millis(u64::MAX),
            address: None,
            next_key: None,
            archive: None,
            open: false,
        },
    );
    let honest = setting.peers.len() - 1;
    let mut forged: Vec<Signed<Presence>> = vec![foreign, old, early, endless];
    forged.extend(altered(&good));
    for presence in forged {
        setting.world.speak(wire, &[Frame::View(ViewFrame::ShuffleReply(vec![presence]))]);
        setting.world.run_for(std::time::Duration::from_millis(500));
        assert!(setting.world.status(victim).candidates <= honest, "it learnt a forged presence");
    }
    let total: u64 = setting.world.status(victim).counters.rejected.values().sum();
    assert!(total >= 4, "{:?}", setting.world.status(victim).counters);
    setting.still_works();
}

/// A presence that is larger than one may be goes no further than its first bearer, whose lanes would
/// have to carry sixteen of them to every peer.
#[test]
fn a_giant_presence_is_kept_by_nobody_and_ends_the_link_that_brought_it() {
    let mut setting = sparse(10, 5);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, Manners::HONEST).1;
    let sybil = setting.world.identity();
    let now = setting.world.now().as_millis();
    let honest = forge::presence(&sybil, &network(), None, now);
    let body = honest.peek().expect("a presence");
    let before = setting.world.status(victim).candidates;
    let giant = Presence { address: Some(format!("wss://{}", "a".repeat(15_000))), ..body };
    let giant = Signed::new(&sybil, &giant);
    setting.world.speak(wire, &[Frame::View(ViewFrame::ShuffleReply(vec![giant]))]);
    setting.world.run_for(seconds(1));
    assert!(setting.world.status(victim).candidates <= before, "it keeps it");
    assert!(setting.world.wire(wire).ended().is_some());
    assert!(setting.refused(victim, Misbehaviour::Oversize) > 0);
    setting.still_works();
    setting.sound();
}

/// Nothing that a signaller says before it has proven its key is taken from it: an attacker in
/// between could say it.
#[test]
fn a_signaller_that_has_not_proven_its_key_is_not_listened_to() {
    let evil = || IceServer {
        url: "turn:evil.example:3478".to_owned(),
        username: "u".to_owned(),
        credential: "c".to_owned(),
    };
    for early in [
        FromSignaller::Turn(vec![evil()]),
        FromSignaller::Introduced { presences: Vec::new(), retry_after_ms: 60_000 },
        FromSignaller::Signallers(Vec::new()),
        FromSignaller::Joined,
    ] {
        let said = early.clone();
        let (mut world, hostile) = between(
            11,
            Box::new(move |frame| match frame {
                FromSignaller::Welcome(_) => vec![said.clone(), frame],
                frame => vec![frame],
            }),
        );
        assert!(world.run_until(seconds(30), World::is_connected), "{}", describe(&world));
        assert!(rejected(&world, Misbehaviour::Unproven) > 0, "{early:?}");
        assert_eq!(world.joins(hostile), &[], "{early:?}");
        let named = |peer| world.status(peer).ice_servers.contains(&evil());
        assert!(!world.alive().into_iter().any(named), "{early:?}");
    }
}

/// A lying signaller fills no peer's view with its own: it is heard only when it is asked, and is left
/// when it goes on.
#[test]
fn a_signaller_that_introduces_unasked_is_left() {
    let mut setting = sparse(12, 5);
    let victim = setting.peers[0];
    let now = setting.world.now().as_millis();
    let before = setting.world.status(victim).candidates;
    for _ in 0..40 {
        let sybils: Vec<_> = (0..limits::PRESENCES_PER_FRAME)
            .map(|_| forge::presence(&setting.world.identity(), &network(), None, now))
            .collect();
        let frame = FromSignaller::Introduced { presences: sybils, retry_after_ms: 60_000 };
        setting.world.signaller_says(setting.signaller, &frame);
    }
    setting.world.run_for(seconds(2));
    let status = setting.world.status(victim);
    let heard = usize::from(limits::INTRODUCTIONS_AWAITED) * limits::PRESENCES_PER_FRAME;
    assert!(status.candidates <= before + heard, "{} candidates", status.candidates);
    assert!(setting.refused(victim, Misbehaviour::Unasked) > 0);
    let why = status.signallers[0].failure.clone();
    assert_eq!(why, Some(Disconnect::Misbehaved(Misbehaviour::Unasked)));
    setting.world.run_for(limits::SIGNALLER_DISTRUST.0 / 2);
    assert!(!setting.world.status(victim).signallers[0].joined, "it is not trusted again so soon");
}

/// What is wrong with a signal is its signer's doing, not the signaller's that passed it on.
#[test]
fn nobody_throws_a_peer_off_its_signaller_by_what_it_signs() {
    let mut setting = sparse(13, 5);
    let victim = setting.peers[0];
    let stranger = setting.world.identity();
    let now = setting.world.now().as_millis();
    let signal = |bytes: usize, at: u64| Signal {
        network: network(),
        to: setting.world.id(victim),
        sent_at: taiinet_document::Timestamp::from_millis(at),
        sealed: vec![1; bytes],
    };
    let mut bad = vec![Signed::new(&stranger, &signal(16_000, now))];
    bad.push(Signed::new(&stranger, &signal(300, now - 1_000_000)));
    bad.extend(altered(&Signed::new(&stranger, &signal(300, now))));
    let counted = |setting: &crate::common::Setting| -> u64 {
        setting.world.status(victim).counters.rejected.values().sum()
    };
    let before = counted(&setting);
    for _ in 0..30 {
        for signal in &bad {
            let to_victim = FromSignaller::Signal(signal.clone());
            setting.world.signaller_says_to(setting.signaller, victim, &to_victim);
        }
        setting.world.run_for(std::time::Duration::from_millis(500));
    }
    assert!(counted(&setting) >= before + 80);
    let signaller = &setting.world.status(victim).signallers[0];
    assert!(signaller.joined && signaller.failure.is_none(), "{signaller:?}");
    setting.still_works();
}

/// Clocks differ: what is out of its time for one keeps it from hearing nothing else.
#[test]
fn one_presence_that_is_too_old_does_not_hide_the_others() {
    let mut setting = sparse(14, 5);
    let victim = setting.peers[0];
    let wire = setting.befriend(victim, Manners::HONEST).1;
    let (old, good) = (setting.world.identity(), setting.world.identity());
    let now = setting.world.now().as_millis();
    let old = forge::presence(&old, &network(), None, now - 10_000_000);
    let good = forge::presence(&good, &network(), None, now);
    let before = setting.world.status(victim).candidates;
    setting.world.speak(wire, &[Frame::View(ViewFrame::ShuffleReply(vec![old, good]))]);
    setting.world.run_for(std::time::Duration::from_millis(300));
    assert_eq!(setting.world.status(victim).candidates, before + 1);
    assert!(setting.refused(victim, Misbehaviour::OutOfTime) > 0);
    setting.sound();
}

/// What a signaller tells of others takes a signature each time, as long as it tells of more than a peer
/// remembers. It makes no more work than a neighbour may.
#[test]
fn a_signaller_that_makes_work_without_end_is_slowed_and_left() {
    let mut setting = sparse(15, 5);
    let victim = setting.peers[0];
    let now = setting.world.now();
    let told = |number: u32| {
        let presence = Presence {
            network: POOL.parse().expect("a name"),
            joined: None,
            issued_at: now.timestamp(),
            expires_at: now.after(limits::PRESENCE_LIFE).timestamp(),
            address: Some(format!("wss://signaller-{number}.example")),
            next_key: None,
            archive: None,
            open: false,
        };
        Signed::new(&setting.world.identity(), &presence)
    };
    let all: Vec<Signed<Presence>> = (0..25 * limits::SIGNALLERS_TOLD as u32).map(told).collect();
    let frames: Vec<FromSignaller> = all
        .chunks(limits::SIGNALLERS_TOLD)
        .map(|some| FromSignaller::Signallers(some.to_vec()))
        .collect();
    for frame in frames.iter().cycle().take(4000) {
        setting.world.signaller_says_to(setting.signaller, victim, frame);
    }
    setting.world.run_for(seconds(10));
    assert_eq!(setting.refused(victim, Misbehaviour::WorkFlood), 1);
    let signaller = setting.world.status(victim).signallers[0].clone();
    let why = Some(Disconnect::Misbehaved(Misbehaviour::WorkFlood));
    assert_eq!((signaller.joined, signaller.failure), (false, why));
    setting.still_works();
    setting.sound();
}
