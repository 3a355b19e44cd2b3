#![allow(clippy::unwrap_used)]

use core::time::Duration;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use proptest::prelude::*;
use taiinet_identity::{Seed, seal};
use taiinet_mesh::frame::{Astray, Joined};

use super::*;

const NOW: Time = Time::from_millis(1_800_000_000_000);

fn identity(number: u8) -> Identity {
    Identity::from_seed(&Seed::from_bytes([number; 32]))
}

fn network(name: &str) -> Network {
    name.parse().unwrap()
}

/// A desk and its clients, who are called by their numbers.
struct Room {
    desk: Desk,
    now: Time,
}

impl Room {
    fn new(config: DeskConfig) -> Self {
        Self { desk: Desk::new(identity(200), config, [5; 32], NOW), now: NOW }
    }

    fn open(&mut self, client: u64) -> Vec<(u64, Option<FromSignaller>)> {
        let address = IpAddr::from([10, 0, (client >> 8) as u8, client as u8]);
        self.desk.handle(DeskInput::Connected { client: client.into(), address }, self.now);
        self.outputs()
    }

    /// What is sent and (none) closed.
    fn outputs(&mut self) -> Vec<(u64, Option<FromSignaller>)> {
        core::iter::from_fn(|| self.desk.poll_output())
            .map(|output| match output {
                DeskOutput::Send { client, bytes } => {
                    (client.0, Some(codec::decode(&bytes).unwrap()))
                }
                DeskOutput::Close { client } => (client.0, None),
                pool => panic!("without a pool: {pool:?}"),
            })
            .collect()
    }

    fn say(&mut self, client: u64, frame: &ToSignaller) -> Vec<(u64, Option<FromSignaller>)> {
        let bytes = codec::encode(frame);
        self.desk.handle(DeskInput::Message { client: client.into(), bytes }, self.now);
        self.outputs()
    }

    fn knock(&mut self, client: u64) -> Welcome {
        let nonce = [client as u8; 32];
        let mut answer = self.say(client, &ToSignaller::Knock { version: VERSION, nonce });
        match answer.remove(0) {
            (to, Some(FromSignaller::Welcome(welcome))) if to == client => welcome,
            other => panic!("{other:?}"),
        }
    }

    fn presence(&self, welcome: &Welcome, name: &str) -> Presence {
        Presence {
            network: network(name),
            joined: Some(Joined { signaller: welcome.signaller, challenge: welcome.challenge }),
            issued_at: self.now.timestamp(),
            expires_at: self.now.after(Duration::from_secs(300)).timestamp(),
            address: None,
        }
    }

    /// A client that has joined under the key of its number.
    fn join(&mut self, client: u64, name: &str) -> Welcome {
        self.open(client);
        let welcome = self.knock(client);
        let presence = self.presence(&welcome, name);
        let join = ToSignaller::Join {
            presence: Signed::new(&identity(client as u8), &presence),
            work: 0,
        };
        assert_eq!(self.say(client, &join), [(client, Some(FromSignaller::Joined))]);
        welcome
    }

    /// A client that has knocked says a join made of `presence`: what it is refused for.
    fn try_join(&mut self, client: u64, presence: Signed<Presence>) -> Option<Refused> {
        let before = self.desk.status(self.now).refused;
        self.say(client, &ToSignaller::Join { presence, work: 0 });
        let after = self.desk.status(self.now).refused;
        after.iter().find(|(why, count)| before.get(why) != Some(*count)).map(|(why, _)| *why)
    }
}

fn refusal(answers: &[(u64, Option<FromSignaller>)]) -> Option<RefusalReason> {
    answers.iter().find_map(|(_, frame)| match frame {
        Some(FromSignaller::Refused { reason, .. }) => Some(*reason),
        _ => None,
    })
}

fn closed(answers: &[(u64, Option<FromSignaller>)], client: u64) -> bool {
    answers.contains(&(client, None))
}

