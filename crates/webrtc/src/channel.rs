//! A WebRTC link: one data channel, ordered and reliable, which both ends know beforehand (id 0).

mod connection;
mod negotiation;
mod runtime;
mod servers;

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream::FuturesUnordered};
use taiinet_mesh::{LinkFailure, Negotiation, wire::IceServer};
use taiinet_websocket::{Accepted, Command, Emitter, Ended, Port, WebSockets, drain};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep},
};
use webrtc::data_channel::{DataChannel, DataChannelEvent};

use self::{
    connection::{Connection, Signs, broken},
    negotiation::{Negotiator, address},
    servers::admit_stun_servers,
};
use crate::{
    WebRtcConfig,
    ports::{Mapped, Routers},
    turn::{Turn, TurnNews},
};

/// How often a closing link looks whether everything was acknowledged. There is no event for it.
const FLUSH_POLL: Duration = Duration::from_millis(2);
/// How long after the other end is known a direct way is still hoped for when no TURN server is of help:
/// then the link ends with what is wrong there, and not with a silent time-out.
const FRUITLESS: Duration = Duration::from_secs(7);

/// What all links of a peer have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: WebRtcConfig,
    pub(crate) sockets: WebSockets,
    pub(crate) routers: Routers,
}

/// Runs the link to its end; `offer` is the other end's, if it is the one that dialled.
pub(crate) async fn serve(
    offer: Option<String>,
    ice_servers: Vec<IceServer>,
    shared: Arc<Shared>,
    port: Port,
) -> LinkFailure {
    let Shared { config, sockets, routers } = &*shared;
    // Which address the path uses is known to the library alone: if it goes, the core hears of a change and
    // asks the other end, over this path.
    let Port { emitter, commands, accepted, mut closing, place: _ } = port;
    let mut turn = match Turn::new(&ice_servers, &config.bind, sockets, config.relay_only) {
        Ok(turn) => turn,
        Err(error) => return broken(error),
    };
    if turn.is_none() && config.relay_only {
        let what = "only TURN may be used here, and no TURN server is named".to_owned();
        let cure = "ask the signaller's operator for --turn".to_owned();
        return LinkFailure::Mistaken { what, cure };
    }
    let mut connection = Connection::new(turn.as_ref().map(|turn| turn.socket() as _));
    let mut ports = Ports { routers: (!config.no_port_mapping).then_some(routers), mapped: None };
    let driven = async {
        let (addresses, stun) = if config.relay_only {
            (vec![], vec![])
        } else {
            (config.addresses(), admit_stun_servers(&ice_servers))
        };
        let (channel, signs) = connection.open(&addresses, stun).await.map_err(broken)?;
        let end = End { connection: &connection, channel: &*channel, emitter };
        end.drive(offer, signs, (turn.as_mut(), &mut ports), accepted, commands).await
    };
    let cause = tokio::select! {
        // First: an abandoned link finds its queue closed too.
        biased;
        cause = closing.deadline() => cause,
        Err(cause) = driven => cause,
    };
    connection.close().await;
    if let Some(turn) = turn {
        turn.close().await;
    }
    if let Some(mapped) = ports.mapped {
        mapped.give_back().await;
    }
    cause
}

/// The router's port of a link.
struct Ports<'a> {
    /// Where one is asked for, once.
    routers: Option<&'a Routers>,
    mapped: Option<Mapped>,
}

/// One end of a link, and whom it serves.
struct End<'a> {
    connection: &'a Connection,
    channel: &'a dyn DataChannel,
    emitter: Emitter,
}

