//! The browser's build: the core as WebAssembly, its bindings, and the npm package around them.

mod std;

use ::std::{
    path::{Path, PathBuf},
    process::Command,
};

use self::std::Std;
use crate::{
    steps::Outcome,
    tools::{apt_install, cargo, outcome, root, succeeds},
};

/// What the crate is built as, see the root's Cargo.toml.
const PROFILE: &str = "wasm";

/// `cargo xtask wasm`.
pub(crate) fn run(args: &[String]) -> Result<bool, String> {
    let fast = match args {
        [] => false,
        [flag] if flag == "--fast" => true,
        _ => return Err("`cargo xtask wasm` knows only --fast".to_owned()),
    };
    match package(fast) {
        Outcome::Passed => Ok(true),
        Outcome::Failed(why) | Outcome::Skipped(why) => {
            eprintln!("{why}");
            Ok(false)
        }
    }
}

/// Where the package is when it is built.
pub(crate) fn package_dir() -> PathBuf {
    npm_dir().join("dist")
}

/// Where the module with the vectors is when it is built.
pub(crate) fn vectors_dir() -> PathBuf {
    npm_dir().join("vectors")
}

fn npm_dir() -> PathBuf {
    root().join("wasm/npm")
}

/// Builds the npm package; `fast` does not minify.
pub(crate) fn package(fast: bool) -> Outcome {
    let std = match Std::find() {
        Ok(std) => std,
        Err(why) => return Outcome::Failed(why),
    };
    let mut steps = bindings(std, "core", &[]);
    if steps == Outcome::Passed {
        steps = node_modules(&npm_dir());
    }
    if steps == Outcome::Passed {
        let mut build = Command::new("node");
        build.arg("build.mjs").current_dir(npm_dir());
        if fast {
            build.arg("--fast");
        }
        steps = outcome(&mut build);
    }
    steps
}

/// The module with the vectors on which native and browser builds must agree: `wasm/npm/vectors`.
pub(crate) fn vectors() -> Outcome {
    match Std::find() {
        Ok(std) => bindings(std, "vectors", &["--features", "vectors"]),
        Err(why) => Outcome::Failed(why),
    }
}

/// Builds the crate and puts it with its bindings into a folder of `wasm/npm`.
fn bindings(std: Std, name: &str, features: &[&str]) -> Outcome {
    let (mut build, folder) = std.cargo("build");
    build.args(["--package", "taiinet-wasm", "--profile", PROFILE]).args(features);
    match outcome(&mut build) {
        Outcome::Passed => {}
        failed => return failed,
    }
    let module = folder.join(PROFILE).join("taiinet_wasm.wasm");
    outcome(
        cargo(["run", "--locked", "--quiet", "--package", "taiinet-bindgen", "--"])
            .arg(module)
            .arg(npm_dir().join(name)),
    )
}

/// What a package.json asks for, as its lock file has it.
pub(crate) fn node_modules(folder: &Path) -> Outcome {
    if let Err(why) = find_node() {
        return Outcome::Failed(why);
    }
    let modified = |path: &str| folder.join(path).metadata().and_then(|data| data.modified()).ok();
    let installed = modified("node_modules/.package-lock.json");
    if installed.is_some() && installed >= modified("package-lock.json") {
        return Outcome::Passed;
    }
    outcome(Command::new("npm").args(["ci", "--no-fund", "--no-audit"]).current_dir(folder))
}

fn find_node() -> Result<(), String> {
    let is_there = || {
        succeeds(Command::new("node").arg("--version"))
            && succeeds(Command::new("npm").arg("--version"))
    };
    if is_there() || (apt_install(&["nodejs", "npm"]) && is_there()) {
        return Ok(());
    }
    Err("Node.js is missing: install it with `sudo apt-get install nodejs npm`".to_owned())
}
