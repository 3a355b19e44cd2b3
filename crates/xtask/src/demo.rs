//! `cargo xtask demo`: builds what the demo needs and becomes it.

use std::process::Command;

use crate::{
    steps::StepOutcome,
    tools::{cargo, outcome, root, target_dir},
    wasm,
};

/// The programs that take part.
const PROGRAMS: [&str; 6] = ["-p", "taiinet-cli", "-p", "taiinet-demo", "-p", "taiinet-signaller"];

pub(crate) fn run(args: &[String]) -> Result<bool, String> {
    // As the tests build them, so that neither command repeats the other's work. Cryptography is
    // optimised there, too, and that is where the time of a mesh goes.
    let built = outcome(cargo(["build", "--locked"]).args(PROGRAMS));
    if let StepOutcome::Failed(why) = built {
        eprintln!("{why}");
        return Ok(false);
    }
    let program = target_dir()
        .join("debug")
        .join("taiinet-demo")
        .with_extension(std::env::consts::EXE_EXTENSION);
    let mut demo = Command::new(&program);
    demo.args(args).current_dir(root());
    if shows_pages(args) {
        // Built while the mesh stands: what is to be seen first does not wait for it.
        demo.arg("--pages").arg(root().join("wasm/demos"));
        demo.arg("--build-package").arg(wasm::package_dir());
    }
    Ok(become_it(&mut demo))
}

/// A demo that ends by itself, or only explains itself, has no one look at its pages.
fn shows_pages(args: &[String]) -> bool {
    !args.iter().any(|arg| ["--once", "--help", "-h", "--pages"].contains(&arg.as_str()))
}

/// One process fewer between the terminal and the demo, so that Ctrl-C and signals reach it alone.
#[cfg(unix)]
pub(crate) fn become_it(command: &mut Command) -> bool {
    let error = std::os::unix::process::CommandExt::exec(command);
    eprintln!("{} could not be run: {error}", command.get_program().display());
    false
}

#[cfg(not(unix))]
pub(crate) fn become_it(command: &mut Command) -> bool {
    outcome(command) == StepOutcome::Passed
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::{test::MEMBERS, tools::stdout};

    /// The features with which packages are built for these arguments.
    fn features(edges: &str, packages: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
        let mut tree = cargo(["tree", "--locked", "--prefix", "none", "--format", "{p}|{f}", "-e"]);
        let lines = stdout(tree.arg(edges).args(packages)).expect("cargo can tell");
        let mut features: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for (package, given) in lines.lines().filter_map(|line| line.split_once('|')) {
            let given = given.trim_end_matches(" (*)").to_owned();
            features.entry(package.to_owned()).or_default().insert(given);
        }
        features
    }

    #[test]
    fn what_the_demo_builds_serves_the_tests() {
        let demo = features("normal,build", &PROGRAMS);
        let tests = features("normal,build,dev", &MEMBERS);
        assert!(demo.len() > 100);
        let built_twice: Vec<_> =
            demo.iter().filter(|(package, given)| !given.is_subset(&tests[*package])).collect();
        assert!(
            built_twice.is_empty(),
            "{built_twice:#?}\nadd their features to crates/demo/Cargo.toml"
        );
    }
}
