//! Runs the real command in a folder of its own.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

pub(crate) const BIN: &str = env!("CARGO_BIN_EXE_taiinet-keys");
pub(crate) const PASSPHRASE: &str = "correct horse";

/// A folder with nothing in it, gone after the test.
pub(crate) struct Folder(tempfile::TempDir);

/// What a run gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The command, with no passphrase at hand and cheap passphrases to make.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BIN);
        command.args(args);
        self.settle(&mut command);
        command
    }

    /// The same surroundings for any other program.
    pub(crate) fn settle(&self, command: &mut Command) {
        command
            .current_dir(self.path())
            .env_remove("TAIINET_PASSPHRASE")
            .env_remove("TAIINET_NEW_PASSPHRASE")
            .env("TAIINET_WORK_FACTOR", "10")
            .stdin(Stdio::null());
    }

    /// Runs it with the usual passphrase in the environment.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_with(PASSPHRASE, args)
    }

    pub(crate) fn run_with(&self, passphrase: &str, args: &[&str]) -> Ran {
        ran(self.command(args).env("TAIINET_PASSPHRASE", passphrase).output())
    }

    /// As [`Self::run`], with `input` on standard input.
    pub(crate) fn pipe(&self, input: &[u8], args: &[&str]) -> Ran {
        let mut command = self.command(args);
        command.env("TAIINET_PASSPHRASE", PASSPHRASE);
        feed(command, input)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path().join(name)).expect("a file")
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), content).expect("written");
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        names.sort();
        names
    }

    /// Makes a key file with the usual passphrase, and says its peer id.
    pub(crate) fn generate(&self, name: &str) -> String {
        self.run(&["generate", "--out", name]).ok().trim().to_owned()
    }

    /// The peer id of a key file, opened with `passphrase`.
    pub(crate) fn peer_id(&self, name: &str, passphrase: &str) -> String {
        let shown = self.run_with(passphrase, &["show", name, "--json"]).ok();
        let shown: serde_json::Value = serde_json::from_str(&shown).expect("json");
        shown["peer_id"].as_str().expect("a peer id").to_owned()
    }
}

impl Ran {
    /// Its output, if it went well.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// It failed with `code`, saying `what`, in one line and one more of what to do next.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, what: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.err.contains(what), "{what:?} is not in {self:?}");
        assert_eq!(self.out, "", "nothing on standard output");
        let lines: Vec<&str> =
            self.err.lines().filter(|line| !line.starts_with("warning: ")).collect();
        let [error, next] = lines[..] else { panic!("not two lines: {self:?}") };
        assert!(error.starts_with("error: ") && next.starts_with(" next: "), "{self:?}");
    }
}

pub(crate) fn ran(output: std::io::Result<Output>) -> Ran {
    let output = output.expect("the command runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

pub(crate) fn feed(mut command: Command, input: &[u8]) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command runs");
    // It may well end without reading all of it.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    ran(child.wait_with_output())
}

/// A key file of those that other programs made.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/identity/tests/data/keys").join(name)
}

pub(crate) fn fixture_text(name: &str) -> String {
    fixture(name).to_str().expect("text").to_owned()
}

/// Whether a program that only makes a test sharper is there.
pub(crate) fn has(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}
