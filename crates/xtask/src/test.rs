//! `cargo xtask test`: all that must hold before a change is good.

use std::process::Command;

use crate::{
    steps::{self, Outcome, Step},
    tools::{apt_install, cargo, outcome, root, succeeds, target_dir},
    wasm,
};

/// In the order in which a mistake shows soonest.
const STEPS: [Step; 10] = [
    Step { name: "fmt", title: "the format is rustfmt's", run: fmt },
    Step { name: "clippy", title: "no warning from clippy in any target", run: clippy },
    Step { name: "build", title: "binaries, tests and examples", run: build },
    Step { name: "test", title: "unit, property and whole-system tests", run: test },
    Step { name: "doctest", title: "the examples in the documentation", run: doctest },
    Step { name: "doc", title: "the documentation has no broken link", run: doc },
    Step { name: "wasm", title: "the browser's package, built", run: wasm },
    Step { name: "npm", title: "unit tests of the browser's package", run: npm },
    Step { name: "browser", title: "pages in real browsers", run: browser },
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
    // Its tests fail without it; all others are run first to last.
    let turn = turn_server();
    let runner: &[&str] = if succeeds(&mut cargo(["nextest", "--version"])) {
        &["nextest", "run"]
    } else {
        println!("cargo-nextest is not installed; `cargo test` runs the same tests");
        &["test", "--lib", "--bins", "--tests", "--examples"]
    };
    let ran = outcome(
        cargo(runner)
            .args(["--locked", "--workspace", "--no-fail-fast"])
            .env("TAIINET_BIN_DIR", target_dir().join("debug")),
    );
    match (ran, turn) {
        (Outcome::Failed(why), Err(missing)) => Outcome::Failed(format!("{why}; {missing}")),
        (ran, _) => ran,
    }
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

fn wasm() -> Outcome {
    match wasm::vectors() {
        Outcome::Passed => wasm::package(false),
        failed => failed,
    }
}

fn npm() -> Outcome {
    match built() {
        Outcome::Passed => outcome(
            Command::new("npm")
                .args(["test", "--silent"])
                .current_dir(root().join("wasm/npm"))
                .env("TAIINET_BIN_DIR", target_dir().join("debug")),
        ),
        failed => failed,
    }
}

fn browser() -> Outcome {
    let folder = root().join("tests/browser");
    match built() {
        Outcome::Passed => {}
        failed => return failed,
    }
    match wasm::node_modules(&folder) {
        Outcome::Passed => {}
        failed => return failed,
    }
    if let Err(why) = browsers() {
        return Outcome::Failed(why);
    }
    outcome(
        Command::new("node")
            .arg("run.mjs")
            .current_dir(folder)
            .env("TAIINET_BIN_DIR", target_dir().join("debug")),
    )
}

/// The package and the programs, built before or now.
fn built() -> Outcome {
    let made = [wasm::package_dir().join("index.js"), wasm::vectors_dir().join("taiinet_wasm.js")];
    if !made.iter().all(|file| file.exists()) {
        match wasm() {
            Outcome::Passed => {}
            failed => return failed,
        }
    }
    build()
}

/// coturn, through which some tests link. Its own service is of no use to them, nor to anybody who
/// did not ask for one.
fn turn_server() -> Result<(), String> {
    let found = || succeeds(Command::new("which").arg("turnserver"));
    if !found() && apt_install(&["coturn"]) {
        let _ = succeeds(Command::new("systemctl").args(["disable", "--now", "coturn"]));
    }
    if found() {
        Ok(())
    } else {
        Err("coturn is missing: install it with `sudo apt-get install coturn`".to_owned())
    }
}

fn browsers() -> Result<(), String> {
    let missing = || -> Vec<&str> {
        ["chromium", "firefox-esr"]
            .into_iter()
            .filter(|name| !succeeds(Command::new(name).arg("--version")))
            .collect()
    };
    if !missing().is_empty() {
        // `ip` makes the network that is the tests' own.
        apt_install(&["chromium", "firefox-esr", "iproute2"]);
    }
    match missing().as_slice() {
        [] => Ok(()),
        names => Err(format!(
            "browsers are missing: install them with `sudo apt-get install {}`",
            names.join(" ")
        )),
    }
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
