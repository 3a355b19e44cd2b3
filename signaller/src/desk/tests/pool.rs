//! Desks of one pool.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use super::*;

/// Two desks of one pool whose links are carried by hand.
struct Two {
    rooms: [Room; 2],
    ends: Option<(LinkId, LinkId)>,
}

impl Two {
    fn new() -> Self {
        let pool = |direct| DeskConfig { pool: Some(direct), ..DeskConfig::default() };
        let room = |number: u8, direct| {
            Room::of(Desk::new(identity(number), pool(direct), [number; 32], NOW))
        };
        let seed = taiinet_mesh::SignallerAddress {
            url: "ws://other".to_owned(),
            pinned: Some(identity(200).peer_id()),
        };
        let dialler = Direct { seeds: vec![seed], ..Direct::default() };
        let mut two =
            Self { rooms: [room(200, Direct::default()), room(201, dialler)], ends: None };
        two.run(Duration::from_secs(2));
        assert_eq!(two.rooms.each_ref().map(|room| room.desk.status(room.now).members), [1, 1]);
        two
    }

    /// Lets so much time pass; gives what clients are told, with the number of the room.
    fn run(&mut self, time: Duration) -> Vec<(usize, u64, FromSignaller)> {
        let mut told = Vec::new();
        let end = self.rooms[0].now.after(time);
        while self.rooms[0].now < end {
            for at in 0..2 {
                let now = self.rooms[at].now.after(Duration::from_millis(10));
                self.rooms[at].now = now;
                self.rooms[at].desk.handle_timeout(now);
                self.carry(at, &mut told);
                self.carry(1 - at, &mut told);
            }
        }
        told
    }

    fn carry(&mut self, at: usize, told: &mut Vec<(usize, u64, FromSignaller)>) {
        let now = self.rooms[at].now;
        while let Some(output) = self.rooms[at].desk.poll_output() {
            match output {
                DeskOutput::Send { client, bytes } => {
                    let sessions = &mut self.rooms[at].sessions;
                    told.push((at, client.0, receive(sessions, client.0, &bytes)));
                }
                DeskOutput::Dial { link, .. } => {
                    let from = IpAddr::from([10, 1, 0, at as u8]);
                    let theirs = self.rooms[1 - at].desk.accept(from, now).unwrap();
                    self.ends = Some(if at == 0 { (link, theirs) } else { (theirs, link) });
                    let binding = taiinet_mesh::ChannelBinding::NONE;
                    let up = DeskInput::Pool(Input::LinkUp { link, binding });
                    self.rooms[at].desk.handle(up, now);
                }
                DeskOutput::SendTo { bytes, link } => {
                    let (zero, one) = self.ends.unwrap();
                    let to = if at == 0 { one } else { zero };
                    let sent = Input::Sent { link, bytes: bytes.len() };
                    self.rooms[at].desk.handle(DeskInput::Pool(sent), now);
                    let message = Input::Message { link: to, bytes };
                    self.rooms[1 - at].desk.handle(DeskInput::Pool(message), now);
                }
                DeskOutput::Close { .. } | DeskOutput::CloseLink { .. } => {}
            }
        }
    }

    /// What one room is told by its clients' word.
    fn say(&mut self, at: usize, client: u64, frame: &ToSignaller) {
        let session = self.rooms[at].sessions.get_mut(&client).unwrap();
        let bytes = session.seal(&codec::encode(frame)).unwrap();
        let now = self.rooms[at].now;
        self.rooms[at].desk.handle(DeskInput::Message { client: client.into(), bytes }, now);
    }

    fn refused(&self, at: usize, why: Refused) -> u64 {
        self.rooms[at]
            .desk
            .status(self.rooms[at].now)
            .refused_of_pool
            .get(&why)
            .copied()
            .unwrap_or(0)
    }
}

