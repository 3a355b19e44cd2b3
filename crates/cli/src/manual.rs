//! `taiinet completions`, `taiinet man`: what packages install beside the command. Hidden, since a user
//! of the command has no use for them.

use std::path::PathBuf;

use clap::Command;
use clap_complete::Shell;

use crate::exit::{CommandResult, Exit};

/// Write a shell's completions to standard output
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Write the manual's pages into a folder
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct ManArgs {
    /// Which
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(crate) fn completions(mut command: Command, args: &CompletionsArgs) -> CommandResult {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "taiinet", &mut script);
    Ok(taiinet_terminal::print(&String::from_utf8_lossy(&script))?)
}

pub(crate) fn man(command: Command, args: &ManArgs) -> CommandResult {
    clap_mangen::generate_to(command, &args.folder)
        .map_err(|error| Exit::failed(format!("{}: {error}", args.folder.display())))
}
