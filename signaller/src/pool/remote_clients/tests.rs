use core::time::Duration;

use taiinet_identity::{Identity, Seed};
use taiinet_mesh::wire::Joined;

use super::*;

const NOW: Time = Time::from_millis(1_800_000_000_000);

fn identity(number: u8) -> Identity {
    Identity::from_seed(&Seed::from_bytes([number; 32]))
}

fn id(number: u8) -> PeerId {
    identity(number).peer_id()
}

fn network() -> Network {
    "tests".parse().expect("a name")
}

/// A presence for `signaller`, signed so many seconds after the start.
fn presence(signaller: u8, seconds: u64) -> Presence {
    let issued = NOW.after(Duration::from_secs(seconds));
    Presence {
        network: network(),
        joined: Some(Joined { signaller: id(signaller), challenge: [7; 32] }),
        issued_at: issued.timestamp(),
        expires_at: issued.after(mesh_limits::PRESENCE_LIFE).timestamp(),
        address: None,
        next_key: None,
        archive: None,
        open: false,
    }
}

fn joined(peer: u8, presence: &Presence) -> Item {
    Item::Joined(Signed::new(&identity(peer), presence))
}

fn left(peer: u8, seconds: u64) -> Item {
    let at = NOW.after(Duration::from_secs(seconds)).timestamp();
    Item::Left(Left { network: network(), peer: id(peer), at })
}

fn remote() -> RemoteClients {
    RemoteClients::new(id(100))
}

fn place(remote: &RemoteClients, peer: u8, linked: &[u8]) -> Option<PeerId> {
    let linked = linked.iter().map(|number| id(*number)).collect();
    remote.place_of(&network(), &id(peer), &linked, NOW)
}

#[test]
fn a_peer_is_where_it_says_to_be_as_long_as_that_signaller_is_linked() {
    let mut remote = remote();
    assert_eq!(remote.take(id(50), joined(1, &presence(50, 0)), NOW), Ok(()));
    assert_eq!(remote.take(id(51), joined(1, &presence(51, 1)), NOW), Ok(()));
    assert_eq!(place(&remote, 1, &[50, 51]), Some(id(51)), "the later");
    assert_eq!(place(&remote, 1, &[50]), Some(id(50)));
    assert_eq!(place(&remote, 1, &[]), None);
    assert_eq!(place(&remote, 2, &[50, 51]), None);
    assert!(remote.is_at(&network(), &id(1), id(50), NOW));
    assert!(!remote.is_at(&network(), &id(1), id(52), NOW));
}

#[test]
fn what_a_member_has_no_right_to_say_is_refused() {
    let mut remote = remote();
    let honest = presence(50, 0);
    let mut refused = |from: u8, item: Item, why: Refused| {
        assert_eq!(remote.take(id(from), item, NOW), Err(why), "{why:?}");
        assert_eq!(remote.len(), 0);
    };
    // A join at another signaller, taken from its news; and one at none.
    refused(51, joined(1, &honest), Refused::Challenge);
    refused(50, joined(1, &Presence { joined: None, ..honest.clone() }), Refused::Challenge);
    // Forged: signed by another under the peer's name, or altered.
    let mut bytes = taiinet_mesh::wire::codec::encode(&Signed::new(&identity(2), &honest));
    bytes[..PeerId::LEN].copy_from_slice(id(1).as_bytes());
    let forged = taiinet_mesh::wire::codec::decode(&bytes).expect("well formed");
    refused(50, Item::Joined(forged), Refused::Signature);
    // Larger than one may be.
    let address = Some(format!("wss://{}", "a".repeat(mesh_limits::ADDRESS_BYTES)));
    refused(50, joined(1, &Presence { address, ..honest.clone() }), Refused::Undecodable);
    // Expired, of the future, or for too long.
    let ends = |seconds: u64| NOW.after(Duration::from_secs(seconds)).timestamp();
    let expired = Presence {
        issued_at: NOW.before(mesh_limits::PRESENCE_LIFE).timestamp(),
        expires_at: NOW.timestamp(),
        ..honest.clone()
    };
    refused(50, joined(1, &expired), Refused::OutOfTime);
    refused(50, joined(1, &presence(50, 3600)), Refused::OutOfTime);
    refused(50, joined(1, &Presence { expires_at: ends(3600), ..honest }), Refused::OutOfTime);
    refused(50, left(1, 3600), Refused::OutOfTime);
}

#[test]
fn a_replay_brings_nobody_back() {
    let mut remote = remote();
    let first = joined(1, &presence(50, 0));
    remote.take(id(50), first.clone(), NOW).expect("valid");
    remote.take(id(50), left(1, 5), NOW).expect("valid");
    assert_eq!(place(&remote, 1, &[50]), None);
    remote.take(id(50), first, NOW).expect("old news are no offence");
    assert_eq!(place(&remote, 1, &[50]), None);
    // Coming back for real.
    remote.take(id(50), joined(1, &presence(50, 9)), NOW).expect("valid");
    assert_eq!(place(&remote, 1, &[50]), Some(id(50)));
}

#[test]
fn a_member_can_send_away_only_its_own() {
    let mut remote = remote();
    remote.take(id(50), joined(1, &presence(50, 0)), NOW).expect("valid");
    remote.take(id(51), left(1, 5), NOW).expect("it may think so");
    assert_eq!(place(&remote, 1, &[50, 51]), Some(id(50)));
}

