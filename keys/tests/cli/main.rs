//! The real command, from outside.

mod common;
mod interchange;
mod keys;
mod signatures;
mod transcripts;
