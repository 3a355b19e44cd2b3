//! What the tests have in common.

use std::time::Duration;

use taiinet::{Builder, Delivery, Subscription, TaiiNet};

/// The end of any patience: far longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the future gives, or a panic that says what did not happen.
#[track_caller]
pub(crate) fn within<T>(what: &str, future: impl Future<Output = T>) -> impl Future<Output = T> {
    let what = what.to_owned();
    let at = std::panic::Location::caller();
    async move {
        match tokio::time::timeout(PATIENCE, future).await {
            Ok(value) => value,
            Err(_) => panic!("{at}: not within {PATIENCE:?}: {what}"),
        }
    }
}

/// A peer that is to be introduced by this signaller, on loopback alone.
pub(crate) fn peer(signaller: &str) -> Builder {
    let loopback = "127.0.0.1".parse().unwrap();
    TaiiNet::builder().network("tests").signaller(signaller).bind([loopback])
}

pub(crate) async fn connect(signaller: &str) -> TaiiNet {
    peer(signaller).connect().await.unwrap()
}

/// The next delivery.
pub(crate) async fn next(subscription: &mut Subscription) -> Delivery {
    within("a delivery", subscription.next()).await.expect("the peer runs")
}

/// Reads until a delivery whose field `n` is `last`, and gives the `n` of all.
pub(crate) async fn numbers_until(subscription: &mut Subscription, last: i64) -> Vec<i64> {
    let mut numbers = Vec::new();
    while numbers.last() != Some(&last) {
        numbers.push(number(&next(subscription).await));
    }
    numbers
}

pub(crate) fn number(delivery: &Delivery) -> i64 {
    match delivery.data().get("n") {
        Some(taiinet::Value::Int(number)) => *number,
        other => panic!("no number: {other:?}"),
    }
}
