//! `cargo xtask demo`: builds what the demo needs and becomes it.

use std::process::Command;

use crate::{
    steps::StepOutcome,
    tools::{cargo, outcome, root, target_dir},
    wasm,
};

pub(crate) fn run(args: &[String]) -> Result<bool, String> {
    // All that users run: the same build as the README's, so that neither repeats the other's work.
    let built = outcome(&mut cargo(["build", "--locked", "--release"]));
    if let StepOutcome::Failed(why) = built {
        eprintln!("{why}");
        return Ok(false);
    }
    let program = target_dir()
        .join("release")
        .join("taiinet-demo")
        .with_extension(std::env::consts::EXE_EXTENSION);
    let mut demo = Command::new(&program);
    demo.args(args).current_dir(root());
    if shows_pages(args) {
        match wasm::package(false) {
            StepOutcome::Passed => {
                demo.arg("--pages").arg(root().join("wasm/demos"));
                demo.arg("--package").arg(wasm::package_dir());
            }
            StepOutcome::Failed(why) | StepOutcome::Skipped(why) => {
                eprintln!("without the pages for a browser: {why}");
            }
        }
    }
    Ok(become_it(&mut demo))
}

/// A demo that ends by itself, or only explains itself, has no one look at its pages.
fn shows_pages(args: &[String]) -> bool {
    !args.iter().any(|arg| ["--once", "--help", "-h", "--pages"].contains(&arg.as_str()))
}

/// One process fewer between the terminal and the demo, so that Ctrl-C and signals reach it alone.
#[cfg(unix)]
fn become_it(command: &mut Command) -> bool {
    let error = std::os::unix::process::CommandExt::exec(command);
    eprintln!("{} could not be run: {error}", command.get_program().display());
    false
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> bool {
    outcome(command) == StepOutcome::Passed
}
