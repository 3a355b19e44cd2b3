//! What clients may do, and what becomes of those that do more.

use proptest::prelude::*;

use super::*;
use crate::addresses::Prefixes;

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
    assert!(room.desk.clients.is_bare(), "it is forgotten when it makes no difference");
    assert!(room.desk.outputs.is_bare());
}

#[test]
fn a_client_that_asks_too_often_waits_and_one_that_floods_is_closed() {
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
fn a_client_that_does_not_join_falls_silent_or_expires_is_closed() {
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
            if client % 2 == 0 && client < 10 {
                room.knock(client);
            }
        }
        for (client, bytes) in messages {
            room.desk.handle(DeskInput::Message { client: client.into(), bytes }, room.now);
        }
        while room.desk.poll_output().is_some() {}
        prop_assert!(room.desk.status(room.now).clients <= 10);
        room.desk.handle_timeout(NOW.after(Duration::from_secs(3600)));
        prop_assert_eq!(room.desk.status(room.now).clients, 0);
        while room.desk.poll_output().is_some() {}
        prop_assert!(room.desk.clients.is_bare() && room.desk.outputs.is_bare());
    }
}

/// A peer that misbehaves is kept out over whatever connection, and no other at its address is; the
/// operator can forgive it.
#[test]
fn a_client_that_misbehaves_again_and_again_is_blacklisted_here() {
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
        // In another's name.
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

/// What is not proven is no peer's: a stranger cannot have a peer blacklisted by naming it.
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

#[test]
fn what_counts_as_one_address_is_configured_and_a_site_has_a_share() {
    let prefixes = Prefixes { ipv4: 24, ..Prefixes::default() };
    let config = DeskConfig { prefixes, clients_per_address: 1, ..DeskConfig::default() };
    let mut room = Room::new(config);
    let mut client = 0;
    let mut comes = |address: &str| {
        client += 1;
        refusal(&room.open_from(client, address.parse().unwrap())).is_none()
    };
    assert!(comes("192.0.2.1") && !comes("192.0.2.200") && comes("192.0.3.1"));
    // All /64 of a /48 are of one site, which has a share of its own.
    let of_site = (0..100).filter(|net| comes(&format!("2001:db8:1:{net:x}::1"))).count();
    assert_eq!(of_site, limits::SITE_SHARE as usize);
    assert!(comes("2001:db8:2::1"));
}

/// What a session costs, with the message that opens it and the welcome.
const SESSION: usize = costs::frame(60) + costs::SESSION + costs::SIGN;

/// Any frame: a ping costs, too.
#[test]
fn work_is_limited_for_each_client_its_address_and_its_site() {
    let budgets = Budgets {
        frames: (u32::MAX, u32::MAX),
        work: (400 + SESSION as u32, 40),
        work_per_address: (1000 + 3 * SESSION as u32, 100),
        ..Budgets::default()
    };
    let mut room = Room::new(DeskConfig { budgets, ..DeskConfig::default() });
    let mut open = |client: u64, address: &str| {
        room.open_from(client, address.parse().unwrap());
        room.knock(client);
    };
    open(1, "192.0.2.1");
    open(2, "192.0.2.1");
    open(3, "192.0.2.1");
    open(4, "192.0.2.2");
    for site in 0..20 {
        open(100 + site, &format!("2001:db8:1:{site:x}::1"));
        open(200 + site, &format!("2001:db8:1:{site:x}::1"));
        open(300 + site, &format!("2001:db8:1:{site:x}::1"));
    }
    let pongs = |room: &mut Room, client: u64, pings: u32| {
        let answers = (0..pings).flat_map(|number| room.say(client, &ToSignaller::Ping(number)));
        let answers: Vec<_> = answers.collect();
        let pongs = answers.iter();
        let pongs = pongs.filter(|(_, frame)| matches!(frame, Some(FromSignaller::Pong(_))));
        (pongs.count(), refusal(&answers), closed(&answers, client))
    };
    let waits = Some(RefusalReason::TooOften);
    let each = 400 / costs::frame(2);
    assert_eq!(pongs(&mut room, 1, 110), (each, waits, false), "one that stops may stay");
    assert_eq!(pongs(&mut room, 2, 200), (each, waits, true), "one that goes on is closed");
    let rest = 200 / costs::frame(2);
    assert_eq!(pongs(&mut room, 3, 60), (rest, waits, false), "one address has so much in all");
    assert_eq!(pongs(&mut room, 4, 50), (50, None, false), "others have theirs");
    room.now = room.now.after(Duration::from_secs(1));
    assert_eq!(pongs(&mut room, 1, 10), (10, None, false), "it comes back");
    // Many networks of one site.
    let all: usize = (100..120)
        .flat_map(|client| [client, client + 100, client + 200])
        .map(|client| pongs(&mut room, client, 100).0)
        .sum();
    // Their sessions were made of it, too, and a second has passed since.
    let left = 8 * (1000 + 3 * SESSION) - 60 * SESSION + 8 * 100;
    assert_eq!(all, left / costs::frame(2));
    // Nothing of it is an offence: others of the address may have made the work.
    assert_eq!(room.desk.status(room.now).blacklisted, 0);
}

/// Otherwise a new connection would be all that it takes.
#[test]
fn an_address_that_comes_back_has_no_more_work_done_for_it() {
    let budgets = Budgets { work_per_address: (1000, 100), ..Budgets::default() };
    let mut room = Room::new(DeskConfig { budgets, ..DeskConfig::default() });
    let mut answered = 0;
    for client in 0..50 {
        room.open_from(client, IpAddr::from([192, 0, 2, 1]));
        let said = room.dial(client, VERSION, URL);
        for number in 0..20 {
            if matches!(said, Some(FromSignaller::Welcome(_))) {
                let answers = room.say(client, &ToSignaller::Ping(number));
                answered += usize::from(refusal(&answers).is_none());
            }
        }
        room.desk.handle(DeskInput::Disconnected { client: client.into() }, room.now);
    }
    assert_eq!(answered, 1000 / (SESSION + 20 * costs::frame(2)) * 20);
}
