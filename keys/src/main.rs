//! The `taiinet-keys` command: make, show, use and protect peer keys.
//!
//! Exit codes: 0 ok, 1 failed, 2 wrong usage. Results go to standard output, everything else to
//! standard error; no file is ever overwritten without `--force`.

#![warn(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use crate::args::{Args, Command};

mod args;
mod commands;
mod failure;
mod files;
mod output;
mod passphrase;
mod vanity;

fn main() -> ExitCode {
    let args: Args = match taiinet_terminal::parse() {
        Ok(args) => args,
        Err(code) => return code,
    };
    let done = match args.command {
        Command::Generate(args) => commands::generate::run(&args),
        Command::Show(args) => commands::show::run(&args),
        Command::Sign(args) => commands::sign::run(&args),
        Command::Verify(args) => commands::verify::run(&args),
        Command::Seal(args) => commands::seal::run(&args),
        Command::Open(args) => commands::open::run(&args),
        Command::Passphrase(args) => commands::passphrase::run(&args),
        Command::Import(args) => commands::convert::import(&args),
        Command::Export(args) => commands::convert::export(&args),
        Command::Completions(args) => commands::manual::completions(&args),
        Command::Man(args) => commands::manual::man(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
