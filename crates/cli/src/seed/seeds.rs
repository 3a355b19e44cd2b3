//! The peers with archives that one process runs, one in each network.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use futures::future::join_all;
use serde_json::json;
use taiinet::{ArchiveOptions, ArchiveStatus, Network, TaiiNet};
use taiinet_terminal as terminal;
use tokio::time::timeout;

use crate::{
    exit::{CommandResult, Exit},
    net::NetArgs,
};

/// How long an archive may take to say how it does before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(20);

/// All of them.
pub(super) struct Seeds(Vec<Seed>);

struct Seed {
    network: Network,
    net: TaiiNet,
    store: PathBuf,
}

impl Seeds {
    /// Starts a peer in each network, all of one identity. If one cannot start none does.
    pub(super) async fn start(
        net: &NetArgs,
        stores: Vec<(Network, PathBuf)>,
        options: impl Fn(&PathBuf) -> ArchiveOptions,
    ) -> Result<Self, Exit> {
        let identity = net.read_identity()?;
        let are_several = stores.len() > 1;
        let mut seeds = Self(Vec::new());
        for (network, store) in stores {
            let args = NetArgs { network: Some(network.as_str().to_owned()), ..net.clone() };
            let archive = options(&store);
            match args.connect_as(identity.clone(), |builder| builder.archive(archive)).await {
                Ok(net) => seeds.0.push(Seed { network, net, store }),
                Err(why) => {
                    seeds.close().await;
                    return Err(if are_several { of_network(&network, why) } else { why });
                }
            }
        }
        Ok(seeds)
    }

    /// How each archive does, if it says so in time.
    pub(super) async fn look(&self) -> Vec<Option<ArchiveStatus>> {
        let look = async |seed: &Seed| timeout(PATIENCE, seed.net.archive()).await.ok()?.ok()?;
        join_all(self.0.iter().map(look)).await
    }

    /// Whether all say it.
    pub(super) async fn are_well(&self) -> bool {
        self.look().await.iter().all(Option::is_some)
    }

    /// Says what is kept, and where: a line for each.
    pub(super) async fn announce(&self, json: bool) -> CommandResult {
        let mut lines = String::new();
        for (seed, status) in self.0.iter().zip(self.look().await) {
            let Some(status) = status else { continue };
            lines += &seed.announcement(&status, json);
            lines.push('\n');
        }
        Ok(terminal::print(&lines)?)
    }

    /// Leaves all networks; what was taken is on the disk then.
    pub(super) async fn close(&self) {
        join_all(self.0.iter().map(|seed| seed.net.close())).await;
    }
}

impl Seed {
    fn announcement(&self, status: &ArchiveStatus, json: bool) -> String {
        let (peer, documents) = (self.net.peer_id(), status.stats.documents);
        let network = self.network.as_str();
        if json {
            let event = json!({
                "event": "started", "peer": peer, "network": network, "documents": documents,
            });
            return terminal::json(&event.to_string()).into_owned();
        }
        let network = terminal::line(network);
        format!("{peer} keeps {documents} documents of {network} in {}", self.store.display())
    }
}

/// The same reason, with the network that it is about.
fn of_network(network: &Network, why: Exit) -> Exit {
    let of_network = |reason: &str| format!("{}: {reason}", network.as_str());
    match why {
        Exit::Failed(reason) => Exit::Failed(of_network(&reason)),
        Exit::Usage(reason) => Exit::Usage(of_network(&reason)),
        Exit::BrokenPipe => Exit::BrokenPipe,
    }
}

/// What is wrong with archives, as it was said last.
#[derive(Default)]
pub(super) struct Faults(BTreeMap<Network, String>);

impl Faults {
    /// Says what is new.
    pub(super) fn tell(&mut self, seeds: &Seeds, statuses: &[Option<ArchiveStatus>]) {
        for (seed, status) in seeds.0.iter().zip(statuses) {
            let Some(status) = status else { continue };
            if self.0.get(&seed.network) == status.fault.as_ref() {
                continue;
            }
            let network = terminal::line(seed.network.as_str());
            match &status.fault {
                Some(fault) => {
                    let said = terminal::line(fault);
                    terminal::say(format_args!("warning: {network}: {said}"));
                    self.0.insert(seed.network.clone(), fault.clone());
                }
                None => {
                    terminal::say(format_args!("{network}: the archive can be written again"));
                    self.0.remove(&seed.network);
                }
            }
        }
    }
}

/// How all of them do; none if none says so.
pub(super) fn sentence(statuses: &[Option<ArchiveStatus>]) -> Option<String> {
    let known: Vec<&ArchiveStatus> = statuses.iter().flatten().collect();
    let sum =
        |of: &dyn Fn(&ArchiveStatus) -> u64| known.iter().map(|status| of(status)).sum::<u64>();
    let documents = sum(&|status| status.stats.documents);
    let mib = sum(&|status| status.stats.store_bytes) / (1024 * 1024);
    let (taken, answered) = (sum(&|status| status.stored), sum(&|status| status.answered));
    let networks = match statuses.len() {
        1 => String::new(),
        count => format!("networks {count}, "),
    };
    (!known.is_empty()).then(|| {
        format!("{networks}documents {documents}, {mib} MiB, taken {taken}, answered {answered}")
    })
}
