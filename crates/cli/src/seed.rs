//! `taiinet seed`: a peer with an archive, which keeps what matches and gives it to those who come later; of several
//! networks, a peer and an archive each.

mod seeds;
mod stores;

use std::{path::PathBuf, time::Duration};

use taiinet::{ArchiveOptions, PeerId};
use taiinet_daemon::{Manager, Signals, Told};
use taiinet_query::Path;
use tokio::time::interval;

use self::seeds::{Faults, Seeds};
use crate::{
    exit::{CommandResult, Exit},
    net::{self, NetArgs},
    query,
};

/// How often it is told how it goes.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Keep the documents of a network that match, and give them to peers that come later
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet seed '{}' --store ./archive --network tweets --signaller ws://127.0.0.1:7700
  taiinet seed '{\"type\": \"tweet\"}' --store /var/lib/taiinet/tweets --index likes --quota 10GiB --keep 90d
  taiinet seed '{}' --store ./archives --network tweets --network quakes --identity archive.key

Anyone can run one, and nobody has to trust it: whoever gets a document from it checks the signature. What is
sealed is kept unread, if a query matches its public fields. What its author deletes, or sets an end, leaves. With
--identity it is the same peer after a restart. `taiinet archive` looks after a store that is not in use.
Exit codes: 0 told to stop, 1 failed, 2 wrong usage.")]
pub(crate) struct SeedArgs {
    /// What to keep: queries as JSON, one of which must match; {} keeps everything
    #[arg(required = true, value_name = "QUERY")]
    queries: Vec<String>,
    /// The network to keep documents of; repeat it for several. Each has a peer and an archive of its own, in
    /// DIR/NAME, with all options alike: --quota and --share are for each
    #[arg(long, env = "TAIINET_NETWORK", value_name = "NAME", value_parser = net::line(), help_heading = "Network")]
    network: Vec<String>,
    /// The directory of the archive, or of those of several networks; made if it is not there
    #[arg(long, value_name = "DIR", env = "TAIINET_STORE")]
    store: PathBuf,
    /// A field by which documents are found and sorted quickly, at most 16; repeat it, or separate by commas
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    index: Vec<Path>,
    /// How much of the disk an archive may take, about: 500MB, 10GiB. Past that the oldest leave, those of authors over
    /// their share first
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    quota: Option<u64>,
    /// How much of an archive's disk one author may take; whoever has more loses its oldest first when room is needed
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    share: Option<u64>,
    /// How old documents may become: 90d
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    keep: Option<Duration>,
    /// How old a document may be when it comes. With it, deletions leave once what they delete is older than that
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    max_backdate: Option<Duration>,
    /// Authors whose documents may be older when they come, and are imported as fast as they can be verified; those of
    /// other authors are imported at some 1,600 a second. Repeat it, or separate by commas
    #[arg(long, value_name = "PEERID", value_delimiter = ',')]
    import_from: Vec<PeerId>,
    /// Print what happens as lines of JSON on stdout
    #[arg(long)]
    json: bool,
}

/// A number of bytes: `1500`, `500MB`, `10GiB`.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let power = |base: u64, exponent: u32| base.checked_pow(exponent);
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "kb" | "k" => power(1000, 1),
        "mb" | "m" => power(1000, 2),
        "gb" | "g" => power(1000, 3),
        "tb" | "t" => power(1000, 4),
        "kib" => power(1024, 1),
        "mib" => power(1024, 2),
        "gib" => power(1024, 3),
        "tib" => power(1024, 4),
        _ => None,
    };
    let number: Option<f64> = number.parse().ok();
    match number.zip(unit) {
        Some((number, unit)) if number > 0.0 && number * (unit as f64) < 1e18 => {
            Ok((number * unit as f64) as u64)
        }
        _ => Err(format!("`{text}` is no number of bytes: write 500MB or 10GiB")),
    }
}

pub(crate) async fn run(net: NetArgs, args: SeedArgs) -> CommandResult {
    let queries = args.queries.iter().map(|text| query::parse(text));
    let queries = queries.collect::<Result<Vec<_>, _>>()?;
    let stores = stores::of(&args.store, &stores::networks(&args.network)?)?;
    let signals =
        Signals::new().map_err(|error| Exit::failed(format!("cannot hear signals: {error}")))?;
    let options = |store: &PathBuf| ArchiveOptions {
        index: args.index.clone(),
        quota: args.quota,
        share: args.share,
        keep: args.keep,
        max_backdate: args.max_backdate,
        import_from: args.import_from.clone(),
        ..ArchiveOptions::new(store, queries.clone())
    };
    let seeds = Seeds::start(&net, stores, options).await?;
    let manager = Manager::from_env();
    let served = tokio::select! {
        served = serve(&seeds, &manager, signals, args.json) => served,
        never = manager.keep_alive(async || seeds.are_well().await) => match never {},
    };
    manager.stopping("leaving the network");
    // What was taken is on the disk when this returns.
    seeds.close().await;
    served
}

/// Until it is told to stop; a reload changes nothing.
async fn serve(
    seeds: &Seeds,
    manager: &Manager,
    mut signals: Signals,
    json: bool,
) -> CommandResult {
    seeds.announce(json).await?;
    manager.ready("keeping");
    let mut ticks = interval(TELL_EVERY);
    let mut faults = Faults::default();
    loop {
        tokio::select! {
            told = signals.next() => match told {
                Told::Stop => return Ok(()),
                Told::Reload => {}
            },
            _ = ticks.tick() => {
                let statuses = seeds.look().await;
                faults.tell(seeds, &statuses);
                if let Some(sentence) = seeds::sentence(&statuses) {
                    manager.status(&sentence);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(bytes("1500"), Ok(1500));
        assert_eq!(bytes("500MB"), Ok(500_000_000));
        assert_eq!(bytes("1.5 GiB"), Ok(1_610_612_736));
        for wrong in ["", "GiB", "-1", "1 apple", "0", "99999999TiB", "1e9"] {
            assert!(bytes(wrong).is_err_and(|error| error.contains("10GiB")), "{wrong}");
        }
    }
}
