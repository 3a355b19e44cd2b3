//! What a signaller that relays a link can do to it, and what a peer can by way of such a link.

use std::{cell::RefCell, rc::Rc};

use taiinet_mesh::{
    Misbehaviour, SignallerRelay,
    session::{self, Answer, Dialler, Opening, Purpose, Session},
    wire::{CircuitFrame, CircuitPart, FromSignaller, VERSION},
};
use taiinet_sim::{Audit, DeskConfig, PeerIndex, PeerSpec, Relaying, Tamper, World, WorldConfig};

use crate::common::{network, seconds};

/// Two peers that are linked by a signaller alone.
fn relayed(seed: u64) -> (World, taiinet_sim::SignallerIndex, [PeerIndex; 2]) {
    let mut world = World::new(seed, WorldConfig::default());
    let config = DeskConfig { relaying: Some(Relaying::default()), ..DeskConfig::default() };
    let signaller = world.add_signaller(config);
    let spec = PeerSpec {
        signaller_relay: SignallerRelay::Only,
        ..PeerSpec::new(network(), &[signaller])
    };
    let peers = [world.add_peer(spec.clone()), world.add_peer(spec)];
    for peer in peers {
        world.subscribe(peer, "{}");
    }
    (world, signaller, peers)
}

/// Changes each message of a link that is relayed.
fn on_messages(mut change: impl FnMut(CircuitFrame) -> Vec<CircuitFrame> + 'static) -> Tamper {
    Box::new(move |frame| match frame {
        FromSignaller::Circuit(frame) if matches!(frame.part, CircuitPart::Message(_)) => {
            change(frame).into_iter().map(FromSignaller::Circuit).collect()
        }
        frame => vec![frame],
    })
}

