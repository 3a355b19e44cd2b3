//! Signals between desks of one pool.

use super::{
    two::{Two, signal_at},
    *,
};

#[test]
fn a_signal_crosses_the_pool_once_and_only_in_the_name_of_a_client_that_is_there() {
    let mut two = Two::new();
    two.rooms[0].join(1, "a");
    two.rooms[1].join(2, "a");
    two.run(Duration::from_secs(1));
    assert_eq!(two.rooms.each_ref().map(|room| room.desk.status(room.now).remote), [1, 1]);

    let now = two.rooms[0].now;
    let signal = signal_at(&identity(1), identity(2).peer_id(), now, 1);
    two.say(0, 1, &ToSignaller::Signal(signal.clone()));
    let told = two.run(Duration::from_millis(200));
    assert!(told.contains(&(1, 2, FromSignaller::Signal(signal.clone()))), "{told:?}");
    // Once more: its own signaller has seen it.
    two.say(0, 1, &ToSignaller::Signal(signal.clone()));
    let told = two.run(Duration::from_millis(200));
    assert!(told.is_empty(), "{told:?}");
    let status = two.rooms[0].desk.status(two.rooms[0].now);
    assert_eq!((status.refused.get(&Refused::Replayed), status.relayed), (Some(&1), 1));
    // And so has the other signaller, should its own not care.
    let own = two.rooms[0].desk.pool.as_mut().unwrap();
    assert!(own.peer().relay(identity(201).peer_id(), signal, now));
    let told = two.run(Duration::from_millis(200));
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(two.refused(1, Refused::Replayed), 1);
    // To a peer that is nowhere.
    let nobody = identity(77).peer_id();
    let lost = signal_at(&identity(1), nobody, now, 2);
    two.say(0, 1, &ToSignaller::Signal(lost));
    let told = two.run(Duration::from_millis(200));
    assert!(told.contains(&(0, 1, FromSignaller::Unreachable(nobody))), "{told:?}");
}

/// A signature is checked only for a signal that has somewhere to go.
#[test]
fn a_signal_to_nobody_costs_no_signature() {
    let mut two = Two::new();
    two.rooms[0].join(1, "a");
    two.run(Duration::from_secs(1));
    let nobody = identity(77).peer_id();
    let mut bytes = codec::encode(&signal_at(&identity(1), nobody, NOW, 2));
    *bytes.last_mut().unwrap() ^= 1;
    two.say(0, 1, &ToSignaller::Signal(codec::decode(&bytes).unwrap()));
    let told = two.run(Duration::from_millis(200));
    assert_eq!(told, [(0, 1, FromSignaller::Unreachable(nobody))]);
}

/// A signal of any content.
fn any_signal(from: &Identity, to: PeerId, at: Time, number: u32) -> ToSignaller {
    let mut sealed = vec![7; 200];
    sealed[..4].copy_from_slice(&number.to_be_bytes());
    let signal = Signal { network: network("a"), to, sent_at: at.timestamp(), sealed };
    ToSignaller::Signal(Signed::new(from, &signal))
}

impl Two {
    fn join_from(&mut self, at: usize, client: u64, address: [u8; 4]) {
        self.rooms[at].open_from(client, IpAddr::from(address));
        self.rooms[at].join_opened(client, "a");
    }

    /// Whether neither holds anything against the other.
    fn are_friends(&self) -> bool {
        self.rooms.iter().all(|room| {
            let status = room.desk.status(room.now);
            (status.members, status.blacklisted) == (1, 0)
        })
    }
}

fn arrived(told: &[(usize, u64, FromSignaller)], client: u64) -> usize {
    let theirs = told.iter().filter(|(at, to, _)| (*at, *to) == (1, client));
    theirs.filter(|(.., frame)| matches!(frame, FromSignaller::Signal(_))).count()
}

