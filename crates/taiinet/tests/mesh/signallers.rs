//! Signallers come and go.

use taiinet::{Event, Events, json, query};

use crate::support::{Signaller, connect, next, number, within};

async fn wait_for(what: &str, events: &mut Events, wanted: impl Fn(&Event) -> bool) {
    within(what, async { while !wanted(&events.next().await.unwrap().unwrap()) {} }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_signaller_traffic_goes_on_and_with_it_others_can_join_again() {
    let signaller = Signaller::start().await;
    let (reader, writer) = (connect(&signaller.url).await, connect(&signaller.url).await);
    let mut all = reader.subscribe(query!({})).unwrap();
    within("a neighbour", writer.connected()).await.unwrap();
    within("a neighbour", reader.connected()).await.unwrap();
    let mut events = writer.events();

    let stopped = signaller.stop().await;
    wait_for("the loss", &mut events, |event| matches!(event, Event::SignallerLost { .. })).await;
    within("taken", writer.publish(json!({ "n": 1 }))).await.unwrap();
    assert_eq!(number(&next(&mut all).await), 1);

    let signaller = stopped.start_again().await;
    wait_for("the return", &mut events, |event| matches!(event, Event::SignallerJoined { .. }))
        .await;
    let third = connect(&signaller.url).await;
    within("a neighbour", third.connected()).await.unwrap();
    within("taken", third.publish(json!({ "n": 2 }))).await.unwrap();
    assert_eq!(number(&next(&mut all).await), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signaller_with_another_key_than_the_pinned_one_is_not_used() {
    let signaller = Signaller::start().await;
    let other = connect("ws://127.0.0.1:9").await.peer_id();
    let net = connect(&format!("{}#{other}", signaller.url)).await;
    let mut events = net.events();
    wait_for("the refusal", &mut events, |event| matches!(event, Event::SignallerLost { .. }))
        .await;
    assert!(net.status().await.unwrap().signallers.iter().all(|signaller| !signaller.joined));

    let pinned = connect(&format!("{}#{}", signaller.url, signaller.peer_id)).await;
    let status = within("joined", async {
        loop {
            let status = pinned.status().await.unwrap();
            if status.signallers.iter().any(|signaller| signaller.joined) {
                break status;
            }
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(status.await.signallers[0].signaller, Some(signaller.peer_id));
}
