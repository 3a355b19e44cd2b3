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

/// What a terminal would obey, or what would hide from its reader.
const EVIL: [char; 9] = [
    '\u{9b}',
    '\u{9d}',
    '\u{7f}',
    '\u{202e}',
    '\u{2066}',
    '\u{200b}',
    '\u{2028}',
    '\u{feff}',
    '\u{e0041}',
];

/// Runs `taiinet` with this on stdin; its exit code, stdout and stderr.
fn run_with(args: &[&str], input: &str) -> (Option<i32>, String, String) {
    use std::{io::Write, process::Stdio};
    let mut command = Command::new(env!("CARGO_BIN_EXE_taiinet"));
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn is_harmless(text: &str) -> bool {
    !text.chars().any(|char| char.is_control() && char != '\n' || EVIL.contains(&char))
}

#[test]
fn nothing_that_others_wrote_moves_the_terminal() {
    let evil: String = EVIL.iter().collect();
    let input = format!("{{\r\"{evil}\":\t\"{evil}Grüße\"}}\n");
    let (code, out, _) = run_with(&["match", "{}"], &input);
    assert_eq!(code, Some(0));
    assert!(is_harmless(&out) && out.contains("Grüße"), "{out:?}");
    let says = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    assert_eq!(says(&out), says(&input), "it says the same");

    // In what is said about a query, a line and a file.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(&evil);
    std::fs::write(&file, "no document\n").expect("written");
    let words = |args: &str| args.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let with_file = |args| [words(args), vec![file.display().to_string()]].concat();
    let publish =
        "publish --network tests --signaller ws://127.0.0.1:9 --wait-peers 0 --skip-invalid";
    for (args, input) in [
        (vec!["match".to_owned(), format!("{{\"{evil}\":{{\"${evil}\":1}}}}")], ""),
        (vec!["match".to_owned(), "{}".to_owned(), format!("no{evil}\n\r\u{1b}[2Jfile")], ""),
        (words("match {} --skip-invalid"), "\u{1b}[2J\u{9b}2J\n"),
        (with_file("match {} --skip-invalid"), ""),
        (with_file(publish), ""),
        (
            vec!["blacklist".to_owned(), "--blacklist".to_owned(), evil.clone(), "list".to_owned()],
            "",
        ),
    ] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let (_, out, err) = run_with(&args, input);
        assert!(is_harmless(&out) && is_harmless(&err) && !err.is_empty(), "{out:?} {err:?}");
    }
}
