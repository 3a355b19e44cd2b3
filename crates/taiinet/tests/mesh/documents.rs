//! Which peers get which documents.

use std::{pin::pin, time::Duration};

use futures::{FutureExt, poll};
use taiinet::{
    Backlog, Error, Event, FindOptions, Indiscreet, LinkState, PublishCounts, PublishOptions,
    Query, Spreading, SubscribeOptions, Until, json, query,
};

use crate::support::{Signaller, connect, next, number, numbers_until, peer, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_gets_what_its_query_matches_and_knows_from_whom() {
    let signaller = Signaller::start().await;
    let (reader, writer) = (connect(&signaller.url).await, connect(&signaller.url).await);
    let mut tweets = reader.subscribe(query!({ "type": "tweet", "likes": { "$gt": 4 } })).unwrap();
    within("a neighbour", writer.connected()).await.unwrap();

    for (n, likes) in [(1, 5), (2, 4), (3, 9)] {
        let published = writer.publish(json!({ "type": "tweet", "likes": likes, "n": n }));
        within("a neighbour took it", published).await.unwrap();
    }
    let options = PublishOptions {
        key: Some("last".into()),
        expires: Some(Duration::from_secs(60)),
        ..PublishOptions::default()
    };
    let last = writer.publish_with(json!({ "type": "tweet", "likes": 7, "n": 4 }), options);
    let last = within("a neighbour took it", last).await.unwrap();

    let first = next(&mut tweets).await;
    assert_eq!(number(&first), 1);
    assert_eq!(first.author(), writer.peer_id());
    assert_eq!(first.via(), Some(writer.peer_id()));
    assert_eq!(first.json(), r#"{"likes":5,"n":1,"type":"tweet"}"#);
    assert_eq!(first.key(), None);
    assert_eq!(number(&next(&mut tweets).await), 3);
    let delivery = next(&mut tweets).await;
    assert_eq!(delivery.id(), last);
    assert_eq!(delivery.key(), Some("last"));
    let life = delivery.expires_at().unwrap().as_millis() - delivery.created_at().as_millis();
    assert_eq!(life, 60_000);
    assert!(tweets.try_next().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_cross_peers_that_are_not_linked() {
    let signaller = Signaller::start().await;
    // A chain: none may have more than two neighbours, and one of the four has only one.
    let mut peers = Vec::new();
    for _ in 0..4 {
        peers.push(peer(&signaller.url).links(1, 2).connect().await.unwrap());
    }
    let mut subscriptions: Vec<_> =
        peers.iter().map(|peer| peer.subscribe("{}").unwrap()).collect();
    for peer in &peers {
        within("a neighbour", peer.connected()).await.unwrap();
    }
    for (n, peer) in peers.iter().enumerate() {
        within("a neighbour took it", peer.publish(json!({ "n": n }))).await.unwrap();
    }
    for subscription in &mut subscriptions {
        let mut numbers = Vec::new();
        for _ in 0..4 {
            numbers.push(number(&next(subscription).await));
        }
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 2, 3]);
    }
    for peer in &peers {
        let links = peer.status().await.unwrap().links;
        assert!(links.iter().filter(|link| link.state == LinkState::Active).count() <= 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_has_ended_gets_nothing_more() {
    let signaller = Signaller::start().await;
    let (reader, writer) = (connect(&signaller.url).await, connect(&signaller.url).await);
    let mut stays = reader.subscribe(query!({ "n": { "$gt": 2 } })).unwrap();
    let mut goes = reader.subscribe(query!({})).unwrap();
    within("a neighbour", writer.connected()).await.unwrap();

    within("taken", writer.publish(json!({ "n": 1 }))).await.unwrap();
    assert_eq!(numbers_until(&mut goes, 1).await, [1]);
    drop(goes);
    within("taken", writer.publish(json!({ "n": 2 }))).await.unwrap();
    within("taken", writer.publish(json!({ "n": 3 }))).await.unwrap();
    assert_eq!(numbers_until(&mut stays, 3).await, [3]);
    let counters = reader.status().await.unwrap().counters;
    assert_eq!((counters.received, counters.delivered), (3, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_published_to_nobody_waits_for_somebody() {
    let signaller = Signaller::start().await;
    let writer = connect(&signaller.url).await;
    let id = writer.queue(json!({ "n": 1 })).await.unwrap();

    let reader = connect(&signaller.url).await;
    let mut all = reader.subscribe(query!({})).unwrap();
    assert_eq!(next(&mut all).await.id(), id);
    within("taken", writer.flush()).await.unwrap();
    assert_eq!(writer.outcome(), PublishCounts { taken: 1, ..PublishCounts::default() });
}

/// Two peers are the smallest network that has a root. It comes to be after the first document is taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_may_be_waited_for_until_the_network_has_it() {
    let signaller = Signaller::start().await;
    let (reader, writer) = (connect(&signaller.url).await, connect(&signaller.url).await);
    let mut all = reader.subscribe(query!({})).unwrap();
    let mut events = writer.events();
    let until = || PublishOptions { until: Until::Network, ..PublishOptions::default() };
    let id = within("the root named it", writer.publish_with(json!({ "n": 1 }), until()));
    let id = id.await.unwrap();
    let mut named = false;
    while let Some(Some(event)) = events.next().now_or_never() {
        named |= matches!(event, Ok(Event::Named { id: of }) if of == id);
    }
    assert!(named, "the root has named it by then");
    assert_eq!(writer.status().await.unwrap().trees.len(), 1);

    let ids = [2, 3].map(|n| writer.queue_with(json!({ "n": n }), until()));
    let [two, three] = ids;
    assert_eq!((two.await.is_ok(), three.await.is_ok()), (true, true));
    within("the root named both", writer.flush()).await.unwrap();
    assert_eq!(writer.outcome(), PublishCounts { taken: 3, ..PublishCounts::default() });
    assert_eq!(numbers_until(&mut all, 3).await, [1, 2, 3]);
    let status = reader.status().await.unwrap();
    assert_eq!(status.spreading, Spreading::Flood);
    assert_eq!((status.counters.wanted, status.counters.unwanted()), (3, 0));
    assert_eq!(status.counters.passed_on, 0);
}

/// On one thread, so that time passes before the driver gets its turn.
#[tokio::test]
async fn what_is_over_before_its_turn_is_lost() {
    let net = connect("ws://127.0.0.1:9").await;
    let brief =
        || PublishOptions { expires: Some(Duration::from_millis(1)), ..PublishOptions::default() };
    let mut publishing = pin!(net.publish_with(json!({}), brief()));
    assert!(poll!(&mut publishing).is_pending());
    std::thread::sleep(Duration::from_millis(5));
    let told = within("told", publishing).await;
    assert!(matches!(told, Err(Error::Lost { documents: 1 })), "{told:?}");

    let prepared = net.prepare(json!({}), brief()).unwrap();
    std::thread::sleep(Duration::from_millis(5));
    net.queue_prepared(prepared).await.unwrap();
    let flushed = within("flushed", net.flush()).await;
    // With the one above: it was lost since the last flush.
    assert!(matches!(flushed, Err(Error::Lost { documents: 2 })), "{flushed:?}");
    assert_eq!(net.outcome(), PublishCounts { lost: 2, ..PublishCounts::default() });
    within("closed", net.close()).await;
    assert_eq!(net.outcome().lost, 2, "known after the end as well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_here_is_delivered_here() {
    let net = connect("ws://127.0.0.1:9").await;
    let mut all = net.subscribe(query!({})).unwrap();
    net.queue(json!({ "n": 1 })).await.unwrap();
    let delivery = next(&mut all).await;
    assert_eq!((delivery.hops(), delivery.via()), (0, None));
    assert_eq!(delivery.author(), net.peer_id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_discreet_subscription_gets_what_it_wants_and_has_nothing_that_tells_its_query() {
    let net = connect("ws://127.0.0.1:9").await;
    let discreet = SubscribeOptions { discreet: true, ..SubscribeOptions::default() };
    let mut wanted = net.subscribe_with(query!({ "n": 2 }), discreet).unwrap();
    for n in [1, 2] {
        net.queue(json!({ "n": n })).await.unwrap();
    }
    assert_eq!(next(&mut wanted).await.json(), r#"{"n":2}"#);
    assert!(!wanted.is_private());
    for (options, why) in [
        (SubscribeOptions { private: true, ..discreet }, Indiscreet::Private),
        (SubscribeOptions { backlog: Some(Backlog::Last(5)), ..discreet }, Indiscreet::Backlog),
    ] {
        let refused = net.subscribe_with(query!({ "n": 2 }), options);
        assert!(matches!(refused, Err(Error::Indiscreet(because)) if because == why), "{why:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_document_or_no_query_is_refused_at_once() {
    let net = connect("ws://127.0.0.1:9").await;
    assert!(matches!(net.publish(json!([1])).await, Err(Error::NotADocument { .. })));
    assert!(matches!(net.publish("{").await, Err(Error::Json(_))));
    let large = json!({ "text": "x".repeat(300_000) });
    assert!(matches!(net.publish(large).await, Err(Error::Document(_))));
    assert!(matches!(net.subscribe(query!({ "a": { "$more": 1 } })), Err(Error::Query(_))));
    // For oneself alone, not for others to evaluate.
    let expensive: Query = r#"{"a":{"$regex":"^.{0,140}$"}}"#.parse().unwrap();
    assert!(net.subscribe(expensive.clone()).is_ok());
    assert!(matches!(net.subscribe_privately(expensive.clone()), Err(Error::Query(_))));
    assert!(matches!(net.find(expensive, FindOptions::default()).await, Err(Error::Query(_))));
}
