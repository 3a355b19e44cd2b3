//! The scenarios, and the command that plays them.
#![cfg(feature = "command")]
#![allow(clippy::expect_used)]

mod command;
mod files;
mod short;
