//! Archives from the command line: import, export, check, repair, compact, stats.

#![allow(clippy::expect_used)]

mod damage;
mod documents;
mod interrupted;
mod round_trip;
mod support;
mod wrong;
