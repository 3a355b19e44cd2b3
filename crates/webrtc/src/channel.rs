//! A WebRTC link: one data channel, ordered and reliable, which both ends know beforehand (id 0).

mod connection;
mod negotiation;
mod runtime;
mod servers;

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use taiinet_mesh::{LinkFailure, Negotiation, wire::IceServer};
use taiinet_websocket::{Accepted, Command, Emitter, Ended, Port, drain};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};
use webrtc::data_channel::{DataChannel, DataChannelEvent};

use self::{
    connection::{Connection, Signs, broken},
    negotiation::Negotiator,
    servers::admit_ice_servers,
};
use crate::WebRtcConfig;

/// How often a closing link looks whether everything was acknowledged. There is no event for it.
const FLUSH_POLL: Duration = Duration::from_millis(2);

/// Runs the link to its end; `offer` is the other end's, if it is the one that dialled.
pub(crate) async fn serve(
    offer: Option<String>,
    ice_servers: Vec<IceServer>,
    config: Arc<WebRtcConfig>,
    port: Port,
) -> LinkFailure {
    let Port { emitter, commands, accepted, mut closing } = port;
    let mut connection = Connection::default();
    let driven = async {
        let (channel, signs) = connection
            .open(&config.addresses(), admit_ice_servers(&ice_servers), config.relay_only)
            .await
            .map_err(broken)?;
        drive(&connection, offer, &*channel, signs, emitter, accepted, commands).await
    };
    let cause = tokio::select! {
        // First: an abandoned link finds its queue closed too.
        biased;
        cause = closing.deadline() => cause,
        Err(cause) = driven => cause,
    };
    connection.close().await;
    cause
}

async fn drive(
    connection: &Connection,
    offer: Option<String>,
    channel: &dyn DataChannel,
    signs: Signs,
    emitter: Emitter,
    accepted: Accepted,
    mut commands: mpsc::Receiver<Command>,
) -> Ended {
    let Signs { mut candidates, mut fate } = signs;
    let (mut negotiator, description) = Negotiator::start(connection.peer()?, offer).await?;
    emitter.negotiation(Negotiation::Description(description)).await?;

    let first = loop {
        tokio::select! {
            event = channel.poll() => match event {
                Some(DataChannelEvent::OnOpen) => break None,
                Some(DataChannelEvent::OnMessage(message)) => break Some(message.data),
                Some(DataChannelEvent::OnClose) | None => return Err(LinkFailure::Remote),
                Some(_) => {}
            },
            Some(candidate) = candidates.recv() => {
                emitter.negotiation(Negotiation::Candidate(candidate)).await?;
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
            cause = decided(&mut fate) => return Err(cause),
        }
    };
    // Whatever is gathered from now on is of no use.
    drop(candidates);
    // The other end may be about to open: the library (rtc 0.21.1) loses what arrives in the same
    // burst as the end of SCTP's handshake, so the core says its hello again if none is answered.
    emitter.up(negotiator.binding().ok_or_else(|| broken("no usable fingerprint"))?).await?;
    if let Some(bytes) = first {
        emitter.message(bytes.into()).await?;
    }

    let reading = read(channel, &emitter);
    tokio::pin!(reading);
    tokio::select! {
        ended = &mut reading => ended,
        ended = write(channel, &mut negotiator, accepted, commands) => match ended {
            // The other end answers our close with its own; the deadline bounds the wait.
            Err(LinkFailure::Local) => {
                let _ = reading.await;
                Err(LinkFailure::Local)
            }
            Err(cause) => Err(drain(reading, &emitter, cause).await),
        },
        cause = decided(&mut fate) => match cause {
            LinkFailure::Remote => Err(drain(reading, &emitter, cause).await),
            cause => Err(cause),
        },
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
