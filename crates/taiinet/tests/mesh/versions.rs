//! Of two versions of a document the later one counts.

use std::collections::BTreeSet;

use taiinet::{Delivery, FindOptions, Identity, PublishOptions, TaiiNet, json, query};
use taiinet_identity::Seed;

use crate::support::{Signaller, connect, next, number, peer, within};

const KEYS: usize = 20;

fn under(key: usize) -> PublishOptions {
    PublishOptions { key: Some(key.to_string().into()), ..PublishOptions::default() }
}

/// Under each key a first version, and at once a second.
async fn publish_twice(net: &TaiiNet) {
    for key in 0..KEYS {
        for n in [1, 2] {
            let queued = net.queue_with(json!({ "key": key, "n": n }), under(key));
            within("room", queued).await.unwrap();
        }
    }
    within("a neighbour took them", net.flush()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_versions_a_line_apart_all_see_the_second() {
    let signaller = Signaller::start().await;
    let (reader, writer) = (connect(&signaller.url).await, connect(&signaller.url).await);
    let mut live = reader.subscribe(query!({})).unwrap();
    within("a neighbour", writer.connected()).await.unwrap();
    publish_twice(&writer).await;

    let mut times = BTreeSet::new();
    let mut seconds = 0;
    while seconds < KEYS {
        let delivery = next(&mut live).await;
        assert!(times.last() < Some(&delivery.created_at()), "each is later than the one before");
        times.insert(delivery.created_at());
        seconds += usize::from(number(&delivery) == 2);
    }
    let late = connect(&signaller.url).await;
    within("a neighbour", late.connected()).await.unwrap();
    for net in [&reader, &writer, &late] {
        let found = within("found", net.find("{}", FindOptions::default())).await.unwrap();
        assert_eq!(found.iter().map(number).collect::<Vec<_>>(), [2; KEYS]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_goes_on_after_the_time_of_the_one_before() {
    let signaller = Signaller::start().await;
    let folder = tempfile::tempdir().unwrap();
    let stamp = folder.path().join("stamp");
    let run = async || {
        let identity = Identity::from_seed(&Seed::from_bytes([7; 32]));
        peer(&signaller.url).identity(identity).stamp_file(&stamp).connect().await.unwrap()
    };
    let reader = connect(&signaller.url).await;
    let mut live = reader.subscribe(query!({})).unwrap();
    let mut of_one_run = async |n| -> Delivery {
        let net = run().await;
        let publish = net.publish_with(json!({ "n": n }), under(0));
        within("a neighbour took it", publish).await.unwrap();
        net.close().await;
        next(&mut live).await
    };
    let first = of_one_run(1).await;
    // As if its clock had been so far ahead, and was set back since.
    let ahead = first.created_at().as_millis() + 40_000;
    std::fs::write(&stamp, format!("{ahead:020}\n")).unwrap();
    let second = of_one_run(2).await;
    assert_eq!((number(&second), second.created_at().as_millis()), (2, ahead + 1));
}
