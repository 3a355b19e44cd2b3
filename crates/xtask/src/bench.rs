//! `cargo xtask bench`: runs the benchmarks and gathers the tables that they print.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    time::Instant,
};

use crate::{
    steps::{StepOutcome, seconds},
    tools::{cargo, outcome, root, target_dir},
    wasm,
};

/// A benchmark, which prints its table on stdout and notes on stderr.
struct Bench {
    name: &'static str,
    kind: Kind,
    title: &'static str,
}

enum Kind {
    /// A `harness = false` target of this package.
    Target(&'static str),
    /// The same with a feature of the package.
    With { package: &'static str, feature: &'static str },
    /// As [`Self::Target`], beside what this folder's package.json names.
    Beside { package: &'static str, npm: &'static str },
    /// A program in a workspace of its own, whose dependencies stay out of ours.
    Apart(&'static str),
    /// Pages and native peers, by this program in `tests/browser`.
    Browser(&'static str),
}

const BENCHES: [Bench; 12] = [
    Bench {
        name: "seal",
        kind: Kind::Target("taiinet-identity"),
        title: "one content sealed to several recipients; against bare HPKE",
    },
    Bench {
        name: "ingest",
        kind: Kind::Target("taiinet-mesh"),
        title: "frames in → verified, matched, routed; against bare verification",
    },
    Bench {
        name: "index",
        kind: Kind::Apart("crates/query/benches/index"),
        title: "one document against many queries; against a-tree and against each in turn",
    },
    Bench {
        name: "store",
        kind: Kind::Apart("crates/archive/benches/store"),
        title: "documents into an archive, and found in it; against bare redb, verification and SQLite",
    },
    Bench {
        name: "reconcile",
        kind: Kind::Target("taiinet-archive"),
        title: "two archives of 100,000 documents find out what one of them lacks: bytes, rounds, time",
    },
    Bench {
        name: "link",
        kind: Kind::Target("taiinet-webrtc"),
        title: "messages over one WebRTC link; against the bare crate",
    },
    Bench {
        name: "documents",
        kind: Kind::Target("taiinet"),
        title: "documents over one link; against verification and the bare channel",
    },
    Bench {
        name: "backlog",
        kind: Kind::With { package: "taiinet", feature: "archive" },
        title: "100,000 documents out of an archive, and others meanwhile; against verification",
    },
    Bench {
        name: "mesh",
        kind: Kind::Apart("crates/sim/benches/mesh"),
        title: "twenty peers of the core, all publishing; against libp2p's gossipsub",
    },
    Bench {
        name: "signaller",
        kind: Kind::Beside { package: "taiinet-signaller", npm: "signaller/benches/peer" },
        title: "signals, joins, memory; against a bare relay, npm `peer` and bare verification",
    },
    Bench {
        name: "browser",
        kind: Kind::Browser("bench.mjs"),
        title: "documents into a page; against the bare channel and the native core",
    },
    Bench {
        name: "swarm",
        kind: Kind::Browser("swarm.mjs"),
        title: "fifty native peers, each a process, and three pages; against the simulator",
    },
];

pub(crate) fn run(args: &[String]) -> Result<bool, String> {
    let (flags, names): (Vec<&String>, Vec<&String>) =
        args.iter().partition(|arg| arg.starts_with('-'));
    let is_known = |flag: &str| flag == "--quick" || flag.starts_with("--peers=");
    if let Some(unknown) = flags.iter().find(|flag| !is_known(flag)) {
        return Err(format!("there is no option {unknown}; try --quick, or --peers=N for swarm"));
    }
    if let Some(unknown) = names.iter().find(|name| BENCHES.iter().all(|b| b.name != ***name)) {
        let known: Vec<&str> = BENCHES.iter().map(|bench| bench.name).collect();
        return Err(format!("there is no benchmark {unknown:?}; they are {}", known.join(", ")));
    }
    let quick = flags.iter().any(|flag| *flag == "--quick");
    let chosen: Vec<&Bench> = BENCHES
        .iter()
        .filter(|bench| names.is_empty() || names.iter().any(|name| *name == bench.name))
        .collect();

    let mut tables = Vec::new();
    let mut good = true;
    for bench in chosen {
        println!("\n━━ {} · {}", bench.name, bench.title);
        let begun = Instant::now();
        let (table, passed) = measure(bench, quick, &flags);
        println!("{} in {}", if passed { "done" } else { "FAILED" }, seconds(begun.elapsed()));
        good &= passed;
        tables.push((bench, table, passed));
    }

    println!("\n━━ results{}", if quick { " (--quick: fewer and shorter runs)" } else { "" });
    for (bench, table, passed) in tables {
        println!("\n{}{}", bench.name, if passed { "" } else { " FAILED" });
        for line in table {
            println!("  {line}");
        }
    }
    Ok(good)
}

/// Runs one benchmark, shows its lines as they come and keeps them.
fn measure(bench: &Bench, quick: bool, flags: &[&String]) -> (Vec<String>, bool) {
    if let Kind::Beside { npm, .. } = bench.kind
        && let StepOutcome::Failed(why) = wasm::node_modules(&root().join(npm))
    {
        // The rest is measured all the same.
        eprintln!("without what is in {npm}: {why}");
    }
    let mut command = match bench.kind {
        Kind::Target(package) | Kind::With { package, .. } | Kind::Beside { package, .. } => {
            let mut command =
                cargo(["bench", "--locked", "--package", package, "--bench", bench.name]);
            if let Kind::With { feature, .. } = bench.kind {
                command.args(["--features", feature]);
            }
            if quick {
                command.args(["--", "--quick"]);
            }
            command
        }
        Kind::Apart(folder) => {
            // Its lock file follows what our own crates come to depend on.
            let mut command = cargo(["run", "--release"]);
            command.current_dir(root().join(folder));
            command.env("CARGO_TARGET_DIR", target_dir().join(format!("bench-{}", bench.name)));
            if quick {
                command.args(["--", "--quick"]);
            }
            command
        }
        Kind::Browser(script) => match browser(script, flags) {
            Ok(command) => command,
            Err(why) => return (vec![why], false),
        },
    };
    let mut child = match command.stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return (vec![format!("cargo could not be run: {error}")], false),
    };
    let mut lines = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            println!("{line}");
            // A closed pipe must not stop the measurement.
            let _ = std::io::stdout().flush();
            lines.push(line);
        }
    }
    (lines, child.wait().is_ok_and(|status| status.success()))
}

/// Builds what the pages and peers need; gives the command that measures them.
fn browser(script: &str, flags: &[&String]) -> Result<Command, String> {
    let programs =
        ["taiinet-cli", "taiinet-signaller", "taiinet-keys", "taiinet-tests", "taiinet-sim"];
    let mut build = cargo(["build", "--locked", "--profile", "dist", "--bins"]);
    for package in programs {
        build.args(["--package", package]);
    }
    let folder = root().join("tests/browser");
    for step in [wasm::vectors(), wasm::package(false), wasm::node_modules(&folder)] {
        if let StepOutcome::Failed(why) | StepOutcome::Skipped(why) = step {
            return Err(why);
        }
    }
    if let StepOutcome::Failed(why) = outcome(&mut build) {
        return Err(why);
    }
    let mut bench = wasm::node();
    bench.args(["run.mjs", script]).args(flags).current_dir(folder);
    bench.env("TAIINET_BIN_DIR", target_dir().join("dist"));
    Ok(bench)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usage_names_every_benchmark() {
        for bench in &BENCHES {
            assert!(
                crate::USAGE.split_whitespace().any(|word| word == bench.name),
                "{}",
                bench.name
            );
        }
    }
}
