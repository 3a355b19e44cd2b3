//! What benchmarks of whole peers share.

use std::{io, net::IpAddr};

use taiinet::{Builder, Identity, Quota, TaiiNet};
use taiinet_identity::Seed;
use taiinet_signaller::{
    DeskConfig,
    server::{SecondStun, Server, ServerConfig, StunAddress},
};
use tokio::task::JoinHandle;

/// Starts a signaller; its address.
pub(crate) async fn signaller() -> (String, JoinHandle<io::Result<()>>) {
    let config = ServerConfig {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        stun: StunAddress::Off,
        second_stun: SecondStun::Off,
        desk: DeskConfig::default(),
    };
    let server = Server::bind(config, Identity::from_seed(&Seed::from_bytes([42; 32]))).await;
    let server = server.unwrap();
    let url = server.urls().remove(0);
    (url, tokio::spawn(server.run(std::future::pending())))
}

/// A peer on loopback, which writes as fast as it can.
pub(crate) fn peer(signaller: &str) -> Builder {
    let loopback = IpAddr::from([127, 0, 0, 1]);
    let builder = TaiiNet::builder().network("bench").signaller(signaller);
    builder.bind([loopback]).quota(Quota::UNBOUNDED)
}

pub(crate) fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
