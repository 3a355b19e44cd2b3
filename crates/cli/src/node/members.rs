//! The peers of a node, one in each network.

use std::{fs, sync::Arc};

use futures::future::join_all;
use taiinet::{Bandwidth, Event, Identity, Network, TaiiNet};

use super::{blacklist, config::Settings};
use crate::{exit::Exit, folder, identity};

/// All peers of a node; clones are the same.
#[derive(Clone)]
pub(super) struct Members(Arc<[Member]>);

pub(super) struct Member {
    pub(super) network: Network,
    pub(super) net: TaiiNet,
}

impl Members {
    /// Starts a peer in each network, all under one identity.
    pub(super) async fn start(settings: &Settings, bandwidth: &Bandwidth) -> Result<Self, Exit> {
        let identity = match &settings.identity {
            Some(file) => Some(identity::read(file, settings.passphrase_file.as_deref())?),
            None => None,
        };
        let mut members = Vec::new();
        for network in &settings.networks {
            let net = start(settings, network, identity.as_ref(), bandwidth).await?;
            tracing::info!(%network, peer = %net.peer_id(), "takes part");
            report(&net, network.clone());
            members.push(Member { network: network.clone(), net });
        }
        let members = Self(members.into());
        members.apply_blacklist(settings).await;
        Ok(members)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.0.iter()
    }

    /// Makes the operator's blacklist count in all networks, and nothing that it does not list.
    pub(super) async fn apply_blacklist(&self, settings: &Settings) {
        for member in self.iter() {
            if let Err(error) = blacklist::apply(&member.net, &settings.listed).await {
                tracing::error!(network = %member.network, "blacklist: {error}");
            }
        }
    }

    /// Leaves all networks, within two seconds or so.
    pub(super) async fn close(&self) {
        join_all(self.iter().map(|member| member.net.close())).await;
    }
}

async fn start(
    settings: &Settings,
    network: &Network,
    identity: Option<&Identity>,
    bandwidth: &Bandwidth,
) -> Result<TaiiNet, Exit> {
    let mut builder = settings.of_network(network).builder()?.network(network.as_str());
    builder = builder.bandwidth(bandwidth.clone()).blacklisted(settings.listed.iter().copied());
    if let Some(identity) = identity {
        builder = builder.identity(identity.clone());
    }
    if let Some(state) = &settings.state {
        let folder = folder::of_network(state, network);
        fs::create_dir_all(&folder)
            .map_err(|error| Exit::failed(format!("state: {}: {error}", folder.display())))?;
        builder = builder
            .blacklist_file(folder.join("blacklist"))
            .signallers_file(folder.join("signallers"));
    }
    Ok(builder.connect().await?)
}

/// Writes into the log what an operator wants to know of.
fn report(net: &TaiiNet, network: Network) {
    let mut events = net.events();
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::SignallerJoined { url, .. }) => tracing::info!(%network, %url, "joined"),
                Ok(Event::SignallerLost { url, cause, .. }) => {
                    tracing::warn!(%network, %url, "signaller lost: {cause}");
                }
                Ok(Event::PeerConnected { peer, .. }) => {
                    tracing::info!(%network, peer = %peer.short(), "linked");
                }
                Ok(Event::PeerDisconnected { peer, cause }) => {
                    tracing::info!(%network, peer = %peer.short(), "link lost: {cause}");
                }
                Ok(Event::Blacklisted(listed)) => {
                    tracing::warn!(%network, peer = %listed.peer, "blacklisted");
                }
                _ => {}
            }
        }
    });
}
