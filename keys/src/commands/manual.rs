//! What packages install beside the command. Hidden, since a user of the command has no use for it.

use clap::CommandFactory;

use crate::{
    args::{Args, Completions, Man},
    failure::Failure,
    files,
};

pub(crate) fn completions(args: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "taiinet-keys", &mut script);
    files::print(&String::from_utf8_lossy(&script))
}

pub(crate) fn man(args: &Man) -> Result<(), Failure> {
    clap_mangen::generate_to(Args::command(), &args.folder).map_err(|error| {
        let folder = args.folder.display();
        Failure::new(format!("{folder}: {error}"), "name a folder that exists")
    })
}
