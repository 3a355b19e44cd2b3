//! Takes connections in: by which door they come, and whether they may say what they want.
//!
//! Those in their handshake have a place each: clients, those that are only to be told why they are refused, and
//! operators have places of their own, so that none keeps the others out.

use std::{
    future::Future,
    io,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::{
    gate::{Arrival, Turned},
    shared::Shared,
    visit::Visit,
    visitor::Visitor,
};

/// What a connection is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// WebSockets.
    Public,
    /// Metrics.
    Metrics,
}

impl Shared {
    /// Takes in visitors until it is stopped.
    pub(super) async fn listen(self: Arc<Self>, listener: TcpListener, door: Door) {
        while let Some(accepted) = self.next(listener.accept()).await {
            match accepted {
                Ok((stream, from)) => self.arrive(stream, from.ip().to_canonical(), door),
                Err(error) => self.not_accepted(&error).await,
            }
        }
    }

    /// The next connection; none once it is stopped.
    pub(super) async fn next<T>(
        &self,
        accept: impl Future<Output = io::Result<T>>,
    ) -> Option<io::Result<T>> {
        tokio::select! {
            accepted = accept => Some(accepted),
            () = self.stop.cancelled() => None,
        }
    }

    pub(super) async fn not_accepted(&self, error: &io::Error) {
        if !is_of_one_connection(error) {
            // Most likely out of descriptors: it gets better when a client leaves.
            tracing::error!(%error, "cannot accept connections");
            let _ = timeout(Duration::from_secs(1), self.stop.cancelled()).await;
        }
    }

    /// A visitor that comes again and again is closed here, before it costs anything.
    fn arrive(self: &Arc<Self>, stream: TcpStream, address: IpAddr, door: Door) {
        let (visitor, slot) = match door {
            Door::Metrics => (Visitor::Operator, self.operators.enter(address)),
            Door::Public if self.current().config.proxies.trust(address) => {
                (Visitor::Proxy { address }, self.handshakes.enter_for_another())
            }
            Door::Public => match self.admit(address) {
                Ok(arrival) => {
                    (Visitor::Client { address, arrival }, self.handshakes.enter(address))
                }
                Err(Turned::Flood) => return,
                Err(turned) => (Visitor::Refused(turned), self.refusals.enter(address)),
            },
        };
        let _ = stream.set_nodelay(true);
        let visit = Visit { shared: self.clone(), slot, came: Instant::now() };
        self.tasks.spawn(visit.run(stream, visitor));
    }

    /// Lets a client from here say what it wants, if its address is served.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Arrival, Turned> {
        let listed = || self.current().lists.admit_address(address);
        let arrival = self.gate.admit(address, listed, self.clock.now());
        arrival.inspect_err(|turned| self.turn(*turned, address))
    }
}

/// Whether an error of `accept` is about a connection that is gone already.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
