//! Many peers on the virtual network: how fast it runs, how well documents spread.
//!
//! `cargo run -p taiinet-sim --example crowd -- [PEERS [SECONDS [DOCUMENTS_A_SECOND [SENDERS [SEED]]]]]`

use std::time::{Duration, Instant};

use taiinet_sim::{Audit, DeskConfig, PeerSpec, Spreading, World, WorldConfig};

fn main() {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<u64>());
    let mut next = |otherwise| match numbers.next() {
        Some(Ok(number)) => number,
        Some(Err(error)) => panic!("not a number: {error}"),
        None => otherwise,
    };
    let (peers, seconds, rate, senders, seed) =
        (next(200), next(60), next(10).max(1), next(10).max(1), next(1));
    let mut world = World::new(seed, WorldConfig::default());
    let signaller = world.add_signaller(DeskConfig::default());
    let spec = PeerSpec::new("crowd".parse().expect("a name"), &[signaller]);
    let count = usize::try_from(peers).expect("few peers");
    let peers = world.add_peers(count, &spec);
    for peer in &peers {
        world.subscribe(*peer, "{}");
    }
    let clock = Instant::now();
    let connected = world.run_until(Duration::from_secs(30), World::is_connected);
    println!(
        "connected: {connected} after {:?} virtual, {:?} real",
        world.elapsed(),
        clock.elapsed()
    );

    let clock = Instant::now();
    let mut warm = (world.now(), world.counters());
    for number in 0..seconds * rate {
        if number == seconds * rate / 3 {
            warm = (world.now(), world.counters());
        }
        let by = usize::try_from(number % senders.min(peers.len() as u64)).expect("small");
        world.publish(peers[by], &format!(r#"{{"number": {number}}}"#)).expect("there is room");
        world.run_for(Duration::from_millis(1000 / rate));
    }
    world.run_for(Duration::from_secs(5));
    let audit = Audit::of(&world, |_| true);
    println!(
        "{} documents, {} deliveries due, {} missing; {:?} real for {seconds} s",
        world.published().len(),
        audit.due,
        audit.missing.len(),
        clock.elapsed(),
    );
    println!("{:?}", Spreading::of(&world, &warm.1, |published| published.at >= warm.0));
    println!("degrees {:?}, {} things happened", world.degrees(), world.trace_entries());
}
