//! What can be said in the file, and on the command line by the same names.

use std::{
    collections::BTreeSet,
    fmt,
    io::Read as _,
    net::IpAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use taiinet::{
    Bandwidth, Blacklisted, Network, Rate, SignallerAddress, SignallerRelay, parse_signaller,
};
use taiinet_daemon::{LogFormat, text};
use tracing_subscriber::filter::Targets;

use super::{address::MetricsAddress, args::NodeArgs};
use crate::{
    exit::{CommandResult, Exit},
    net::{AuthorRate, LinkNumbers, NetArgs},
};

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1 << 20;
/// How many networks one node takes part in at most: each has links of its own.
const NETWORKS: usize = 32;

/// All options of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Settings {
    pub(super) networks: Vec<Network>,
    pub(super) signallers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) identity: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) passphrase_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) blacklist: Option<PathBuf>,
    /// What that file holds.
    #[serde(skip)]
    pub(super) listed: Vec<Blacklisted>,
    pub(super) bind: Vec<IpAddr>,
    pub(super) relay_only: bool,
    #[serde(with = "text")]
    pub(super) signaller_relay: SignallerRelay,
    pub(super) introduce_by_interest: bool,
    pub(super) no_port_mapping: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ca_file: Option<PathBuf>,
    pub(super) links: LinkNumbers,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) quota: Option<AuthorRate>,
    #[serde(skip_serializing_if = "Option::is_none", with = "text::option")]
    pub(super) upload: Option<Rate>,
    #[serde(skip_serializing_if = "Option::is_none", with = "text::option")]
    pub(super) download: Option<Rate>,
    pub(super) metrics: MetricsAddress,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log: Option<String>,
    pub(super) log_format: LogFormat,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            networks: Vec::new(),
            signallers: Vec::new(),
            identity: None,
            passphrase_file: None,
            state: None,
            blacklist: None,
            listed: Vec::new(),
            bind: Vec::new(),
            relay_only: false,
            signaller_relay: SignallerRelay::default(),
            introduce_by_interest: false,
            no_port_mapping: false,
            ca_file: None,
            links: LinkNumbers::default(),
            quota: None,
            upload: None,
            download: None,
            metrics: MetricsAddress::default(),
            log: None,
            log_format: LogFormat::Text,
        }
    }
}

impl Settings {
    /// The defaults, then the file, then the command line and the environment.
    pub(super) fn read(net: &NetArgs, args: &NodeArgs) -> Result<Self, Exit> {
        let mut settings = match &args.config {
            Some(file) => Self::read_file(file)?,
            None => Self::default(),
        };
        settings.take(net, args)?;
        settings.check()?;
        if let Some(file) = &settings.blacklist {
            settings.listed = taiinet::blacklist::read(file).map_err(Exit::usage)?;
        }
        Ok(settings)
    }

    fn read_file(file: &Path) -> Result<Self, Exit> {
        let failed = |error: &dyn fmt::Display| Exit::usage(format!("{}: {error}", file.display()));
        let mut bytes = Vec::new();
        let opened = std::fs::File::open(file).map_err(|error| failed(&error))?;
        opened.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
        if bytes.len() as u64 > LONGEST {
            return Err(failed(&"longer than any configuration"));
        }
        let text = taiinet_identity::text::without_bom(&bytes).map_err(|error| failed(&error))?;
        let text = std::str::from_utf8(text).map_err(|error| failed(&error))?;
        toml::from_str(text).map_err(|error| failed(&error))
    }

    /// What was given on the command line, or in the environment.
    fn take(&mut self, net: &NetArgs, args: &NodeArgs) -> Result<(), Exit> {
        fn set<T: Clone>(ours: &mut T, given: Option<&T>) {
            if let Some(given) = given {
                ours.clone_from(given);
            }
        }
        fn set_some<T: Clone>(ours: &mut Option<T>, given: Option<&T>) {
            if given.is_some() {
                *ours = given.cloned();
            }
        }
        if let Some(name) = &net.network {
            let named = name.parse().map_err(|error| Exit::usage(format!("--network: {error}")))?;
            self.networks = vec![named];
        }
        if !net.signallers.is_empty() {
            self.signallers.clone_from(&net.signallers);
        }
        set_some(&mut self.identity, net.identity.as_ref());
        set_some(&mut self.passphrase_file, net.passphrase_file.as_ref());
        set_some(&mut self.blacklist, net.blacklist.as_ref());
        set_some(&mut self.ca_file, net.ca_file.as_ref());
        set_some(&mut self.quota, net.author_quota.as_ref());
        set(&mut self.links, net.links.as_ref());
        if !net.bind.is_empty() {
            self.bind.clone_from(&net.bind);
        }
        self.relay_only |= net.relay_only;
        self.no_port_mapping |= net.no_port_mapping;
        self.introduce_by_interest |= net.introduce_by_interest;
        set(&mut self.signaller_relay, net.signaller_relay.as_ref());
        set_some(&mut self.state, args.state.as_ref());
        set_some(&mut self.upload, args.upload.as_ref());
        set_some(&mut self.download, args.download.as_ref());
        set(&mut self.metrics, args.metrics.as_ref());
        set_some(&mut self.log, args.log.as_ref());
        set(&mut self.log_format, args.log_format.as_ref());
        Ok(())
    }

