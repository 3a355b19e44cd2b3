//! `cargo xtask package`: Debian's packages, and a look at whether they can be used.

mod check;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    steps::StepOutcome,
    tools::{cargo, cargo_install, outcome, root, stdout, succeeds, target_dir},
};

/// What builds the packages; what it needs to know of us is in `[package.metadata.deb]` of these.
const TOOL: (&str, &str) = ("cargo-deb", "3.8.0");
/// The commands of each package, and how each writes its manual and its completions.
const PACKAGES: [(&str, &str, &[Program]); 2] = [
    (
        "taiinet",
        "taiinet-cli",
        &[
            Program {
                name: "taiinet",
                package: "taiinet-cli",
                man: "man",
                completions: "completions",
            },
            Program {
                name: "taiinet-keys",
                package: "taiinet-keys",
                man: "man",
                completions: "completions",
            },
        ],
    ),
    (
        "taiinet-signaller",
        "taiinet-signaller",
        &[Program {
            name: "taiinet-signaller",
            package: "taiinet-signaller",
            man: "--man",
            completions: "--completions",
        }],
    ),
];
/// The units that are installed with them.
const UNITS: [&str; 2] = ["crates/cli/taiinet-node.service", "signaller/taiinet-signaller.service"];

struct Program {
    name: &'static str,
    package: &'static str,
    man: &'static str,
    completions: &'static str,
}

const USAGE: &str = "`cargo xtask package [--profile NAME] [--check]`: Debian's packages in target/debian, built with \
                     the profile `dist` unless another is named; --check installs, uses and removes them in a bare \
                     Debian";

pub(crate) fn run(args: &[String]) -> Result<bool, String> {
    let (mut profile, mut is_checked) = ("dist".to_owned(), false);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--profile" => profile = args.next().ok_or(USAGE)?.clone(),
            "--check" => is_checked = true,
            _ => return Err(USAGE.to_owned()),
        }
    }
    let packages = match build(&profile) {
        Ok(packages) => packages,
        Err(failed) => {
            eprintln!("{failed}");
            return Ok(false);
        }
    };
    for package in &packages {
        println!("{}", package.display());
    }
    match is_checked.then(|| check::run(&packages)) {
        Some(StepOutcome::Failed(why) | StepOutcome::Skipped(why)) => {
            eprintln!("{why}");
            Ok(false)
        }
        _ => Ok(true),
    }
}

/// As a step of `cargo xtask test --long`.
pub(crate) fn step() -> StepOutcome {
    match build("release") {
        Ok(packages) => check::run(&packages),
        Err(why) => StepOutcome::Failed(why),
    }
}

/// Builds both packages; where they are.
fn build(profile: &str) -> Result<Vec<PathBuf>, String> {
    let done = |outcome| match outcome {
        StepOutcome::Passed => Ok(()),
        StepOutcome::Failed(why) | StepOutcome::Skipped(why) => Err(why),
    };
    let (tool, version) = TOOL;
    if stdout(&mut cargo(["deb", "--version"])).as_deref() != Some(version)
        // It runs for some seconds: to optimise it would take minutes.
        && !cargo_install(tool, &["--version", version, "--debug", "--force"])
    {
        return Err(format!(
            "{tool} is missing: cargo install --locked {tool} --version {version}"
        ));
    }
    let programs = || PACKAGES.iter().flat_map(|(_, _, programs)| programs.iter());
    let mut built = cargo(["build", "--locked", "--bins", "--profile", profile]);
    for program in programs() {
        built.args(["--package", program.package]);
    }
    done(outcome(&mut built))?;

    let stage = root().join("target/package");
    for old in ["bin", "units", "taiinet", "taiinet-signaller"] {
        let _ = fs::remove_dir_all(stage.join(old));
    }
    let folder = target_dir().join(if profile == "dev" { "debug" } else { profile });
    for program in programs() {
        let (from, to) = (folder.join(program.name), stage.join("bin").join(program.name));
        copy(&from, &to)?;
        // Debian's rules want it; where there is no `strip` the package is larger.
        let _ = succeeds(Command::new("strip").args(["--strip-unneeded"]).arg(&to));
    }
    for (package, _, programs) in PACKAGES {
        for program in programs {
            write_documents(program, &folder, &stage.join(package))?;
        }
    }
    for unit in UNITS {
        let text =
            fs::read_to_string(root().join(unit)).map_err(|error| format!("{unit}: {error}"))?;
        let name = unit.rsplit('/').next().unwrap_or(unit);
        write(
            &stage.join("units").join(name),
            text.replace("/usr/local/bin/", "/usr/bin/").as_bytes(),
        )?;
    }
    let mut packages = Vec::new();
    for (name, manifest, _) in PACKAGES {
        let to = root().join(format!("target/debian/{name}.deb"));
        let to = to.display().to_string();
        done(outcome(&mut cargo([
            "deb",
            "--no-build",
            "--no-strip",
            "--locked",
            "-p",
            manifest,
            "-o",
            &to,
        ])))?;
        packages.push(to.into());
    }
    Ok(packages)
}

/// What a program writes of itself: the manual's pages, and completions as each shell wants them named.
fn write_documents(program: &Program, folder: &Path, stage: &Path) -> Result<(), String> {
    let Program { name, man, completions, .. } = program;
    let run = || Command::new(folder.join(name));
    let pages = stage.join("man");
    fs::create_dir_all(&pages).map_err(|error| format!("{}: {error}", pages.display()))?;
    if !succeeds(run().arg(man).arg(&pages)) {
        return Err(format!("`{name} {man}` failed"));
    }
    for (shell, file) in [
        ("bash", (*name).to_owned()),
        ("zsh", format!("_{name}")),
        ("fish", format!("{name}.fish")),
    ] {
        let script = stdout(run().args([completions, shell]));
        let script = script.ok_or_else(|| format!("`{name} {completions} {shell}` failed"))?;
        write(&stage.join(shell).join(file), format!("{script}\n").as_bytes())?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let failed = |error| format!("{}: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, bytes).map_err(failed)
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    fs::copy(from, to).map(drop).map_err(|error| format!("{}: {error}", from.display()))
}
