//! `cargo xtask laboratory`: two peers meet in each pair of networks, and move; `docs/laboratory.md` is what it
//! writes.

use std::process::Command;

use crate::{
    steps::StepOutcome,
    test::MEMBERS,
    tools::{apt_install, cargo, outcome, root, stdout, succeeds, target_dir},
};

/// The programs that it takes, and their packages.
const PROGRAMS: [(&str, &str); 3] =
    [("turnserver", "coturn"), ("ip", "iproute2"), ("nft", "nftables")];

pub(crate) fn run(args: &[String]) -> Result<bool, String> {
    install()?;
    let built = outcome(cargo(["build", "--locked", "--bins"]).args(MEMBERS));
    let mut laboratory = laboratory();
    Ok(built == StepOutcome::Passed
        && outcome(laboratory.args(args).current_dir(root())) == StepOutcome::Passed)
}

/// Installs what is missing. coturn's own service is of no use to tests, nor to a user that did not ask for one.
pub(crate) fn install() -> Result<(), String> {
    let is_missing = |(program, _): &&(&str, &str)| !succeeds(Command::new("which").arg(program));
    let missing = || -> Vec<&str> {
        PROGRAMS.iter().filter(is_missing).map(|(_, package)| *package).collect()
    };
    let packages = missing();
    if packages.is_empty() {
        return Ok(());
    }
    if apt_install(&packages) && packages.contains(&"coturn") {
        let _ = succeeds(Command::new("systemctl").args(["disable", "--now", "coturn"]));
    }
    match missing()[..] {
        [] => Ok(()),
        ref still => Err(format!(
            "{} missing: install with `sudo apt-get install {}`",
            still.join(" and "),
            still.join(" ")
        )),
    }
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