fn signal(from: &Identity, to: PeerId, name: &str) -> Signed<Signal> {
    let mut rng = ChaCha12Rng::from_seed([9; 32]);
    let sealed = seal(&to, b"", b"hello", &mut rng).unwrap();
    let signal = Signal { network: network(name), to, sent_at: NOW.timestamp(), sealed };
    Signed::new(from, &signal)
}

#[test]
fn a_signaller_proves_its_key() {
    let mut room = Room::new(DeskConfig::default());
    room.open(1);
    let welcome = room.knock(1);
    let transcript = Welcome::transcript(&[1; 32], &welcome.challenge);
    let key = welcome.signaller.public_key().unwrap();
    assert_eq!(key.verify(Domain::Welcome, &transcript, &welcome.signature), Ok(()));
    room.open(2);
    assert_ne!(room.knock(2).challenge, welcome.challenge);
}

#[test]
fn only_a_join_that_answers_this_challenge_holds() {
    let mut room = Room::new(DeskConfig { networks: vec![network("a")], ..DeskConfig::default() });
    let me = identity(1);
    let mut client = 10;
    let mut case = |change: &dyn Fn(&mut Presence), expected| {
        client += 1;
        room.open(client);
        let welcome = room.knock(client);
        let mut presence = room.presence(&welcome, "a");
        change(&mut presence);
        assert_eq!(room.try_join(client, Signed::new(&me, &presence)), expected);
    };
    let skew = mesh_limits::CLOCK_SKEW + Duration::from_secs(1);
    case(&|_| {}, None);
    case(&|presence| presence.joined = None, Some(Refused::Challenge));
    case(
        &|presence| {
            if let Some(joined) = &mut presence.joined {
                joined.challenge[0] ^= 1;
            }
        },
        Some(Refused::Challenge),
    );
    case(
        &|presence| {
            if let Some(joined) = &mut presence.joined {
                joined.signaller = identity(7).peer_id();
            }
        },
        Some(Refused::Challenge),
    );
    case(&|presence| presence.expires_at = NOW.timestamp(), Some(Refused::OutOfTime));
    case(
        &|presence| presence.expires_at = NOW.after(Duration::MAX).timestamp(),
        Some(Refused::OutOfTime),
    );
    case(&|presence| presence.issued_at = NOW.after(skew).timestamp(), Some(Refused::OutOfTime));
    case(&|presence| presence.network = network("b"), Some(Refused::Network));
}

#[test]
fn a_join_replayed_on_another_connection_or_signed_by_another_is_refused() {
    let mut room = Room::new(DeskConfig::default());
    let me = identity(1);
    let welcome = room.join(1, "a");
    let presence = room.presence(&welcome, "a");
    room.open(2);
    room.knock(2);
    assert_eq!(room.try_join(2, Signed::new(&me, &presence)), Some(Refused::Challenge));

    room.open(3);
    let welcome = room.knock(3);
    let presence = room.presence(&welcome, "a");
    let mut bytes = codec::encode(&Signed::new(&me, &presence));
    bytes[..32].copy_from_slice(identity(4).peer_id().as_bytes());
    let forged = codec::decode(&bytes).unwrap();
    assert_eq!(room.try_join(3, forged), Some(Refused::Signature));
    assert_eq!(room.desk.status(room.now).joined, 1);
}

#[test]
fn frames_out_of_turn_and_other_versions_are_refused_and_closed() {
    let introduce = ToSignaller::Introduce { want: 3 };
    let signal = ToSignaller::Signal(signal(&identity(1), identity(2).peer_id(), "a"));
    let knock = |version| ToSignaller::Knock { version, nonce: [0; 32] };
    for (frame, reason) in [
        (introduce, RefusalReason::Invalid),
        (signal, RefusalReason::Invalid),
        (knock(VERSION + 1), RefusalReason::Version),
    ] {
        let mut room = Room::new(DeskConfig::default());
        room.open(1);
        let answer = room.say(1, &frame);
        assert_eq!(refusal(&answer), Some(reason));
        assert!(closed(&answer, 1));
    }
    let mut room = Room::new(DeskConfig::default());
    room.open(1);
    room.knock(1);
    assert!(closed(&room.say(1, &knock(VERSION)), 1), "one knock for each connection");
}

