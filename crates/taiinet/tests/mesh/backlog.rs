//! A subscription brings what was published before it, and says when that has come and whether it is all.

use taiinet::{Backlog, SubscribeOptions, Subscription, SubscriptionEvent, TaiiNet, json};

use crate::support::{Signaller, connect, number, within};

/// What comes up to the end of the backlog, and whether that was all.
async fn backlog(subscription: &mut Subscription) -> (Vec<i64>, bool) {
    let mut numbers = Vec::new();
    loop {
        match within("an event", subscription.next_event()).await.expect("the peer runs") {
            SubscriptionEvent::Document(delivery) => {
                assert!(delivery.is_backlog());
                numbers.push(number(&delivery));
            }
            SubscriptionEvent::Ready(ready) => return (numbers, ready.complete),
            other => panic!("{other:?}"),
        }
    }
}

fn subscribe(net: &TaiiNet, limit: u16, private: bool) -> Subscription {
    let options = SubscribeOptions {
        private,
        backlog: Some(Backlog::Last(limit)),
        ..SubscribeOptions::default()
    };
    net.subscribe_with("{}", options).expect("a query")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_backlog_comes_oldest_first_up_to_its_limit_and_says_whether_it_is_all() {
    let signaller = Signaller::start().await;
    let first = connect(&signaller.url).await;
    let second = connect(&signaller.url).await;
    for n in 0..10 {
        within("a neighbour took it", first.publish(json!({ "n": n }))).await.expect("taken");
    }
    tokio::time::sleep(taiinet_mesh::limits::START_MARGIN).await;
    let late = connect(&signaller.url).await;
    // Before there is a neighbour: it is looked for when there is one.
    let mut all = subscribe(&late, 100, false);
    let mut exact = subscribe(&late, 10, true);
    let mut some = subscribe(&late, 4, false);
    assert_eq!(backlog(&mut all).await, ((0..10).collect(), true));
    assert_eq!(backlog(&mut exact).await, ((0..10).collect(), true));
    assert_eq!(backlog(&mut some).await, ((6..10).collect(), false), "the newest");
    // What is older comes when it is asked for, and all of it in order where it is wanted from the beginning.
    some.more(4);
    assert_eq!(backlog(&mut some).await, ((2..6).collect(), false));
    some.more(4);
    assert_eq!(backlog(&mut some).await, ((0..2).collect(), true));
    let since = Some(Backlog::Since(taiinet::Timestamp::from_millis(0)));
    let options = SubscribeOptions { backlog: since, ..SubscribeOptions::default() };
    let mut oldest = late.subscribe_with("{}", options).expect("a query");
    assert_eq!(backlog(&mut oldest).await, ((0..10).collect(), true));

    within("a neighbour took it", second.publish(json!({ "n": 50 }))).await.expect("taken");
    for subscription in [&mut all, &mut exact, &mut some] {
        let live = within("a delivery", subscription.next()).await.expect("the peer runs");
        assert!(number(&live) == 50 && !live.is_backlog());
    }
    // More at once than there are searches, and than neighbours may be asked: the rest waits for its turn, and what
    // could not be asked for is not called complete.
    let mut many: Vec<_> = (0..20).map(|_| subscribe(&late, 100, false)).collect();
    for subscription in &mut many {
        let (numbers, complete) = backlog(subscription).await;
        assert!(!complete || numbers.len() == 11, "{numbers:?}");
    }
    for net in [first, second, late] {
        net.close().await;
    }
}
