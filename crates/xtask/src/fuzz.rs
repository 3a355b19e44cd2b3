//! `cargo xtask fuzz`: the fuzz targets, guided by coverage (cargo-fuzz, libFuzzer). `cargo xtask test fuzz`
//! runs the same bodies without any of that.

use std::{fs, process::Command};

use crate::{
    steps::StepOutcome,
    tools::{cargo, cargo_install, outcome, root, stdout, succeeds, target_dir},
};

/// How long each target is run for, unless said otherwise.
const SECONDS: u64 = 60;

pub(crate) fn run(args: &[String]) -> Result<bool, String> {
    let known = targets()?;
    let (mut chosen, mut seconds) = (Vec::new(), SECONDS);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--seconds" {
            let number = args.next().and_then(|number| number.parse().ok());
            seconds = number.ok_or("--seconds takes a number")?;
        } else if known.contains(arg) {
            chosen.push(arg.clone());
        } else {
            return Err(format!("there is no target {arg:?}; they are {}", known.join(" ")));
        }
    }
    let chosen = if chosen.is_empty() { known } else { chosen };
    if !succeeds(&mut cargo(["fuzz", "--version"])) && !cargo_install("cargo-fuzz", &[]) {
        return Err("cargo-fuzz is missing: cargo install --locked cargo-fuzz".to_owned());
    }
    let mut failed = Vec::new();
    for target in &chosen {
        if fuzz(target, seconds) != StepOutcome::Passed {
            failed.push(target.as_str());
        }
    }
    if !failed.is_empty() {
        println!(
            "failed: {}; what failed is in audits/fuzz/artifacts: once it is mended, keep it in audits/fuzz/corpus",
            failed.join(" ")
        );
    }
    Ok(failed.is_empty())
}

/// The names of the targets: of their files.
fn targets() -> Result<Vec<String>, String> {
    let folder = root().join("audits/fuzz/fuzz_targets");
    let files = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let name = |file: fs::DirEntry| {
        Some(file.file_name().to_string_lossy().strip_suffix(".rs")?.to_owned())
    };
    let mut names: Vec<String> = files.flatten().filter_map(name).collect();
    names.sort();
    Ok(names)
}

fn fuzz(target: &str, seconds: u64) -> StepOutcome {
    let fuzz = root().join("audits/fuzz");
    // The same versions as everywhere; what only fuzzing needs is added.
    if let Err(error) = fs::copy(root().join("Cargo.lock"), fuzz.join("Cargo.lock")) {
        return StepOutcome::Failed(format!("audits/fuzz/Cargo.lock: {error}"));
    }
    // What is found goes to the first folder; the corpus is only read.
    let found = fuzz.join("found").join(target);
    if let Err(error) = fs::create_dir_all(&found) {
        return StepOutcome::Failed(format!("{}: {error}", found.display()));
    }
    outcome(
        cargo(["fuzz", "run", "--fuzz-dir", "audits/fuzz", "--target", &host(), "--target-dir"])
            .arg(target_dir().join("fuzz"))
            .arg(target)
            .args([&found, &fuzz.join("corpus").join(target)])
            .args(["--", "-timeout=20", "-rss_limit_mb=2048", "-max_len=4096"])
            .arg(format!("-max_total_time={seconds}"))
            // Sanitizers and coverage are for nightly compilers, or for those told to be one.
            .env("RUSTC_BOOTSTRAP", "1"),
    )
}

/// The target that the compiler builds for. (cargo-fuzz would otherwise take its own, which may be
/// another one.)
fn host() -> String {
    let rustc = stdout(Command::new("rustc").arg("-vV")).unwrap_or_default();
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: "));
    host.unwrap_or("x86_64-unknown-linux-gnu").to_owned()
}