#[test]
fn introductions_are_of_the_same_network_and_never_of_oneself() {
    let mut room = Room::new(DeskConfig::default());
    for client in 1..=5 {
        room.join(client, "a");
    }
    room.join(6, "b");
    for _ in 0..10 {
        let answer = room.say(1, &ToSignaller::Introduce { want: 3 });
        let [(1, Some(FromSignaller::Introduced { presences, .. }))] = answer.as_slice() else {
            panic!("{answer:?}")
        };
        assert_eq!(presences.len(), 3);
        for presence in presences {
            assert!(presence.clone().verify().is_ok());
            assert_ne!(presence.signer(), identity(1).peer_id());
            assert_ne!(presence.signer(), identity(6).peer_id());
        }
    }
    room.desk.handle(DeskInput::Disconnected { client: 2.into() }, NOW);
    room.say(3, &ToSignaller::Leave);
    let answer = room.say(1, &ToSignaller::Introduce { want: 200 });
    let [(1, Some(FromSignaller::Introduced { presences, .. }))] = answer.as_slice() else {
        panic!("{answer:?}")
    };
    let mut names: Vec<PeerId> = presences.iter().map(Signed::signer).collect();
    names.sort_unstable();
    let mut expected = [identity(4).peer_id(), identity(5).peer_id()];
    expected.sort_unstable();
    assert_eq!(names, expected, "who left is told to nobody");
}

#[test]
fn a_signal_goes_to_its_recipient_as_it_came_and_only_in_ones_own_name() {
    let mut room = Room::new(DeskConfig::default());
    room.join(1, "a");
    room.join(2, "a");
    room.join(3, "b");
    let sent = signal(&identity(1), identity(2).peer_id(), "a");
    let answer = room.say(1, &ToSignaller::Signal(sent.clone()));
    assert_eq!(answer, [(2, Some(FromSignaller::Signal(sent)))]);

    let nobody = identity(99).peer_id();
    let answer = room.say(1, &ToSignaller::Signal(signal(&identity(1), nobody, "a")));
    assert_eq!(answer, [(1, Some(FromSignaller::Unreachable(nobody)))]);
    let elsewhere = identity(3).peer_id();
    let answer = room.say(1, &ToSignaller::Signal(signal(&identity(1), elsewhere, "a")));
    assert_eq!(answer, [(1, Some(FromSignaller::Unreachable(elsewhere)))]);

    let spoofed = signal(&identity(3), identity(2).peer_id(), "a");
    let answer = room.say(1, &ToSignaller::Signal(spoofed));
    assert!(closed(&answer, 1) && answer.iter().all(|(to, _)| *to == 1));
    assert_eq!(room.desk.status(room.now).refused.get(&Refused::FalseName), Some(&1));
    let foreign = signal(&identity(2), elsewhere, "b");
    assert!(closed(&room.say(2, &ToSignaller::Signal(foreign)), 2));
}

/// Else one frame would end a victim's connection, or block a link of the pool.
#[test]
fn what_is_too_large_for_its_recipients_ends_with_its_sender() {
    let mut room = Room::new(DeskConfig::default());
    room.join(1, "a");
    room.join(2, "a");
    let largest = room.say(1, &sealed(1, 2, mesh_limits::SEALED_BYTES));
    assert!(matches!(&largest[..], [(2, Some(FromSignaller::Signal(_)))]), "{largest:?}");
    let larger = room.say(1, &sealed(1, 2, mesh_limits::SEALED_BYTES + 1));
    assert!(closed(&larger, 1) && larger.iter().all(|(to, _)| *to == 1));

    room.open(3);
    let welcome = room.knock(3);
    let address = Some(format!("wss://{}", "a".repeat(mesh_limits::ADDRESS_BYTES)));
    let presence = Presence { address, ..room.presence(&welcome, "a") };
    let presence = Signed::new(&identity(3), &presence);
    assert_eq!(room.try_join(3, presence), Some(Refused::Undecodable));
}

