//! Which options count anew when they are reloaded, and which only at a start.

use super::Settings;

/// Those that only a start can change: where it listens, who it is, and what it has told others or counts by.
const AT_START: [&str; 18] = [
    "listen",
    "stun",
    "stun-second",
    "identity",
    "passphrase-file",
    "json",
    "pool",
    "public-url",
    "ipv4-prefix",
    "ipv6-prefix",
    "metrics",
    "control",
    "log-format",
    "relay",
    "max-relayed-links",
    "max-relayed-links-per-peer",
    "max-relayed-bytes",
    "max-relayed-bytes-per-peer",
];

/// What differs between the options that count and others.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Options that count anew.
    pub(crate) renewed: Vec<String>,
    /// Options that do so at the next start.
    pub(crate) at_start: Vec<String>,
}

impl Settings {
    /// What others change.
    pub(crate) fn changes(&self, others: &Self) -> Changes {
        let table = |settings| toml::Table::try_from(settings).unwrap_or_default();
        let (before, after) = (table(self), table(others));
        let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let mut changes = Changes::default();
        for name in names.into_iter().filter(|name| before.get(*name) != after.get(*name)) {
            let is_at_start = AT_START.contains(&name.as_str())
                || name.starts_with("tls-") && self.tls_cert.is_some() != others.tls_cert.is_some()
                // Another one to dial makes a pool of one that stood alone.
                || name == "peer" && self.is_in_pool() != others.is_in_pool();
            let list = if is_at_start { &mut changes.at_start } else { &mut changes.renewed };
            list.push(name.clone());
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        toml::from_str(text).expect("settings")
    }

    #[test]
    fn what_changed_is_named_and_what_takes_a_start_apart_from_that() {
        let before = settings("max-clients = 5\nlisten = ['127.0.0.1:1']");
        assert_eq!(before.changes(&before.clone()), Changes::default());
        let after = settings("log = 'debug'\nlisten = ['127.0.0.1:2']\nmetrics = '127.0.0.1:3'");
        let changes = before.changes(&after);
        assert_eq!(changes.renewed, ["log", "max-clients"]);
        assert_eq!(changes.at_start, ["listen", "metrics"]);
    }

    #[test]
    fn tls_and_a_pool_come_and_go_at_a_start_alone() {
        let plain = Settings::default();
        let tls = settings("tls-cert = 'a'\ntls-key = 'b'");
        let other = settings("tls-cert = 'c'\ntls-key = 'b'");
        assert_eq!(plain.changes(&tls).at_start, ["tls-cert", "tls-key"]);
        assert_eq!(tls.changes(&other).renewed, ["tls-cert"]);
        let key = "tn1ta7ujrk0t90cud7kdk9d8hmc35438cz662ux2t2k9velg62979usf43ffa";
        let peer = settings(&format!("peer = ['ws://a#{key}']"));
        assert_eq!(plain.changes(&peer).at_start, ["peer"]);
        let pool = settings("pool = true");
        let both = settings(&format!("pool = true\npeer = ['ws://a#{key}']"));
        assert_eq!(pool.changes(&both).renewed, ["peer"]);
    }

    #[test]
    fn what_takes_a_start_is_the_name_of_an_option() {
        let example = include_str!("../../taiinet-signaller.toml");
        for name in AT_START {
            let mut lines = example.lines().map(|line| line.trim_start_matches("# "));
            assert!(lines.any(|line| line.starts_with(&format!("{name} = "))), "{name}");
        }
    }
}
