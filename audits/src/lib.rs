//! Test vectors of the protocol, and fuzz targets for whatever faces the network.
//!
//! - [`vectors`] makes what stands in `audits/vectors`: the inputs and the bytes of everything that
//!   `audits/PROTOCOL.md` describes. A test makes them and compares.
//! - [`fuzz`] holds the bodies of the fuzz targets. A test runs each over its corpus and over
//!   deterministic mutations of it, with nothing but stable Rust; `cargo xtask fuzz` runs the same
//!   guided by coverage (`audits/fuzz`).

mod fixture;
pub mod fuzz;
pub mod vectors;
