use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

type Held = (Place, CancellationToken);

fn admit(gate: &Arc<Gate>, from: IpAddr, now: Time) -> Result<Held, Turned> {
    gate.admit(from, || true, now)?.take_place()
}

/// Who has to give way.
fn gone(held: &[Held]) -> Vec<bool> {
    held.iter().map(|(_, needed)| needed.is_cancelled()).collect()
}

fn count_gone(held: &[Held]) -> usize {
    gone(held).into_iter().filter(|gone| *gone).count()
}

/// So many places, as many as there are.
fn full(clients: usize, from: &str) -> (Arc<Gate>, Vec<Held>) {
    let each = GateConfig { clients_per_address: clients, ..GateConfig::default() };
    let arrivals_per_minute = 2 * clients as u32;
    let config = GateConfig { clients, arrivals_per_minute, ..each };
    let gate = Arc::new(Gate::new(config, start()));
    let places = (0..clients).map(|_| admit(&gate, address(from), start()).expect("a place"));
    let places = places.collect();
    (gate, places)
}

fn start() -> Time {
    Time::from_millis(1_800_000_000_000)
}

#[test]
fn places_are_counted_in_all_and_by_prefix_and_given_back() {
    let now = start();
    let config = GateConfig { clients: 3, clients_per_address: 2, ..GateConfig::default() };
    let gate = Arc::new(Gate::new(config, now));
    let admit = |text: &str| admit(&gate, address(text), now);
    let (one, _two) = (admit("2001:db8::1"), admit("2001:db8::2"));
    assert_eq!(admit("2001:db8::3").err(), Some(Turned::AddressFull), "one /64 is one address");
    let _three = admit("10.0.0.1");
    assert_eq!(admit("10.0.0.1").err(), Some(Turned::Full));
    assert_eq!(gate.connections(), 3);
    drop(one);
    assert!(admit("2001:db8::9").is_ok());
}

/// Forty addresses that keep to all limits can take all places; a client from another gets one.
#[test]
fn few_addresses_with_many_connections_keep_nobody_out() {
    let now = start();
    let config = GateConfig { clients: 1000, clients_per_address: 25, ..GateConfig::default() };
    let gate = Arc::new(Gate::new(config, now));
    let admit = |text: &str| admit(&gate, address(text), now);
    let crowd = |of: usize| (0..25).map(move |_| format!("10.0.0.{of}"));
    let held: Vec<Held> =
        (0..40).flat_map(crowd).map(|text| admit(&text).expect("a place")).collect();
    assert_eq!(admit("10.0.0.1").err(), Some(Turned::AddressFull));
    let honest: Vec<Held> = (0..200)
        .map(|of| admit(&format!("192.0.2.{of}")).expect("a place of one that has many"))
        .collect();
    assert_eq!((count_gone(&held), count_gone(&honest), gate.connections()), (200, 0, 1000));
    for crowd in held.chunks(25) {
        assert_eq!(count_gone(crowd), 5, "each crowd gives as many");
    }
    drop((held, honest));
    assert_eq!(gate.connections(), 0);
}

/// A client that shares an address with others cannot have those closed that were there before.
#[test]
fn of_the_most_crowded_the_last_gives_way_and_few_are_spared() {
    let (gate, held) = full(limits::SPARED + 2, "10.0.0.1");
    let enter = |text: &str| admit(&gate, address(text), start());
    let newcomers = ["10.0.0.2", "10.0.0.3", "10.0.0.4"].map(enter);
    let expected = [vec![false; limits::SPARED], vec![true; 2]].concat();
    assert_eq!(gone(&held), expected);
    assert_eq!(newcomers.map(|place| place.err()), [None, None, Some(Turned::Full)]);
}

#[test]
fn nobody_gives_way_to_its_equals() {
    let config = GateConfig { clients: 40, ..GateConfig::default() };
    let gate = Arc::new(Gate::new(config, start()));
    let enter = |from: usize| admit(&gate, address(&format!("10.0.0.{from}")), start());
    let held: Vec<Held> = (0..40).map(|n| enter(n % 2).expect("a place")).collect();
    assert_eq!([0, 1].map(|from| enter(from).err()), [Some(Turned::Full); 2]);
    assert_eq!(count_gone(&held), 0);
}

/// Connections cost little: a client has said at least that it wants a WebSocket.
#[test]
fn a_connection_that_has_asked_for_nothing_takes_no_place_away() {
    let (gate, held) = full(20, "10.0.0.1");
    let arrive = |of: usize| gate.admit(address(&format!("192.0.2.{of}")), || true, start());
    let mut arrivals: Vec<_> = (0..100).map(arrive).collect();
    assert!(arrivals.iter().all(Result::is_ok));
    assert_eq!((count_gone(&held), gate.connections()), (0, 20));
    let asks = arrivals.pop().expect("one").expect("it came in");
    let _inside = asks.take_place().expect("a place");
    assert_eq!((count_gone(&held), gate.connections()), (1, 20));
}

#[test]
fn in_a_site_of_ipv6_a_household_gives_way_to_one_that_has_less() {
    let (gate, held) = full(limits::SPARED + 1, "2001:db8:1:1::1");
    let enter = |text: &str| admit(&gate, address(text), start());
    let newcomers = ["2001:db8:1:2::1", "2001:db8:1:3::1"].map(enter);
    assert_eq!(count_gone(&held), 1);
    assert_eq!(newcomers.map(|place| place.err()), [None, Some(Turned::Full)]);
}

