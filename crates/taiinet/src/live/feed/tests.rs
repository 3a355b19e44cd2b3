use taiinet_document::{Content, Document, VerifiedDocument, parse_map};
use taiinet_identity::{Identity, Seed};
use taiinet_session::{LiveState, Phase};

use super::*;

fn document(n: usize) -> Arc<VerifiedDocument> {
    let document = Document {
        network: "n".parse().expect("a name"),
        created_at: Timestamp::from_millis(1),
        nonce: 0,
        expires_at: None,
        key: None,
        next_key: None,
        content: Content::Open(parse_map(&format!(r#"{{"n": {n}}}"#)).expect("JSON")),
    };
    let identity = Identity::from_seed(&Seed::from_bytes([1; 32]));
    Arc::new(VerifiedDocument::sign(&identity, document).expect("signed"))
}

fn insert(index: usize, n: usize) -> LiveChange {
    LiveChange::Insert { index, document: document(n), opened: None }
}

fn update(from: usize, to: usize, old: usize, n: usize) -> LiveChange {
    let replaces = document(old).id();
    LiveChange::Update { from, to, document: document(n), opened: None, replaces }
}

fn remove(index: usize, n: usize, reason: Removal) -> LiveChange {
    LiveChange::Remove { index, id: document(n).id(), reason }
}

/// What one makes of the events, who applies them to a list.
fn read(list: &mut Vec<DocumentId>, reader: &mut Reader) -> Vec<String> {
    let number = |document: &Delivery| document.json();
    let mut said = Vec::new();
    while let Some(event) = reader.try_next() {
        said.push(match event {
            LiveEvent::Insert { index, document } => {
                assert_eq!(document.replaces(), None);
                list.insert(index, document.id());
                format!("{index} {}", number(&document))
            }
            LiveEvent::Update { from, to, document } => {
                assert_eq!(document.replaces(), Some(list.remove(from)));
                list.insert(to, document.id());
                format!("{from}>{to} {}", number(&document))
            }
            LiveEvent::Remove { index, id, reason } => {
                assert_eq!(list.remove(index), id);
                format!("-{index} {}", reason.as_str())
            }
            LiveEvent::State(state) => state.phase.as_str().to_owned(),
        });
    }
    said
}

/// Nothing that is shown twice, for as often as it is, makes anything grow.
fn flood(feed: &Feed, index: usize) {
    for _ in 0..EVENTS {
        feed.push(insert(index, 99), Timestamp::default());
        feed.push(remove(index, 99, Removal::Expired), Timestamp::default());
    }
}

#[test]
fn who_reads_slowly_is_led_to_what_is_true_by_then() {
    let (feed, mut reader) = feed();
    let push = |change| feed.push(change, Timestamp::default());
    let mut list = Vec::new();
    (0..6).for_each(|n| push(insert(n, n)));
    assert_eq!(read(&mut list, &mut reader).len(), 6);
    flood(&feed, 6);
    assert!(reader.shared.state().waiting.is_empty());
    // 0 is replaced twice and moves to the end, 1 is replaced and removed, 2 is removed and comes back, 3 goes.
    push(update(0, 5, 0, 10));
    push(update(5, 5, 10, 20));
    push(update(0, 0, 1, 11));
    push(remove(0, 11, Removal::Deleted));
    push(remove(0, 2, Removal::Outranked));
    push(insert(0, 2));
    push(remove(1, 3, Removal::Expired));
    push(insert(0, 30));
    push(LiveChange::State(LiveState::default()));
    let said = read(&mut list, &mut reader);
    let expected =
        ["-3 expired", "-1 deleted", r#"0>3 {"n":20}"#, r#"0 {"n":30}"#, Phase::Loading.as_str()];
    assert_eq!(said, expected);
    let shown = reader.snapshot().documents.iter().map(Delivery::id).collect::<Vec<_>>();
    assert_eq!(list, shown);
    flood(&feed, 2);
    push(insert(0, 40));
    assert_eq!(read(&mut list, &mut reader), [r#"0 {"n":40}"#, "loading"]);
    push(remove(0, 40, Removal::Deleted));
    assert_eq!(read(&mut list, &mut reader), ["-0 deleted"], "it has caught up");
}

#[tokio::test]
async fn a_change_of_the_whole_is_told_once_and_the_end() {
    let (feed, mut reader) = feed();
    feed.push(insert(0, 1), Timestamp::default());
    feed.push(insert(1, 2), Timestamp::default());
    let changed = async |reader: &mut Reader| {
        let changed = std::future::poll_fn(|cx| Poll::Ready(reader.poll_changed(cx))).await;
        changed.map(|snapshot| snapshot.map(|snapshot| snapshot.documents.len()))
    };
    assert_eq!(changed(&mut reader).await, Poll::Ready(Some(2)));
    assert_eq!(changed(&mut reader).await, Poll::Pending);
    assert!(reader.try_next().is_some());
    feed.push(remove(0, 1, Removal::Deleted), Timestamp::default());
    drop(feed);
    assert_eq!(changed(&mut reader).await, Poll::Ready(Some(1)));
    assert_eq!(changed(&mut reader).await, Poll::Ready(None));
    let mut rest = Vec::new();
    while let Some(event) = std::future::poll_fn(|cx| reader.poll_next(cx)).await {
        rest.push(event);
    }
    assert_eq!(rest.len(), 2, "what waits can still be read");
}
