//! `cargo xtask`: the commands with which the project is shown, tested and measured.
//!
//! It uses nothing but std, so that it builds in a second on a machine that has just been set up.

mod bench;
mod demo;
mod fuzz;
mod laboratory;
mod package;
mod shape;
mod sim;
mod steps;
mod test;
mod tools;
mod wasm;

use std::process::ExitCode;

const USAGE: &str = "\
TaiiNet's project commands

Usage: cargo xtask COMMAND [ARGS]

  demo [ARGS]                  build and run a mesh of seven processes on this machine
                               (`cargo xtask demo --help` for its options)
  test [STEP…] [--fail-fast] [--long]   run every check, or only the named steps:
                               fmt shape clippy build test fuzz doctest doc wasm core npm browser deny package
  lint                         test fmt shape clippy
  wasm [--fast]                build the browser's package in wasm/npm/dist; --fast does not minify
  package [--profile NAME] [--check]    Debian's packages, in target/debian; --check installs, uses and
                               removes them in a bare Debian (root, debootstrap)
  fuzz [TARGET…] [--seconds N] run the fuzz targets guided by coverage, a minute each (cargo-fuzz)
  laboratory [ARGS]            measure peers behind NATs and firewalls, and when they move; as root, ten minutes;
                               --page docs/laboratory.md writes that page
  bench [NAME…] [--quick]      run the benchmarks:
                               seal ingest index store reconcile link documents backlog mesh signaller browser swarm
                               (--peers=N: so many native peers in swarm)
  sim SCENARIO [ARGS]          play a scenario of crates/sim/scenarios, or of another file, in thousands of peers
                               on a virtual clock (`cargo xtask sim --help` for its options)
  help                         print this
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next();
    let rest: Vec<String> = args.collect();
    let outcome = match command.as_deref() {
        Some("demo") => demo::run(&rest),
        Some("test") => test::run(&rest),
        Some("wasm") => wasm::run(&rest),
        Some("lint") => lint(&rest),
        Some("package") => package::run(&rest),
        Some("fuzz") => fuzz::run(&rest),
        Some("laboratory") => laboratory::run(&rest, &test::MEMBERS),
        Some("bench") => bench::run(&rest),
        Some("sim") => sim::run(&rest),
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            Ok(true)
        }
        Some(other) => Err(format!("there is no command {other:?}\n\n{USAGE}")),
        None => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(usage) => {
            eprintln!("{usage}");
            ExitCode::from(2)
        }
    }
}

fn lint(args: &[String]) -> Result<bool, String> {
    match args {
        [] => test::run(&["fmt", "shape", "clippy"].map(str::to_owned)),
        _ => Err("`cargo xtask lint` takes no arguments".to_owned()),
    }
}
