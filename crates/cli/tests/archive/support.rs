//! Running the command, and what it leaves.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use taiinet::{
    Identity,
    keyfile::{self, Overwrite},
};
use taiinet_identity::Seed;
use tempfile::TempDir;

/// A directory that is gone after the test.
pub(crate) struct Room(TempDir);

impl Room {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("text").to_owned()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), content).expect("written");
        self.text(name)
    }

    /// A key file, the same each time.
    pub(crate) fn key(&self) -> String {
        keyfile::save(&self.path("me.key"), &identity(1), None, Overwrite::Replace).expect("saved");
        self.text("me.key")
    }
}

pub(crate) fn identity(seed: u8) -> Identity {
    Identity::from_seed(&Seed::from_bytes([seed; 32]))
}

/// Words apart at spaces.
pub(crate) fn command(words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taiinet"));
    for variable in ["NETWORK", "SIGNALLER", "IDENTITY", "PASSPHRASE", "BLACKLIST", "STORE"] {
        command.env_remove(format!("TAIINET_{variable}"));
    }
    command.args(words.split_whitespace()).env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

pub(crate) fn output(words: &str) -> (Option<i32>, String, String) {
    told(&command(words).output().expect("it runs"))
}

pub(crate) fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// What a command says that does what it is told.
pub(crate) fn done(words: &str) -> String {
    let (code, out, said) = output(words);
    assert_eq!(code, Some(0), "{words}: {out}{said}");
    out
}

pub(crate) fn json(words: &str) -> Value {
    serde_json::from_str(&done(words)).expect("JSON")
}

/// What a command says that fails with this code.
pub(crate) fn fails(code: i32, words: &str) -> String {
    let (ended, out, said) = output(words);
    assert_eq!(ended, Some(code), "{words}: {out}{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// All of a store, as lines.
pub(crate) fn export(store: &str) -> String {
    let lines = done(&format!("export --store {store}"));
    done(&format!("archive check --store {store}"));
    lines
}

pub(crate) fn flip(path: &Path, at: impl IntoIterator<Item = usize>) {
    let mut bytes = std::fs::read(path).expect("reads");
    at.into_iter().for_each(|at| bytes[at] ^= 0x55);
    std::fs::write(path, bytes).expect("writes");
}
