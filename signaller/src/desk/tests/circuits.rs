//! Relayed links: who may have one, what it may carry, how it ends.

use taiinet_mesh::{
    limits::{CIRCUIT_MESSAGE_BYTES, CIRCUIT_WINDOW},
    wire::{CircuitFrame, CircuitPart},
};

use super::*;

type Told = Vec<(u64, Option<FromSignaller>)>;

fn relaying(relaying: Relaying) -> DeskConfig {
    DeskConfig { relaying: Some(relaying), ..DeskConfig::default() }
}

impl Room {
    fn enter(&mut self, client: u64, name: &str) {
        self.open(client);
        let welcome = self.knock(client);
        let presence = Signed::new(&identity(client as u8), &self.presence(&welcome, name));
        let told = self.say(client, &ToSignaller::Join { presence, work: 0 });
        let relays = FromSignaller::Relays(
            self.desk
                .config
                .relaying
                .as_ref()
                .map_or(0, |one| u8::try_from(one.circuits_per_peer).unwrap()),
        );
        let expected = [(client, Some(relays)), (client, Some(FromSignaller::Joined))];
        let from = usize::from(self.desk.config.relaying.is_none());
        assert_eq!(told, expected[from..], "before the answer to the join");
    }

    fn of_circuit(&mut self, from: u64, to: u64, part: CircuitPart) -> Told {
        let frame = CircuitFrame { peer: identity(to as u8).peer_id(), part };
        let mut told = self.say(from, &ToSignaller::Circuit(frame));
        self.desk.handle_timeout(self.now);
        told.extend(self.outputs());
        told
    }

    fn circuit(&mut self, one: u64, other: u64) {
        let told = self.of_circuit(one, other, CircuitPart::Open(vec![1]));
        assert_eq!(told, [heard(other, one, CircuitPart::Open(vec![1]))]);
        let told = self.of_circuit(other, one, CircuitPart::Accept(vec![2]));
        assert_eq!(told, [heard(one, other, CircuitPart::Accept(vec![2]))]);
    }

    fn refused_with(&self, why: Refused) -> u64 {
        self.desk.status(self.now).refused.get(&why).copied().unwrap_or(0)
    }

    fn wait(&mut self, time: Duration) -> Told {
        self.now = self.now.after(time);
        self.desk.handle_timeout(self.now);
        self.outputs()
    }
}

/// What a client is told of a circuit with another.
fn heard(client: u64, of: u64, part: CircuitPart) -> (u64, Option<FromSignaller>) {
    let peer = identity(of as u8).peer_id();
    (client, Some(FromSignaller::Circuit(CircuitFrame { peer, part })))
}

fn ended(client: u64, of: u64, reason: RefusalReason) -> (u64, Option<FromSignaller>) {
    heard(client, of, CircuitPart::End(reason))
}

fn message(bytes: usize) -> CircuitPart {
    CircuitPart::Message(vec![3; bytes])
}

#[test]
fn a_circuit_carries_what_two_say_that_have_agreed_to_it() {
    let mut room = Room::new(relaying(Relaying::default()));
    room.enter(1, "a");
    room.enter(2, "a");
    // Before it is agreed to, nothing passes.
    room.of_circuit(1, 2, CircuitPart::Open(vec![1]));
    assert_eq!(room.of_circuit(1, 2, message(10)), []);
    assert_eq!(room.of_circuit(2, 1, message(10)), []);
    assert_eq!(room.of_circuit(1, 2, CircuitPart::Accept(vec![2])), [], "one's own asking");
    room.of_circuit(2, 1, CircuitPart::Accept(vec![2]));
    assert_eq!(room.of_circuit(1, 2, message(10)), [heard(2, 1, message(10))]);
    assert_eq!(room.of_circuit(2, 1, message(16_000)), [heard(1, 2, message(16_000))]);
    let status = room.desk.status(room.now);
    assert_eq!((status.circuits, status.circuits_opened, status.circuit_bytes), (1, 1, 16_011));

    let end = CircuitPart::End(RefusalReason::Leaving);
    assert_eq!(room.of_circuit(1, 2, end), [ended(2, 1, RefusalReason::Leaving)]);
    assert_eq!(room.of_circuit(1, 2, message(10)), [], "what was on its way is no fault");
    assert_eq!(room.desk.status(room.now).circuits, 0);
    assert_eq!(room.refused_with(Refused::OutOfTurn), 0);
}