fn signal_at(from: &Identity, to: PeerId, at: Time, seed: u8) -> Signed<Signal> {
    let mut rng = ChaCha12Rng::from_seed([seed; 32]);
    let sealed = seal(&to, b"", b"hello", &mut rng).unwrap();
    Signed::new(from, &Signal { network: network("a"), to, sent_at: at.timestamp(), sealed })
}

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

#[test]
fn a_member_that_makes_up_or_alters_signals_is_refused_and_counted() {
    let mut two = Two::new();
    two.rooms[0].join(1, "a");
    two.rooms[1].join(2, "a");
    two.run(Duration::from_secs(1));
    let now = two.rooms[1].now;
    let (victim, from) = (identity(2).peer_id(), identity(200).peer_id());
    let pool = two.rooms[1].desk.pool.as_mut().unwrap();
    let check = |pool: &mut Pool, signal: Signed<Signal>| {
        let body = Signal::peek(&signal).map_err(|_| Refused::Undecodable)?;
        pool.check(from, signal.signer(), &body, now)?;
        pool.charge(from, signal.signer(), body.to, now)?;
        pool.verify(signal, now).map(|_| ())
    };
    // In the name of a peer that has not joined the signaller that passes it on.
    let stranger = signal_at(&identity(66), victim, now, 3);
    assert_eq!(check(pool, stranger), Err(Refused::FalseName));
    let own = signal_at(&identity(2), victim, now, 3);
    assert_eq!(check(pool, own), Err(Refused::FalseName));
    // Altered on its way.
    let mut bytes = codec::encode(&signal_at(&identity(1), victim, now, 4));
    *bytes.last_mut().unwrap() ^= 1;
    let altered: Signed<Signal> = codec::decode(&bytes).unwrap();
    assert_eq!(check(pool, altered), Err(Refused::Signature));
    let sealed = vec![7; mesh_limits::SEALED_BYTES + 1];
    let large = Signal { network: network("a"), to: victim, sent_at: now.timestamp(), sealed };
    assert_eq!(check(pool, Signed::new(&identity(1), &large)), Err(Refused::Undecodable));
    // Old, and of the future.
    for at in [now.before(Duration::from_secs(90)), now.after(Duration::from_secs(600))] {
        let signal = signal_at(&identity(1), victim, at, 5);
        assert_eq!(check(pool, signal), Err(Refused::OutOfTime));
    }
    assert_eq!(check(pool, signal_at(&identity(1), victim, now, 6)), Ok(()));
}

