//! A live result set keeps itself true, over real peers.

use std::time::Duration;

use taiinet::{
    Delivery, Error, Key, Live, LiveEvent, LiveOptions, LiveSnapshot, Phase, PublishOptions,
    Removal, TaiiNet, json, query,
};

use crate::support::{Signaller, connect, number, within};

fn numbers<'a>(documents: impl IntoIterator<Item = &'a Delivery>) -> Vec<i64> {
    documents.into_iter().map(number).collect()
}

/// Waits until the set is so.
async fn until(what: &str, live: &mut Live, is: impl Fn(&LiveSnapshot) -> bool) -> LiveSnapshot {
    let reached = async {
        let mut snapshot = live.snapshot();
        while !is(&snapshot) {
            snapshot = live.changed().await.expect("the peer runs");
        }
        snapshot
    };
    within(what, reached).await
}

/// Waits until the set has these, in this order.
async fn shows(live: &mut Live, expected: &[i64]) -> LiveSnapshot {
    let is = |snapshot: &LiveSnapshot| numbers(&*snapshot.documents) == expected;
    until(&format!("{expected:?}"), live, is).await
}

async fn reaches(live: &mut Live, phase: Phase) -> LiveSnapshot {
    until(phase.as_str(), live, |snapshot| snapshot.state.phase == phase).await
}

fn under(key: i64) -> PublishOptions {
    PublishOptions { key: Some(key.to_string().into()), ..PublishOptions::default() }
}

async fn publish(net: &TaiiNet, n: i64, key: i64, of: &str) {
    let publish = net.publish_with(json!({ "n": n, "of": of }), under(key));
    within("a neighbour took it", publish).await.expect("taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_what_is_true_as_documents_come_change_and_go() {
    let signaller = Signaller::start().await;
    let (writer, reader) = (connect(&signaller.url).await, connect(&signaller.url).await);
    within("a neighbour", writer.connected()).await.expect("connected");
    for n in 0..30 {
        publish(&writer, n, n, "set").await;
    }
    tokio::time::sleep(taiinet_mesh::limits::START_MARGIN).await;
    let late = connect(&signaller.url).await;
    let sorted = |limit| LiveOptions {
        sort: "n:asc".parse().expect("a sort"),
        limit,
        ..LiveOptions::default()
    };
    let mut first = late.live(query!({ "of": "set" }), sorted(3)).expect("a query");
    let mut all = reader.live(query!({ "of": "set" }), sorted(100)).expect("a query");
    // What was before.
    shows(&mut first, &[0, 1, 2]).await;
    let state = reaches(&mut first, Phase::Ready).await.state;
    assert!(state.more && !state.complete);
    let snapshot = reaches(&mut all, Phase::Ready).await;
    assert_eq!(numbers(&*snapshot.documents), (0..30).collect::<Vec<_>>());
    assert!(snapshot.state.complete && !snapshot.state.more);

    // What comes, and what is beyond the limit.
    publish(&writer, -1, -1, "set").await;
    shows(&mut first, &[-1, 0, 1]).await;
    // A new version moves, and one that matches no more goes.
    publish(&writer, -2, 1, "set").await;
    shows(&mut first, &[-2, -1, 0]).await;
    publish(&writer, 0, 0, "another set").await;
    shows(&mut first, &[-2, -1, 2]).await;

    // More is deleted than there is in reserve: more is looked for.
    for key in [1, -1].into_iter().chain(2..29) {
        within("a neighbour took it", writer.delete(Key::new(key.to_string())))
            .await
            .expect("taken");
    }
    let snapshot = shows(&mut first, &[29]).await;
    assert_eq!(snapshot.documents[0].key(), Some("29"));
    shows(&mut all, &[29]).await;

    // It ends at its time.
    let options = PublishOptions { expires: Some(Duration::from_secs(2)), ..under(50) };
    let brief = writer.publish_with(json!({ "n": 7, "of": "set" }), options);
    within("a neighbour took it", brief).await.expect("taken");
    shows(&mut first, &[7, 29]).await;
    shows(&mut first, &[29]).await;

    // Events make a list the set.
    let mut list = Vec::new();
    let mut reasons = Vec::new();
    while let Some(event) = first.try_next() {
        match event {
            LiveEvent::Insert { index, document } => list.insert(index, document),
            LiveEvent::Update { from, to, document } => {
                assert_eq!(Some(list.remove(from).id()), document.replaces());
                list.insert(to, document);
            }
            LiveEvent::Remove { index, id, reason } => {
                assert_eq!(list.remove(index).id(), id);
                reasons.push(reason);
            }
            _ => {}
        }
        assert!(list.len() <= 3);
    }
    assert_eq!(numbers(&list), [29]);
    for reason in [Removal::Deleted, Removal::Replaced, Removal::Expired, Removal::Outranked] {
        assert!(reasons.contains(&reason), "{reason:?} is not among {reasons:?}");
    }
    for net in [&writer, &reader, &late] {
        net.close().await;
    }
    let ends = async { while first.next().await.is_some() {} };
    within("the end", ends).await;
    drop(first);
    assert!(matches!(late.live("{}", LiveOptions::default()), Err(Error::Closed)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_neighbours_it_says_so_and_a_limit_must_be_one() {
    let signaller = Signaller::start().await;
    let (writer, reader) = (connect(&signaller.url).await, connect(&signaller.url).await);
    for limit in [0, taiinet::LIVE_LIMIT + 1] {
        let options = LiveOptions { limit, ..LiveOptions::default() };
        assert!(matches!(reader.live("{}", options), Err(Error::Live(_))));
    }
    let mut live = reader.live("{}", LiveOptions::default()).expect("a query");
    reaches(&mut live, Phase::Loading).await;
    reaches(&mut live, Phase::Ready).await;
    writer.close().await;
    reaches(&mut live, Phase::Stale).await;
    let other = connect(&signaller.url).await;
    reaches(&mut live, Phase::Ready).await;
    for net in [other, reader] {
        net.close().await;
    }
}
