//! What an archive keeps outlives its publisher, is found in any order, and is gone when its author deletes it.

use taiinet::{
    ArchiveOptions, Backlog, FindOptions, Identity, Key, PublishOptions, Removal, SubscribeOptions,
    SubscriptionEvent, TaiiNet, Timestamp, json,
};
use taiinet_identity::Seed;

use crate::support::{Signaller, connect, number, peer, within};

/// A peer that keeps everything there.
async fn seeder(url: &str, store: &std::path::Path) -> TaiiNet {
    let mut options = ArchiveOptions::new(store, vec![taiinet::Query::all()]);
    options.index = vec!["n".parse().unwrap()];
    peer(url).archive(options).connect().await.unwrap()
}

async fn stored(net: &TaiiNet, documents: u64) {
    within("the archive has them", async {
        loop {
            let status = net.archive().await.unwrap().expect("it has one");
            if status.stats.documents == documents && status.fault.is_none() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_outlives_its_publisher_and_a_restart_and_is_gone_when_it_is_deleted() {
    let signaller = Signaller::start().await;
    let folder = tempfile::tempdir().unwrap();
    let archive = seeder(&signaller.url, folder.path()).await;
    let author = || Identity::from_seed(&Seed::from_bytes([9; 32]));
    let publisher = peer(&signaller.url).identity(author()).connect().await.unwrap();
    let mut ids = Vec::new();
    for n in 0..30 {
        let id = within("taken", publisher.publish(json!({ "n": n, "even": n % 2 == 0 }))).await;
        ids.push(id.unwrap());
    }
    let keyed = || PublishOptions { key: Some("name".into()), ..PublishOptions::default() };
    for n in [100, 101] {
        within("taken", publisher.publish_with(json!({ "n": n }), keyed())).await.unwrap();
    }
    stored(&archive, 31).await;
    publisher.close().await;
    archive.close().await;

    // Nobody but the archive has them, and that has been away.
    let archive = seeder(&signaller.url, folder.path()).await;
    stored(&archive, 31).await;
    let late = connect(&signaller.url).await;
    within("a neighbour", late.connected()).await.unwrap();
    let options = FindOptions { limit: 3, sort: "n:desc".parse().unwrap(), ..Default::default() };
    let first = within("found", late.find(r#"{"even": true}"#, options.clone())).await.unwrap();
    assert_eq!(first.iter().map(number).collect::<Vec<_>>(), [28, 26, 24]);
    assert!(!first.complete);
    let rest = FindOptions { after: first.cursor.clone(), limit: 100, ..options };
    let rest = within("found", late.find(r#"{"even": true}"#, rest)).await.unwrap();
    let numbers: Vec<_> = rest.iter().map(number).collect();
    assert_eq!(numbers, (0..12).rev().map(|n| n * 2).collect::<Vec<_>>());
    assert!(rest.complete && rest.cursor.is_none());

    // History from the beginning, then live, then what is deleted.
    let backlog = Some(Backlog::Since(Timestamp::from_millis(0)));
    let options = SubscribeOptions { backlog, ..SubscribeOptions::default() };
    let mut all = late.subscribe_with("{}", options).unwrap();
    let mut history = Vec::new();
    let ready = loop {
        match within("an event", all.next_event()).await.unwrap() {
            SubscriptionEvent::Document(delivery) => history.push(number(&delivery)),
            SubscriptionEvent::Ready(ready) => break ready,
            other => panic!("{other:?}"),
        }
    };
    assert!(ready.complete && ready.sources >= 1, "{ready:?}");
    assert_eq!(history, (0..30).chain([101]).collect::<Vec<_>>());

    let publisher = peer(&signaller.url).identity(author()).connect().await.unwrap();
    within("a neighbour", publisher.connected()).await.unwrap();
    within("deleted", publisher.delete(ids[7])).await.unwrap();
    within("deleted", publisher.delete(Key::new("name"))).await.unwrap();
    let mut gone = Vec::new();
    while gone.len() < 2 {
        if let SubscriptionEvent::Removed(removed) =
            within("an event", all.next_event()).await.unwrap()
        {
            assert_eq!(removed.reason, Removal::Deleted);
            gone.push((removed.id == ids[7], removed.key.as_deref().map(str::to_owned)));
        }
    }
    gone.sort();
    assert_eq!(gone, [(false, Some("name".to_owned())), (true, None)]);
    stored(&archive, 29).await;
    let found = within("found", late.find("{}", FindOptions::default())).await.unwrap();
    assert_eq!(found.len(), 29);
    for net in [publisher, late, archive] {
        net.close().await;
    }
}
