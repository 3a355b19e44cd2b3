//! Node.js and npm: the machine's own, Debian's, or where these are too old, one from the npm registry.

use std::{ffi::OsString, path::PathBuf, process::Command, sync::OnceLock};

use crate::tools::{apt_install, stdout, succeeds, target_dir};

/// The oldest Node.js that the builds and tests run on: the first with `import.meta.dirname`.
const OLDEST: (u32, u32) = (20, 11);
/// What is taken where the machine's is older, as Debian 12's is: Node.js's own binaries, repackaged. It is the one
/// that CI has: V8 of Node 22.23 crashes on the core's tests.
const NEWER: &str = "node@20.20.2";

/// `node`, to be run once [`find`] has found one.
pub(crate) fn node() -> Command {
    on_path("node")
}

/// `npm`, likewise.
pub(crate) fn npm() -> Command {
    on_path("npm")
}

fn on_path(program: &str) -> Command {
    let mut command = Command::new(program);
    command.envs(path());
    command
}

/// The variable by which programs find the Node.js that was chosen, if it is not the machine's.
pub(super) fn path() -> Option<(&'static str, OsString)> {
    let own = own()?;
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(own).chain(std::env::split_paths(&paths));
    Some(("PATH", std::env::join_paths(paths).ok()?))
}

/// Makes sure that there is one that will do.
pub(super) fn find() -> Result<(), String> {
    own();
    suits(version(&mut node()).as_deref())
}

/// The folder of the one from the registry, if that is what it takes.
fn own() -> Option<PathBuf> {
    static OWN: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let machine = || version(&mut Command::new("node"));
        let found = machine().or_else(|| apt_install(&["nodejs", "npm"]).then(machine).flatten());
        (found.is_some() && suits(found.as_deref()).is_err()).then(from_registry).flatten()
    };
    OWN.get_or_init(find).clone()
}

fn from_registry() -> Option<PathBuf> {
    let folder = target_dir().join("node");
    let bin = folder.join("node_modules/node/bin");
    let is_there = || suits(version(&mut Command::new(bin.join("node"))).as_deref()).is_ok();
    if !is_there() {
        println!("$ npm install --prefix {} {NEWER}", folder.display());
        std::fs::create_dir_all(&folder).ok()?;
        let mut install = Command::new("npm");
        install.args(["install", "--no-fund", "--no-audit", "--prefix"]).arg(&folder).arg(NEWER);
        succeeds(&mut install);
    }
    is_there().then_some(bin)
}

/// What it says of itself, if npm is there as well.
fn version(node: &mut Command) -> Option<String> {
    stdout(node.arg("--version")).filter(|_| succeeds(Command::new("npm").arg("--version")))
}

/// Whether this is a Node.js that will do; otherwise what to do about it.
fn suits(version: Option<&str>) -> Result<(), String> {
    let (major, minor) = OLDEST;
    let how = "install one from https://nodejs.org/en/download, or with nvm or your distribution's \
               backports";
    let Some(version) = version else {
        return Err(format!("Node.js {major}.{minor} or newer is missing, or npm is: {how}"));
    };
    let mut numbers = version.trim_start_matches('v').split('.').map(|part| part.parse().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(first), Some(second)) if (first, second) >= OLDEST => Ok(()),
        _ => Err(format!("Node.js is {version}, and {major}.{minor} or newer is needed: {how}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_node_is_refused_with_both_versions() {
        for good in ["v20.11.0", "v20.20.2", "v22.0.0", "v26.1.0-nightly"] {
            assert_eq!(suits(Some(good)), Ok(()), "{good}");
        }
        for old in ["v18.20.4", "v20.10.0", "v0.12.7", "nonsense"] {
            let fault = suits(Some(old)).expect_err(old);
            assert!(fault.contains(old) && fault.contains("20.11"), "{fault}");
        }
        assert!(suits(None).is_err());
    }
}