fn sealed(from: u8, to: u8, bytes: usize) -> ToSignaller {
    let (network, sealed) = (network("a"), vec![0; bytes]);
    let to = identity(to).peer_id();
    let signal = Signal { network, to, sent_at: NOW.timestamp(), sealed };
    ToSignaller::Signal(Signed::new(&identity(from), &signal))
}

fn signals_to(answers: &[(u64, Option<FromSignaller>)], client: u64) -> usize {
    let theirs = answers.iter().filter(|(to, _)| *to == client);
    theirs.filter(|(_, frame)| matches!(frame, Some(FromSignaller::Signal(_)))).count()
}

/// A peer takes so many signals from a signaller in all; one that sends many must not use that up.
#[test]
fn one_sender_leaves_room_for_others() {
    let mut room = Room::new(DeskConfig::default());
    for client in 1..=3 {
        room.join(client, "a");
    }
    let flood: Vec<_> = (0..200).flat_map(|_| room.say(1, &sealed(1, 2, 300))).collect();
    let most = usize::try_from(mesh_limits::SIGNALS.0).unwrap();
    assert!((1..most * 2 / 3).contains(&signals_to(&flood, 2)), "{}", signals_to(&flood, 2));
    assert_eq!(refusal(&flood), Some(RefusalReason::TooOften));
    let honest: Vec<_> = (0..20).flat_map(|_| room.say(3, &sealed(3, 2, 1500))).collect();
    assert_eq!(signals_to(&honest, 2), 20);
}

/// What waits for a client is bounded, and who does not read is dropped: others must not be able to
/// bring that about.
#[test]
fn many_senders_together_do_not_fill_a_recipients_outbox() {
    let mut room = Room::new(DeskConfig::default());
    for client in 1..=20 {
        room.join(client, "a");
    }
    let mut flood = Vec::new();
    for client in 2..=20 {
        let largest = sealed(client, 1, mesh_limits::SEALED_BYTES);
        flood.extend((0..40).flat_map(|_| room.say(client.into(), &largest)));
    }
    let bytes = signals_to(&flood, 1) * mesh_limits::SEALED_BYTES;
    assert!((1..limits::OUTBOX_BYTES / 2).contains(&bytes), "{bytes}");
    assert!(!flood.iter().any(|(_, frame)| frame.is_none()), "nobody is closed over it");
    let victim = identity(1).peer_id();
    assert!(flood.contains(&(20, Some(FromSignaller::Unreachable(victim)))), "and senders know");
    room.now = room.now.after(Duration::from_secs(2));
    assert_eq!(signals_to(&room.say(2, &sealed(2, 1, 1500)), 1), 1, "it goes on");
}

#[test]
fn what_a_peer_has_spent_is_not_refilled_by_coming_back() {
    let mut room = Room::new(DeskConfig::default());
    let ask = ToSignaller::Introduce { want: 1 };
    for connection in 0..4 {
        let client = 1 + 256 * connection;
        room.join(client, "a");
        let answers: Vec<_> = (0..4).flat_map(|_| room.say(client, &ask)).collect();
        let spent = refusal(&answers) == Some(RefusalReason::TooOften);
        assert_eq!(spent, connection == 3, "{connection}");
        room.desk.handle(DeskInput::Disconnected { client: client.into() }, room.now);
    }
    // Nor by a second connection beside the first.
    room.join(1, "a");
    room.open(257);
    let welcome = room.knock(257);
    room.try_join(257, Signed::new(&identity(1), &room.presence(&welcome, "a")));
    assert_eq!(refusal(&room.say(257, &ask)), Some(RefusalReason::TooOften));
    room.desk.handle(DeskInput::Disconnected { client: 257.into() }, room.now);
    room.now = room.now.after(Duration::from_secs(60));
    room.desk.handle_timeout(room.now);
    assert!(room.desk.allowances.is_empty(), "it is forgotten when it makes no difference");
}

