//! How peers leave.

use taiinet::{Disconnect, Error, Event, json, query};

use crate::support::{Signaller, connect, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_says_goodbye_and_ends_everything() {
    let signaller = Signaller::start().await;
    let (stays, goes) = (connect(&signaller.url).await, connect(&signaller.url).await);
    let mut subscription = goes.subscribe(query!({})).unwrap();
    within("a neighbour", stays.connected()).await.unwrap();
    let mut events = stays.events();
    let mut own_events = goes.events();

    within("closed", goes.close()).await;
    within("closed again", goes.clone().close()).await;
    let gone = Event::PeerDisconnected { peer: goes.peer_id(), cause: Disconnect::Bye };
    within("the goodbye", async { while events.next().await.unwrap().unwrap() != gone {} }).await;

    assert!(within("the end", subscription.next()).await.is_none());
    within("the end of the events", async { while own_events.next().await.is_some() {} }).await;
    assert!(matches!(goes.publish(json!({})).await, Err(Error::Closed)));
    assert!(matches!(goes.subscribe(query!({})), Err(Error::Closed)));
    assert!(matches!(goes.flush().await, Err(Error::Closed)));
    assert!(matches!(goes.connected().await, Err(Error::Closed)));
    assert!(matches!(goes.status().await, Err(Error::Closed)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_leaves_when_its_last_handle_is_dropped() {
    let signaller = Signaller::start().await;
    let (stays, goes) = (connect(&signaller.url).await, connect(&signaller.url).await);
    within("a neighbour", stays.connected()).await.unwrap();
    let mut events = stays.events();
    let peer = goes.peer_id();
    let mut subscription = goes.subscribe(query!({})).unwrap();

    // A subscription keeps its peer.
    drop(goes);
    within("taken", stays.publish(json!({}))).await.unwrap();
    assert!(within("a delivery", subscription.next()).await.is_some());

    drop(subscription);
    let gone = Event::PeerDisconnected { peer, cause: Disconnect::Bye };
    within("the goodbye", async { while events.next().await.unwrap().unwrap() != gone {} }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_when_a_peer_is_closed_is_told() {
    let net = connect("ws://127.0.0.1:9").await;
    let waiting = tokio::spawn({
        let net = net.clone();
        async move { net.publish(json!({})).await }
    });
    // The core has it.
    within("published", async {
        while net.status().await.unwrap().counters.published == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    within("closed", net.close()).await;
    assert!(matches!(within("told", waiting).await.unwrap(), Err(Error::Closed)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_leaves_at_once_has_still_taken_what_it_got() {
    let signaller = Signaller::start().await;
    let (reader, writer) = (connect(&signaller.url).await, connect(&signaller.url).await);
    let mut all = reader.subscribe(query!({})).unwrap();
    within("a neighbour", writer.connected()).await.unwrap();
    let reading = tokio::spawn(async move {
        all.next().await.unwrap();
        reader.close().await;
    });
    within("taken", writer.publish(json!({}))).await.unwrap();
    within("read", reading).await.unwrap();
}