#[test]
fn a_signaller_of_the_pool_keeps_its_place() {
    let config = GateConfig { clients: 20, ..GateConfig::default() };
    let gate = Arc::new(Gate::new(config, start()));
    let arrive = |from: &str| gate.admit(address(from), || true, start());
    let members: Vec<Place> = (0..11)
        .map(|_| arrive("10.0.0.1").and_then(Arrival::take_place_in_pool).expect("a place"))
        .collect();
    let clients: Vec<Held> =
        (0..9).map(|_| admit(&gate, address("10.0.0.1"), start()).expect("a place")).collect();
    let newcomers = ["10.0.0.2", "10.0.0.3"].map(|text| admit(&gate, address(text), start()));
    assert_eq!(count_gone(&clients), 1, "a client gives way");
    assert_eq!(newcomers.map(|place| place.err()), [None, Some(Turned::Full)]);
    assert_eq!(gate.connections(), 19);
    drop((members, clients));
    assert_eq!(gate.connections(), 0);
}

/// Each of them takes memory until it has gone.
#[test]
fn no_more_than_so_many_give_way_at_once() {
    let most = limits::GIVING_WAY_AT_ONCE;
    let (gate, mut held) = full(2 * most, "10.0.0.1");
    let enter = |of: usize| admit(&gate, IpAddr::from((of as u32).to_be_bytes()), start());
    let honest: Vec<_> = (0..most).map(enter).collect();
    assert!(honest.iter().all(Result::is_ok));
    assert_eq!(enter(most).err(), Some(Turned::Full));
    assert_eq!(count_gone(&held), most);
    held.pop();
    assert!(enter(most).is_ok(), "one of them has gone");
}

#[test]
fn the_length_of_prefixes_is_configured() {
    let now = start();
    let limits = GateConfig { clients_per_address: 1, ..GateConfig::default() };
    let config = GateConfig { prefixes: Prefixes { ipv4: 24, ipv6: 48 }, ..limits };
    let gate = Arc::new(Gate::new(config, now));
    let _held = ["10.0.0.1", "2001:db8:1:1::1"].map(|text| admit(&gate, address(text), now));
    for (text, inside) in [
        ("10.0.0.2", false),
        ("::ffff:10.0.0.3", false),
        ("10.0.1.1", true),
        ("2001:db8:1:2::1", false),
        ("2001:db8:2::1", true),
    ] {
        assert_eq!(admit(&gate, address(text), now).is_ok(), inside, "{text}");
    }
}

#[test]
fn an_address_that_comes_too_often_waits_for_the_minute_to_end() {
    let start = start();
    let gate = GateConfig { arrivals_per_minute: 2, ..GateConfig::default() };
    let gate = Arc::new(Gate::new(gate, start));
    let at = |second| admit(&gate, address("10.0.0.1"), start.after(Duration::from_secs(second)));
    assert!(at(0).is_ok() && at(10).is_ok());
    let wait = |second| Some(Turned::TooOften { wait: Duration::from_secs(second) });
    assert_eq!(at(20).err(), wait(40));
    assert_eq!(at(59).err(), wait(1));
    assert_eq!(at(59).err(), Some(Turned::Flood));
    assert!(admit(&gate, address("10.0.0.2"), start).is_ok(), "others do not");
    assert!(at(60).is_ok());
}

#[test]
fn what_is_kept_of_addresses_is_bounded() {
    let start = start();
    let gate = Arc::new(Gate::new(GateConfig::default(), start));
    let number = |number: usize| IpAddr::from((number as u32).to_be_bytes());
    for n in 0..limits::ADDRESSES {
        assert!(admit(&gate, number(n), start).is_ok());
    }
    assert_eq!(admit(&gate, number(limits::ADDRESSES), start).err(), Some(Turned::Full));
    assert!(admit(&gate, number(1), start).is_ok(), "a known address may come");
    assert!(admit(&gate, number(limits::ADDRESSES), start.after(MINUTE)).is_ok());
    assert_eq!(gate.table().addresses.len(), 1);
}

#[test]
fn a_site_of_ipv6_has_more_than_a_household_but_not_without_end() {
    let now = start();
    let config = GateConfig { clients_per_address: 2, ..GateConfig::default() };
    let gate = Arc::new(Gate::new(config, now));
    let places: Vec<_> = (0..100)
        .map(|household| admit(&gate, address(&format!("2001:db8:1:{household:x}::1")), now))
        .collect();
    let inside = places.iter().filter(|place| place.is_ok()).count();
    assert_eq!(inside, 2 * limits::SITE_SHARE as usize);
    assert!(admit(&gate, address("2001:db8:2::1"), now).is_ok(), "another site");
}

/// A client with a site can come from 65,536 households of it.
#[test]
fn a_site_that_floods_does_not_fill_the_table() {
    let now = start();
    let config = GateConfig { arrivals_per_minute: 3, ..GateConfig::default() };
    let gate = Arc::new(Gate::new(config, now));
    for household in 0..5000 {
        let _ = admit(&gate, address(&format!("2001:db8:1:{household:x}::1")), now);
    }
    assert_eq!(gate.table().addresses.len(), 1 + 2 * 3 * limits::SITE_SHARE as usize);
}

#[test]
fn frames_are_counted_of_all_connections_of_an_address_together() {
    let now = start();
    let config = GateConfig { frames_per_address: (10, 5), ..GateConfig::default() };
    let gate = Arc::new(Gate::new(config, now));
    let place = |text: &str| admit(&gate, address(text), now).expect("a place").0;
    let (one, two) = (place("192.0.2.1"), place("192.0.2.1"));
    assert!(one.take_frames(6, now) && !two.take_frames(6, now) && two.take_frames(4, now));
    assert!(place("192.0.2.2").take_frames(10, now), "others have their own");
    assert!(one.take_frames(5, now.after(Duration::from_secs(1))));
}
