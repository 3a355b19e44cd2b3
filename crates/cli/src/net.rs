//! The options of all commands that take part in a network, and the peer that they describe.

use std::{
    fmt::{self, Display},
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use clap::{
    Args,
    builder::{PathBufValueParser, StringValueParser, TypedValueParser},
};
use taiinet::{Builder, Identity, Quota, SignallerAddress, SignallerRelay, TaiiNet};
use taiinet_daemon::serde_as_text;
use taiinet_webrtc::check_roots;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};

use crate::{exit::Exit, identity};

/// How to take part in a network.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetArgs {
    /// The network to take part in, a name of your choice
    #[arg(long, global = true, env = "TAIINET_NETWORK", value_name = "NAME", value_parser = line())]
    pub(crate) network: Option<String>,
    /// A signaller: ws://HOST:PORT or wss://HOST, and #PEERID if its key is known; repeatable, or several
    /// with commas between them
    #[arg(long = "signaller", global = true, env = "TAIINET_SIGNALLER", value_name = "URL")]
    pub(crate) signallers: Vec<String>,
    /// The key file to take part with; a fresh identity for this run if not given. Beside it stand FILE.blacklist;
    /// FILE.signallers, those that a signaller's pool told of; and FILE.stamp, the time of the last document
    #[arg(long, global = true, env = "TAIINET_IDENTITY", value_name = "FILE", value_parser = path())]
    pub(crate) identity: Option<PathBuf>,
    /// A file whose first line is the passphrase of the key file, `-` for stdin; else
    /// TAIINET_PASSPHRASE or the terminal
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The file of those to have no link to; beside the key file, as FILE.blacklist, if not given
    #[arg(long, global = true, env = "TAIINET_BLACKLIST", value_name = "FILE", value_parser = path())]
    pub(crate) blacklist: Option<PathBuf>,
    /// How many documents a second one author may write in this network, and how many at once; all
    /// peers must say the same
    #[arg(long, global = true, value_name = "RATE[,BURST]")]
    pub(crate) author_quota: Option<AuthorRate>,
    /// How many neighbours to look for, and how many to accept at most
    #[arg(long, global = true, value_name = "TARGET[,MAX]")]
    pub(crate) links: Option<LinkNumbers>,
    /// A local IP address for links, instead of all that this machine has; repeatable
    #[arg(long, global = true, value_name = "ADDR", value_parser = address)]
    pub(crate) bind: Vec<IpAddr>,
    /// WebRTC links go only through TURN servers that a signaller names: no peer learns this machine's addresses.
    /// Links that a signaller relays (`--signaller-relay`) hide them from other peers as well
    #[arg(long, global = true)]
    pub(crate) relay_only: bool,
    /// When links may be relayed by a signaller that does so: `last-resort`, where no direct one can be had;
    /// `never`; or `only`, where nothing but connections to signallers shall leave this machine
    #[arg(long, global = true, env = "TAIINET_SIGNALLER_RELAY", value_name = "WHEN")]
    pub(crate) signaller_relay: Option<SignallerRelay>,
    /// Let signallers introduce this peer to others that want the same: they are told hashes of what it subscribes to, and
    /// whoever guesses a query can ask them who has it
    #[arg(long, global = true)]
    pub(crate) introduce_by_interest: bool,
    /// Ask no router for ports that lead here (PCP, NAT-PMP)
    #[arg(long, global = true)]
    pub(crate) no_port_mapping: bool,
    /// A PEM file of certificate authorities for wss://, beside the web's
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}

/// Text without the end of its line, which files of environments leave behind it.
pub(crate) fn line() -> impl TypedValueParser<Value = String> {
    StringValueParser::new().map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
}

/// The same of a path.
fn path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(|path| match path.to_str() {
        Some(text) => text.trim_end_matches(['\r', '\n']).into(),
        None => path,
    })
}

/// Returns when the user (Ctrl-C) or the system (SIGTERM) wants us to leave.
pub(crate) fn told_to_leave() -> impl Future<Output = ()> {
    // From now on, and not only when somebody waits for it.
    #[cfg(unix)]
    let told = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    async move {
        #[cfg(unix)]
        if let [Ok(mut terminate), Ok(mut interrupt)] = told {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// Waits so long, or for ever.
pub(crate) async fn elapsed(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

/// Seconds, with a fraction if wanted.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| format!("`{text}` is no number of seconds"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// An IP address; `:0` behind it says what is so anyway, that the system chooses the port.
fn address(text: &str) -> Result<IpAddr, String> {
    match (text.parse(), text.parse::<SocketAddr>()) {
        (Ok(address), _) => Ok(address),
        (_, Ok(address)) if address.port() == 0 => Ok(address.ip()),
        (_, Ok(_)) => Err("the port cannot be chosen: each link has its own".to_owned()),
        _ => Err(format!("`{text}` is no IP address")),
    }
}

/// `TARGET[,MAX]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinkNumbers {
    target: usize,
    max: usize,
}

impl Default for LinkNumbers {
    fn default() -> Self {
        let (target, max) = Builder::LINKS;
        Self { target, max }
    }
}

impl fmt::Display for LinkNumbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.target, self.max)
    }
}

serde_as_text!(LinkNumbers);

impl FromStr for LinkNumbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            text.trim().parse::<usize>().map_err(|_| format!("`{text}` is no number of links"))
        };
        let (target, max) = match text.split_once(',') {
            Some((target, max)) => (number(target)?, number(max)?),
            None => {
                let target = number(text)?;
                // Room for peers that look for us.
                (target, target.saturating_add(4).clamp(1, 10).max(target))
            }
        };
        Ok(Self { target, max })
    }
}

/// `RATE[,BURST]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AuthorRate {
    documents: (u32, u32),
}

