//! The log of a daemon, whose level can be changed while it runs.

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tracing_subscriber::{
    Registry,
    filter::Targets,
    fmt,
    layer::SubscriberExt,
    reload::{self, Handle},
    util::SubscriberInitExt,
};

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
// Their documentation would be help on the command line, where it says nothing that the names do not.
#[allow(missing_docs)]
pub enum LogFormat {
    Text,
    Json,
}

/// What the log lets through.
#[derive(Debug)]
pub struct Log(Handle<Targets, Registry>);

impl Log {
    /// Begins to log, to stderr.
    ///
    /// # Panics
    /// If there is a log already.
    pub fn start(filter: Targets, format: LogFormat) -> Self {
        let (filter, handle) = reload::Layer::new(filter);
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

    /// Lets this through from now on.
    pub fn set(&self, filter: Targets) {
        // It fails only if the log has ended.
        let _ = self.0.reload(filter);
    }
}

/// What is asked of the log: by an option or, where it is not given, by `RUST_LOG`.
pub fn log_asked(option: Option<&str>) -> Option<String> {
    let given = option.map(ToOwned::to_owned).or_else(|| std::env::var("RUST_LOG").ok());
    given.filter(|given| !given.is_empty())
}
