//! Where passphrases come from: a file, the environment, or the terminal.

use std::{
    io,
    path::{Path, PathBuf},
};

use taiinet_identity::keyfile::{Passphrase, WorkFactor};

use crate::{args::PassphraseArgs, failure::Failure};

/// Where one passphrase comes from.
#[derive(Debug)]
pub(crate) struct Source {
    file: Option<PathBuf>,
    file_option: &'static str,
    variable: &'static str,
}

impl Source {
    /// The passphrase that a key file has, or gets when it is made.
    pub(crate) fn of(args: &PassphraseArgs) -> Self {
        Self {
            file: args.passphrase_file.clone(),
            file_option: "--passphrase-file",
            variable: "TAIINET_PASSPHRASE",
        }
    }

    /// The passphrase that replaces it.
    pub(crate) const fn replacement(file: Option<PathBuf>) -> Self {
        Self { file, file_option: "--new-passphrase-file", variable: "TAIINET_NEW_PASSPHRASE" }
    }

    /// The file it is read from, if any.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Whether the user would be asked, and so can try again.
    pub(crate) fn is_terminal(&self) -> bool {
        self.file.is_none() && std::env::var_os(self.variable).is_none()
    }

    /// The passphrase of the existing key file `of`.
    pub(crate) fn existing(&self, of: &Path) -> io::Result<Passphrase> {
        match self.given()? {
            Some(passphrase) => Ok(passphrase),
            None => ask(&format!("Passphrase of {}: ", of.display())),
        }
    }

    /// A passphrase to protect `of` with; on the terminal it is asked for twice.
    pub(crate) fn new_for(&self, of: &Path, work: WorkFactor) -> Result<Passphrase, Failure> {
        let unavailable = |error: io::Error| {
            Failure::new(
                format!("no passphrase could be had: {error}"),
                format!(
                    "run it in a terminal, give {} FILE or {}, or choose --no-passphrase",
                    self.file_option, self.variable
                ),
            )
        };
        let passphrase = match self.given().map_err(unavailable)? {
            Some(passphrase) => passphrase,
            None => {
                let of = of.display();
                let first = ask(&format!("New passphrase for {of}: ")).map_err(unavailable)?;
                if !first.is_empty() && ask("The same again: ").map_err(unavailable)? != first {
                    return Err(Failure::new(
                        "the two passphrases differ",
                        "nothing was written; try again",
                    ));
                }
                first
            }
        };
        if passphrase.is_empty() {
            return Err(Failure::new(
                "the passphrase is empty",
                "nothing was written; type at least one character, or choose to have none \
                 (--no-passphrase, or --remove)",
            ));
        }
        Ok(passphrase.with_work_factor(work))
    }

    fn given(&self) -> io::Result<Option<Passphrase>> {
        Passphrase::given(self.file.as_deref(), self.variable)
    }
}

fn ask(prompt: &str) -> io::Result<Passphrase> {
    rpassword::prompt_password(&*taiinet_terminal::line(prompt)).map(Passphrase::new).map_err(
        |error| {
            // What the system says where there is no terminal would help no user.
            match error.kind() {
                io::ErrorKind::Interrupted => error,
                _ => io::Error::other("there is no terminal to ask on"),
            }
        },
    )
}
