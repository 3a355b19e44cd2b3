//! The trees along which documents are pushed: how few copies travel, how late the last of them come.

use std::time::Duration;

use taiinet_sim::{PeerIndex, Spread, Spreading, World, WorldConfig};

use crate::common::{Setting, meshed, seconds, seeds, started_with};

/// Publishes so many documents, one every so many milliseconds, by these in turn; `meanwhile` what else
/// happens before each. Gives how the last half of them spread.
fn spreading(
    setting: &mut Setting,
    by: &[PeerIndex],
    count: usize,
    every_ms: u64,
    mut meanwhile: impl FnMut(&mut World, usize),
) -> Spreading {
    let mut warm = (setting.world.now(), setting.world.counters());
    for number in 0..count {
        if number == count / 2 {
            warm = (setting.world.now(), setting.world.counters());
        }
        meanwhile(&mut setting.world, number);
        let by = by.iter().cycle().skip(number % by.len());
        let alive = by.copied().find(|peer| setting.world.is_alive(*peer));
        let content = format!(r#"{{"number": {number}}}"#);
        setting.world.publish(alive.expect("one is"), &content).expect("there is room");
        setting.world.run_for(Duration::from_millis(every_ms));
    }
    let last = setting.world.now();
    setting.world.run_for(seconds(5));
    let (since, before) = warm;
    let counts = |published: &taiinet_sim::Published| (since..last).contains(&published.at);
    let spreading = Spreading::of(&setting.world, &before, counts);
    eprintln!("{spreading:?}");
    spreading
}

fn settled(seed: u64, count: usize) -> Setting {
    let mut setting = meshed(seed, count);
    setting.world.run_for(seconds(15));
    setting
}

fn nothing_was_refused(setting: &mut Setting) {
    setting.arrives(seconds(10), |_| true);
    let rejected = setting.world.counters().rejected;
    assert!(rejected.is_empty(), "{rejected:?}");
    setting.sound();
}

/// Where each peer publishes, each needs a tree of its own.
#[test]
fn twenty_that_all_publish_get_few_copies_and_none_of_them_late() {
    for seed in seeds(0..2) {
        let mut setting = settled(seed, 20);
        let by = setting.peers.clone();
        let spreading = spreading(&mut setting, &by, 1500, 20, |_, _| ());
        assert!(spreading.redundancy <= 0.3, "{spreading:?}");
        assert!(spreading.p99 <= spreading.median * 3, "{spreading:?}");
        assert!(spreading.pulled <= 0.05, "{spreading:?}");
        nothing_was_refused(&mut setting);
    }
}

#[test]
fn one_that_publishes_is_heard_at_once_by_all() {
    for seed in seeds(10..11) {
        let mut setting = settled(seed, 20);
        let by = [setting.peers[3]];
        let spreading = spreading(&mut setting, &by, 600, 50, |_, _| ());
        assert!(spreading.redundancy <= 0.3, "{spreading:?}");
        assert!(spreading.p99 <= spreading.median * 3, "{spreading:?}");
        nothing_was_refused(&mut setting);
    }
}

/// One of the peers dies each second.
#[test]
fn when_peers_die_others_push_what_these_pushed() {
    for seed in seeds(20..21) {
        let mut setting = settled(seed, 30);
        let by = setting.peers.clone();
        let mut dying = by.clone();
        let spreading = spreading(&mut setting, &by, 500, 20, |world, number| {
            if number % 50 == 49 {
                world.crash(dying.pop().expect("some are left"));
            }
        });
        assert!(spreading.p99 <= spreading.median * 5, "{spreading:?}");
        assert!(spreading.pulled <= 0.15, "{spreading:?}");
    }
}

/// On links of a millisecond nothing is late, from the first document on.
#[test]
fn on_fast_links_the_first_documents_are_as_fast_as_the_last() {
    let config = WorldConfig { latency: Spread::millis(1, 1), ..WorldConfig::default() };
    let mut setting = started_with(30, 6, config);
    for peer in setting.peers.clone() {
        setting.world.subscribe(peer, "{}");
    }
    setting.connect();
    let by = setting.peers.clone();
    let spreading = spreading(&mut setting, &by, 400, 5, |_, _| ());
    assert!(spreading.slowest <= Duration::from_millis(10), "{spreading:?}");
    let delays = setting.peers.iter().flat_map(|peer| {
        let published = setting.world.published();
        let deliveries = setting.world.deliveries(*peer).iter();
        deliveries.filter_map(move |got| {
            let published = published.iter().find(|published| published.id == got.id)?;
            Some(got.at.since(published.at))
        })
    });
    let slowest = delays.max().expect("something was delivered");
    assert!(slowest <= Duration::from_millis(25), "{slowest:?}");
    nothing_was_refused(&mut setting);
}

/// For `cargo xtask test --long` alone: minutes of work.
#[test]
fn a_thousand_hear_of_each_document_over_few_links() {
    if std::env::var_os("TAIINET_LONG").is_none() {
        return;
    }
    let mut setting = settled(40, 1000);
    let by = [setting.peers[3]];
    let spreading = spreading(&mut setting, &by, 600, 100, |_, _| ());
    assert!(spreading.redundancy <= 0.4, "{spreading:?}");
    assert!(spreading.last_hop <= 14.0, "{spreading:?}");
    nothing_was_refused(&mut setting);
}
