//! libp2p's gossipsub with its defaults: one task for each peer, all on one thread.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm, Transport,
    core::{transport::MemoryTransport, upgrade::Version},
    gossipsub::{
        AllowAllSubscriptionFilter, Behaviour, ConfigBuilder, DataTransform, Event, IdentTopic,
        Message, MessageAuthenticity, RawMessage, TopicHash,
    },
    identity::Keypair,
    noise, plaintext, swarm, yamux,
};
use tokio::{sync::mpsc, time};

use crate::{Figures, LINKS, PEERS, TEXT_BYTES, WARM_UP, cpu};

/// What is between the ends of a link.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Security {
    Noise,
    Plaintext,
}

/// Counts each copy that comes in, before gossipsub looks whether it has seen the message.
#[derive(Debug, Clone, Default)]
struct Copies(Arc<AtomicU64>);

impl DataTransform for Copies {
    fn inbound_transform(&self, raw: RawMessage) -> Result<Message, std::io::Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Message {
            source: raw.source,
            data: raw.data,
            sequence_number: raw.sequence_number,
            topic: raw.topic,
        })
    }

    fn outbound_transform(
        &self,
        _topic: &TopicHash,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, std::io::Error> {
        Ok(data)
    }
}

/// The next free address of the memory transport.
static PORTS: AtomicU64 = AtomicU64::new(1);

type Gossip = Behaviour<Copies, AllowAllSubscriptionFilter>;

/// Runs the mesh for so long at `rate` messages a second.
pub(crate) fn measure(rate: u64, length: Duration, security: Security) -> Figures {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(rate, length, security))
}

async fn run(rate: u64, length: Duration, security: Security) -> Figures {
    let (copies, delivered) = (Copies::default(), Arc::new(AtomicU64::new(0)));
    let topic = IdentTopic::new("bench");
    // Addresses of earlier runs may still be taken.
    let base = PORTS.fetch_add(PEERS as u64, Ordering::Relaxed);
    let address = |number: usize| -> Multiaddr {
        format!("/memory/{}", base + number as u64).parse().unwrap()
    };

    let mut publishers = Vec::new();
    for number in 0..PEERS {
        let mut swarm = peer(security, copies.clone());
        swarm.listen_on(address(number)).unwrap();
        swarm.behaviour_mut().subscribe(&topic).unwrap();
        // Each dials half of its links: the next ones on a ring, at growing distances.
        let dials: Vec<Multiaddr> =
            (1..=LINKS / 2).map(|step| address((number + step) % PEERS)).collect();
        let (publish, mut to_publish) = mpsc::unbounded_channel::<Vec<u8>>();
        publishers.push(publish);
        let (topic, delivered) = (topic.clone(), Arc::clone(&delivered));
        tokio::spawn(async move {
            // All listen before any dials.
            let mut dials = Some(dials);
            let start = time::sleep(Duration::from_millis(500));
            tokio::pin!(start);
            loop {
                tokio::select! {
                    () = &mut start, if dials.is_some() => {
                        for address in dials.take().into_iter().flatten() {
                            swarm.dial(address).unwrap();
                        }
                    }
                    data = to_publish.recv() => match data {
                        Some(data) => {
                            // Under overload its queues are full; what is lost shows in the share delivered.
                            let _ = swarm.behaviour_mut().publish(topic.clone(), data);
                        }
                        None => return,
                    },
                    event = swarm.select_next_some() => {
                        if let swarm::SwarmEvent::Behaviour(Event::Message { .. }) = event {
                            delivered.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            }
        });
    }

    // The mesh forms with the heartbeats, one a second.
    time::sleep(Duration::from_secs(5)).await;
    publish(&publishers, rate, WARM_UP, 0).await;
    time::sleep(Duration::from_secs(2)).await;
    let read = || (delivered.load(Ordering::Relaxed), copies.0.load(Ordering::Relaxed), cpu());
    let before = read();
    let published = publish(&publishers, rate, length, 1).await;
    time::sleep(Duration::from_secs(2)).await;
    let after = read();
    Figures {
        published,
        delivered: after.0 - before.0,
        received: after.1 - before.1,
        cpu: after.2 - before.2,
    }
}

async fn publish(
    publishers: &[mpsc::UnboundedSender<Vec<u8>>],
    rate: u64,
    length: Duration,
    round: u64,
) -> u64 {
    let text = "x".repeat(TEXT_BYTES);
    let count = rate * length.as_secs();
    let mut ticks = time::interval(Duration::from_micros(1_000_000 / rate));
    for number in 0..count {
        ticks.tick().await;
        let data = format!(r#"{{"number":{number},"round":{round},"text":"{text}"}}"#);
        let _ = publishers[number as usize % publishers.len()].send(data.into_bytes());
    }
    count
}

fn peer(security: Security, copies: Copies) -> Swarm<Gossip> {
    let key = Keypair::generate_ed25519();
    let id = PeerId::from(key.public());
    let memory = MemoryTransport::default().upgrade(Version::V1);
    let transport = match security {
        Security::Noise => memory
            .authenticate(noise::Config::new(&key).unwrap())
            .multiplex(yamux::Config::default())
            .boxed(),
        Security::Plaintext => memory
            .authenticate(plaintext::Config::new(&key))
            .multiplex(yamux::Config::default())
            .boxed(),
    };
    let config = ConfigBuilder::default().build().unwrap();
    let behaviour = Behaviour::new_with_transform(MessageAuthenticity::Signed(key), config, copies);
    let patience = Duration::from_secs(600);
    let config = swarm::Config::with_tokio_executor().with_idle_connection_timeout(patience);
    Swarm::new(transport, behaviour.unwrap(), id, config)
}
