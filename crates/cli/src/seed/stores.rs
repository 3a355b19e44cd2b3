//! Where the archives of one network, or of several, are.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use taiinet::{
    Network,
    archives::{Config, RedbStore},
};

use crate::{exit::Exit, folder};

/// In how many networks one process keeps documents, at most.
const NETWORKS: usize = 32;

/// The networks of these names, each once.
///
/// # Errors
/// Wrong usage, with what is wrong.
pub(super) fn networks(names: &[String]) -> Result<Vec<Network>, Exit> {
    let parse = |name: &String| {
        name.parse::<Network>().map_err(|error| Exit::usage(format!("network: {error}")))
    };
    let networks = names.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let distinct: BTreeSet<_> = networks.iter().collect();
    match networks.len() {
        0 => Err(Exit::usage("which network? Give --network NAME or set TAIINET_NETWORK")),
        count if count > NETWORKS || distinct.len() < count => {
            Err(Exit::usage(format!("networks: at most {NETWORKS}, each once")))
        }
        _ => Ok(networks),
    }
}

/// The directory of each one's archive: this one of a single network, else one in it for each.
///
/// # Errors
/// If the directory has an archive, or archives, of the other kind: neither is to be passed over in silence, and made
/// anew beside what is there.
pub(super) fn of(directory: &Path, networks: &[Network]) -> Result<Vec<(Network, PathBuf)>, Exit> {
    let is_single = RedbStore::is_in(directory);
    match networks {
        [network] => {
            let others = if is_single { Vec::new() } else { archives_in(directory) };
            let Some(first) = others.first() else {
                return Ok(vec![(network.clone(), directory.to_owned())]);
            };
            let own = folder::of_network(directory, network);
            let one = if RedbStore::is_in(&own) { &own } else { first };
            Err(Exit::usage(format!(
                "{} has the archives of several networks: name these networks with --network each, or one archive \
                 with --store {}",
                directory.display(),
                one.display()
            )))
        }
        _ if is_single => {
            let to = network_of(directory).map(|network| folder::of_network(directory, &network));
            let to = to.map_or_else(
                || "a directory of its network's name in it".to_owned(),
                |to| to.display().to_string(),
            );
            Err(Exit::usage(format!(
                "{} is the archive of one network: for several give another --store, or move its {} to {to}",
                directory.display(),
                RedbStore::FILE,
            )))
        }
        _ => {
            let store =
                |network: &Network| (network.clone(), folder::of_network(directory, network));
            Ok(networks.iter().map(store).collect())
        }
    }
}

/// The directories in this one that have an archive, in order.
fn archives_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut archives: Vec<_> =
        entries.map(|entry| entry.path()).filter(|path| RedbStore::is_in(path)).collect();
    archives.sort();
    archives
}

/// The network of an archive, if it can be read.
fn network_of(directory: &Path) -> Option<Network> {
    let store = RedbStore::open(directory).ok()?;
    Some(Config::stored(&store).ok()??.network)
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    fn named(names: &[&str]) -> Result<Vec<Network>, Exit> {
        networks(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    fn refused(outcome: Result<impl Sized, Exit>) -> String {
        match outcome.map(|_| ()) {
            Err(Exit::Usage(reason)) => reason,
            other => panic!("no wrong usage: {other:?}"),
        }
    }

    #[test]
    fn networks_are_some_and_each_once() {
        assert_eq!(named(&["b", "a"]).expect("two").len(), 2);
        let many: Vec<String> = (0..=NETWORKS).map(|n| n.to_string()).collect();
        for (wrong, says) in [
            (named(&[]), "which network"),
            (named(&["a", "b", "a"]), "each once"),
            (named(&[""]), "network: "),
            (networks(&many), "at most 32"),
        ] {
            let reason = refused(wrong);
            assert!(reason.contains(says), "{reason}");
        }
    }

    #[test]
    fn an_archive_of_the_other_kind_is_not_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let [one, several] = ["one", "several"].map(|name| folder.path().join(name));
        let all = named(&["a/b", "c"]).expect("two");
        let single = &all[..1];
        let paths = |stores: Vec<(Network, PathBuf)>| {
            stores.into_iter().map(|(_, path)| path).collect::<Vec<_>>()
        };
        let make = |directory: &Path, network: &Network| {
            let options = taiinet::ArchiveOptions::new(directory, Vec::new());
            drop(options.open(network.clone()).expect("an archive"));
        };

        let places = paths(of(&several, &all).expect("nothing is there"));
        assert_eq!(places, [several.join("a%2fb"), several.join("c")]);
        places.iter().zip(&all).for_each(|(place, network)| make(place, network));
        assert_eq!(paths(of(&several, &all).expect("theirs")), places);
        let reason = refused(of(&several, single));
        assert!(reason.contains(&places[0].display().to_string()), "{reason}");

        assert_eq!(paths(of(&one, single).expect("nothing is there")), slice::from_ref(&one));
        make(&one, &all[0]);
        assert_eq!(paths(of(&one, single).expect("its own")), slice::from_ref(&one));
        let reason = refused(of(&one, &all));
        let to = one.join("a%2fb").display().to_string();
        assert!(reason.contains(RedbStore::FILE) && reason.contains(&to), "{reason}");
    }
}
