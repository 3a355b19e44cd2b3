//! What members of the pool may say, and what becomes of those that say other things.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use taiinet_document::{Content, Document, Map, Value, VerifiedDocument};

use super::{
    two::{Two, signal_at},
    *,
};

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

/// An honest signaller verifies what it passes on, so a member that passes on what was never signed does
/// so knowingly.
#[test]
fn a_member_that_passes_on_what_is_not_validly_signed_is_parted_with_and_rests() {
    let mut two = Two::new();
    two.rooms[0].join(1, "a");
    two.rooms[1].join(2, "a");
    two.run(Duration::from_secs(1));
    let (victim, honest) = (identity(2).peer_id(), identity(201).peer_id());
    for number in 0..50 {
        let now = two.rooms[0].now;
        let mut bytes = codec::encode(&signal_at(&identity(1), victim, now, number));
        *bytes.last_mut().unwrap() ^= 1;
        let own = two.rooms[0].desk.pool.as_mut().unwrap();
        own.peer().relay(honest, codec::decode(&bytes).unwrap(), now);
        two.run(Duration::from_millis(100));
    }
    let status = |two: &Two| two.rooms[1].desk.status(two.rooms[1].now);
    assert!((10..20).contains(&two.refused(1, Refused::Signature)), "then it was cut");
    assert_eq!((status(&two).members, status(&two).blacklisted), (0, 1));
    two.run(Duration::from_secs(60));
    assert_eq!(status(&two).members, 0, "it rests");
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

/// News of the pool that tell of one client, as this signaller writes them.
fn news(by: &Identity, presence: &Signed<Presence>, now: Time) -> VerifiedDocument {
    let told = Value::List(vec![Value::Bytes(codec::encode(presence))]);
    let document = Document {
        network: network(POOL),
        created_at: now.timestamp(),
        nonce: 1,
        expires_at: None,
        key: None,
        next_key: None,
        content: Content::Open(Map::from([("joined".to_owned(), told)])),
    };
    VerifiedDocument::sign(by, document).unwrap()
}

fn presence_at(signaller: PeerId, of: &Identity, now: Time) -> Signed<Presence> {
    let presence = Presence {
        network: network("a"),
        joined: Some(Joined { signaller, challenge: [1; 32] }),
        issued_at: now.timestamp(),
        expires_at: now.after(Duration::from_secs(300)).timestamp(),
        address: None,
        next_key: None,
        archive: None,
        open: false,
    };
    Signed::new(of, &presence)
}

/// Any peer may sign a document of the pool; what counts is that of its members.
#[test]
fn news_from_an_outsider_is_refused() {
    let mut two = Two::new();
    let now = two.rooms[1].now;
    let outsider = identity(66);
    let told = presence_at(outsider.peer_id(), &identity(5), now);
    let pool = two.rooms[1].desk.pool.as_mut().unwrap();
    pool.peer().publish_signed(news(&outsider, &told, now).into(), now).unwrap();
    two.run(Duration::from_secs(1));
    assert_eq!(two.rooms[0].desk.status(two.rooms[0].now).remote, 0);
    assert_eq!(two.refused(0, Refused::NotAdmitted), 1);
}

/// An honest signaller tells of clients that it has verified.
#[test]
fn a_member_that_tells_of_forged_presences_is_parted_with() {
    let mut two = Two::new();
    let member = identity(200);
    for number in 0..30 {
        let now = two.rooms[0].now;
        let mut bytes = codec::encode(&presence_at(member.peer_id(), &identity(number), now));
        // The name, then the signature.
        bytes[PeerId::LEN + 5] ^= 1;
        let forged = codec::decode(&bytes).unwrap();
        let pool = two.rooms[0].desk.pool.as_mut().unwrap();
        pool.peer().publish_signed(news(&member, &forged, now).into(), now).unwrap();
        two.run(Duration::from_millis(100));
    }
    let status = two.rooms[1].desk.status(two.rooms[1].now);
    assert_eq!((status.members, status.blacklisted, status.remote), (0, 1, 0));
    assert!((10..20).contains(&two.refused(1, Refused::Signature)), "then it was cut");
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