#[test]
fn who_is_in_a_full_network_may_stay_and_come_back() {
    let mut room = Room::new(DeskConfig::default());
    let welcome = room.join(1, "a");
    let members = room.desk.networks.get_mut(&network("a")).unwrap();
    members.clients.resize(limits::PRESENCES_PER_NETWORK, ClientId(9999));
    let presence = Signed::new(&identity(1), &room.presence(&welcome, "a"));
    assert_eq!(room.try_join(1, presence), None, "a renewal");
    room.open(2);
    let welcome = room.knock(2);
    let presence = Signed::new(&identity(2), &room.presence(&welcome, "a"));
    assert_eq!(room.try_join(2, presence), Some(Refused::Joins), "there is no room for another");
    room.open(257);
    let welcome = room.knock(257);
    let presence = Signed::new(&identity(1), &room.presence(&welcome, "a"));
    assert_eq!(room.try_join(257, presence), None, "over a new connection");
}

#[test]
fn one_address_opens_so_many_networks() {
    let mut room = Room::new(DeskConfig::default());
    let mut join = |client: u64, address: [u8; 4], name: &str| {
        let address = IpAddr::from(address);
        room.desk.handle(DeskInput::Connected { client: client.into(), address }, NOW);
        let welcome = room.knock(client);
        let presence = room.presence(&welcome, name);
        room.try_join(client, Signed::new(&identity(client as u8), &presence))
    };
    let most = limits::NETWORKS_PER_ADDRESS as u64;
    for client in 0..most {
        assert_eq!(join(client, [10, 0, 0, 1], &format!("n{client}")), None);
    }
    assert_eq!(join(most, [10, 0, 0, 1], "another"), Some(Refused::Joins));
    assert_eq!(join(most + 1, [10, 0, 0, 1], "n1"), None, "one that there is");
    assert_eq!(join(most + 2, [10, 0, 0, 2], "another"), None);
    for client in 0..=most + 2 {
        room.desk.handle(DeskInput::Disconnected { client: client.into() }, NOW);
    }
    assert!(room.desk.addresses.is_empty() && room.desk.networks.is_empty());
}

#[test]
fn the_newer_connection_of_a_peer_counts() {
    let mut room = Room::new(DeskConfig::default());
    room.join(1, "a");
    room.join(2, "a");
    room.open(1001);
    let welcome = room.knock(1001);
    let presence = room.presence(&welcome, "a");
    let answer = room
        .say(1001, &ToSignaller::Join { presence: Signed::new(&identity(1), &presence), work: 0 });
    assert!(closed(&answer, 1) && !closed(&answer, 1001));
    let sent = signal(&identity(2), identity(1).peer_id(), "a");
    let answer = room.say(2, &ToSignaller::Signal(sent.clone()));
    assert_eq!(answer, [(1001, Some(FromSignaller::Signal(sent)))]);
    // What is left of the older connection changes nothing.
    room.desk.handle(DeskInput::Disconnected { client: 1.into() }, NOW);
    assert_eq!(room.desk.status(room.now).joined, 2);
}

#[test]
fn who_asks_too_often_waits_and_who_floods_is_closed() {
    let mut room = Room::new(DeskConfig::default());
    room.join(1, "a");
    let mut answers = Vec::new();
    for _ in 0..30 {
        answers.extend(room.say(1, &ToSignaller::Introduce { want: 1 }));
    }
    assert_eq!(refusal(&answers), Some(RefusalReason::TooOften));
    assert!(!closed(&answers, 1));
    room.now = room.now.after(Duration::from_secs(5));
    assert_eq!(refusal(&room.say(1, &ToSignaller::Introduce { want: 1 })), None);

    let flood: Vec<_> = (0..2000).flat_map(|n| room.say(1, &ToSignaller::Ping(n))).collect();
    assert!(closed(&flood, 1));
    assert!(flood.len() < 600, "and is not answered each time");
}