/// Each client is within its budgets, and at an address of its own; all together send more than another
/// signaller takes, and few of it finds its recipient.
#[test]
fn what_clients_send_is_never_held_against_their_signaller() {
    let mut two = Two::new();
    for client in 1..=100 {
        two.rooms[0].join(client, "a");
    }
    for client in 101..=105 {
        two.rooms[1].join(client, "a");
    }
    two.rooms[0].join(150, "a");
    two.rooms[1].join(151, "a");
    two.run(Duration::from_secs(1));
    let (honest, friend) = (identity(150), identity(151).peer_id());
    let (mut told, mut sent) = (Vec::new(), 0);
    for round in 0..52 {
        let now = two.rooms[0].now;
        for client in 1..=100_u8 {
            for to in 101..=105 {
                sent += 1;
                let to = identity(to).peer_id();
                two.say(0, client.into(), &any_signal(&identity(client), to, now, sent));
            }
        }
        if round % 10 == 9 {
            two.say(0, 150, &any_signal(&honest, friend, now, sent));
        }
        told.extend(two.run(Duration::from_millis(10)));
    }
    told.extend(two.run(Duration::from_secs(2)));
    assert!(sent > taiinet_mesh::limits::RELAYED.0);
    assert!(two.are_friends());
    assert_eq!(arrived(&told, 151), 5, "and others are served meanwhile");
    let lost = told
        .iter()
        .filter(|(at, _, frame)| *at == 0 && matches!(frame, FromSignaller::Unreachable(_)));
    assert!(lost.count() > 10_000, "the senders are told");
    let relayed = two.rooms[0].desk.status(two.rooms[0].now).relayed;
    let most = limits::POOL_SIGNALS.0 + 4 * limits::POOL_SIGNALS.1;
    assert!((limits::POOL_SIGNALS.0.into()..=most.into()).contains(&relayed), "{relayed}");
}

#[test]
fn what_is_said_of_undeliverable_signals_is_never_held_against_the_signaller_that_says_it() {
    let mut two = Two::new();
    let (from, to) = (identity(1).peer_id(), identity(2).peer_id());
    for _ in 0..100 {
        let now = two.rooms[1].now;
        let pool = two.rooms[1].desk.pool.as_mut().unwrap();
        for _ in 0..400 {
            let undeliverable = Undeliverable { network: network("a"), from, to };
            pool.undeliverable(identity(200).peer_id(), undeliverable, now);
        }
        two.run(Duration::from_millis(10));
    }
    two.run(Duration::from_secs(1));
    assert!(two.are_friends());
    // It was heard: nothing of the kind had been sent.
    assert!(two.refused(0, Refused::FalseName) >= limits::POOL_UNDELIVERABLE.0.into());
}

/// More pairs than are counted: those that come later are served all the same.
#[test]
fn clients_with_many_recipients_do_not_block_the_pool() {
    let mut two = Two::new();
    for client in 1..=190 {
        two.join_from(0, client, [192, 0, 2, 1]);
    }
    for client in 191..=196 {
        two.rooms[1].join(client, "a");
    }
    two.rooms[0].join(197, "a");
    two.rooms[1].join(198, "a");
    two.run(Duration::from_secs(1));
    for client in 1..=190_u8 {
        let now = two.rooms[0].now;
        for to in 191..=196 {
            let to = identity(to).peer_id();
            two.say(0, client.into(), &any_signal(&identity(client), to, now, 1));
        }
        two.run(Duration::from_millis(100));
    }
    let now = two.rooms[0].now;
    two.say(0, 197, &any_signal(&identity(197), identity(198).peer_id(), now, 1));
    let told = two.run(Duration::from_millis(200));
    assert_eq!(arrived(&told, 198), 1, "{told:?}");
}

/// What another signaller drops for its own limits comes back to the sender.
#[test]
fn a_client_that_has_no_share_left_at_another_signaller_is_told() {
    let mut two = Two::new();
    two.rooms[0].join(1, "a");
    two.rooms[1].join(2, "a");
    two.run(Duration::from_secs(1));
    let now = two.rooms[1].now;
    let (from, to) = (identity(1).peer_id(), identity(2).peer_id());
    let pool = two.rooms[1].desk.pool.as_mut().unwrap();
    while pool.charge(identity(200).peer_id(), from, to, now).is_ok() {}
    two.say(0, 1, &any_signal(&identity(1), to, now, 1));
    let told = two.run(Duration::from_millis(100));
    assert_eq!(told, [(0, 1, FromSignaller::Unreachable(to))]);
    assert_eq!(two.refused(1, Refused::TooOften), 1);
}