    fn check(&self) -> Result<(), Exit> {
        let distinct: BTreeSet<_> = self.networks.iter().collect();
        if self.networks.is_empty() {
            return Err(Exit::usage(
                "which networks? Name them in the file, networks = [\"…\"], or one by --network",
            ));
        }
        if distinct.len() < self.networks.len() || self.networks.len() > NETWORKS {
            return Err(Exit::usage(format!("networks: at most {NETWORKS}, each once")));
        }
        let urls = self.signallers.iter().flat_map(|text| SignallerAddress::urls(text));
        let urls: Vec<String> = urls.collect();
        if urls.is_empty() {
            return Err(Exit::usage(
                "no signaller to be introduced by: name them in the file, signallers = [\"wss://…\"], or by \
                 --signaller",
            ));
        }
        for url in urls {
            parse_signaller(&url).map_err(|error| {
                let url = taiinet_terminal::line(&url);
                Exit::usage(format!("signallers: {url}: {error}"))
            })?;
        }
        if let Some(filter) = &self.log {
            filter.parse::<Targets>().map_err(|error| Exit::usage(format!("log: {error}")))?;
        }
        if let Some(file) = &self.identity
            && let Err(error) = std::fs::File::open(file)
        {
            return Err(Exit::usage(format!("identity: {}: {error}", file.display())));
        }
        let first = self.networks.first().map(|network| self.of_network(network).roots());
        match first {
            Some(Err(Exit::Failed(error))) => Err(Exit::Usage(error)),
            Some(Err(other)) => Err(other),
            _ => Ok(()),
        }
    }

    /// What can run, but most likely not as it was meant.
    pub(super) fn warnings(&self) -> Vec<&'static str> {
        let mut warnings = Vec::new();
        if let MetricsAddress::At(address) = self.metrics
            && !address.ip().to_canonical().is_loopback()
        {
            warnings.push(
                "metrics are told to whoever reaches their address, names of networks among them: take a loopback \
                 address, or keep others away by a firewall",
            );
        }
        if self.identity.is_none() {
            warnings.push("without an identity the node has another name after each start");
        }
        warnings
    }

    /// Says what would run.
    pub(super) fn print(&self, json: bool) -> CommandResult {
        for warning in self.warnings() {
            taiinet_terminal::say(format_args!("warning: {warning}"));
        }
        let text = if json {
            serde_json::to_string_pretty(self).map_err(Exit::failed)?
        } else {
            toml::to_string(self).map_err(Exit::failed)?
        };
        let text = taiinet_terminal::lines(&text);
        Ok(taiinet_terminal::print(&format!("{}\n", text.trim_end()))?)
    }

    /// The options of a peer in one of the networks, as the other commands have them; its identity and its files
    /// are the node's.
    pub(super) fn of_network(&self, network: &Network) -> NetArgs {
        NetArgs {
            network: Some(network.to_string()),
            signallers: self.signallers.clone(),
            identity: None,
            passphrase_file: None,
            blacklist: None,
            author_quota: self.quota,
            links: Some(self.links),
            bind: self.bind.clone(),
            relay_only: self.relay_only,
            signaller_relay: Some(self.signaller_relay),
            introduce_by_interest: self.introduce_by_interest,
            no_port_mapping: self.no_port_mapping,
            ca_file: self.ca_file.clone(),
        }
    }

    pub(super) fn cap(&self, bandwidth: &Bandwidth) {
        bandwidth.cap_upload(self.upload);
        bandwidth.cap_download(self.download);
    }

    /// The names of options that differ and take a restart.
    pub(super) fn changed_for_good(&self, new: &Self) -> Vec<String> {
        let reloaded = ["upload", "download", "log", "blacklist"];
        let [old, new] = [self, new].map(|one| toml::Table::try_from(one).unwrap_or_default());
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let names = names.into_iter().filter(|name| !reloaded.contains(&name.as_str()));
        names.filter(|name| old.get(*name) != new.get(*name)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_takes_a_restart_is_said_to() {
        let old = Settings { upload: Some(Rate::LEAST), ..Settings::default() };
        let new = Settings { log: Some("debug".to_owned()), ..Settings::default() };
        assert_eq!(old.changed_for_good(&new), Vec::<String>::new());
        let new = Settings { relay_only: true, state: Some("x".into()), ..old.clone() };
        assert_eq!(old.changed_for_good(&new), ["relay-only", "state"]);
    }

    #[test]
    fn metrics_that_all_can_reach_are_warned_of() {
        let warned = |metrics: &str| {
            let metrics = metrics.parse().expect("an address");
            let settings = Settings { metrics, identity: Some("x".into()), ..Settings::default() };
            settings.warnings().len()
        };
        assert_eq!((warned("127.0.0.1:1"), warned("[::1]:1"), warned("off")), (0, 0, 0));
        assert_eq!((warned("0.0.0.0:1"), warned("[::]:1"), warned("192.0.2.1:1")), (1, 1, 1));
    }
}
