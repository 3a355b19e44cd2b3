//! What the operator changes while the desk is open, and what it is shown of who is here.

use super::{two::Two, *};
use crate::{MemberState, addresses::Prefixes};

fn serving(networks: &[&str]) -> DeskConfig {
    let networks = networks.iter().map(|name| network(name)).collect();
    DeskConfig { networks, ..DeskConfig::default() }
}

#[test]
fn a_network_that_is_not_served_any_more_takes_its_peers_with_it_and_no_others() {
    let mut room = Room::new(serving(&["a", "b"]));
    room.join(1, "a");
    room.join(2, "b");
    room.desk.renew(serving(&["b", "c"]), NOW);
    let told = room.outputs();
    assert!(closed(&told, 1) && !closed(&told, 2), "{told:?}");
    assert_eq!(refusal(&told), Some(RefusalReason::Network));
    room.join(3, "c");
}

#[test]
fn places_and_work_are_as_they_were_set_last_and_what_counts_as_an_address_stays() {
    let mut room = Room::new(DeskConfig { clients: 1, ..DeskConfig::default() });
    room.join(1, "a");
    assert_eq!(refusal(&room.open(2)), Some(RefusalReason::Full));
    let work = JoinWork { bits: 3, from_clients: 0 };
    let prefixes = Prefixes { ipv4: 8, ipv6: 8 };
    let servers = vec!["stun::9".to_owned()];
    let config =
        DeskConfig { clients: 2, work, prefixes, ice_servers: servers, ..DeskConfig::default() };
    room.desk.renew(config, NOW);
    room.open(2);
    let welcome = room.knock(2).welcome;
    assert_eq!((welcome.work, welcome.ice_servers), (3, vec![]));
    assert_eq!(refusal(&room.open(3)), Some(RefusalReason::Full));
    assert_eq!(room.desk.config.prefixes, Prefixes::default());
}

/// A client whose links are relayed sends more than others: its budgets must outlive a reload.
#[test]
fn what_is_relayed_and_the_budgets_for_it_stay_as_they_were_at_the_start() {
    let relaying = Some(crate::Relaying::default());
    let mut room = Room::new(DeskConfig { relaying, ..DeskConfig::default() });
    let before = room.desk.config.budgets;
    assert_ne!(before, Budgets::default());
    room.desk.renew(DeskConfig::default(), NOW);
    assert_eq!(room.desk.config.budgets, before);
    assert_eq!(room.desk.config.relaying, Some(crate::Relaying::default()));
}

#[test]
fn a_member_that_is_not_allowed_any_more_is_parted_with_and_its_news_do_not_count() {
    let mut two = Two::new();
    let only = |allowed: u8| {
        let allowed = Some([identity(allowed).peer_id()].into());
        let direct = Direct { allowed, ..Direct::default() };
        DeskConfig { pool: Some(direct), ..DeskConfig::default() }
    };
    two.rooms[0].desk.renew(only(201), two.rooms[0].now);
    two.run(Duration::from_secs(1));
    let members = |two: &Two| two.rooms[0].desk.status(two.rooms[0].now).members;
    assert_eq!(members(&two), 1, "it is allowed");
    two.rooms[0].desk.renew(only(99), two.rooms[0].now);
    assert_eq!(members(&two), 0);
    let now = two.rooms[0].now;
    assert!(!two.rooms[0].desk.pool.as_ref().unwrap().view(true, now).iter().any(|member| {
        member.peer == Some(identity(201).peer_id()) && member.state == MemberState::Linked
    }));
}

#[test]
fn who_is_here_is_shown_by_size_and_by_name_only_if_that_is_asked_for() {
    let mut room = Room::new(DeskConfig::default());
    room.join(1, "small");
    for client in 2..5 {
        room.join(client, "large");
    }
    room.open(9);
    room.open(10);
    room.knock(10);
    let view = room.desk.view(false, NOW);
    assert_eq!((view.connecting, view.joining, view.joined), (1, 1, 4));
    let sizes: Vec<_> = view.networks.iter().map(|network| network.peers).collect();
    assert_eq!(sizes, [3, 1]);
    assert!(view.networks.iter().all(|each| each.name.is_none() && each.some.is_empty()));
    let view = room.desk.view(true, NOW);
    assert_eq!(view.networks[0].name, Some(network("large")));
    assert_eq!(view.networks[1].some, [identity(1).peer_id()]);
}

/// However many there are.
#[test]
fn what_is_shown_is_bounded() {
    let mut room = Room::new(DeskConfig::default());
    let joined = u64::try_from(limits::SHOWN_PEERS).unwrap() + 5;
    for client in 1..=joined {
        room.join(client, "a");
    }
    for number in 0..limits::SHOWN_NETWORKS + 5 {
        room.join(100 + number as u64, &format!("n{number}"));
    }
    let view = room.desk.view(true, NOW);
    assert_eq!(view.networks.len(), limits::SHOWN_NETWORKS);
    assert_eq!(view.networks[0].some.len(), limits::SHOWN_PEERS);
    assert_eq!(view.networks[0].peers as u64, joined);
}

#[test]
fn how_long_a_join_takes_is_counted_once_for_each_connection() {
    let mut room = Room::new(DeskConfig::default());
    room.open(1);
    room.now = room.now.after(Duration::from_millis(300));
    let welcome = room.knock(1);
    let presence = room.presence(&welcome, "a");
    for _ in 0..2 {
        room.try_join(1, Signed::new(&identity(1), &presence));
    }
    let took = room.desk.status(room.now).joins_took;
    assert_eq!((took.count(), took.sum), (1, Duration::from_millis(300)));
}
