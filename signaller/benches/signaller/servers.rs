//! The two servers.

use std::{collections::BTreeMap, sync::Arc};

use futures::{SinkExt, StreamExt};
use rand_core::UnwrapErr;
use taiinet_identity::Identity;
use taiinet_signaller::{
    Budgets, DeskConfig,
    server::{AcceptConfig, GateConfig, SecondStun, Server, ServerConfig, StunAddress},
};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
};
use tokio_tungstenite::{
    accept_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

/// Ours, with budgets that are not in the way.
pub(crate) async fn desk() {
    raise_descriptors();
    let plenty = (u32::MAX, u32::MAX);
    let budgets = Budgets {
        frames: plenty,
        joins: plenty,
        introductions: plenty,
        signals: plenty,
        signals_to_one: plenty,
        signals_for_one: plenty,
        signal_bytes_for_one: plenty,
        work: plenty,
        work_per_address: plenty,
        ..Budgets::default()
    };
    let desk = DeskConfig {
        clients: 50_000,
        clients_per_address: 50_000,
        budgets,
        ..DeskConfig::default()
    };
    let config = ServerConfig {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        stun: StunAddress::Off,
        second_stun: SecondStun::Off,
        desk,
    };
    let gate = GateConfig {
        clients: 50_000,
        clients_per_address: 50_000,
        arrivals_per_minute: 1_000_000,
        frames: plenty,
        frames_per_address: plenty,
        ..GateConfig::default()
    };
    let accept = AcceptConfig { gate, ..AcceptConfig::default() };
    let identity = Identity::generate(&mut UnwrapErr(getrandom::SysRng));
    let server = Server::bind_with(config, accept, identity).await.unwrap();
    println!("{}", server.addresses()[0]);
    server.run(std::future::pending()).await.unwrap();
}

/// As many connections as the system allows.
pub(crate) fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// The least that a relay can do: the first message of each connection says who it is, and who its
/// partner; each further one goes to the partner. It flushes once for all that waits.
pub(crate) async fn bare() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    let rooms: Arc<Mutex<BTreeMap<u64, mpsc::UnboundedSender<Message>>>> = Arc::default();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let rooms = rooms.clone();
        tokio::spawn(async move {
            let config = WebSocketConfig::default().read_buffer_size(4096);
            let socket = accept_async_with_config(stream, Some(config)).await.unwrap();
            let (mut sink, mut stream) = socket.split();
            let Some(Ok(Message::Binary(first))) = stream.next().await else { return };
            let number = |at: usize| u64::from_le_bytes(first[at..at + 8].try_into().unwrap());
            let (me, partner) = (number(0), number(8));
            let (sender, mut waiting) = mpsc::unbounded_channel();
            rooms.lock().await.insert(me, sender);
            tokio::spawn(async move {
                let mut batch = Vec::new();
                while waiting.recv_many(&mut batch, 256).await > 0 {
                    for message in batch.drain(..) {
                        let _ = sink.feed(message).await;
                    }
                    let _ = sink.flush().await;
                }
            });
            let mut to = None;
            while let Some(Ok(message)) = stream.next().await {
                if to.is_none() {
                    to = rooms.lock().await.get(&partner).cloned();
                }
                if let Some(to) = &to {
                    let _ = to.send(message);
                }
            }
        });
    }
}
