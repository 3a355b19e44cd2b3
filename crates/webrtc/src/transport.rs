//! Which dial leads to which kind of link.

use std::sync::Arc;

use futures::{FutureExt, future::BoxFuture};
use taiinet_mesh::{Dial, LinkFailure};
use taiinet_websocket::{Port, Transport, WebSockets};

use crate::{
    WebRtcConfig,
    channel::{self, Shared},
    ports::Routers,
};

/// WebRTC channels to peers, and WebSockets to signallers.
#[derive(Debug)]
pub struct WebRtc {
    shared: Arc<Shared>,
}

impl WebRtc {
    /// Links with these settings.
    pub fn new(config: WebRtcConfig) -> Self {
        let sockets = WebSockets::new(&config.extra_roots);
        Self { shared: Arc::new(Shared { config, sockets, routers: Routers::default() }) }
    }
}

impl Transport for WebRtc {
    fn serve(&self, dial: Dial, port: Port) -> BoxFuture<'static, LinkFailure> {
        let (offer, ice_servers) = match dial {
            Dial::Offer { ice_servers, .. } => (None, ice_servers),
            Dial::Answer { offer, ice_servers, .. } => (Some(offer), ice_servers),
            Dial::Signaller { .. } | Dial::Direct { .. } => {
                return self.shared.sockets.serve(dial, port);
            }
        };
        channel::serve(offer, ice_servers, Arc::clone(&self.shared), port).boxed()
    }
}
