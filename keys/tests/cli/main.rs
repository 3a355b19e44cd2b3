//! The real command, from outside.

mod common;
mod interchange;
mod keys;
mod manual;
mod sealed;
mod signatures;
mod transcripts;
