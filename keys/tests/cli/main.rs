//! The real command, from outside.

mod common;
mod interchange;
mod keys;
mod manual;
#[cfg(target_os = "linux")]
mod output;
mod sealed;
mod signatures;
#[cfg(unix)]
mod targets;
mod transcripts;
