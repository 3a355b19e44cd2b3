//! `cargo xtask test`: all that must hold before a change is good.

use crate::{
    steps::{self, Outcome, Step},
    tools::{cargo, outcome, succeeds, target_dir},
    wasm,
};

/// In the order in which a mistake shows soonest.
const STEPS: [Step; 8] = [
    Step { name: "fmt", title: "the format is rustfmt's", run: fmt },
    Step { name: "clippy", title: "no warning from clippy in any target", run: clippy },
    Step { name: "build", title: "binaries, tests and examples", run: build },
    Step { name: "test", title: "unit, property and whole-system tests", run: test },
    Step { name: "doctest", title: "the examples in the documentation", run: doctest },
    Step { name: "doc", title: "the documentation has no broken link", run: doc },
    Step { name: "wasm", title: "the core builds for the browser", run: wasm::run },
    Step { name: "deny", title: "licences and sources of what we depend on", run: deny },
];

pub(crate) fn run(args: &[String]) -> Result<bool, String> {
    let (flags, names): (Vec<String>, Vec<String>) =
        args.iter().cloned().partition(|arg| arg.starts_with('-'));
    if let Some(unknown) = flags.iter().find(|flag| *flag != "--fail-fast") {
        return Err(format!("there is no option {unknown}; try --fail-fast"));
    }
    Ok(steps::run(&steps::choose(&STEPS, &names)?, !flags.is_empty()))
}

fn fmt() -> Outcome {
    if !succeeds(&mut cargo(["fmt", "--version"])) {
        return Outcome::Failed("rustfmt is missing: rustup component add rustfmt".to_owned());
    }
    match outcome(&mut cargo(["fmt", "--all", "--check"])) {
        Outcome::Failed(_) => Outcome::Failed("the format differs: run `cargo fmt --all`".into()),
        other => other,
    }
}

fn clippy() -> Outcome {
    if !succeeds(&mut cargo(["clippy", "--version"])) {
        return Outcome::Failed("clippy is missing: rustup component add clippy".to_owned());
    }
    outcome(&mut cargo([
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

/// The same targets that the tests need, so that nothing is compiled twice.
fn build() -> Outcome {
    outcome(&mut cargo([
        "build",
        "--locked",
        "--workspace",
        "--lib",
        "--bins",
        "--tests",
        "--examples",
    ]))
}

fn test() -> Outcome {
    // The whole-system tests run the programs; where these are fresh, this takes no time.
    let built = build();
    if built != Outcome::Passed {
        return built;
    }
    let runner: &[&str] = if succeeds(&mut cargo(["nextest", "--version"])) {
        &["nextest", "run"]
    } else {
        println!("cargo-nextest is not installed; `cargo test` runs the same tests");
        &["test", "--lib", "--bins", "--tests", "--examples"]
    };
    outcome(
        cargo(runner)
            .args(["--locked", "--workspace", "--no-fail-fast"])
            .env("TAIINET_BIN_DIR", target_dir().join("debug")),
    )
}

fn doctest() -> Outcome {
    outcome(&mut cargo(["test", "--locked", "--workspace", "--doc"]))
}

fn doc() -> Outcome {
    outcome(
        cargo([
            "doc",
            "--locked",
            "--workspace",
            "--no-deps",
            "--document-private-items",
            "--keep-going",
        ])
        .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

/// Advisories are left out: they need a database from outside, and a new one must not break a
/// build that was good yesterday.
fn deny() -> Outcome {
    if !succeeds(&mut cargo(["deny", "--version"])) {
        return Outcome::Skipped(
            "cargo-deny is not installed: cargo install --locked cargo-deny".to_owned(),
        );
    }
    outcome(&mut cargo([
        "deny",
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]))
}
