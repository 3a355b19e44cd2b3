//! The log of a node, whose level can be changed while it runs.

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tracing_subscriber::{
    Registry,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    reload::{self, Handle},
    util::SubscriberInitExt,
};

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LogFormat {
    Text,
    Json,
}

/// What the log lets through.
pub(super) struct Log(Handle<Targets, Registry>);

impl Log {
    pub(super) fn start(level: Option<&str>, format: LogFormat) -> Self {
        let (filter, handle) = reload::Layer::new(filter(level));
        let log = fmt::layer()
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            // What cannot be logged is lost: to complain of it, on the same stderr, would panic.
            .log_internal_errors(false);
        let filtered = tracing_subscriber::registry().with(filter);
        match format {
            LogFormat::Text => filtered.with(log).init(),
            LogFormat::Json => filtered.with(log.json()).init(),
        }
        Self(handle)
    }

    pub(super) fn set(&self, level: Option<&str>) {
        // The log is there for as long as this is.
        let _ = self.0.reload(filter(level));
    }
}

fn filter(level: Option<&str>) -> Targets {
    let given = level.map(ToOwned::to_owned).or_else(|| std::env::var("RUST_LOG").ok());
    let given = given.filter(|given| !given.is_empty());
    let Some(given) = given else { return ours(LevelFilter::INFO) };
    match (given.parse::<LevelFilter>(), given.parse()) {
        (Ok(level), _) if level <= LevelFilter::INFO => ours(level),
        (_, Ok(filter)) => filter,
        (_, Err(_)) => ours(LevelFilter::INFO),
    }
}

/// What this node does, and less of what libraries say of it: those of links warn of what is usual.
fn ours(level: LevelFilter) -> Targets {
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("taiinet", level)
        .with_target("rtc", LevelFilter::OFF)
        .with_target("webrtc", LevelFilter::OFF)
}
