//! Whole-system tests of TaiiNet: the real commands, each a process of its own, on loopback.
//!
//! This is what the tests in `tests/` stand on: [`Process`] runs a program, keeps what it prints and
//! ends it whatever happens; [`Signaller`] and [`Mesh`] start the programs of a network. Tests wait
//! for conditions with a deadline ([`eventually`]); none sleeps and hopes. Ports are chosen by the
//! system and each test has network names of its own, so any number may run at once.
//!
//! What needs networks of another kind than loopback runs in the [`laboratory`].

#[cfg(target_os = "linux")]
pub mod laboratory;
mod memory;
mod mesh;
mod process;
mod programs;

pub use memory::{memory_holds, resident};
pub use mesh::{Mesh, Peer, Signaller, connected};
pub use process::{Process, eventually};
pub use programs::{command, generate_key, program, taiinet};

use std::path::PathBuf;

/// The data set: 1,707 documents as NDJSON.
pub fn earthquakes() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/earthquakes.ndjson")
}