/// From the first document on, the signaller does this. The peers take nothing that was not said, notice if
/// anything was changed, and blame nobody.
fn attacked(what: &str, is_noticed: bool, tamper: Tamper) {
    let (mut world, signaller, peers) = relayed(2);
    assert!(world.run_until(seconds(5), World::is_connected), "{what}");
    world.tamper(signaller, tamper);
    for number in 0..40 {
        world.publish(peers[number % 2], &format!(r#"{{"number": {number}}}"#)).expect("room");
        world.run_for(core::time::Duration::from_millis(200));
    }
    world.run_for(seconds(20));
    let audit = Audit::of(&world, |_| false);
    assert!(audit.repeated.is_empty() && audit.unasked.is_empty(), "{what}: {audit:?}");
    let rejected = world.counters().rejected;
    let noticed = rejected.contains_key(&Misbehaviour::BadSession);
    assert_eq!(noticed, is_noticed, "{what}: {rejected:?}");
    for peer in peers {
        assert!(world.status(peer).blacklist.is_empty(), "{what}");
    }
    assert_eq!(world.violations(), &[] as &[String], "{what}");
}

#[test]
fn what_a_signaller_changes_repeats_or_adds_is_noticed_and_never_taken() {
    attacked(
        "changed",
        true,
        on_messages(|mut frame| {
            if let CircuitPart::Message(bytes) = &mut frame.part
                && let Some(byte) = bytes.last_mut()
            {
                *byte ^= 1;
            }
            vec![frame]
        }),
    );
    attacked("repeated", true, on_messages(|frame| vec![frame.clone(), frame]));
    attacked(
        "added",
        true,
        on_messages(|frame| {
            let forged = CircuitFrame { part: CircuitPart::Message(vec![0; 100]), ..frame.clone() };
            vec![forged, frame]
        }),
    );
    let mut held = None;
    attacked(
        "in another order",
        true,
        on_messages(move |frame| match held.take() {
            None => {
                held = Some(frame);
                Vec::new()
            }
            Some(earlier) => vec![frame, earlier],
        }),
    );
    let mut count = 0;
    attacked(
        "some held back",
        true,
        on_messages(move |frame| {
            count += 1;
            if count % 5 == 0 { Vec::new() } else { vec![frame] }
        }),
    );
    attacked("all held back", false, on_messages(|_| Vec::new()));
}

/// A message of one circuit is none of another, nor is an answer: what is kept is of no use.
#[test]
fn what_was_said_on_an_earlier_circuit_is_worth_nothing_on_the_next() {
    let earlier = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&earlier);
    attacked(
        "of before",
        true,
        Box::new(move |frame| match frame {
            FromSignaller::Circuit(frame) => {
                let mut kept = kept.borrow_mut();
                if kept.len() < 60 {
                    kept.push(frame.clone());
                    return vec![FromSignaller::Circuit(frame)];
                }
                let same = |old: &&CircuitFrame| {
                    old.peer == frame.peer
                        && core::mem::discriminant(&old.part)
                            == core::mem::discriminant(&frame.part)
                };
                let replayed = kept.iter().find(same).cloned().unwrap_or(frame);
                vec![FromSignaller::Circuit(replayed)]
            }
            frame => vec![frame],
        }),
    );
    assert!(earlier.borrow().len() >= 60, "it was used");
}

/// The signaller's two sessions, one with each end.
#[derive(Default)]
struct Splice {
    /// What is to be told the one that asked, once the other has answered.
    answer: Vec<u8>,
    with_asker: Option<Session>,
    dialler: Option<Dialler>,
    with_asked: Option<Session>,
    asker: Option<taiinet_identity::PeerId>,
    read: usize,
}

impl Splice {
    fn passes(&mut self, frame: CircuitFrame) -> Option<CircuitFrame> {
        let CircuitFrame { peer, part } = frame;
        let from_asker = self.asker == Some(peer);
        let part = match part {
            CircuitPart::Open(first) => {
                let (session, answer) =
                    session::accept(Purpose::Circuit, &first, [1; 32]).expect("an opening");
                let opening = Opening { version: VERSION, dialled: String::new() };
                let (dialler, ours) =
                    Dialler::new(Purpose::Circuit, &opening, [2; 32]).expect("short");
                *self = Self { answer, asker: Some(peer), read: self.read, ..Self::default() };
                (self.with_asker, self.dialler) = (Some(session), Some(dialler));
                CircuitPart::Open(ours)
            }
            CircuitPart::Accept(answer) => {
                let Answer::Session(session) = self.dialler.take()?.answered(&answer).ok()? else {
                    return None;
                };
                self.with_asked = Some(session);
                CircuitPart::Accept(core::mem::take(&mut self.answer))
            }
            CircuitPart::Message(message) => {
                let (from, to) = if from_asker {
                    (self.with_asker.as_mut()?, self.with_asked.as_mut()?)
                } else {
                    (self.with_asked.as_mut()?, self.with_asker.as_mut()?)
                };
                let plain = from.open(&message).ok()?;
                self.read += 1;
                CircuitPart::Message(to.seal(&plain).ok()?)
            }
            other => other,
        };
        Some(CircuitFrame { peer, part })
    }
}

#[test]
fn a_signaller_that_makes_a_session_with_each_end_is_believed_by_neither() {
    let splice = Rc::new(RefCell::new(Splice::default()));
    let (mut world, signaller, peers) = relayed(4);
    let between = Rc::clone(&splice);
    world.tamper(
        signaller,
        Box::new(move |frame| match frame {
            FromSignaller::Circuit(frame) => {
                let passed = between.borrow_mut().passes(frame);
                passed.into_iter().map(FromSignaller::Circuit).collect()
            }
            frame => vec![frame],
        }),
    );
    for peer in peers {
        world.publish(peer, r#"{"for": "friends"}"#).expect("room");
    }
    world.run_for(seconds(60));
    assert!(splice.borrow().read > 0, "it reads what is said before the proof");
    assert!(world.counters().rejected.contains_key(&Misbehaviour::BadProof));
    assert_eq!(world.desk_status(signaller).expect("it runs").joined, 2);
    assert!(!world.is_connected() && peers.iter().all(|peer| world.untaken(*peer) == 1));
    for peer in peers {
        assert!(
            world.status(peer).blacklist.is_empty(),
            "what is not proven is held against nobody"
        );
    }
}

/// A peer that is told of circuits that nobody asked for, and of such that there are not, goes on.
#[test]
fn circuits_out_of_nowhere_do_no_harm() {
    let (mut world, signaller, peers) = relayed(6);
    assert!(world.run_until(seconds(5), World::is_connected));
    let stranger =
        taiinet_identity::Identity::from_seed(&taiinet_identity::Seed::from_bytes([9; 32]));
    for peer in [world.id(peers[0]), world.id(peers[1]), stranger.peer_id()] {
        for part in [
            CircuitPart::Took(u32::MAX),
            CircuitPart::Accept(vec![1; 48]),
            CircuitPart::Open(Vec::new()),
            CircuitPart::Open(vec![7; 16_000]),
            CircuitPart::Message(Vec::new()),
            CircuitPart::End(taiinet_mesh::wire::RefusalReason::Unknown(200)),
        ] {
            world.signaller_says(signaller, &FromSignaller::Circuit(CircuitFrame { peer, part }));
            world.run_for(core::time::Duration::from_millis(100));
        }
    }
    assert!(world.run_until(seconds(60), World::is_connected), "it goes on");
    assert_eq!(world.violations(), &[] as &[String]);
}
