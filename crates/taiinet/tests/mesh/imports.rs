//! Old documents go to archives by the library, each to one that keeps it.

use std::time::Duration;

use taiinet::{
    ArchiveOptions, Error, Identity, Outcome, Query, TaiiNet, Timestamp, VerifiedDocument,
};
use taiinet_document::{Content, Document, parse_map};
use taiinet_identity::Seed;

use crate::support::{Signaller, connect, peer, within};

/// By an author that is not there, of 2017.
fn old(number: u32, kind: &str) -> VerifiedDocument {
    let document = Document {
        network: "tests".parse().unwrap(),
        created_at: Timestamp::from_millis(1_500_000_000_000 + u64::from(number)),
        nonce: number,
        expires_at: None,
        key: None,
        next_key: None,
        content: Content::Open(parse_map(&format!(r#"{{"kind": "{kind}"}}"#)).unwrap()),
    };
    VerifiedDocument::sign(&Identity::from_seed(&Seed::from_bytes([9; 32])), document).unwrap()
}

async fn seeder(url: &str, store: &std::path::Path, query: &str) -> TaiiNet {
    let queries: Vec<Query> = vec![query.parse().unwrap()];
    peer(url).archive(ArchiveOptions::new(store, queries)).connect().await.unwrap()
}

async fn import(net: &TaiiNet, documents: &[VerifiedDocument]) -> Vec<Outcome> {
    let mut import = net.import(Duration::from_secs(40));
    let mut outcomes = Vec::new();
    for document in documents {
        outcomes.extend(within("given", import.give(document.signed().clone())).await.unwrap());
    }
    outcomes.extend(within("the rest", import.end()).await.unwrap());
    outcomes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_old_document_goes_to_an_archive_that_keeps_it() {
    let signaller = Signaller::start().await;
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let tweets = seeder(&signaller.url, folders[0].path(), r#"{"kind": "tweet"}"#).await;
    let places = seeder(&signaller.url, folders[1].path(), r#"{"kind": "place"}"#).await;
    let net = connect(&signaller.url).await;
    within("both are there", net.wait_for_peers(2)).await.unwrap();

    let kinds = ["tweet", "place", "nothing"];
    let documents: Vec<_> = (0..900_u32).map(|n| old(n, kinds[n as usize % 3])).collect();
    let expected = |settled: Outcome| {
        let outcome = |n: usize| if n % 3 == 2 { Outcome::Unwanted } else { settled };
        (0..900).map(outcome).collect::<Vec<_>>()
    };
    assert_eq!(import(&net, &documents).await, expected(Outcome::Stored));
    assert_eq!(import(&net, &documents).await, expected(Outcome::Known));
    for archive in [&tweets, &places] {
        let status = within("a status", archive.archive()).await.unwrap().expect("it has one");
        assert_eq!(status.stats.documents, 300);
    }
    for net in [net, tweets, places] {
        net.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_archive_an_import_ends_in_time() {
    let signaller = Signaller::start().await;
    let (net, other) = (connect(&signaller.url).await, connect(&signaller.url).await);
    within("a neighbour", net.connected()).await.unwrap();
    let mut import = net.import(Duration::from_millis(300));
    within("given", import.give(old(1, "tweet").signed().clone())).await.unwrap();
    let ended = within("an end", import.end()).await;
    assert!(matches!(ended, Err(Error::NoArchive { .. })), "{ended:?}");
    net.close().await;
    let mut import = net.import(Duration::from_secs(9));
    within("given", import.give(old(1, "tweet").signed().clone())).await.unwrap();
    assert!(matches!(within("an end", import.end()).await, Err(Error::Closed)));
    other.close().await;
}