/// Only the signaller that a signal went to may call it undeliverable.
#[test]
fn a_member_cannot_call_signals_undeliverable_that_went_to_others() {
    let mut two = Two::new();
    two.rooms[0].join(1, "a");
    two.rooms[1].join(2, "a");
    two.run(Duration::from_secs(1));
    let now = two.rooms[0].now;
    let (from, to) = (identity(1).peer_id(), identity(2).peer_id());
    let forge = |two: &mut Two, to| {
        let pool = two.rooms[1].desk.pool.as_mut().unwrap();
        pool.undeliverable(
            identity(200).peer_id(),
            Undeliverable { network: network("a"), from, to },
            now,
        );
        two.run(Duration::from_millis(200))
    };
    let of_no_signal = forge(&mut two, to);
    let of_a_local_peer = forge(&mut two, identity(3).peer_id());
    assert!(of_no_signal.is_empty() && of_a_local_peer.is_empty());
    assert_eq!(two.refused(0, Refused::FalseName), 2);
    // One that was sent and is undeliverable: its recipient left meanwhile.
    two.say(0, 1, &ToSignaller::Signal(signal_at(&identity(1), to, now, 1)));
    two.rooms[1].desk.handle(DeskInput::Disconnected { client: 2.into() }, now);
    let told = two.run(Duration::from_millis(200));
    assert!(told.contains(&(0, 1, FromSignaller::Unreachable(to))), "{told:?}");
    // And once is enough.
    assert!(forge(&mut two, to).is_empty());
    assert_eq!(two.refused(0, Refused::FalseName), 3);
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

/// Any peer may sign a document of the pool; what counts is that of its members.
#[test]
fn news_from_an_outsider_is_refused() {
    use taiinet_document::{Content, Document, Map, Value, VerifiedDocument};
    let mut two = Two::new();
    let now = two.rooms[1].now;
    let outsider = identity(66);
    let joined = Joined { signaller: outsider.peer_id(), challenge: [1; 32] };
    let presence = Presence {
        network: network("a"),
        joined: Some(joined),
        issued_at: now.timestamp(),
        expires_at: now.after(Duration::from_secs(300)).timestamp(),
        address: None,
        next_key: None,
    };
    let told = codec::encode(&Signed::new(&identity(5), &presence));
    let news = Value::List(vec![Value::Bytes(told)]);
    let document = Document {
        network: network(POOL),
        created_at: now.timestamp(),
        nonce: 1,
        expires_at: None,
        key: None,
        next_key: None,
        content: Content::Open(Map::from([("joined".to_owned(), news)])),
    };
    let document = VerifiedDocument::sign(&outsider, document).unwrap();
    let pool = two.rooms[1].desk.pool.as_mut().unwrap();
    pool.peer().publish_signed(document.into(), now).unwrap();
    two.run(Duration::from_secs(1));
    assert_eq!(two.rooms[0].desk.status(two.rooms[0].now).remote, 0);
    assert_eq!(two.refused(0, Refused::NotAdmitted), 1);
}

/// Connections that prove nothing take no place from those that do.
#[test]
fn idle_connections_to_the_pool_keep_no_member_out() {
    let pool = DeskConfig { pool: Some(Direct::default()), ..DeskConfig::default() };
    let mut desk = Desk::new(identity(200), pool, [5; 32], NOW);
    let mut closed = Vec::new();
    let mut accept = |address: [u8; 4]| {
        let link = desk.accept(IpAddr::from(address), NOW).unwrap();
        closed.extend(core::iter::from_fn(|| desk.poll_output()).filter_map(
            |output| match output {
                DeskOutput::CloseLink { link } => Some(link),
                _ => None,
            },
        ));
        (link, closed.len())
    };
    let (member, _) = accept([10, 0, 0, 1]);
    for count in 1..1000 {
        let (_, closed) = accept([10, 0, 0, 2]);
        assert_eq!(
            closed,
            count.max(mesh_limits::STRANGERS_PER_ADDRESS) - mesh_limits::STRANGERS_PER_ADDRESS
        );
    }
    // From many addresses: those from the one with most go first.
    for address in 0..200 {
        accept([10, 0, 1, address]);
    }
    assert!(closed.len() > 1000 && !closed.contains(&member));
}

#[test]
fn a_member_that_comes_on_the_block_list_is_parted_with_and_not_let_in_again() {
    #[derive(Debug)]
    struct Blocked(Arc<AtomicBool>);
    impl Admission for Blocked {
        fn admits(&self, _: &PeerId, _: &Network) -> bool {
            true
        }
        fn admits_member(&self, member: &PeerId) -> bool {
            !self.0.load(Relaxed) || *member != identity(201).peer_id()
        }
    }
    let blocked = Arc::<AtomicBool>::default();
    let mut two = Two::new();
    two.rooms[0].desk.admission = Some(Box::new(Blocked(blocked.clone())));
    two.rooms[1].join(2, "a");
    two.run(Duration::from_secs(1));
    assert_eq!(two.rooms[0].desk.status(two.rooms[0].now).remote, 1);
    blocked.store(true, Relaxed);
    let now = two.rooms[0].now;
    two.rooms[0].desk.recheck(now);
    for _ in 0..30 {
        two.run(Duration::from_secs(1));
        assert_eq!(two.rooms[0].desk.status(two.rooms[0].now).members, 0);
    }
    blocked.store(false, Relaxed);
    two.run(Duration::from_secs(40));
    assert_eq!(two.rooms[0].desk.status(two.rooms[0].now).members, 1, "until it is taken off");
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