#[test]
fn only_members_of_one_network_have_a_circuit_and_no_third_has_part_in_it() {
    let mut room = Room::new(relaying(Relaying::default()));
    for (client, name) in [(1, "a"), (2, "a"), (3, "a"), (4, "b")] {
        room.enter(client, name);
    }
    for nobody in [1, 4, 99] {
        let told = room.of_circuit(1, nobody, CircuitPart::Open(vec![1]));
        assert_eq!(told, [ended(1, nobody, RefusalReason::Absent)], "{nobody}");
    }
    assert_eq!(room.refused_with(Refused::Absent), 3);
    room.circuit(1, 2);
    for part in [message(10), CircuitPart::Took(1), CircuitPart::End(RefusalReason::Full)] {
        assert_eq!(room.of_circuit(3, 1, part.clone()), []);
        assert_eq!(room.of_circuit(3, 2, part), []);
    }
    assert_eq!(room.desk.status(room.now).circuits, 1);

    // One that has not joined says nothing of circuits.
    room.open(5);
    room.knock(5);
    assert!(closed(&room.of_circuit(5, 1, CircuitPart::Open(vec![1])), 5));
}

#[test]
fn a_signaller_that_does_not_relay_says_so() {
    let mut room = Room::new(DeskConfig::default());
    room.enter(1, "a");
    room.enter(2, "a");
    let told = room.of_circuit(1, 2, CircuitPart::Open(vec![1]));
    assert_eq!(told, [ended(1, 2, RefusalReason::NoRelay)]);
    assert_eq!(room.refused_with(Refused::NoRelay), 1);
    assert_eq!(room.of_circuit(1, 2, message(10)), []);
}

#[test]
fn the_one_that_is_asked_may_refuse() {
    let mut room = Room::new(relaying(Relaying::default()));
    room.enter(1, "a");
    room.enter(2, "a");
    room.of_circuit(1, 2, CircuitPart::Open(vec![1]));
    let no = CircuitPart::End(RefusalReason::NotAdmitted);
    assert_eq!(room.of_circuit(2, 1, no), [ended(1, 2, RefusalReason::NotAdmitted)]);
    assert_eq!(room.of_circuit(2, 1, CircuitPart::Accept(vec![2])), [], "it is over");
    assert_eq!(room.desk.status(room.now).circuits, 0);
}

#[test]
fn of_two_that_ask_at_once_the_first_is_heard() {
    let mut room = Room::new(relaying(Relaying::default()));
    room.enter(1, "a");
    room.enter(2, "a");
    room.of_circuit(1, 2, CircuitPart::Open(vec![1]));
    assert_eq!(room.of_circuit(2, 1, CircuitPart::Open(vec![2])), []);
    let told = room.of_circuit(2, 1, CircuitPart::Accept(vec![3]));
    assert_eq!(told, [heard(1, 2, CircuitPart::Accept(vec![3]))]);
    assert_eq!(room.desk.status(room.now).circuits, 1);
    // Nobody asks for what there is.
    assert!(closed(&room.of_circuit(1, 2, CircuitPart::Open(vec![1])), 1));
}

