//! The core compiled for the browser, with whichever standard library for it can be had.

use std::{path::Path, process::Command};

use crate::{
    steps::Outcome,
    tools::{cargo, outcome, stdout, succeeds, target_dir},
};

const TARGET: &str = "wasm32-unknown-unknown";
/// What must run in a browser.
const CRATES: [&str; 4] = ["taiinet-identity", "taiinet-document", "taiinet-query", "taiinet-mesh"];

/// Debian's compiler and the source of its standard library.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];

/// Where the standard library comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Std {
    /// rustup has it compiled.
    Rustup,
    /// It is built from Debian's source, with Debian's compiler.
    Debian,
}

pub(crate) fn run() -> Outcome {
    let Some(std) = find() else {
        return Outcome::Skipped(format!(
            "the standard library for {TARGET} cannot be had here: neither `rustup target add \
             {TARGET}` nor `apt-get install {}` succeeded",
            DEBIAN_PACKAGES.join(" ")
        ));
    };
    match std {
        Std::Rustup => {
            println!("with the standard library from rustup");
            outcome(&mut check(cargo(["check", "--locked", "--target", TARGET])))
        }
        Std::Debian => {
            println!("with the standard library built from Debian's {}", DEBIAN_PACKAGES[1]);
            // Another compiler: a folder of its own keeps it from emptying the usual one.
            let target_dir = target_dir().join("wasm-debian");
            outcome(
                check(cargo([
                    "check",
                    "--locked",
                    "-Zbuild-std=std,panic_abort",
                    "--target",
                    TARGET,
                ]))
                .arg("--target-dir")
                .arg(target_dir)
                .env("RUSTC", DEBIAN_RUSTC)
                .env("RUSTC_BOOTSTRAP", "1"),
            )
        }
    }
}

fn check(mut cargo: Command) -> Command {
    for name in CRATES {
        cargo.args(["-p", name]);
    }
    cargo
}

/// Finds the standard library, installing it if need be. `TAIINET_WASM_STD=debian` (or `rustup`)
/// skips the other, to try this very function.
fn find() -> Option<Std> {
    let only = std::env::var("TAIINET_WASM_STD").ok();
    let may = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if may("rustup") && (in_sysroot() || added_by_rustup()) {
        return Some(Std::Rustup);
    }
    if may("debian") && (debian_is_installed() || installed_from_debian()) {
        return Some(Std::Debian);
    }
    None
}

/// rustup may list a target whose files it could not fetch; so look for the files.
fn in_sysroot() -> bool {
    stdout(Command::new("rustc").args(["--print", "sysroot"])).is_some_and(|sysroot| {
        let library = Path::new(&sysroot).join("lib/rustlib").join(TARGET).join("lib");
        library.read_dir().is_ok_and(|files| {
            files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
        })
    })
}

fn added_by_rustup() -> bool {
    println!("$ rustup target add {TARGET}");
    succeeds(Command::new("rustup").args(["target", "add", TARGET])) && in_sysroot()
}

fn debian_is_installed() -> bool {
    let sysroot = stdout(Command::new(DEBIAN_RUSTC).args(["--print", "sysroot"]));
    sysroot.is_some_and(|sysroot| {
        Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/Cargo.toml").exists()
    })
}

/// Only root can, without a question asked.
fn installed_from_debian() -> bool {
    let install = |args: &[&str]| {
        println!("$ apt-get {}", args.join(" "));
        succeeds(Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let packages =
        [&["install", "--yes", "--no-install-recommends"][..], &DEBIAN_PACKAGES].concat();
    (install(&packages) || (install(&["update"]) && install(&packages))) && debian_is_installed()
}
