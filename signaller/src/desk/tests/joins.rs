//! Which clients come in, and which others they are told of.

use taiinet_query::{Query, RoutingKey};

use super::*;

#[test]
fn a_signaller_proves_its_key() {
    let mut room = Room::new(DeskConfig::default());
    room.open(1);
    let welcome = room.knock(1);
    let Welcomed { welcome, challenge } = &welcome;
    let key = welcome.signaller.public_key().unwrap();
    assert_eq!(key.verify(Domain::Welcome, challenge, &welcome.signature), Ok(()));
    room.open(2);
    assert_ne!(room.knock(2).challenge, *challenge);
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

/// A peer whose clock is off is told the time, whether its join holds or not; all others are spared it.
#[test]
fn a_join_of_quite_another_time_is_told_what_our_clock_says() {
    let mut room = Room::new(DeskConfig::default());
    let clock = FromSignaller::Clock(NOW.timestamp());
    let joined = FromSignaller::Joined;
    let refused = FromSignaller::Refused {
        reason: RefusalReason::Clock,
        retry_after_ms: u32::try_from(limits::RETRY_AFTER.as_millis()).unwrap(),
    };
    let seconds = Duration::from_secs;
    for (client, issued_at, answers) in [
        (1, NOW, vec![&joined]),
        (2, NOW.before(limits::CLOCKS_AGREE), vec![&joined]),
        (3, NOW.after(limits::CLOCKS_AGREE), vec![&joined]),
        (4, NOW.after(seconds(11)), vec![&clock, &joined]),
        (5, NOW.before(seconds(300)), vec![&clock, &joined]),
        (6, NOW.after(seconds(300)), vec![&clock, &refused]),
        (7, NOW.before(seconds(900)), vec![&clock, &refused]),
    ] {
        room.open(client);
        let welcome = room.knock(client);
        let mut presence = room.presence(&welcome, "a");
        presence.issued_at = issued_at.timestamp();
        presence.expires_at = issued_at.after(mesh_limits::PRESENCE_LIFE).timestamp();
        let presence = Signed::new(&identity(client as u8), &presence);
        let told = room.say(client, &ToSignaller::Join { presence, work: 0 });
        let told: Vec<_> = told.iter().filter(|(to, _)| *to == client).collect();
        let told: Vec<_> = told.iter().filter_map(|(_, frame)| frame.as_ref()).collect();
        assert_eq!(told, answers, "{client}");
    }
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
    for frame in [introduce, signal] {
        let mut room = Room::new(DeskConfig::default());
        room.open(1);
        room.knock(1);
        let answer = room.say(1, &frame);
        assert_eq!(refusal(&answer), Some(RefusalReason::Invalid));
        assert!(closed(&answer, 1));
    }
    let mut room = Room::new(DeskConfig::default());
    room.open(1);
    let answer = room.dial(1, VERSION + 1, URL);
    assert_eq!(refusal(&[(1, answer)]), Some(RefusalReason::Version));
    assert_eq!(room.desk.status(NOW).clients, 0);
}

/// There is no way around a session, nor into one that stands.
#[test]
fn what_is_said_outside_a_session_ends_the_connection() {
    let ping = codec::encode(&ToSignaller::Ping(1));
    let first = opening(1, VERSION, URL).1;
    for (message, refused) in
        [(ping, Refused::Undecodable), (vec![0xff; first.len()], Refused::Undecodable)]
    {
        let mut room = Room::new(DeskConfig::default());
        room.open(1);
        let answer = room.message(1, message);
        assert_eq!(refusal(&answer), Some(RefusalReason::Invalid), "in clear");
        assert!(closed(&answer, 1));
        assert_eq!(room.desk.status(NOW).refused, BTreeMap::from([(refused, 1)]));
    }
    let mut room = Room::new(DeskConfig::default());
    room.join(1, "a");
    let plain = codec::encode(&ToSignaller::Ping(1));
    let mut other = Room::new(DeskConfig::default());
    other.open(1);
    other.knock(1);
    let foreign = other.sessions.get_mut(&1).unwrap().seal(&plain).unwrap();
    for message in [plain, vec![0; 17], first, foreign] {
        let mut room = Room::new(DeskConfig::default());
        room.join(1, "a");
        let answer = room.message(1, message);
        assert_eq!(refusal(&answer), Some(RefusalReason::Invalid), "in the session");
        assert!(closed(&answer, 1));
        assert_eq!(room.desk.status(NOW).refused, BTreeMap::from([(Refused::Session, 1)]));
        assert_eq!(room.desk.status(NOW).blacklisted, 0, "a carrier may have changed it");
    }
    // A message of before, once more.
    let again = room.sessions.get_mut(&1).unwrap();
    let sealed = again.seal(&codec::encode(&ToSignaller::Ping(2))).unwrap();
    assert_eq!(room.message(1, sealed.clone()), [(1, Some(FromSignaller::Pong(2)))]);
    assert!(closed(&room.message(1, sealed), 1));
}

/// A signaller signs which address was dialled; one that knows its own does so for no other.
#[test]
fn a_client_that_dialled_another_address_is_refused() {
    let known_as = vec!["wss://one.example".to_owned(), "ws://10.0.0.7:7700/ws".to_owned()];
    let config = DeskConfig { known_as: Some(known_as), ..DeskConfig::default() };
    for (dialled, ours) in [
        ("wss://one.example", true),
        ("WSS://One.Example:443/", true),
        ("ws://10.0.0.7:7700/ws", true),
        ("ws://10.0.0.7:7700", false),
        ("ws://one.example", false),
        ("wss://one.example:444", false),
        ("wss://mallory.example", false),
        ("", false),
    ] {
        let mut room = Room::new(config.clone());
        room.open(1);
        let answer = room.dial(1, VERSION, dialled);
        let welcome = matches!(answer, Some(FromSignaller::Welcome(_)));
        assert_eq!(welcome, ours, "{dialled}");
        let why = refusal(&[(1, answer)]);
        assert_eq!(why, (!ours).then_some(RefusalReason::Address), "{dialled}");
    }
    let mut room = Room::new(DeskConfig::default());
    room.open(1);
    assert!(matches!(room.dial(1, VERSION, "x"), Some(FromSignaller::Welcome(_))), "any");
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
    assert_eq!(names(presences), peers(&[4, 5]), "no client is told of one that left");
}

fn topic(number: u32) -> RoutingKey {
    let query: Query = format!(r#"{{"topic":{number}}}"#).parse().unwrap();
    *query.routing_keys().iter().next().unwrap()
}

/// Whom a client is told of that asks for others who want this.
fn told(room: &mut Room, client: u64, key: RoutingKey) -> Vec<PeerId> {
    let answer = room.say(client, &ToSignaller::IntroduceFor { want: 8, key });
    let [(to, Some(FromSignaller::IntroducedFor { key: of, presences }))] = answer.as_slice()
    else {
        panic!("{answer:?}")
    };
    assert_eq!((*to, *of), (client, key));
    assert!(presences.iter().all(|presence| presence.clone().verify().is_ok()));
    names(presences)
}

/// Whose they are, in order.
fn names(presences: &[Signed<Presence>]) -> Vec<PeerId> {
    let mut names: Vec<PeerId> = presences.iter().map(Signed::signer).collect();
    names.sort_unstable();
    names
}

/// The keys of these identities, in order.
fn peers(numbers: &[u8]) -> Vec<PeerId> {
    let mut peers: Vec<PeerId> = numbers.iter().map(|one| identity(*one).peer_id()).collect();
    peers.sort_unstable();
    peers
}

#[test]
fn those_that_name_the_same_key_are_introduced_to_one_another_as_long_as_they_are_there() {
    let mut room = Room::new(DeskConfig::default());
    for client in 1..=4 {
        room.join(client, "a");
    }
    room.join(5, "b");
    assert_eq!(told(&mut room, 1, topic(7)), []);
    assert_eq!(told(&mut room, 2, topic(7)), peers(&[1]));
    assert_eq!(told(&mut room, 3, topic(8)), []);
    assert_eq!(told(&mut room, 5, topic(7)), [], "it is of another network");
    assert_eq!(told(&mut room, 4, topic(7)), peers(&[1, 2]));
    assert_eq!(told(&mut room, 4, topic(7)), peers(&[1, 2]), "each once");
    room.desk.handle(DeskInput::Disconnected { client: 2.into() }, room.now);
    assert_eq!(told(&mut room, 1, topic(7)), peers(&[4]));
    for client in [1, 3, 4, 5] {
        room.desk.handle(DeskInput::Disconnected { client: client.into() }, room.now);
    }
    room.now = room.now.after(Duration::from_secs(3600));
    for _ in 0..10 {
        room.desk.clients.sweep(room.now);
    }
    assert!(room.desk.clients.is_bare());
}

#[test]
fn a_client_is_remembered_for_few_keys_and_asks_for_others_no_more_than_for_anybody() {
    let mut room = Room::new(DeskConfig::default());
    for client in 1..=2 {
        room.join(client, "a");
    }
    let most = u32::try_from(limits::KEYS_NAMED).unwrap();
    for number in 0..=most {
        told(&mut room, 1, topic(number));
        room.now = room.now.after(Duration::from_secs(1));
    }
    assert_eq!(told(&mut room, 2, topic(0)), [], "the oldest has given way");
    assert_eq!(told(&mut room, 2, topic(1)), peers(&[1]));
    let mut refused = None;
    for _ in 0..=limits::INTRODUCTIONS.0 {
        let answer = room.say(2, &ToSignaller::IntroduceFor { want: 8, key: topic(1) });
        refused = refused.or(refusal(&answer));
    }
    assert_eq!(refused, Some(RefusalReason::TooOften));
    room.open(3);
    room.knock(3);
    let answer = room.say(3, &ToSignaller::IntroduceFor { want: 8, key: topic(1) });
    assert_eq!(refusal(&answer), Some(RefusalReason::Invalid), "it has not joined");
}

#[test]
fn a_client_in_a_full_network_may_stay_and_come_back() {
    let mut room = Room::new(DeskConfig::default());
    let welcome = room.join(1, "a");
    room.desk.clients.crowd(&network("a"), limits::PRESENCES_PER_NETWORK);
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
    room.desk.handle_timeout(NOW.after(Duration::from_secs(60)));
    assert!(room.desk.clients.is_bare());
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

/// A signaller that asks for work gives time for it, but no more: places are what a flood is after.
#[test]
fn a_client_that_is_asked_for_work_has_time_for_it() {
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
    assert_eq!(welcome.welcome.work, 10, "there are two connections");
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
