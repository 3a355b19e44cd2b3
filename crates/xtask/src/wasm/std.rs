//! The standard library for the browser, from whichever place has it.

use std::{path::Path, process::Command};

use crate::tools::{apt_install, cargo, stdout, succeeds, target_dir};

pub(super) const TARGET: &str = "wasm32-unknown-unknown";

/// Debian's compiler and the source of its standard library.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];

/// Where the standard library comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Std {
    /// rustup has it compiled.
    Rustup,
    /// It is built from Debian's source, with Debian's compiler.
    Debian,
}

impl Std {
    /// Finds it, installing it if need be. `TAIINET_WASM_STD=debian` (or `rustup`) skips the other,
    /// to try this very function.
    pub(super) fn find() -> Result<Self, String> {
        let only = std::env::var("TAIINET_WASM_STD").ok();
        let may = |name: &str| only.as_deref().is_none_or(|only| only == name);
        if may("rustup") && (in_sysroot(TARGET) || added_by_rustup()) {
            println!("with the standard library from rustup");
            return Ok(Self::Rustup);
        }
        if may("debian") && (debian_is_installed() || installed_from_debian()) {
            println!("with the standard library built from Debian's {}", DEBIAN_PACKAGES[1]);
            return Ok(Self::Debian);
        }
        Err(format!(
            "the standard library for {TARGET} is missing, and neither `rustup target add {TARGET}` \
             nor `apt-get install {}` (as root) succeeded",
            DEBIAN_PACKAGES.join(" ")
        ))
    }

    /// `cargo COMMAND` for the browser, and the folder into which it builds.
    pub(super) fn cargo(self, command: &str) -> (Command, std::path::PathBuf) {
        let mut cargo = cargo([command, "--locked", "--target", TARGET]);
        let mut folder = target_dir();
        if self == Self::Debian {
            // Another compiler: a folder of its own keeps it from emptying the usual one.
            folder = folder.join("wasm-debian");
            cargo
                .arg("-Zbuild-std=std,panic_abort")
                .arg("--target-dir")
                .arg(&folder)
                .env("RUSTC", DEBIAN_RUSTC)
                .env("RUSTC_BOOTSTRAP", "1");
            if let Some(linker) = rustup_linker() {
                cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
            }
        }
        (cargo, folder.join(TARGET))
    }
}

/// Debian's compiler comes without a linker for the browser; rustup's has one.
fn rustup_linker() -> Option<std::path::PathBuf> {
    let sysroot = stdout(Command::new("rustc").args(["--print", "sysroot"]))?;
    let version = stdout(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "))?;
    let linker = Path::new(&sysroot).join("lib/rustlib").join(host).join("bin/rust-lld");
    linker.exists().then_some(linker)
}

/// rustup may list a target whose files it could not fetch; so look for the files.
pub(super) fn in_sysroot(target: &str) -> bool {
    stdout(Command::new("rustc").args(["--print", "sysroot"])).is_some_and(|sysroot| {
        let library = Path::new(&sysroot).join("lib/rustlib").join(target).join("lib");
        library.read_dir().is_ok_and(|files| {
            files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
        })
    })
}

fn added_by_rustup() -> bool {
    println!("$ rustup target add {TARGET}");
    succeeds(Command::new("rustup").args(["target", "add", TARGET])) && in_sysroot(TARGET)
}

fn debian_is_installed() -> bool {
    let sysroot = stdout(Command::new(DEBIAN_RUSTC).args(["--print", "sysroot"]));
    sysroot.is_some_and(|sysroot| {
        Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/Cargo.toml").exists()
    })
}

fn installed_from_debian() -> bool {
    apt_install(&DEBIAN_PACKAGES) && debian_is_installed()
}
