//! The bodies of the fuzz targets: each takes any bytes, and must neither panic nor let a bound go.
//!
//! A body reads its bytes as the input itself where that is one thing (`wire`, `documents`,
//! `files`), and as a list of what happens where it is a state machine (`peer`, `desk`, `archive`): there it
//! also signs and proves as a hostile member can, or nothing would ever come past the first check.

mod archive;
mod bytes;
mod desk;
mod documents;
mod files;
mod member;
mod mutate;
mod other;
mod pair;
mod peer;
mod routing;
mod seeds;
mod session;
mod sorts;
mod wire;
mod world;

pub use mutate::Mutator;
pub use seeds::seeds;

/// A fuzz target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder in `audits/fuzz/corpus`.
    pub name: &'static str,
    /// Runs it once.
    pub run: fn(&[u8]),
    /// The longest input that makes sense.
    pub max_len: usize,
}

/// All of them.
pub const TARGETS: [Target; 23] = [
    target("message", wire::message, 16 * 1024),
    target("fragments", wire::fragments, 4096),
    target("to_signaller", wire::to_signaller, 4096),
    target("from_signaller", wire::from_signaller, 4096),
    target("binding", wire::binding, 1024),
    target("description", wire::description, 4096),
    target("session", session::session, 2048),
    target("document", documents::document, 4096),
    target("value", documents::value, 4096),
    target("json", documents::json, 4096),
    target("query", documents::query, 4096),
    target("routing", routing::routing, 4096),
    target("sort", sorts::sort, 4096),
    target("envelope", documents::envelope, 2048),
    target("peer_id", files::peer_id, 128),
    target("signature_file", files::signature_file, 512),
    target("key_file", files::key_file, 4096),
    target("sealed_file", files::sealed_file, 4096),
    target("forwarded", wire::forwarded, 512),
    target("peer", peer::run, 4096),
    target("pair", pair::run, 2048),
    target("desk", desk::run, 4096),
    target("archive", archive::run, 4096),
];

const fn target(name: &'static str, run: fn(&[u8]), max_len: usize) -> Target {
    Target { name, run, max_len }
}

/// The target of this name.
pub fn find(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}
