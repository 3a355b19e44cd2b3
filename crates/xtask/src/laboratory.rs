//! `cargo xtask laboratory`: two peers meet in each pair of networks, and move; `--page docs/laboratory.md` writes
//! down what was measured.

use std::process::Command;

use crate::{
    steps::StepOutcome,
    tools::{cargo, install, outcome, root, stdout, target_dir},
};

/// The programs that it takes, and their packages.
pub(crate) const PROGRAMS: [(&str, &str); 3] =
    [("turnserver", "coturn"), ("ip", "iproute2"), ("nft", "nftables")];

/// `members` are what the tests build, so that this builds nothing anew.
pub(crate) fn run(args: &[String], members: &[&str]) -> Result<bool, String> {
    install(&PROGRAMS)?;
    let built = outcome(cargo(["build", "--locked", "--bins"]).args(members));
    let mut laboratory = laboratory();
    Ok(built == StepOutcome::Passed
        && outcome(laboratory.args(args).current_dir(root())) == StepOutcome::Passed)
}

/// Why its tests do nothing on this machine, if so.
pub(crate) fn missing() -> Option<String> {
    stdout(laboratory().arg("--missing")).filter(|why| !why.is_empty())
}

fn laboratory() -> Command {
    let programs = target_dir().join("debug");
    let mut laboratory = Command::new(programs.join("taiinet-laboratory"));
    laboratory.env("TAIINET_BIN_DIR", programs);
    laboratory
}
