//! How much a node logs.

use taiinet_daemon::log_asked;
use tracing_subscriber::filter::{LevelFilter, Targets};

/// What an option, or `RUST_LOG`, asks for.
pub(super) fn filter(level: Option<&str>) -> Targets {
    let Some(asked) = log_asked(level) else { return ours(LevelFilter::INFO) };
    match (asked.parse::<LevelFilter>(), asked.parse()) {
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
