//! The browser's build: the core as WebAssembly, its bindings, and the npm package around them.

mod node;
mod std;

use ::std::{
    path::{Path, PathBuf},
    process::Command,
};

pub(crate) use self::node::{node, npm};
use self::std::Std;
use crate::{
    steps::StepOutcome,
    tools::{cargo, outcome, root, succeeds},
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
        StepOutcome::Passed => Ok(true),
        StepOutcome::Failed(why) | StepOutcome::Skipped(why) => {
            eprintln!("{why}");
            Ok(false)
        }
    }
}

/// Where the package is when it is built.
pub(crate) fn package_dir() -> PathBuf {
    npm_dir().join("dist")
}

fn npm_dir() -> PathBuf {
    root().join("wasm/npm")
}

/// Builds the npm package; `fast` does not minify.
pub(crate) fn package(fast: bool) -> StepOutcome {
    let std = match Std::find() {
        Ok(std) => std,
        Err(why) => return StepOutcome::Failed(why),
    };
    let mut steps = bindings(std, "core", &[]);
    if steps == StepOutcome::Passed {
        steps = node_modules(&npm_dir());
    }
    if steps == StepOutcome::Passed {
        let mut build = node();
        build.arg("build.mjs").current_dir(npm_dir());
        if fast {
            build.arg("--fast");
        }
        steps = outcome(&mut build);
    }
    steps
}

/// The module with the vectors on which native and browser builds must agree: `wasm/npm/vectors`.
pub(crate) fn vectors() -> StepOutcome {
    match Std::find() {
        Ok(std) => bindings(std, "vectors", &["--features", "vectors"]),
        Err(why) => StepOutcome::Failed(why),
    }
}

/// The unit tests of the core as WebAssembly, in Node: 32-bit sizes, and another code generator. The
/// target is another one, since that of browsers has nothing to print with; the code is the same.
pub(crate) fn core_tests() -> StepOutcome {
    const TARGET: &str = "wasm32-wasip1";
    // It may say that it did, and have none.
    let _ = succeeds(Command::new("rustup").args(["target", "add", TARGET]));
    if !std::in_sysroot(TARGET) {
        return StepOutcome::Skipped(format!("no standard library: rustup target add {TARGET}"));
    }
    if let Err(why) = node::find() {
        return StepOutcome::Failed(why);
    }
    let packages = ["identity", "document", "query", "mesh", "session"];
    let packages = packages.iter().map(|name| format!("--package=taiinet-{name}"));
    // Node 20's optimising compiler crashes on a large program of debug code, as this is.
    let command = "node --no-warnings --liftoff-only";
    let runner = root().join("crates/xtask/src/wasm/wasi.mjs");
    outcome(
        cargo(["test", "--locked", "--target", TARGET, "--lib", "--no-fail-fast"])
            .args(packages)
            .env("CARGO_TARGET_WASM32_WASIP1_RUNNER", format!("{command} {}", runner.display()))
            .envs(node::path()),
    )
}

/// Builds the crate and puts it with its bindings into a folder of `wasm/npm`.
fn bindings(std: Std, name: &str, features: &[&str]) -> StepOutcome {
    let (mut build, folder) = std.cargo("build");
    build.args(["--package", "taiinet-wasm", "--profile", PROFILE]).args(features);
    match outcome(&mut build) {
        StepOutcome::Passed => {}
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
pub(crate) fn node_modules(folder: &Path) -> StepOutcome {
    if let Err(why) = node::find() {
        return StepOutcome::Failed(why);
    }
    let modified = |path: &str| folder.join(path).metadata().and_then(|data| data.modified()).ok();
    let installed = modified("node_modules/.package-lock.json");
    if installed.is_some() && installed >= modified("package-lock.json") {
        return StepOutcome::Passed;
    }
    outcome(npm().args(["ci", "--no-fund", "--no-audit"]).current_dir(folder))
}
