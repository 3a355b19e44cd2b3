//! Where the programs under test are.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The path of `taiinet`, `taiinet-demo`, `taiinet-signaller` or `taiinet-keys`.
///
/// They are taken from `TAIINET_BIN_DIR` if that is set (as `cargo xtask test` does); else cargo is
/// asked to bring those beside this test up to date, once in each test process.
///
/// # Panics
/// If they cannot be built.
pub fn program(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| match std::env::var_os("TAIINET_BIN_DIR") {
        Some(folder) => folder.into(),
        None => build(),
    });
    let path = folder.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.is_file(), "{} is missing", path.display());
    path
}

/// The `taiinet` command with these arguments, and nothing of the user's own configuration.
pub fn taiinet<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    command("taiinet", args)
}

/// Another command of ours, likewise.
pub fn command<S: AsRef<std::ffi::OsStr>>(
    name: &str,
    args: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = Command::new(program(name));
    for variable in ["NETWORK", "SIGNALLER", "IDENTITY", "PASSPHRASE", "BLACKLIST"] {
        command.env_remove(format!("TAIINET_{variable}"));
    }
    command.args(args);
    command
}

/// A new key in this file, without a passphrase.
///
/// # Panics
/// If it cannot be made.
pub fn generate_key(file: &Path) {
    let mut keys = Command::new(program("taiinet-keys"));
    let keys = keys.args(["generate", "--no-passphrase", "--out"]).arg(file);
    let output = keys.output().expect("taiinet-keys runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Builds the programs into the folder that this test was built into.
fn build() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    // target/debug/deps/demo-0123456789abcdef, or target/debug/taiinet-laboratory; the first is the file itself.
    let mut folders = test.ancestors().skip(1);
    let folder = folders.find(|folder| !folder.ends_with("deps")).expect("a folder of builds");
    let folder = folder.to_path_buf();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--locked", "--bins"]);
    // Only cargo's own name for the folder says which profile it is.
    if folder.file_name().is_some_and(|name| name == "release") {
        cargo.arg("--release");
    }
    for package in ["taiinet-cli", "taiinet-demo", "taiinet-signaller", "taiinet-keys"] {
        cargo.args(["--package", package]);
    }
    cargo.arg("--target-dir").arg(folder.parent().expect("a folder of targets"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the checkout");
    let status = cargo.current_dir(root).status().expect("cargo can be run");
    assert!(status.success(), "cargo could not build the programs: {status}");
    folder
}