impl End<'_> {
    /// Finds a path, then carries what is said.
    async fn drive(
        &self,
        offer: Option<String>,
        signs: Signs,
        (mut turn, ports): (Option<&mut Turn>, &mut Ports<'_>),
        accepted: Accepted,
        mut commands: mpsc::Receiver<Command>,
    ) -> Ended {
        let (mut negotiator, description) =
            Negotiator::start(self.connection.peer()?, offer).await?;
        self.emitter.negotiation(Negotiation::Description(description)).await?;
        let Signs { candidates, mut fate } = signs;
        let first = tokio::select! {
            first = self.find_path(
                &mut negotiator,
                candidates,
                (turn.as_deref_mut(), ports),
                &accepted,
                &mut commands,
            ) => first?,
            cause = decided(&mut fate) => return Err(cause),
            never = self.connection.hurry(self.channel) => match never {},
        };
        if let Some(turn) = turn.as_deref_mut()
            && self.connection.is_without(turn.address()).await
        {
            turn.let_go();
        }
        // The other end may be about to open: the library (rtc 0.21.1) loses what arrives in the same
        // burst as the end of SCTP's handshake, so the core says its hello again if none is answered.
        let binding = negotiator.binding().ok_or_else(|| broken("no usable fingerprint"))?;
        self.emitter.up(binding).await?;
        if let Some(bytes) = first {
            self.emitter.message(bytes.into()).await?;
        }
        self.carry(&mut negotiator, fate, turn, accepted, commands).await
    }

    /// Negotiates until the channel is open; then the first message may have come already. Candidates that
    /// are gathered later are of no use.
    async fn find_path(
        &self,
        negotiator: &mut Negotiator,
        mut candidates: mpsc::Receiver<String>,
        (mut turn, ports): (Option<&mut Turn>, &mut Ports<'_>),
        accepted: &Accepted,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<Option<BytesMut>, LinkFailure> {
        let fruitless = sleep(Duration::MAX);
        tokio::pin!(fruitless);
        let (mut is_known, mut trouble) = (false, None);
        let mut mapping = FuturesUnordered::new();
        loop {
            if let Some(turn) = turn.as_deref_mut() {
                negotiator.named().for_each(|named| turn.permit(named));
                if negotiator.knows_other_end() && !is_known {
                    is_known = true;
                    turn.begin();
                    fruitless.as_mut().reset(Instant::now() + FRUITLESS);
                }
            }
            tokio::select! {
                event = self.channel.poll() => match event {
                    Some(DataChannelEvent::OnOpen) => return Ok(None),
                    Some(DataChannelEvent::OnMessage(message)) => return Ok(Some(message.data)),
                    Some(DataChannelEvent::OnClose) | None => return Err(LinkFailure::Remote),
                    Some(_) => {}
                },
                Some(candidate) = candidates.recv() => {
                    if let Some(routers) = ports.routers
                        && candidate.contains(" typ host")
                        && let Some(ours) = address(&candidate)
                    {
                        mapping.push(routers.map(ours));
                    }
                    self.emitter.negotiation(Negotiation::Candidate(candidate)).await?;
                }
                Some(mapped) = mapping.next(), if !mapping.is_empty() => {
                    if let (Some(mapped), None) = (mapped, &ports.mapped) {
                        let candidate = mapped.candidate();
                        // Two sockets do not lie behind one router.
                        (ports.mapped, ports.routers) = (Some(mapped), None);
                        self.emitter.negotiation(Negotiation::Candidate(candidate)).await?;
                    }
                }
                command = commands.recv() => match command {
                    Some(command) => {
                        accepted.done(command.weight());
                        match command {
                            Command::Negotiate(part) => negotiator.take(part).await?,
                            // A core that sends before the link is up is mistaken.
                            Command::Send(_) => return Err(broken("it is not open yet")),
                        }
                    }
                    None => return Err(LinkFailure::Local),
                },
                news = told(turn.as_deref_mut()) => match news {
                    TurnNews::Candidate(candidate) => {
                        self.emitter.negotiation(Negotiation::Candidate(candidate)).await?;
                    }
                    TurnNews::Failed(cause) if self.connection.is_direct_too() => {
                        trouble = Some(cause);
                    }
                    TurnNews::Failed(cause) => return Err(cause),
                },
                () = &mut fruitless => match trouble.take() {
                    Some(cause) if !self.connection.has_path().await => return Err(cause),
                    _ => fruitless.as_mut().reset(Instant::now() + FRUITLESS),
                },
            }
        }
    }

    /// Passes messages on, both ways, until the link ends.
    async fn carry(
        &self,
        negotiator: &mut Negotiator,
        mut fate: watch::Receiver<Option<LinkFailure>>,
        turn: Option<&mut Turn>,
        accepted: Accepted,
        commands: mpsc::Receiver<Command>,
    ) -> Ended {
        let reading = read(self.channel, &self.emitter);
        tokio::pin!(reading);
        tokio::select! {
            ended = &mut reading => ended,
            ended = write(self.channel, negotiator, accepted, commands) => match ended {
                // The other end answers our close with its own; the deadline bounds the wait.
                Err(LinkFailure::Local) => {
                    let _ = reading.await;
                    Err(LinkFailure::Local)
                }
                Err(cause) => Err(drain(reading, &self.emitter, cause).await),
            },
            cause = decided(&mut fate) => match cause {
                LinkFailure::Remote => Err(drain(reading, &self.emitter, cause).await),
                cause => Err(cause),
            },
            cause = lost(turn) => Err(cause),
        }
    }
}

/// What comes of a way through a TURN server, if there is one.
async fn told(turn: Option<&mut Turn>) -> TurnNews {
    match turn {
        Some(turn) => turn.news().await,
        None => std::future::pending().await,
    }
}

/// Returns when the way through a TURN server that a link has taken is there no more.
async fn lost(turn: Option<&mut Turn>) -> LinkFailure {
    let Some(turn) = turn.filter(|turn| turn.is_held()) else {
        return std::future::pending().await;
    };
    loop {
        if let TurnNews::Failed(cause) = turn.news().await {
            return cause;
        }
    }
}

/// Hands what arrives to the core. While the core is behind, nothing is read: the library then
/// leaves it in SCTP's window, which closes, and the other end's sending stops.
async fn read(channel: &dyn DataChannel, emitter: &Emitter) -> Ended {
    loop {
        match channel.poll().await {
            Some(DataChannelEvent::OnMessage(message)) => {
                emitter.message(message.data.into()).await?;
            }
            Some(DataChannelEvent::OnClose) | None => return Err(LinkFailure::Remote),
            Some(_) => {}
        }
    }
}

/// Sends until the queue is closed and empty, waits until everything was acknowledged, and closes
/// the channel. Waiting in `send` is the back-pressure.
async fn write(
    channel: &dyn DataChannel,
    negotiator: &mut Negotiator,
    mut accepted: Accepted,
    mut commands: mpsc::Receiver<Command>,
) -> Ended {
    let mut batch = Vec::new();
    while commands.recv_many(&mut batch, 64).await > 0 {
        for command in batch.drain(..) {
            let weight = command.weight();
            match command {
                Command::Send(bytes) => {
                    let length = bytes.len();
                    accepted.bandwidth().upload(length).await;
                    channel.send(BytesMut::from(Bytes::from(bytes))).await.map_err(broken)?;
                    accepted.done(weight);
                    accepted.accepted(length).await?;
                }
                Command::Negotiate(part) => {
                    accepted.done(weight);
                    negotiator.take(part).await?;
                }
            }
        }
        accepted.report().await?;
    }
    while channel.outstanding_bytes().await.map_err(broken)? > 0 {
        sleep(FLUSH_POLL).await;
    }
    channel.close().await.map_err(broken)?;
    Err(LinkFailure::Local)
}

/// Returns when the connection as a whole has ended.
async fn decided(fate: &mut watch::Receiver<Option<LinkFailure>>) -> LinkFailure {
    match fate.wait_for(Option::is_some).await {
        Ok(cause) => cause.clone().unwrap_or(LinkFailure::Remote),
        Err(_driver_gone) => broken("the connection's driver stopped"),
    }
}
