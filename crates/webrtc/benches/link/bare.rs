//! The `webrtc` channel by itself, with the settings of our links; `crate::connection` makes them.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent},
    peer_connection::{PeerConnection, RTCIceCandidateInit},
};

use crate::connection::{Connection, Signs};

/// How long it takes from the offer to the open channel.
pub(crate) async fn set_up() -> Duration {
    let begun = Instant::now();
    let (one, _, other, _) = pair().await;
    let time = begun.elapsed();
    tokio::join!(one.close(), other.close());
    time
}

/// How long `count` messages of `size` bytes take.
pub(crate) async fn throughput(size: usize, count: usize) -> Duration {
    let (one, sender, other, receiver) = pair().await;
    let begun = Instant::now();
    let receiving = tokio::spawn(async move {
        let mut received = 0;
        while received < count {
            let event = receiver.poll().await.unwrap();
            received += usize::from(matches!(event, DataChannelEvent::OnMessage(_)));
        }
        begun.elapsed()
    });
    for _ in 0..count {
        sender.send(BytesMut::from(Bytes::from(vec![1; size]))).await.unwrap();
    }
    let time = receiving.await.unwrap();
    tokio::join!(one.close(), other.close());
    time
}

async fn pair() -> (Connection, Arc<dyn DataChannel>, Connection, Arc<dyn DataChannel>) {
    let loopback = [IpAddr::from([127, 0, 0, 1])];
    let (mut one, mut other) = (Connection::default(), Connection::default());
    let (one_channel, one_signs) = one.open(&loopback, vec![]).await.unwrap();
    let a = one.peer().unwrap();
    let offer = a.create_offer(None).await.unwrap();
    a.set_local_description(offer.clone()).await.unwrap();
    let (other_channel, other_signs) = other.open(&loopback, vec![]).await.unwrap();
    let b = other.peer().unwrap();
    b.set_remote_description(offer).await.unwrap();
    let answer = b.create_answer(None).await.unwrap();
    b.set_local_description(answer.clone()).await.unwrap();
    a.set_remote_description(answer).await.unwrap();
    trickle(one_signs, b);
    trickle(other_signs, a);
    for channel in [&one_channel, &other_channel] {
        while !matches!(channel.poll().await, Some(DataChannelEvent::OnOpen)) {}
    }
    (one, one_channel, other, other_channel)
}

fn trickle(mut signs: Signs, to: Arc<dyn PeerConnection>) {
    tokio::spawn(async move {
        while let Some(candidate) = signs.candidates.recv().await {
            let init = RTCIceCandidateInit { candidate, ..Default::default() };
            let _ = to.add_ice_candidate(init).await;
        }
    });
}
