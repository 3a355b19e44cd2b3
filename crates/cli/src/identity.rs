//! The identity to take part with, from a key file.

use std::{
    fs,
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
    keyfile::load(file, || passphrase(file, passphrase_file))
        .map_err(|error| Exit::Failed(format!("identity {}: {error}", file.display())))
}

fn passphrase(file: &Path, passphrase_file: Option<&Path>) -> io::Result<Passphrase> {
    if let Some(path) = passphrase_file {
        let text = fs::read_to_string(path)
            .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
        return Ok(Passphrase::new(text.trim_end_matches(['\r', '\n'])));
    }
    if let Ok(text) = std::env::var(VARIABLE) {
        return Ok(Passphrase::new(text));
    }
    if !io::stderr().is_terminal() {
        let hint =
            format!("the key file has a passphrase: give --passphrase-file or set {VARIABLE}");
        return Err(io::Error::other(hint));
    }
    rpassword::prompt_password(format!("Passphrase of {}: ", file.display())).map(Passphrase::new)
}
