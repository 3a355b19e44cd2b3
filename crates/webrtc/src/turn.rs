//! The way through a TURN server (RFC 8656), for a link that finds no direct one.
//!
//! The WebRTC library makes an allocation from each local address to each server, at once and for the
//! link's life. A server's places are few, so ours is asked only when no direct pair of addresses has
//! worked for a moment, once for each end of a link, and gets its place back as soon as the link is seen to
//! go without; and it is reached by TCP or TLS where UDP is blocked. To the library the way is one more
//! local socket ([`TurnSocket`]); to the other end it is a candidate of the kind `relay`.

mod allocation;
mod carrier;
mod server;
mod socket;
mod trouble;

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Once},
    time::Duration,
};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use taiinet_mesh::{LinkFailure, wire::IceServer};
use taiinet_websocket::{WebSockets, is_public};
use tokio::{
    net::lookup_host,
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep, sleep_until, timeout},
};

use self::{allocation::Allocation, server::By, socket::Far, trouble::TurnTrouble};
pub(crate) use self::{server::TurnServer, socket::TurnSocket};

/// How long a direct way may take before a server is asked. On a line of 100 ms each way a pair of
/// addresses has been tried by then.
const DIRECT_FIRST: Duration = Duration::from_millis(400);
/// How long one server may take before the next is asked as well.
const NEXT: Duration = Duration::from_millis(300);
/// How long an address of the other end's is tried directly before it is by this way as well: to the library
/// both are alike, and it takes what works first.
const HEAD_START: Duration = Duration::from_millis(300);
/// The same for one of the other end's TURN server: one server does for both ends.
const HEAD_START_OF_RELAYED: Duration = Duration::from_millis(500);
/// How long a name server may take.
const RESOLVE: Duration = Duration::from_secs(2);
/// How long a way that is let go may take to give its place back.
const GOODBYE: Duration = Duration::from_secs(1);
/// Packets that are passed on before the server is listened to again.
const BATCH: usize = 32;
/// Of the kind `relay`, the least preferred (RFC 8445, section 5.1.2.1).
const PRIORITY: u32 = (65_535 << 8) + 255;

/// What the way has to know of the link.
#[derive(Debug)]
enum Order {
    /// The other end is known: a direct way is being tried.
    Begin,
    /// An address that the other end named.
    Permit(Named, Instant),
}

/// An address of the other end's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) address: SocketAddr,
    /// Whether it is one of a TURN server's.
    pub(crate) is_relayed: bool,
}

/// What comes of it.
#[derive(Debug)]
pub(crate) enum TurnNews {
    /// A candidate for the other end.
    Candidate(String),
    /// No server is of help, or none any more.
    Failed(LinkFailure),
}

/// A link's way through a TURN server; dropped, it gives its place back.
#[derive(Debug)]
pub(crate) struct Turn {
    socket: Arc<TurnSocket>,
    orders: Option<mpsc::UnboundedSender<Order>>,
    news: mpsc::Receiver<TurnNews>,
    task: JoinHandle<()>,
}

impl Turn {
    /// A way through one of these servers, by one of our addresses in `bind` if there are any; none if there
    /// is no server. `at_once` does not wait for a direct way.
    pub(crate) fn new(
        named: &[IceServer],
        bind: &[IpAddr],
        tls: &WebSockets,
        at_once: bool,
    ) -> io::Result<Option<Self>> {
        let servers = TurnServer::of(named);
        if servers.is_empty() {
            return Ok(None);
        }
        let (socket, far) = TurnSocket::new()?;
        let socket = Arc::new(socket);
        // Bounded by the candidates that are let in.
        let (orders, taken) = mpsc::unbounded_channel();
        let (told, news) = mpsc::channel(2);
        let way = Way {
            servers: servers.into(),
            bind: bind.into(),
            tls: tls.clone(),
            patience: if at_once { Duration::ZERO } else { DIRECT_FIRST },
            socket: Arc::clone(&socket),
            far,
            orders: taken,
            named: Vec::new(),
        };
        let task = tokio::spawn(async move {
            if let Err(failure) = way.go(&told).await {
                let _ = told.send(TurnNews::Failed(failure)).await;
            }
        });
        Ok(Some(Self { socket, orders: Some(orders), news, task }))
    }

    /// The address by which the library knows the way.
    pub(crate) fn address(&self) -> SocketAddr {
        self.socket.address()
    }

