//! How a command ends: 0 done, 1 failed, 2 wrong usage.

use std::{fmt::Display, io, process::ExitCode};

use taiinet_terminal as terminal;

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Exit {
    /// Not done, for a reason to be printed.
    Failed(String),
    /// Wrongly used.
    Usage(String),
    /// The reader of our output has had enough.
    BrokenPipe,
}

/// What a command gives.
pub(crate) type CommandResult = Result<(), Exit>;

impl Exit {
    pub(crate) fn failed(reason: impl Display) -> Self {
        Self::Failed(reason.to_string())
    }

    pub(crate) fn usage(reason: impl Display) -> Self {
        Self::Usage(reason.to_string())
    }

    /// The exit code, after saying on stderr what is to be said.
    pub(crate) fn code(outcome: CommandResult) -> ExitCode {
        let (code, reason) = match outcome {
            Ok(()) | Err(Self::BrokenPipe) => return ExitCode::SUCCESS,
            Err(Self::Failed(reason)) => (1, reason),
            Err(Self::Usage(reason)) => (2, reason),
        };
        let red = anstyle::AnsiColor::Red.on_default().bold();
        let reason = terminal::lines(&reason);
        terminal::say(format_args!("{red}error:{red:#} {reason}"));
        ExitCode::from(code)
    }
}

/// Of writing to stdout.
impl From<io::Error> for Exit {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::Failed(taiinet_terminal::unwritten(&error)),
        }
    }
}

/// What is wrong with the description of a peer or a query is the user's to correct.
impl From<taiinet::Error> for Exit {
    fn from(error: taiinet::Error) -> Self {
        use taiinet::Error as E;
        match error {
            E::NoNetwork
            | E::Network(_)
            | E::Signaller { .. }
            | E::Roots(_)
            | E::TooManySignallers
            | E::Links { .. }
            | E::Live(_)
            | E::Query(_) => Self::usage(error),
            _ => Self::failed(error),
        }
    }
}
