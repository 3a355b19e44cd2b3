//! TaiiNet's query language: MongoDB's semantics.

mod ast;
mod error;
mod eval;
mod index;
pub mod limits;
mod normal;
mod order;
mod parse;
mod pattern;
mod query;
mod subject;
#[cfg(test)]
mod testing;
mod text;
mod types;

pub use error::{Place, QueryError};
pub use index::{Index, Scratch};
pub use query::Query;