    /// Whether the link has not let it go.
    pub(crate) const fn is_held(&self) -> bool {
        self.orders.is_some()
    }

    /// What the library is given for a socket.
    pub(crate) fn socket(&self) -> Arc<TurnSocket> {
        Arc::clone(&self.socket)
    }

    /// The other end is known.
    pub(crate) fn begin(&self) {
        self.order(Order::Begin);
    }

    /// The other end named this address.
    pub(crate) fn permit(&self, named: Named) {
        self.order(Order::Permit(named, Instant::now()));
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(order);
        }
    }

    /// What comes of it, if anything more does.
    pub(crate) async fn news(&mut self) -> TurnNews {
        match self.news.recv().await {
            Some(news) => news,
            None => std::future::pending().await,
        }
    }

    /// The link goes without.
    pub(crate) fn let_go(&mut self) {
        self.orders = None;
    }

    /// Gives the place back, after what is still to be sent.
    pub(crate) async fn close(mut self) {
        self.let_go();
        let _ = timeout(GOODBYE, &mut self.task).await;
    }
}

type Attempt = BoxFuture<'static, Result<Allocation, (TurnTrouble, String)>>;

/// The task of a [`Turn`].
struct Way {
    servers: VecDeque<TurnServer>,
    bind: Arc<[IpAddr]>,
    tls: WebSockets,
    patience: Duration,
    socket: Arc<TurnSocket>,
    far: Far,
    orders: mpsc::UnboundedReceiver<Order>,
    named: Vec<(Named, Instant)>,
}

impl Way {
    async fn go(mut self, news: &mpsc::Sender<TurnNews>) -> Result<(), LinkFailure> {
        if !self.is_needed().await {
            return Ok(());
        }
        let mut attempts = FuturesUnordered::new();
        let found = self.seek(&mut attempts).await;
        let served = match found {
            Ok(Some(mut allocation)) => {
                let relayed = allocation.relayed();
                self.socket.open();
                let (ip, port) = (relayed.ip(), relayed.port());
                let candidate = format!(
                    "candidate:1 1 udp {PRIORITY} {ip} {port} typ relay raddr 0.0.0.0 rport 0"
                );
                let _ = news.send(TurnNews::Candidate(candidate)).await;
                let served = self.serve(&mut allocation, &mut attempts).await;
                allocation.release().await;
                served.map_err(|error| {
                    LinkFailure::Unreachable(format!("the TURN server's connection broke: {error}"))
                })
            }
            Ok(None) => Ok(()),
            Err(failure) => Err(failure),
        };
        // What was asked for and is not needed.
        let _ = timeout(GOODBYE, async {
            while let Some(attempt) = attempts.next().await {
                give_back(attempt).await;
            }
        })
        .await;
        served
    }

    /// Waits until the link is to have a way of this kind; says whether it is.
    async fn is_needed(&mut self) -> bool {
        loop {
            match self.orders.recv().await {
                Some(Order::Permit(named, at)) => self.named.push((named, at)),
                Some(Order::Begin) => break,
                None => return false,
            }
        }
        let patience = sleep(self.patience);
        tokio::pin!(patience);
        loop {
            tokio::select! {
                () = &mut patience => return true,
                order = self.orders.recv() => match order {
                    Some(Order::Permit(named, at)) => self.named.push((named, at)),
                    Some(Order::Begin) => {}
                    None => return false,
                },
            }
        }
    }

    /// Asks one server after the other, the next when one has refused or is slow; the first that gives an
    /// allocation has it used. None if the link went without in the meantime.
    async fn seek(
        &mut self,
        attempts: &mut FuturesUnordered<Attempt>,
    ) -> Result<Option<Allocation>, LinkFailure> {
        let mut told: Option<(TurnTrouble, String)> = None;
        loop {
            match self.servers.pop_front() {
                Some(server) => attempts.push(self.attempt(server)),
                None if attempts.is_empty() => {
                    return match told {
                        Some((trouble, url)) => Err(trouble.failure(&url)),
                        None => Ok(None),
                    };
                }
                None => {}
            }
            let slow = sleep(NEXT);
            tokio::pin!(slow);
            loop {
                tokio::select! {
                    attempt = attempts.select_next_some() => match attempt {
                        Ok(allocation) => return Ok(Some(allocation)),
                        Err(one) => {
                            tracing::debug!(url = one.1, error = %one.0, "a TURN server is of no help");
                            told = Some(told.map_or(one.clone(), |other| other.max(one)));
                            break;
                        }
                    },
                    () = &mut slow, if !self.servers.is_empty() => break,
                    order = self.orders.recv() => match order {
                        Some(Order::Permit(named, at)) => self.named.push((named, at)),
                        Some(Order::Begin) => {}
                        None => return Ok(None),
                    },
                }
            }
        }
    }