#[test]
fn there_are_so_many_circuits_in_all_and_of_each() {
    let quotas = Relaying { circuits: 3, circuits_per_peer: 2, ..Relaying::default() };
    let mut room = Room::new(relaying(quotas));
    for client in 1..=9 {
        room.enter(client, "a");
    }
    room.circuit(1, 2);
    room.circuit(1, 3);
    let full = |room: &mut Room, from, to| {
        let told = room.of_circuit(from, to, CircuitPart::Open(vec![1]));
        assert_eq!(told, [ended(from, to, RefusalReason::Full)]);
    };
    full(&mut room, 1, 4);
    full(&mut room, 4, 1);
    room.circuit(4, 5);
    full(&mut room, 6, 7);
    assert_eq!(room.refused_with(Refused::Circuits), 3);
    // One that leaves makes room, and those at the other end are told.
    let told = room.say(1, &ToSignaller::Leave);
    assert!(told.contains(&ended(2, 1, RefusalReason::Absent)), "{told:?}");
    assert!(told.contains(&ended(3, 1, RefusalReason::Absent)), "{told:?}");
    room.circuit(6, 7);
}

#[test]
fn those_that_only_ask_leave_room_and_are_soon_forgotten() {
    let quotas = Relaying { circuits_per_peer: 2, ..Relaying::default() };
    let mut room = Room::new(relaying(quotas));
    for client in 1..=7 {
        room.enter(client, "a");
    }
    for stranger in 2..=5 {
        room.of_circuit(stranger, 1, CircuitPart::Open(vec![1]));
    }
    let told = room.of_circuit(6, 1, CircuitPart::Open(vec![1]));
    assert_eq!(told, [ended(6, 1, RefusalReason::Full)]);
    // It may itself ask all the same.
    room.circuit(1, 7);
    let told = room.wait(limits::JOIN_TIMEOUT + limits::CHECK_EVERY);
    assert!(told.contains(&ended(2, 1, RefusalReason::Leaving)), "{told:?}");
    assert_eq!(room.refused_with(Refused::Idle), 4);
    room.circuit(6, 1);
}

/// Who has a client's agreement for the asking has at most half of its places, and none of its quota.
#[test]
fn who_is_asked_loses_neither_its_places_nor_its_quota() {
    let quotas = Relaying { bytes_per_peer: CIRCUIT_WINDOW as u32, ..Relaying::default() };
    let mut room = Room::new(relaying(quotas));
    for client in 1..=8 {
        room.enter(client, "a");
    }
    for stranger in 2..=5 {
        room.of_circuit(stranger, 1, CircuitPart::Open(vec![1]));
    }
    // It agrees to all, as peers do.
    for (stranger, has_room) in [(2, true), (3, true), (4, false), (5, false)] {
        let told = room.of_circuit(1, stranger, CircuitPart::Accept(vec![2]));
        let agreed = told == [heard(stranger, 1, CircuitPart::Accept(vec![2]))];
        assert_eq!(agreed, has_room, "{stranger}: {told:?}");
    }
    let told = room.of_circuit(6, 1, CircuitPart::Open(vec![1]));
    assert_eq!(told, [ended(6, 1, RefusalReason::Full)]);
    room.circuit(1, 7);
    room.circuit(1, 8);
    let allowance = &room.desk.clients.get_mut(1.into()).unwrap().allowance;
    let spent = 8 * CIRCUIT_WINDOW - allowance.relayed.left(room.now) as usize / 1000;
    assert_eq!(spent, 4 * CIRCUIT_WINDOW, "for the two that it asked for");
}

#[test]
fn nobody_is_thrown_off_by_what_is_asked_of_it() {
    let mut room = Room::new(relaying(Relaying::default()));
    room.enter(1, "a");
    for client in 2..=60 {
        room.enter(client, "a");
    }
    let end = || CircuitPart::End(RefusalReason::Leaving);
    // Again and again: a circuit keeps its place for a moment, and is not asked for anew meanwhile.
    assert_eq!(room.of_circuit(2, 1, CircuitPart::Open(vec![1])).len(), 1);
    assert_eq!(room.of_circuit(2, 1, end()).len(), 1);
    for _ in 0..3 {
        let told = room.of_circuit(2, 1, CircuitPart::Open(vec![1]));
        assert_eq!(told, [ended(2, 1, RefusalReason::TooOften)]);
        assert_eq!(room.of_circuit(2, 1, end()), []);
    }
    room.wait(limits::CIRCUIT_KEPT);
    // Many at once: no more reach it than it has room for.
    let mut reached = 0;
    for client in 2..=60 {
        let told = room.of_circuit(client, 1, CircuitPart::Open(vec![1]));
        if told == [heard(1, client, CircuitPart::Open(vec![1]))] {
            reached += 1;
            room.of_circuit(client, 1, end());
        } else {
            assert_eq!(told, [ended(client, 1, RefusalReason::TooOften)]);
        }
    }
    assert!(reached <= limits::CIRCUITS_FOR_ONE.0 + 4, "{reached}");

    // What makes a session is short.
    let long = CircuitPart::Open(vec![1; taiinet_mesh::session::OPENING_BYTES + 1]);
    assert!(closed(&room.of_circuit(3, 1, long), 3));
    assert_eq!(room.refused_with(Refused::Undecodable), 1);
}

