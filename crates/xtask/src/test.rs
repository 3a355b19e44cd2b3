//! `cargo xtask test`: all that must hold before a change is good.

use std::{path::Path, sync::OnceLock};

use crate::{
    laboratory, package, shape,
    steps::{self, Step, StepOutcome},
    tools::{apt_install, cargo, cargo_install, install, outcome, root, succeeds, target_dir},
    wasm,
};

/// In the order in which a mistake shows soonest.
const STEPS: [Step; 14] = [
    Step { name: "fmt", title: "the format is rustfmt's", run: fmt },
    Step { name: "shape", title: "no circle of files, and none too long", run: shape::step },
    Step { name: "clippy", title: "no warning from clippy in any target", run: clippy },
    Step { name: "build", title: "binaries, tests and examples", run: build },
    Step { name: "test", title: "unit, property and whole-system tests", run: test },
    Step { name: "fuzz", title: "fuzz targets, with more mutations than the tests", run: fuzz },
    Step { name: "doctest", title: "the examples in the documentation", run: doctest },
    Step { name: "doc", title: "the documentation has no broken link", run: doc },
    Step { name: "wasm", title: "the browser's package, built", run: wasm },
    Step { name: "core", title: "the core's unit tests as WebAssembly", run: wasm::core_tests },
    Step { name: "npm", title: "unit tests of the browser's package", run: npm },
    Step { name: "browser", title: "pages in real browsers", run: browser },
    Step { name: "deny", title: "licences and sources of what we depend on", run: deny },
    Step { name: "package", title: "Debian's packages in a bare Debian", run: package },
];

/// All packages but the tool that `wasm` runs by itself: together with others cargo would build it, and
/// what it stands on, a second time.
pub(crate) const MEMBERS: [&str; 3] = ["--workspace", "--exclude", "taiinet-bindgen"];

/// What some tests use besides what the laboratory does, and the package that has it.
const PROGRAMS: [(&str, &str); 1] = [("nginx", "nginx")];

/// Runs also the tests that take minutes, which look for [`LONG_TESTS`].
const LONG: &str = "--long";
const LONG_TESTS: &str = "TAIINET_LONG";
static IS_LONG: OnceLock<bool> = OnceLock::new();

pub(crate) fn run(args: &[String]) -> Result<bool, String> {
    let (flags, names): (Vec<String>, Vec<String>) =
        args.iter().cloned().partition(|arg| arg.starts_with('-'));
    if let Some(unknown) = flags.iter().find(|flag| !["--fail-fast", LONG].contains(&flag.as_str()))
    {
        return Err(format!("there is no option {unknown}; try --fail-fast or {LONG}"));
    }
    IS_LONG.get_or_init(|| flags.iter().any(|flag| flag == LONG));
    let fail_fast = flags.iter().any(|flag| flag == "--fail-fast");
    Ok(steps::run(&steps::choose(&STEPS, &names)?, fail_fast))
}

fn fmt() -> StepOutcome {
    if !succeeds(&mut cargo(["fmt", "--version"])) {
        return StepOutcome::Failed("rustfmt is missing: rustup component add rustfmt".to_owned());
    }
    match outcome(&mut cargo(["fmt", "--all", "--check"])) {
        StepOutcome::Failed(_) => {
            StepOutcome::Failed("the format differs: run `cargo fmt --all`".into())
        }
        other => other,
    }
}

