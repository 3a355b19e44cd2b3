//! One module a command.

pub(crate) mod convert;
pub(crate) mod generate;
pub(crate) mod passphrase;
pub(crate) mod show;
pub(crate) mod sign;
pub(crate) mod verify;
