//! Transcripts of the command line: what is typed, what comes out, and the exit code.

use std::{path::Path, process::Command};

#[test]
fn transcripts() {
    trycmd::TestCases::new().case("tests/cmd/*.md");
}

#[test]
fn completions_and_the_manual_are_written_and_name_nothing_hidden() {
    let run = |args: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_taiinet")).args(args).output().expect("it runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completions", shell]).contains("subscribe"), "{shell}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    run(&["man", folder.path().to_str().expect("text")]);
    let page = |name: &str| std::fs::read_to_string(Path::new(folder.path()).join(name));
    assert!(page("taiinet-subscribe.1").expect("a page").contains("private"));
    let main = page("taiinet.1").expect("a page");
    assert!(main.contains("taiinet\\-publish(1)") && !main.contains("completions"), "{main}");
    assert!(page("taiinet-man.1").is_err());
}
