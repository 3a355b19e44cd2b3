//! The test vectors of `audits/PROTOCOL.md`: for each format the inputs, in words or as JSON, and the
//! bytes, as hex.

mod documents;
mod files;
mod keys;
mod links;
mod places;
mod routing;
mod sessions;
mod signallers;
mod trees;

use core::convert::Infallible;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng, TryCryptoRng, TryRng};
use serde_json::Value as Json;

use crate::fixture::hex;

/// Each file of `audits/vectors`: its name and its text.
pub fn files() -> Vec<(&'static str, String)> {
    let files = [
        ("keys.json", keys::vectors()),
        ("documents.json", documents::vectors()),
        ("places.json", places::vectors()),
        ("routing.json", routing::vectors()),
        ("envelopes.json", documents::envelopes()),
        ("frames.json", links::frames()),
        ("handshake.json", links::handshake()),
        ("sessions.json", sessions::vectors()),
        ("signals.json", links::signals()),
        ("signallers.json", signallers::vectors()),
        ("files.json", files::vectors()),
    ];
    files.map(|(name, vectors)| (name, text(&vectors))).to_vec()
}

/// Sets of routing keys, what a document has, and keys, one after the other.
pub(crate) fn routing() -> Vec<Vec<u8>> {
    routing::routing()
}

/// The frames between peers, of every kind.
pub(crate) fn peer_frames() -> Vec<taiinet_mesh::wire::Frame> {
    links::examples().into_iter().chain(links::others()).map(|(_, frame)| frame).collect()
}

/// The frames between a peer and a signaller, both ways, encoded.
pub(crate) fn signaller_frames() -> [Vec<Vec<u8>>; 2] {
    signallers::encoded()
}

/// An envelope and a sealed document.
pub(crate) fn sealed() -> (Vec<u8>, Vec<u8>) {
    documents::sealed()
}

fn text(vectors: &Json) -> String {
    let mut text = serde_json::to_string_pretty(vectors).unwrap_or_default();
    text.push('\n');
    text
}

/// A generator that writes down what it gave: what is random in a vector is a part of it.
struct Recorder {
    rng: ChaCha20Rng,
    given: Vec<String>,
}

impl Recorder {
    fn new(seed: u8) -> Self {
        Self { rng: ChaCha20Rng::from_seed([seed; 32]), given: Vec::new() }
    }
}

impl TryRng for Recorder {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let number = self.rng.next_u32();
        self.given.push(hex(&number.to_le_bytes()));
        Ok(number)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let number = self.rng.next_u64();
        self.given.push(hex(&number.to_le_bytes()));
        Ok(number)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.rng.fill_bytes(bytes);
        self.given.push(hex(bytes));
        Ok(())
    }
}

impl TryCryptoRng for Recorder {}
