//! The identity to take part with, from a key file.

use std::{
    io::{self, IsTerminal},
    path::Path,
};

use taiinet::{
    Identity,
    keyfile::{self, Passphrase},
};

use crate::exit::Exit;

const VARIABLE: &str = "TAIINET_PASSPHRASE";

/// Reads a key file; its passphrase, if it has one, comes from `passphrase_file`, the environment or
/// the terminal.
pub(crate) fn read(file: &Path, passphrase_file: Option<&Path>) -> Result<Identity, Exit> {
    keyfile::load(file, || passphrase(file, passphrase_file)).map_err(|error| {
        let next = error.next_step();
        Exit::Failed(format!("identity {}: {error}; {next}", file.display()))
    })
}

fn passphrase(file: &Path, passphrase_file: Option<&Path>) -> io::Result<Passphrase> {
    if let Some(given) = Passphrase::given(passphrase_file, VARIABLE)? {
        return Ok(given);
    }
    if !io::stderr().is_terminal() {
        return Err(io::Error::other("there is no terminal to ask on"));
    }
    let file = file.to_string_lossy();
    let prompt = format!("Passphrase of {}: ", taiinet_terminal::line(&file));
    rpassword::prompt_password(prompt).map(Passphrase::new)
}