impl fmt::Display for AuthorRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (burst, rate) = self.documents;
        write!(f, "{rate},{burst}")
    }
}

serde_as_text!(AuthorRate);

impl FromStr for AuthorRate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            let number = text.trim().parse().ok().filter(|number: &u32| *number > 0);
            number.ok_or_else(|| format!("`{text}` is no number of documents"))
        };
        let (rate, burst) = match text.split_once(',') {
            Some((rate, burst)) => (number(rate)?, number(burst)?),
            None => (number(text)?, number(text)?.saturating_mul(16)),
        };
        Ok(Self { documents: (burst, rate) })
    }
}

impl NetArgs {
    /// Where the blacklist is kept, if anywhere.
    pub(crate) fn blacklist(&self) -> Option<PathBuf> {
        self.blacklist.clone().or_else(|| self.beside_identity(".blacklist"))
    }

    fn beside_identity(&self, ending: &str) -> Option<PathBuf> {
        let mut path = self.identity.clone()?.into_os_string();
        path.push(ending);
        Some(path.into())
    }

    /// Starts the peer.
    pub(crate) async fn connect(&self) -> Result<TaiiNet, Exit> {
        self.connect_with(|builder| builder).await
    }

    /// Starts the peer, with something more.
    pub(crate) async fn connect_with(
        &self,
        with: impl FnOnce(Builder) -> Builder,
    ) -> Result<TaiiNet, Exit> {
        self.connect_as(self.read_identity()?, with).await
    }

    /// The identity to take part with, if it is not a fresh one. Its passphrase may be asked for.
    pub(crate) fn read_identity(&self) -> Result<Option<Identity>, Exit> {
        let read = |file: &PathBuf| identity::read(file, self.passphrase_file.as_deref());
        self.identity.as_ref().map(read).transpose()
    }

    /// Starts a peer of this identity, or of a fresh one, with something more.
    pub(crate) async fn connect_as(
        &self,
        identity: Option<Identity>,
        with: impl FnOnce(Builder) -> Builder,
    ) -> Result<TaiiNet, Exit> {
        let Some(network) = &self.network else {
            return Err(Exit::usage("which network? Give --network NAME or set TAIINET_NETWORK"));
        };
        let mut builder = self.builder()?.network(network);
        if let Some(identity) = identity {
            builder = builder.identity(identity);
        }
        if let Some(path) = self.blacklist() {
            builder = builder.blacklist_file(path);
        }
        if let Some(path) = self.beside_identity(".signallers") {
            builder = builder.signallers_file(path);
        }
        if let Some(path) = self.beside_identity(".stamp") {
            builder = builder.stamp_file(path);
        }
        Ok(with(builder).connect().await?)
    }

    /// A peer as described, but for its network and identity.
    pub(crate) fn builder(&self) -> Result<Builder, Exit> {
        let mut builder = TaiiNet::builder()
            .bind(self.bind.iter().copied())
            .relay_only(self.relay_only)
            .signaller_relay(self.signaller_relay.unwrap_or_default())
            .introduce_by_interest(self.introduce_by_interest)
            .port_mapping(!self.no_port_mapping)
            .extra_roots(self.roots()?);
        for signaller in self.signallers()? {
            builder = builder.signaller(signaller);
        }
        if let Some(LinkNumbers { target, max }) = self.links {
            builder = builder.links(target, max);
        }
        if let Some(AuthorRate { documents }) = self.author_quota {
            builder = builder.quota(Quota { documents, ..Quota::default() });
        }
        Ok(builder)
    }

    /// The signallers' addresses.
    pub(crate) fn signallers(&self) -> Result<Vec<String>, Exit> {
        let urls = self.signallers.iter().flat_map(|text| SignallerAddress::urls(text));
        let urls: Vec<String> = urls.collect();
        if urls.is_empty() {
            return Err(Exit::usage(
                "no signaller to be introduced by: give --signaller URL or set TAIINET_SIGNALLER",
            ));
        }
        Ok(urls)
    }

    /// Certificate authorities besides the web's.
    pub(crate) fn roots(&self) -> Result<Vec<u8>, Exit> {
        let Some(file) = &self.ca_file else { return Ok(Vec::new()) };
        let failed = |error: &dyn Display| Exit::Failed(format!("{}: {error}", file.display()));
        let pem = std::fs::read(file).map_err(|error| failed(&error))?;
        check_roots(&pem).map_err(|error| failed(&error))?;
        Ok(pem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let loopback = Ok(IpAddr::from([127, 0, 0, 1]));
        assert_eq!(address("127.0.0.1"), loopback);
        assert_eq!(address("127.0.0.1:0"), loopback);
        assert!(address("127.0.0.1:7000").is_err());
        assert!(address("localhost").is_err());
        assert!(address("::1").is_ok());
    }

    #[test]
    fn rates_of_authors() {
        assert_eq!("10,50".parse(), Ok(AuthorRate { documents: (50, 10) }));
        assert_eq!("10".parse(), Ok(AuthorRate { documents: (160, 10) }));
        assert!("0".parse::<AuthorRate>().is_err());
        assert!("x,1".parse::<AuthorRate>().is_err());
    }

    #[test]
    fn numbers_of_links() {
        assert_eq!("1,2".parse(), Ok(LinkNumbers { target: 1, max: 2 }));
        assert_eq!("2".parse(), Ok(LinkNumbers { target: 2, max: 6 }));
        assert_eq!("9".parse(), Ok(LinkNumbers { target: 9, max: 10 }));
        assert!("".parse::<LinkNumbers>().is_err());
        assert!("1,x".parse::<LinkNumbers>().is_err());
        assert!("-1".parse::<LinkNumbers>().is_err());
    }
}
