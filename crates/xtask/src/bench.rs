//! `cargo xtask bench`: runs the benchmarks and gathers the tables that they print.

use std::{
    io::{BufRead, BufReader, Write},
    process::Stdio,
    time::Instant,
};

use crate::{steps::seconds, tools::cargo};

/// A benchmark: a `harness = false` target that prints its table on stdout and notes on stderr.
struct Bench {
    name: &'static str,
    package: &'static str,
    title: &'static str,
}

const BENCHES: [Bench; 4] = [
    Bench {
        name: "ingest",
        package: "taiinet-mesh",
        title: "frames in → verified, matched, routed; against bare verification",
    },
    Bench {
        name: "index",
        package: "taiinet-query",
        title: "one document against many queries; against a-tree and against each in turn",
    },
    Bench {
        name: "link",
        package: "taiinet-transport",
        title: "messages over one WebRTC link; against the bare crate",
    },
    Bench {
        name: "documents",
        package: "taiinet",
        title: "documents over one link; against verification and the bare channel",
    },
];

pub(crate) fn run(args: &[String]) -> Result<bool, String> {
    let (flags, names): (Vec<&String>, Vec<&String>) =
        args.iter().partition(|arg| arg.starts_with('-'));
    if let Some(unknown) = flags.iter().find(|flag| *flag != &"--quick") {
        return Err(format!("there is no option {unknown}; try --quick"));
    }
    if let Some(unknown) = names.iter().find(|name| BENCHES.iter().all(|b| b.name != ***name)) {
        let known: Vec<&str> = BENCHES.iter().map(|bench| bench.name).collect();
        return Err(format!("there is no benchmark {unknown:?}; they are {}", known.join(", ")));
    }
    let quick = !flags.is_empty();
    let chosen: Vec<&Bench> = BENCHES
        .iter()
        .filter(|bench| names.is_empty() || names.iter().any(|name| *name == bench.name))
        .collect();

    let mut tables = Vec::new();
    let mut good = true;
    for bench in chosen {
        println!("\n━━ {} · {}", bench.name, bench.title);
        let begun = Instant::now();
        let (table, passed) = measure(bench, quick);
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
fn measure(bench: &Bench, quick: bool) -> (Vec<String>, bool) {
    let mut command =
        cargo(["bench", "--locked", "--package", bench.package, "--bench", bench.name]);
    if quick {
        command.args(["--", "--quick"]);
    }
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