#[test]
fn one_address_does_not_take_all_that_is_relayed() {
    let rate = 8 * CIRCUIT_WINDOW as u32;
    let quotas =
        Relaying { bytes_per_second: rate, bytes_per_peer: rate / 8, ..Relaying::default() };
    let mut room = Room::new(relaying(quotas));
    for client in 1..=20 {
        let last = if client <= 10 { 9 } else { client as u8 };
        room.open_from(client, IpAddr::from([10, 9, 9, last]));
        let welcome = room.knock(client);
        let presence = Signed::new(&identity(client as u8), &room.presence(&welcome, "a"));
        room.say(client, &ToSignaller::Join { presence, work: 0 });
    }
    // Two windows for each; the address has eight.
    let mut opened = 0;
    for client in 1..=6 {
        let told = room.of_circuit(client, client + 10, CircuitPart::Open(vec![1]));
        opened += usize::from(told.iter().all(|(to, _)| *to == client + 10));
    }
    assert_eq!(opened, 4);
    assert_eq!(room.refused_with(Refused::Quota), 2);
    room.circuit(18, 19);
}

#[test]
fn one_address_does_not_take_all_circuits() {
    let quotas = Relaying { circuits: 8, circuits_per_peer: 1, ..Relaying::default() };
    let mut room = Room::new(relaying(quotas));
    for client in 1..=6 {
        room.open_from(client, IpAddr::from([10, 9, 9, 9]));
        let welcome = room.knock(client);
        let presence = Signed::new(&identity(client as u8), &room.presence(&welcome, "a"));
        room.say(client, &ToSignaller::Join { presence, work: 0 });
    }
    for client in 11..=20 {
        room.enter(client, "a");
    }
    room.circuit(1, 11);
    room.circuit(2, 12);
    let told = room.of_circuit(3, 13, CircuitPart::Open(vec![1]));
    assert_eq!(told, [ended(3, 13, RefusalReason::Full)]);
    room.circuit(13, 14);
}

/// What is on its way is bounded, whatever a sender does, and what was taken is said once.
#[test]
fn more_than_the_other_end_took_ends_the_circuit() {
    let mut room = Room::new(relaying(Relaying::default()));
    room.enter(1, "a");
    room.enter(2, "a");
    room.circuit(1, 2);
    let counts = 7_000 + CIRCUIT_MESSAGE_BYTES;
    let mut passed = 0;
    let told = loop {
        let told = room.of_circuit(1, 2, message(7_000));
        if told == [heard(2, 1, message(7_000))] {
            passed += counts;
        } else {
            break told;
        }
    };
    assert!((CIRCUIT_WINDOW..3 * CIRCUIT_WINDOW).contains(&passed), "{passed}");
    let both = [ended(1, 2, RefusalReason::TooOften), ended(2, 1, RefusalReason::TooOften)];
    assert_eq!(told, both);
    assert_eq!(room.refused_with(Refused::Window), 1);

    room.wait(limits::CIRCUIT_KEPT);
    room.circuit(1, 2);
    room.of_circuit(1, 2, message(7_000));
    let took = |bytes: usize| CircuitPart::Took(u32::try_from(bytes).unwrap());
    assert_eq!(room.of_circuit(2, 1, took(counts - 1)), [heard(1, 2, took(counts - 1))]);
    assert!(closed(&room.of_circuit(2, 1, took(2)), 2), "it took what was never sent");
    assert_eq!(room.refused_with(Refused::OutOfTurn), 1);
}

