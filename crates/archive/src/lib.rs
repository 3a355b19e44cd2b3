//! Durable documents.
mod store;
mod tables;
pub use store::*;
