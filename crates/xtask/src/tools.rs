//! The programs that the commands call, and whether they are there.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::steps::StepOutcome;

/// The top of the checkout.
pub(crate) fn root() -> PathBuf {
    // Set by cargo when it runs us; the compiled-in path serves a copied binary.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.ancestors().nth(2).map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// The folder that cargo builds into.
pub(crate) fn target_dir() -> PathBuf {
    let root = root();
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}

/// `cargo` with these arguments, to be run at the top of the checkout.
pub(crate) fn cargo<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    command
}

/// Runs a command with its output shown; a step's outcome.
pub(crate) fn outcome(command: &mut Command) -> StepOutcome {
    println!("$ {}", line(command));
    match command.status() {
        Ok(status) if status.success() => StepOutcome::Passed,
        Ok(status) => StepOutcome::Failed(format!("`{}` ended with {status}", line(command))),
        Err(error) => StepOutcome::Failed(format!("`{}` could not be run: {error}", line(command))),
    }
}

/// Whether a command runs at all and succeeds, silently.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a command prints, without the line's end; nothing if it fails.
pub(crate) fn stdout(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end().to_owned())
}

/// Installs Debian packages; only root can, without a question asked.
pub(crate) fn apt_install(packages: &[&str]) -> bool {
    let apt = |args: &[&str]| {
        println!("$ apt-get {}", args.join(" "));
        succeeds(Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let install = [&["install", "--yes", "--no-install-recommends"][..], packages].concat();
    apt(&install) || (apt(&["update"]) && apt(&install))
}

/// Installs the packages of those programs that are missing. The services that come with them are of no use to tests,
/// nor to a user that did not ask for any.
pub(crate) fn install(programs: &[(&str, &str)]) -> Result<(), String> {
    // Some lie where only root looks.
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    for (program, package) in programs {
        let found = || succeeds(Command::new("which").arg(program).env("PATH", &path));
        if !found() && apt_install(&[package]) {
            let _ = succeeds(Command::new("systemctl").args(["disable", "--now", package]));
        }
        if !found() {
            return Err(format!(
                "{package} is missing: install it with `sudo apt-get install {package}`"
            ));
        }
    }
    Ok(())
}

/// Installs a tool of cargo's, in `~/.cargo/bin`; that takes some minutes, and only once.
pub(crate) fn cargo_install(tool: &str, options: &[&str]) -> bool {
    outcome(cargo(["install", "--locked", tool]).args(options)) == StepOutcome::Passed
}

/// A command as one would type it, with the variables that were set for it.
fn line(command: &Command) -> String {
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_string_lossy(), value?.to_string_lossy())))
        .map(|(name, value)| format!("{name}={}", quoted(&value)));
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
    let args = command.get_args().map(|arg| quoted(&arg.to_string_lossy()));
    variables.chain([program.into_owned()]).chain(args).collect::<Vec<_>>().join(" ")
}

fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_command_can_be_pasted() {
        let mut command = Command::new("/usr/bin/tool");
        command.args(["--flag=1", "two words", "it's"]).env("NAME", "a b");
        assert_eq!(line(&command), r"NAME='a b' tool --flag=1 'two words' 'it'\''s'");
    }

    #[test]
    fn the_root_is_the_workspace() {
        assert!(root().join("Cargo.lock").exists());
    }
}