/// The same content under a signature that does not hold, which is not looked at any more.
#[test]
fn a_replay_costs_no_signature() {
    let mut two = Two::new();
    two.rooms[0].join(1, "a");
    two.rooms[1].join(2, "a");
    two.run(Duration::from_secs(1));
    let now = two.rooms[0].now;
    let signal = signal_at(&identity(1), identity(2).peer_id(), now, 1);
    let mut bytes = codec::encode(&signal);
    bytes[PeerId::LEN] ^= 1;
    let replay: Signed<Signal> = codec::decode(&bytes).unwrap();
    two.say(0, 1, &ToSignaller::Signal(signal));
    for _ in 0..10 {
        two.say(0, 1, &ToSignaller::Signal(replay.clone()));
        let own = two.rooms[0].desk.pool.as_mut().unwrap();
        assert!(own.peer().relay(identity(201).peer_id(), replay.clone(), now));
    }
    two.run(Duration::from_millis(200));
    let status = two.rooms[0].desk.status(two.rooms[0].now);
    assert_eq!(status.refused.get(&Refused::Replayed), Some(&10));
    assert_eq!(status.clients, 1);
    let theirs = two.rooms[1].desk.status(two.rooms[1].now).refused_of_pool;
    assert_eq!(theirs, [(Refused::Replayed, 10)].into());
}

/// Nor does one for which its recipient has no room.
#[test]
fn a_signal_without_room_costs_no_signature() {
    let mut two = Two::new();
    two.rooms[0].join(1, "a");
    two.rooms[1].join(2, "a");
    for client in 3..=5 {
        two.rooms[1].join(client, "a");
    }
    two.run(Duration::from_secs(1));
    let now = two.rooms[1].now;
    let to = identity(2).peer_id();
    for client in 3..=5_u8 {
        for number in 0..60 {
            two.say(1, client.into(), &any_signal(&identity(client), to, now, number));
        }
    }
    let mut bytes = codec::encode(&signal_at(&identity(1), to, now, 1));
    *bytes.last_mut().unwrap() ^= 1;
    let own = two.rooms[0].desk.pool.as_mut().unwrap();
    let forged = codec::decode(&bytes).unwrap();
    assert!(own.peer().relay(identity(201).peer_id(), forged, now));
    two.run(Duration::from_millis(50));
    assert_eq!(two.refused(1, Refused::Signature), 0);
}

/// A signal that waits is verified when it goes, and its sender pays if it does not hold.
#[test]
fn a_client_that_forges_a_signal_for_the_pool_is_closed() {
    let mut two = Two::new();
    two.rooms[0].join(1, "a");
    two.rooms[1].join(2, "a");
    two.run(Duration::from_secs(1));
    let now = two.rooms[0].now;
    let mut bytes = codec::encode(&signal_at(&identity(1), identity(2).peer_id(), now, 1));
    *bytes.last_mut().unwrap() ^= 1;
    two.say(0, 1, &ToSignaller::Signal(codec::decode(&bytes).unwrap()));
    let told = two.run(Duration::from_millis(50));
    assert!(matches!(&told[..], [(0, 1, FromSignaller::Refused { .. })]), "{told:?}");
    let status = two.rooms[0].desk.status(two.rooms[0].now);
    assert_eq!((status.clients, status.relayed), (0, 0));
    assert_eq!(status.refused.get(&Refused::Signature), Some(&1));
}

/// Pre-signed signals, all different, from one address: they cost what the address may, and others come
/// in as ever.
#[test]
fn many_clients_of_one_address_have_so_many_signatures_verified() {
    let mut two = Two::new();
    for client in 1..=100 {
        two.join_from(0, client, [192, 0, 2, 1]);
    }
    for client in 101..=105 {
        two.rooms[1].join(client, "a");
    }
    two.run(Duration::from_secs(5));
    let now = two.rooms[0].now;
    let mut number = 0;
    for client in 1..=100_u8 {
        for to in 101..=105 {
            for _ in 0..12 {
                number += 1;
                let to = identity(to).peer_id();
                two.say(0, client.into(), &any_signal(&identity(client), to, now, number));
            }
        }
        two.carry(0, &mut Vec::new());
        two.carry(1, &mut Vec::new());
    }
    let status = two.rooms[0].desk.status(two.rooms[0].now);
    let most = limits::WORK_PER_ADDRESS.0 as usize / costs::VERIFY;
    assert!((most * 9 / 10..=most).contains(&(status.relayed as usize)), "{}", status.relayed);
    assert!(status.refused.get(&Refused::OverBudget).is_some_and(|count| *count > 500));
    two.rooms[0].join(250, "a");
}