fn clippy() -> StepOutcome {
    if !succeeds(&mut cargo(["clippy", "--version"])) {
        return StepOutcome::Failed("clippy is missing: rustup component add clippy".to_owned());
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
fn build() -> StepOutcome {
    outcome(cargo(["build", "--locked"]).args(MEMBERS).args([
        "--lib",
        "--bins",
        "--tests",
        "--examples",
    ]))
}

fn test() -> StepOutcome {
    // The whole-system tests run the programs; where these are fresh, this takes no time.
    let built = build();
    if built != StepOutcome::Passed {
        return built;
    }
    // Their tests fail without them; all others are run first to last.
    let servers = install(&laboratory::PROGRAMS).and_then(|()| install(&PROGRAMS));
    if let Some(why) = laboratory::missing() {
        println!("the laboratory of networks is SKIPPED: {why}");
    }
    let runner: &[&str] = if succeeds(&mut cargo(["nextest", "--version"])) {
        &["nextest", "run"]
    } else {
        println!("cargo-nextest is not installed; `cargo test` runs the same tests");
        &["test", "--lib", "--bins", "--tests", "--examples"]
    };
    let mut tests = cargo(runner);
    tests
        .args(["--locked", "--no-fail-fast"])
        .args(MEMBERS)
        .env("TAIINET_BIN_DIR", target_dir().join("debug"));
    if IS_LONG.get() == Some(&true) {
        tests.env(LONG_TESTS, "1");
    }
    let ran = outcome(&mut tests);
    match (ran, servers) {
        (StepOutcome::Failed(why), Err(missing)) => {
            StepOutcome::Failed(format!("{why}; {missing}"))
        }
        (ran, _) => ran,
    }
}

/// The tests have run each target over its corpus and some mutations; this goes on elsewhere.
fn fuzz() -> StepOutcome {
    outcome(
        // Of the workspace, so that what the tests have built serves.
        cargo(["test", "--locked", "--test", "fuzz"])
            .args(MEMBERS)
            .env("TAIINET_FUZZ_SEED", "2")
            .env("TAIINET_FUZZ_MILLIS", "2000"),
    )
}

fn doctest() -> StepOutcome {
    outcome(cargo(["test", "--locked", "--doc"]).args(MEMBERS))
}

fn doc() -> StepOutcome {
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

/// Once in a run: what is tested is never older than its sources, and cargo knows what is.
fn wasm() -> StepOutcome {
    static BUILT: OnceLock<StepOutcome> = OnceLock::new();
    let build = || match wasm::vectors() {
        StepOutcome::Passed => wasm::package(false),
        failed => failed,
    };
    BUILT.get_or_init(build).clone()
}

fn npm() -> StepOutcome {
    match built() {
        StepOutcome::Passed => outcome(
            wasm::npm()
                .args(["test", "--silent"])
                .current_dir(root().join("wasm/npm"))
                .env("TAIINET_BIN_DIR", target_dir().join("debug")),
        ),
        failed => failed,
    }
}

fn browser() -> StepOutcome {
    if std::env::var("TAIINET_BROWSER").is_ok_and(|value| value == "skip") {
        return StepOutcome::Skipped("by TAIINET_BROWSER=skip".to_owned());
    }
    let folder = root().join("tests/browser");
    match built() {
        StepOutcome::Passed => {}
        failed => return failed,
    }
    match wasm::node_modules(&folder) {
        StepOutcome::Passed => {}
        failed => return failed,
    }
    if let Err(why) = browsers(&folder) {
        return StepOutcome::Failed(why);
    }
    outcome(
        wasm::node()
            .arg("run.mjs")
            .current_dir(folder)
            .env("TAIINET_BIN_DIR", target_dir().join("debug")),
    )
}

/// The package and the programs.
fn built() -> StepOutcome {
    match wasm() {
        StepOutcome::Passed => build(),
        failed => failed,
    }
}

/// Whichever the tests themselves can find.
fn browsers(folder: &Path) -> Result<(), String> {
    let found = || succeeds(wasm::node().arg("harness/places.mjs").current_dir(folder));
    // `ip` makes the network that is the tests' own.
    if found() || (apt_install(&["chromium", "firefox-esr", "iproute2"]) && found()) {
        return Ok(());
    }
    Err("Chromium or Firefox is missing: install them with `sudo apt-get install chromium \
         firefox-esr`, name them in $CHROMIUM and $FIREFOX, or set TAIINET_BROWSER=skip"
        .to_owned())
}

/// It takes some minutes: a release, and a bare Debian.
fn package() -> StepOutcome {
    if IS_LONG.get() == Some(&true) {
        package::step()
    } else {
        StepOutcome::Skipped(format!("only with {LONG}"))
    }
}

/// Advisories are left out: they need a database from outside, and a new one must not break a
/// build that was good yesterday.
fn deny() -> StepOutcome {
    let found = succeeds(&mut cargo(["deny", "--version"]));
    // It runs for a second: to optimise it would take minutes.
    if !found && !cargo_install("cargo-deny", &["--debug"]) {
        return StepOutcome::Skipped(
            "cargo-deny cannot be installed: cargo install --locked cargo-deny".to_owned(),
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