#[test]
fn a_peer_that_says_more_than_its_quota_is_slowed_and_coming_back_is_no_help() {
    let quotas = Relaying { bytes_per_peer: CIRCUIT_WINDOW as u32, ..Relaying::default() };
    let mut room = Room::new(relaying(quotas));
    room.enter(1, "a");
    room.enter(2, "a");
    room.circuit(1, 2);
    let counts = 7_000 + CIRCUIT_MESSAGE_BYTES;
    let took = CircuitPart::Took(u32::try_from(counts).unwrap());
    let mut passed = 0;
    // Each is taken at once.
    loop {
        room.of_circuit(1, 2, message(7_000));
        passed += counts;
        if room.of_circuit(2, 1, took.clone()).is_empty() {
            break;
        }
    }
    let burst = 8 * CIRCUIT_WINDOW;
    assert!((burst / 2..=burst).contains(&passed), "{passed}");
    let told = room.wait(Duration::from_secs(1));
    assert_eq!(told, [heard(1, 2, took)], "it goes on at its pace");

    // A new circuit begins with a window each way, for which nothing is left.
    room.of_circuit(1, 2, CircuitPart::End(RefusalReason::Leaving));
    room.wait(limits::CIRCUIT_KEPT);
    for _ in 0..2 {
        room.of_circuit(1, 2, CircuitPart::Open(vec![1]));
        room.of_circuit(1, 2, CircuitPart::End(RefusalReason::Leaving));
    }
    assert!(room.refused_with(Refused::Quota) >= 1);
    room.say(1, &ToSignaller::Leave);
    room.desk.handle(DeskInput::Disconnected { client: 1.into() }, room.now);
    room.enter(1, "a");
    let told = room.of_circuit(1, 2, CircuitPart::Open(vec![1]));
    assert_eq!(told, [ended(1, 2, RefusalReason::TooOften)]);
}

#[test]
fn a_circuit_that_nobody_uses_ends_and_one_that_is_used_does_not() {
    let mut room = Room::new(relaying(Relaying::default()));
    for client in 1..=4 {
        room.enter(client, "a");
    }
    room.circuit(1, 2);
    room.circuit(3, 4);
    for _ in 0..10 {
        room.wait(limits::CIRCUIT_IDLE / 8);
        for client in 1..=4 {
            room.say(client, &ToSignaller::Ping(0));
        }
        room.of_circuit(4, 3, message(1));
        room.of_circuit(3, 4, CircuitPart::Took(1 + CIRCUIT_MESSAGE_BYTES as u32));
    }
    let status = room.desk.status(room.now);
    assert_eq!((status.circuits, room.refused_with(Refused::Idle)), (1, 1));
}

#[test]
fn a_second_connection_of_a_peer_has_none_of_the_circuits_of_the_first() {
    let mut room = Room::new(relaying(Relaying::default()));
    room.enter(1, "a");
    room.enter(2, "a");
    room.circuit(1, 2);
    // The same key, from another device.
    room.open(257);
    let welcome = room.knock(257);
    let presence = Signed::new(&identity(1), &room.presence(&welcome, "a"));
    let told = room.say(257, &ToSignaller::Join { presence, work: 0 });
    assert!(told.contains(&ended(2, 1, RefusalReason::Absent)), "{told:?}");
    assert_eq!(room.desk.status(room.now).circuits, 0);
    assert_eq!(room.of_circuit(257, 2, message(1)), []);
}

#[test]
fn the_largest_message_of_a_peer_fits() {
    let mut room = Room::new(relaying(Relaying::default()));
    room.enter(1, "a");
    room.enter(2, "a");
    room.circuit(1, 2);
    let most = mesh_limits::PACKED_BYTES + taiinet_mesh::session::TAG_BYTES;
    assert_eq!(room.of_circuit(1, 2, message(most)), [heard(2, 1, message(most))]);
}