    fn attempt(&self, server: TurnServer) -> Attempt {
        let (bind, tls) = (Arc::clone(&self.bind), self.tls.clone());
        async move {
            let url = server.url.clone();
            allocate(server, &bind, &tls).await.map_err(|trouble| (trouble, url))
        }
        .boxed()
    }

    /// Passes packets on, until the link goes without.
    async fn serve(
        &mut self,
        allocation: &mut Allocation,
        attempts: &mut FuturesUnordered<Attempt>,
    ) -> io::Result<()> {
        let is_only_way = self.patience.is_zero();
        let mut withheld: Vec<(Instant, SocketAddr)> = Vec::new();
        let mut given_back = FuturesUnordered::new();
        loop {
            for (Named { address, is_relayed }, at) in self.named.drain(..) {
                let head_start = match is_relayed {
                    _ if is_only_way => Duration::ZERO,
                    true => HEAD_START_OF_RELAYED,
                    false => HEAD_START,
                };
                allocation.withhold(address);
                withheld.push((at + head_start, address));
            }
            let now = Instant::now();
            for (_, address) in withheld.extract_if(.., |(due, _)| *due <= now) {
                allocation.permit(address);
            }
            let due = withheld.iter().map(|(due, _)| *due).min();
            allocation.flush().await?;
            while let Some(packet) = allocation.arrived() {
                // What there is no room for is lost, as on any socket.
                let _ = self.far.arrived.try_send(packet);
            }
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(Order::Permit(named, at)) => self.named.push((named, at)),
                    Some(Order::Begin) => {}
                    None => break,
                },
                () = sleep_until(due.unwrap_or(now)), if due.is_some() => {}
                Some((to, packet)) = self.far.sending.recv() => {
                    allocation.send(to, &packet);
                    for _ in 0..BATCH {
                        let Ok((to, packet)) = self.far.sending.try_recv() else { break };
                        allocation.send(to, &packet);
                    }
                }
                message = allocation.wait() => if let Some(message) = message? {
                    allocation.take(message);
                },
                Some(late) = attempts.next(), if !attempts.is_empty() => given_back.push(give_back(late)),
                Some(()) = given_back.next(), if !given_back.is_empty() => {}
            }
        }
        // The link's own goodbye.
        while let Ok((to, packet)) = self.far.sending.try_recv() {
            allocation.send(to, &packet);
        }
        let said = allocation.flush().await;
        let rest = async { while given_back.next().await.is_some() {} };
        let _ = timeout(GOODBYE, rest).await;
        said
    }
}

async fn give_back(attempt: Result<Allocation, (TurnTrouble, String)>) {
    if let Ok(allocation) = attempt {
        allocation.release().await;
    }
}

/// An allocation from the server at whichever of its addresses has one for us.
async fn allocate(
    server: TurnServer,
    bind: &[IpAddr],
    tls: &WebSockets,
) -> Result<Allocation, TurnTrouble> {
    if server.by == By::Dtls {
        static SAID: Once = Once::new();
        SAID.call_once(|| tracing::warn!(url = server.url, "TURN: {}", TurnTrouble::Unsupported));
        return Err(TurnTrouble::Unsupported);
    }
    let found = timeout(RESOLVE, lookup_host((&*server.host, server.port))).await;
    let Ok(Ok(found)) = found else { return Err(TurnTrouble::NoAddress) };
    // A signaller out there is not to have our own network searched for servers.
    let may = |address: &SocketAddr| !tls.lead_outside() || is_public(address.ip());
    let found: Vec<SocketAddr> = found.filter(may).collect();
    let first = |v4: bool| found.iter().copied().find(|address| address.is_ipv4() == v4);
    let mut trouble = TurnTrouble::NoAddress;
    for address in [first(true), first(false)].into_iter().flatten() {
        match Allocation::make(&server, address, bind, tls).await {
            Ok(allocation) => return Ok(allocation),
            Err(other) => trouble = trouble.max(other),
        }
    }
    Err(trouble)
}
