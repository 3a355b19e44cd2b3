//! What users see, word by word (`TRYCMD=overwrite cargo test -p taiinet-keys` writes it again), and
//! the commands of the README.

use std::process::Command;

use crate::common::{BIN, Folder, PASSPHRASE, ran};

#[test]
fn transcripts() {
    trycmd::TestCases::new()
        .env("TAIINET_WORK_FACTOR", "10")
        .env("TAIINET_PASSPHRASE", PASSPHRASE)
        .case("tests/cmd/*.trycmd");
}

/// Everything that the README tells people to type works as it stands, in one shell.
#[cfg(unix)]
#[test]
fn the_readme_works() {
    let readme = include_str!("../../README.md");
    let script: String =
        readme.split("```sh\n").skip(1).filter_map(|block| block.split("```").next()).collect();
    assert!(script.lines().count() > 10, "the tour is gone");
    let folder = Folder::new();
    let bin = std::path::Path::new(BIN).parent().expect("a folder").display();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("sh");
    folder.settle(&mut command);
    command
        .args(["-euc", &script])
        .env("PATH", format!("{bin}:{path}"))
        .env("TAIINET_PASSPHRASE", PASSPHRASE)
        .env("TAIINET_NEW_PASSPHRASE", PASSPHRASE);
    ran(command.output()).ok();
}