#[test]
fn places_are_limited_in_all_and_for_each_address() {
    let config = DeskConfig { clients: 3, clients_per_address: 2, ..DeskConfig::default() };
    let mut room = Room::new(config);
    let mut connect = |client: u64, address: &str| {
        let address = address.parse().unwrap();
        room.desk.handle(DeskInput::Connected { client: client.into(), address }, NOW);
        refusal(&room.outputs())
    };
    assert_eq!(connect(1, "2001:db8::1"), None);
    assert_eq!(connect(2, "2001:db8::2"), None);
    assert_eq!(connect(3, "2001:db8::3"), Some(RefusalReason::Full), "one /64 is one address");
    assert_eq!(connect(4, "10.0.0.1"), None);
    assert_eq!(connect(5, "10.0.0.2"), Some(RefusalReason::Full));
    room.desk.handle(DeskInput::Disconnected { client: 1.into() }, NOW);
    let address = "2001:db8::9".parse().unwrap();
    room.desk.handle(DeskInput::Connected { client: 6.into(), address }, NOW);
    assert!(room.outputs().is_empty());
}

#[test]
fn who_does_not_join_falls_silent_or_expires_is_closed() {
    let mut room = Room::new(DeskConfig::default());
    room.open(1);
    room.open(2);
    room.knock(2);
    room.join(3, "a");
    room.join(4, "a");
    let run = |room: &mut Room, seconds: u64, keep: Option<u64>| {
        let mut gone = Vec::new();
        for _ in 0..seconds {
            room.now = room.now.after(Duration::from_secs(1));
            if let Some(client) = keep {
                room.say(client, &ToSignaller::Ping(1));
            }
            room.desk.handle_timeout(room.now);
            gone.extend(room.outputs().into_iter().filter(|(_, frame)| frame.is_none()));
        }
        gone.into_iter().map(|(client, _)| client).collect::<Vec<_>>()
    };
    assert_eq!(run(&mut room, 10, Some(4)), [1, 2]);
    assert_eq!(run(&mut room, 90, Some(4)), [3]);
    assert_eq!(run(&mut room, 300, Some(4)), [4], "a presence that was not renewed");
    assert_eq!(room.desk.status(room.now).clients, 0);
    assert_eq!(room.desk.poll_timeout(), None);
}

/// Who asks for work gives time for it, but no more: places are what a flood is after.
#[test]
fn who_is_asked_for_work_has_time_for_it() {
    for (bits, least, most) in [(1, 5, 6), (18, 10, 20), (24, 55, 61)] {
        let work = JoinWork { bits, from_clients: 0 };
        let mut room = Room::new(DeskConfig { work, ..DeskConfig::default() });
        room.open(1);
        room.knock(1);
        let mut lasted = 0;
        while room.desk.status(room.now).clients > 0 {
            lasted += 1;
            room.now = room.now.after(Duration::from_secs(1));
            room.desk.handle_timeout(room.now);
        }
        assert!((least..=most).contains(&lasted), "{bits} bits: {lasted} s");
    }
}

