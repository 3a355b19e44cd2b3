//! Signals between clients of one desk.

use super::*;

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

/// Otherwise one frame would end a victim's connection, or block a link of the pool.
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

/// What waits for a client is bounded, and one that does not read is dropped: others must not be able to
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
    assert!(!flood.iter().any(|(_, frame)| frame.is_none()), "no client is closed over it");
    let victim = identity(1).peer_id();
    assert!(flood.contains(&(20, Some(FromSignaller::Unreachable(victim)))), "and senders know");
    room.now = room.now.after(Duration::from_secs(2));
    assert_eq!(signals_to(&room.say(2, &sealed(2, 1, 1500)), 1), 1, "it goes on");
}
