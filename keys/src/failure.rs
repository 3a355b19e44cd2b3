//! What went wrong and what to do next, for people.

use std::{io, path::Path, process::ExitCode};

use anstyle::{AnsiColor, Style};
use taiinet_identity::{keyfile::KeyFileError, sealed_file::SealedFileError};
use taiinet_terminal::{line, say};

use crate::args::is_dash;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const NEXT: Style = AnsiColor::Cyan.on_default();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// One line of what is wrong, one line of what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    next: Option<String>,
    code: u8,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), next: Some(next.into()), code: 1 }
    }

    /// What was asked for makes no sense: exit code 2.
    pub(crate) fn usage(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { code: 2, ..Self::new(what, next) }
    }

    /// The result has been printed already, and it is a no.
    pub(crate) const fn told() -> Self {
        Self { what: String::new(), next: None, code: 1 }
    }

    /// What is wrong.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// A fault of the key file `path`.
    pub(crate) fn of_key(path: &Path, error: &KeyFileError) -> Self {
        Self::new(format!("{}: {error}", path.display()), error.next_step())
    }

    /// Something other than a key cannot be read.
    pub(crate) fn reading(path: &Path, error: &io::Error) -> Self {
        Self::new(format!("{}: cannot be read: {error}", path.display()), "check the name")
    }

    /// A fault in sealing or opening the file `from` to `to`, of which a part may be there already.
    pub(crate) fn of_sealed(
        from: &Path,
        to: &Path,
        left_a_part: bool,
        error: &SealedFileError,
    ) -> Self {
        let of = match error {
            SealedFileError::Write(_) => named(to, "standard output"),
            _ => named(from, "standard input"),
        };
        let next = next_after_sealed(error);
        let next = if left_a_part {
            let to = named(to, "standard output");
            format!("discard what went to {to}, it is not whole; then {next}")
        } else {
            format!("nothing was written; {next}")
        };
        Self::new(format!("{of}: {error}"), next)
    }

    /// Says it on standard error.
    pub(crate) fn report(self) -> ExitCode {
        if !self.what.is_empty() {
            say(format_args!("{ERROR}error:{ERROR:#} {}", line(&self.what)));
        }
        if let Some(next) = self.next {
            say(format_args!("{NEXT} next:{NEXT:#} {}", line(&next)));
        }
        ExitCode::from(self.code)
    }
}

/// Something the user should know, though it went well.
pub(crate) fn warn(text: &str) {
    say(format_args!("{WARNING}warning:{WARNING:#} {}", line(text)));
}

fn named(path: &Path, dash: &str) -> String {
    if is_dash(path) { dash.to_owned() } else { path.display().to_string() }
}

fn next_after_sealed(error: &SealedFileError) -> &'static str {
    match error {
        SealedFileError::NoRecipients => "name one with --to PEERID",
        SealedFileError::TooManyRecipients { .. } => "name some of them, and seal it again",
        SealedFileError::Recipient(_) => "ask its owner for the peer id again",
        SealedFileError::Read(_) => "check that it is a file and that you may read it",
        SealedFileError::Write(_) => "check that there is room and that you may write there",
        SealedFileError::NotSealed => "give a file from `taiinet-keys seal` or `age`",
        SealedFileError::Utf16 => "save it as UTF-8",
        SealedFileError::NewerVersion => "open it with a newer `age`",
        SealedFileError::Passphrase => {
            "open it with `age -d`; a key file needs no opening, it is used as it is"
        }
        SealedFileError::NotRecipient => {
            "give another key with --identity, or have it sealed to this one's peer id"
        }
        SealedFileError::Header | SealedFileError::Altered => {
            "get the file again, from the peer that sealed it"
        }
    }
}