#[test]
fn draining_tells_everybody() {
    let mut room = Room::new(DeskConfig::default());
    room.join(1, "a");
    room.open(2);
    room.desk.handle(DeskInput::Drain, NOW);
    let answers = room.outputs();
    assert_eq!(refusal(&answers), Some(RefusalReason::Leaving));
    assert!(closed(&answers, 1) && closed(&answers, 2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_never_panic_and_leave_nothing_behind(
        messages in proptest::collection::vec(
            (0..20_u64, proptest::collection::vec(any::<u8>(), 0..200)), 0..100),
    ) {
        let mut room = Room::new(DeskConfig { clients: 10, ..DeskConfig::default() });
        for client in 0..20 {
            room.open(client);
        }
        for (client, bytes) in messages {
            room.desk.handle(DeskInput::Message { client: client.into(), bytes }, room.now);
        }
        room.outputs();
        prop_assert!(room.desk.status(room.now).clients <= 10);
        room.desk.handle_timeout(NOW.after(Duration::from_secs(3600)));
        prop_assert_eq!(room.desk.status(room.now).clients, 0);
        prop_assert!(room.desk.addresses.is_empty() && room.desk.networks.is_empty());
    }
}

/// Two desks of one pool whose links are carried by hand.
struct Two {
    rooms: [Room; 2],
    ends: Option<(LinkId, LinkId)>,
}

impl Two {
    fn new() -> Self {
        let pool = |direct| DeskConfig { pool: Some(direct), ..DeskConfig::default() };
        let room = |number: u8, direct| Room {
            desk: Desk::new(identity(number), pool(direct), [number; 32], NOW),
            now: NOW,
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
                    told.push((at, client.0, codec::decode(&bytes).unwrap()));
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
        let bytes = codec::encode(frame);
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
fn a_signal_crosses_the_pool_once_and_only_in_the_name_of_who_is_there() {
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
    // Once more: the other signaller has seen it.
    two.say(0, 1, &ToSignaller::Signal(signal));
    let told = two.run(Duration::from_millis(200));
    assert!(!told.iter().any(|(_, _, frame)| matches!(frame, FromSignaller::Signal(_))));
    assert_eq!(two.refused(1, Refused::Replayed), 1);
    // To somebody who is nowhere.
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
        pool.check(from, &signal, now)?;
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

/// Only the signaller that a signal went to may say that it found nobody, and only of that.
#[test]
fn a_member_cannot_say_of_others_signals_that_they_went_astray() {
    let mut two = Two::new();
    two.rooms[0].join(1, "a");
    two.rooms[1].join(2, "a");
    two.run(Duration::from_secs(1));
    let now = two.rooms[0].now;
    let (from, to) = (identity(1).peer_id(), identity(2).peer_id());
    let forge = |two: &mut Two, to| {
        let pool = two.rooms[1].desk.pool.as_mut().unwrap();
        pool.astray(identity(200).peer_id(), Astray { network: network("a"), from, to }, now);
        two.run(Duration::from_millis(200))
    };
    let of_no_signal = forge(&mut two, to);
    let of_a_local_peer = forge(&mut two, identity(3).peer_id());
    assert!(of_no_signal.is_empty() && of_a_local_peer.is_empty());
    assert_eq!(two.refused(0, Refused::FalseName), 2);
    // One that was sent and did find nobody: its recipient left meanwhile.
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

/// Anybody may sign a document of the pool; what counts is that of its members.
#[test]
fn news_of_who_is_no_member_are_refused() {
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
    };
    let told = codec::encode(&Signed::new(&identity(5), &presence));
    let news = Value::List(vec![Value::Bytes(told)]);
    let document = Document {
        network: network(POOL),
        created_at: now.timestamp(),
        nonce: 1,
        expires_at: None,
        key: None,
        content: Content::Open(Map::from([("joined".to_owned(), news)])),
    };
    let document = VerifiedDocument::sign(&outsider, document).unwrap();
    let pool = two.rooms[1].desk.pool.as_mut().unwrap();
    pool.peer().publish_signed(document.into(), now).unwrap();
    two.run(Duration::from_secs(1));
    assert_eq!(two.rooms[0].desk.status(two.rooms[0].now).remote, 0);
    assert_eq!(two.refused(0, Refused::NotAdmitted), 1);
}

/// Connections that prove nothing take no place from who does.
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

#[test]
fn nobody_joins_the_pool_as_a_client() {
    let mut room = Room::new(DeskConfig::default());
    room.open(1);
    let welcome = room.knock(1);
    let presence = Signed::new(&identity(1), &room.presence(&welcome, POOL));
    assert_eq!(room.try_join(1, presence), Some(Refused::Network));
}

#[test]
fn under_load_a_join_takes_work_and_one_without_it_is_refused() {
    let work = JoinWork { bits: 10, from_clients: 2 };
    let mut room = Room::new(DeskConfig { work, ..DeskConfig::default() });
    room.join(1, "a");
    room.open(2);
    let welcome = room.knock(2);
    assert_eq!(welcome.work, 10, "there are two connections");
    let presence = room.presence(&welcome, "a");
    assert_eq!(room.try_join(2, Signed::new(&identity(2), &presence)), Some(Refused::Work));

    room.open(3);
    let welcome = room.knock(3);
    let presence = room.presence(&welcome, "a");
    let me = identity(3).peer_id();
    let work = (0..).find(|answer| work::is_done(&welcome.challenge, &me, 10, *answer)).unwrap();
    let join = ToSignaller::Join { presence: Signed::new(&identity(3), &presence), work };
    assert_eq!(room.say(3, &join), [(3, Some(FromSignaller::Joined))]);
    // Once is enough: the next join on the same connection is a renewal.
    let renewal = ToSignaller::Join { presence: Signed::new(&identity(3), &presence), work: 0 };
    assert_eq!(room.say(3, &renewal), [(3, Some(FromSignaller::Joined))]);
}

#[test]
fn peers_are_told_of_turn_with_each_join() {
    let turn = Turn::new(vec!["turn:turn.example:3478".to_owned()], *b"secret");
    let mut room = Room::new(DeskConfig { turn: Some(turn), ..DeskConfig::default() });
    room.open(1);
    let welcome = room.knock(1);
    let presence = room.presence(&welcome, "a");
    let join = ToSignaller::Join { presence: Signed::new(&identity(1), &presence), work: 0 };
    for _ in 0..2 {
        let said = room.say(1, &join);
        let [(1, Some(FromSignaller::Joined)), (1, Some(FromSignaller::Turn(servers)))] = &said[..]
        else {
            panic!("{said:?}")
        };
        assert!(servers.len() == 1 && servers[0].is_well_formed());
        assert!(servers[0].username.ends_with(&identity(1).peer_id().short().to_string()));
    }
}

/// A peer that misbehaves is kept out over whatever connection, whoever else comes from its address; the
/// operator can forgive it.
#[test]
fn who_misbehaves_again_and_again_is_blacklisted_here() {
    let mut room = Room::new(DeskConfig::default());
    let network = || network("a");
    let mut came = 0;
    for connection in 0..20 {
        let client = 1 + 256 * connection;
        room.open(client);
        let welcome = room.knock(client);
        let presence = Signed::new(&identity(1), &room.presence(&welcome, "a"));
        if room.try_join(client, presence).is_some() {
            break;
        }
        came += 1;
        // In somebody else's name.
        let (to, sealed) = (identity(2).peer_id(), vec![0; 10]);
        let signal = Signal { network: network(), to, sent_at: room.now.timestamp(), sealed };
        let signal = Signed::new(&identity(3), &signal);
        assert!(closed(&room.say(client, &ToSignaller::Signal(signal)), client));
        room.now = room.now.after(Duration::from_secs(1));
    }
    assert!((10..=13).contains(&came), "{came}");
    let status = room.desk.status(room.now);
    assert_eq!((status.blacklisted, status.blacklistings), (1, 1));
    assert_eq!(status.refused.get(&Refused::Blacklisted), Some(&1));
    room.join(2, "a");
    room.desk.forgive();
    room.join(1 + 256 * 30, "a");
    assert_eq!(room.desk.status(room.now).blacklisted, 0);
}

/// What is not proven is nobody's: a stranger cannot have a peer blacklisted by naming it.
#[test]
fn nobody_is_blacklisted_for_what_was_done_before_a_join() {
    let mut room = Room::new(DeskConfig::default());
    for connection in 0..50 {
        let client = 1 + 256 * connection;
        room.open(client);
        let welcome = room.knock(client);
        let mut presence = room.presence(&welcome, "a");
        presence.joined = None;
        room.try_join(client, Signed::new(&identity(1), &presence));
        room.desk.handle(DeskInput::Disconnected { client: client.into() }, room.now);
    }
    assert_eq!(room.desk.status(room.now).blacklisted, 0);
}
