//! Writing to stderr and stdout, of which either may be closed, full, or without a reader.
//!
//! `eprintln!` and `println!` panic there, so no program of ours uses them. What is said on stderr helps
//! people and decides nothing: if it cannot be written, it is lost. What goes to stdout is the result: if
//! that cannot be written, the program has failed and says so.

use std::{
    fmt::Display,
    io::{self, Write as _},
    process::ExitCode,
};

/// What the system calls wrong usage.
const USAGE: u8 = 2;

/// Says something on stderr, and ends the line. What cannot be written is lost.
pub fn say(text: impl Display) {
    // In one piece, so that no other process writes in between.
    let line = format!("{text}\n");
    let _ = anstream::stderr().write_all(line.as_bytes());
}

/// Writes a result to stdout, all of it; colours only where a terminal shows them. A reader that has gone
/// away has seen enough: that is no fault.
///
/// # Errors
/// What the system says of anything else.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    unless_gone(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// What to say of an error of [`print()`].
pub fn unwritten(error: &io::Error) -> String {
    format!("cannot write to stdout: {error}; check where it goes")
}

fn unless_gone(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// What the command line says, or how the program ends at once: as [`clap::Parser::parse`], but with the exit
/// code 1 where the help or the version is the result and cannot be written.
///
/// # Errors
/// The exit code, when all has been said.
pub fn parse<T: clap::Parser>() -> Result<T, ExitCode> {
    T::try_parse().map_err(|error| end(&error))
}

/// Says what clap has to say, and how the program ends: 0 after help or version, 1 if they could not be
/// written, 2 if it was wrongly used.
pub fn end(error: &clap::Error) -> ExitCode {
    let printed = error.print().and_then(|()| io::stdout().flush());
    if error.use_stderr() {
        return USAGE.into();
    }
    match unless_gone(printed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("error: {}", unwritten(&error)));
            ExitCode::FAILURE
        }
    }
}
