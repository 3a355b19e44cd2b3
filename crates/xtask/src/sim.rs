//! `cargo xtask sim`: builds the simulator for measuring and plays scenarios.

use std::{path::PathBuf, process::Command};

use crate::{
    demo::become_it,
    tools::{cargo, root, target_dir},
};

/// The folder of the scenarios.
const SCENARIOS: &str = "crates/sim/scenarios";

/// `args` are a scenario, by its name or its file, and what `taiinet-sim` takes besides.
pub(crate) fn run(args: &[String]) -> Result<bool, String> {
    let Some((scenario, rest)) = args.split_first() else {
        return Err(format!("name a scenario, by its file or as one of {}", known().join(", ")));
    };
    // Nothing but the scenario's own words goes to stdout: it may be read by a program.
    let mut build = cargo(["build", "--locked", "--release"]);
    build.args(["-p", "taiinet-sim", "--bin", "taiinet-sim"]);
    if !build.status().is_ok_and(|status| status.success()) {
        return Ok(false);
    }
    let program = target_dir()
        .join("release")
        .join("taiinet-sim")
        .with_extension(std::env::consts::EXE_EXTENSION);
    Ok(become_it(Command::new(program).arg(file(scenario)).args(rest)))
}

/// The names of our scenarios.
fn known() -> Vec<String> {
    let entries = std::fs::read_dir(root().join(SCENARIOS)).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.strip_suffix(".toml").map(str::to_owned)
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// One of ours by its name; anything else is a path, or an option.
fn file(scenario: &str) -> PathBuf {
    if known().iter().any(|name| name == scenario) {
        root().join(SCENARIOS).join(format!("{scenario}.toml"))
    } else {
        scenario.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_named_or_a_file() {
        assert!(file("everyone-1k").ends_with("crates/sim/scenarios/everyone-1k.toml"));
        assert_eq!(file("mine.toml"), PathBuf::from("mine.toml"));
        assert_eq!(file("--help"), PathBuf::from("--help"));
    }
}
