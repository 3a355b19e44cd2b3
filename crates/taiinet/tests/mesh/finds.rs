//! What neighbours have is found.

use std::time::Duration;

use taiinet::{Error, FindOptions, json, query};

use crate::support::{Signaller, connect, next, number, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_comes_late_finds_what_was_published_before_newest_first() {
    let signaller = Signaller::start().await;
    let (first, second) = (connect(&signaller.url).await, connect(&signaller.url).await);
    for n in 0..20 {
        let published = first.publish(json!({ "n": n, "even": n % 2 == 0 }));
        within("a neighbour took it", published).await.unwrap();
    }
    first.close().await;
    // A peer cares for nothing that was published before it came, unless it asks; what is younger than the
    // margin for clocks counts as published since.
    tokio::time::sleep(taiinet_mesh::limits::START_MARGIN).await;
    let late = connect(&signaller.url).await;
    let mut subscription = late.subscribe(query!({ "n": { "$lt": 100 } })).unwrap();
    within("a neighbour", late.connected()).await.unwrap();
    let options = FindOptions { limit: 5, ..FindOptions::default() };
    let found =
        within("found", late.find(query!({ "even": true }), options.clone())).await.unwrap();
    assert_eq!(found.iter().map(number).collect::<Vec<_>>(), [18, 16, 14, 12, 10]);
    assert!(found.iter().all(|found| found.author() == first.peer_id()));
    let all = FindOptions { limit: 500, ..options.clone() };
    let found = within("found", late.find("{}", all.clone())).await.unwrap();
    assert_eq!(found.len(), 20);
    let none = within("an answer", late.find(query!({ "n": "no" }), options)).await.unwrap();
    assert!(none.is_empty());
    assert!(matches!(
        late.find(query!({ "n": { "$no": 1 } }), all.clone()).await,
        Err(Error::Query(_))
    ));

    // What was found was not delivered, and what is live is.
    let published = second.publish(json!({ "n": 50 }));
    within("a neighbour took it", published).await.unwrap();
    assert_eq!(number(&next(&mut subscription).await), 50);
    late.close().await;
    assert!(matches!(late.find("{}", all).await, Err(Error::Closed)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alone_a_search_ends_in_time_with_our_own() {
    let signaller = Signaller::start().await;
    let alone = connect(&signaller.url).await;
    let mut subscription = alone.subscribe("{}").unwrap();
    alone.queue(json!({ "n": 1 })).await.unwrap();
    // It is published once it was delivered to ourselves.
    assert_eq!(number(&next(&mut subscription).await), 1);
    let options =
        FindOptions { limit: 5, timeout: Duration::from_millis(200), ..FindOptions::default() };
    let found = within("nothing", alone.find("{}", options)).await.unwrap();
    assert_eq!(found.iter().map(number).collect::<Vec<_>>(), [1]);
}