#[test]
fn what_is_over_is_forgotten_and_the_counts_are_right() {
    let mut remote = remote();
    for peer in 1..20 {
        remote.take(id(50), joined(peer, &presence(50, 0)), NOW).expect("valid");
        remote.take(id(51), left(peer, 0), NOW).expect("valid");
    }
    assert_eq!(remote.len(), 38);
    remote.expire(100, NOW);
    assert_eq!(remote.len(), 38);
    remote.expire(100, NOW.after(mesh_limits::PRESENCE_LIFE));
    assert!(remote.len() == 0 && remote.networks.is_empty() && remote.filled.is_empty());
}

#[test]
fn one_member_cannot_fill_it() {
    let mut remote = remote();
    let full = Filled { seats: limits::POOL_SEATS_PER_SIGNALLER, ..Filled::default() };
    remote.filled.insert(id(50), full);
    let one = joined(1, &presence(50, 0));
    assert_eq!(remote.take(id(50), one.clone(), NOW), Err(Refused::Joins));
    assert_eq!(remote.take(id(51), joined(1, &presence(51, 0)), NOW), Ok(()));
    // Nor is a signature verified for it, or for a member that had too many verified.
    let verify = || panic!("there is no room");
    assert_eq!(remote.take_if(id(50), one, verify, NOW), Err(Refused::Joins));
    let forged = joined(2, &presence(51, 0));
    assert_eq!(remote.take_if(id(51), forged, || false, NOW), Err(Refused::TooOften));
    let known = joined(1, &presence(51, 0));
    let verify = || panic!("it is known");
    assert_eq!(remote.take_if(id(51), known, verify, NOW), Ok(()));
}

#[test]
fn introductions_are_of_others_that_can_be_reached() {
    let mut remote = remote();
    for peer in 1..=20 {
        let at = if peer % 2 == 0 { 50 } else { 51 };
        remote.take(id(at), joined(peer, &presence(at, 0)), NOW).expect("valid");
    }
    let linked = BTreeSet::from([id(50)]);
    for from in 0..=255 {
        let from = PeerId::from_bytes([from; 32]);
        let some = remote.some(&network(), &id(2), from, 5, &linked, NOW);
        let names: BTreeSet<PeerId> = some.iter().map(Signed::signer).collect();
        assert!(some.len() == 5 && names.len() == 5 && !names.contains(&id(2)));
        assert!((1..=20).filter(|peer| peer % 2 == 1).all(|odd| !names.contains(&id(odd))));
    }
    let elsewhere = "elsewhere".parse().expect("a name");
    assert!(remote.some(&elsewhere, &id(2), id(1), 5, &linked, NOW).is_empty());
}

/// A farewell costs no signature: it makes no network, and few are remembered.
#[test]
fn farewells_fill_nothing() {
    let mut remote = remote();
    remote.take(id(50), left(1, 0), NOW).expect("of no use");
    assert!(remote.len() == 0 && remote.networks.is_empty());
    remote.take(id(50), joined(1, &presence(50, 0)), NOW).expect("valid");
    for number in 0..2 * limits::POOL_LEFT_PER_SIGNALLER as u64 {
        let mut peer = [7; 32];
        peer[..8].copy_from_slice(&number.to_be_bytes());
        let (peer, at) = (PeerId::from_bytes(peer), NOW.timestamp());
        let item = Item::Left(Left { network: network(), peer, at });
        remote.take(id(50), item, NOW).expect("no offence");
    }
    assert_eq!(remote.len(), 1 + limits::POOL_LEFT_PER_SIGNALLER);
    // A client that is known to be here leaves all the same.
    remote.take(id(50), left(1, 1), NOW).expect("valid");
    assert_eq!(place(&remote, 1, &[50]), None);
    assert_eq!(remote.len(), limits::POOL_LEFT_PER_SIGNALLER);
}

#[test]
fn one_member_fills_a_share_of_the_networks() {
    let mut remote = remote();
    let of = |signaller: u8, number: usize| {
        let network = format!("n{number}").parse().expect("a name");
        joined(1, &Presence { network, ..presence(signaller, 0) })
    };
    remote.take(id(50), of(50, 0), NOW).expect("valid");
    remote.filled.get_mut(&id(50)).expect("it is").networks = limits::POOL_NETWORKS_PER_SIGNALLER;
    assert_eq!(remote.take(id(50), of(50, 1), NOW), Err(Refused::Joins));
    assert_eq!(remote.take(id(51), of(51, 1), NOW), Ok(()));
    assert_eq!(remote.take(id(50), of(50, 1), NOW), Ok(()), "one that there is");
}

/// The desk has one task: what is over is dropped bit by bit, and with each that comes.
#[test]
fn no_call_forgets_more_than_so_many() {
    let mut remote = remote();
    for peer in 1..100 {
        remote.take(id(50), joined(peer, &presence(50, 0)), NOW).expect("valid");
    }
    let later = NOW.after(mesh_limits::PRESENCE_LIFE);
    remote.expire(10, later);
    assert_eq!(remote.len(), 89);
    assert!(!remote.is_at(&network(), &id(99), id(50), later), "it does not count any more");
    let seconds = mesh_limits::PRESENCE_LIFE.as_secs();
    remote.take(id(51), joined(1, &presence(51, seconds)), later).expect("valid");
    assert_eq!(remote.len(), 89 - limits::POOL_FORGOTTEN_FOR_ONE + 1);
    // A renewed seat ends when it says last.
    remote.take(id(51), joined(1, &presence(51, seconds + 9)), later).expect("valid");
    remote.expire(usize::MAX, later);
    assert_eq!((remote.len(), remote.endings.len()), (1, 1));
    remote.expire(usize::MAX, later.after(mesh_limits::PRESENCE_LIFE));
    assert_eq!(remote.len(), 1);
}
