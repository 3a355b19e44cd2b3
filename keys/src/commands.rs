//! One module a command.

pub(crate) mod convert;
pub(crate) mod generate;
pub(crate) mod manual;
pub(crate) mod open;
pub(crate) mod passphrase;
pub(crate) mod seal;
pub(crate) mod show;
pub(crate) mod sign;
pub(crate) mod verify;
