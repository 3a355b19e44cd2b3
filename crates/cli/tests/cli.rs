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

/// Standard output and standard error that cannot be written.
#[cfg(target_os = "linux")]
mod streams {
    use std::{fs::File, io::pipe, process::Stdio};

    use super::*;

    /// The device that is always full.
    pub(super) fn full() -> Stdio {
        File::options().write(true).open("/dev/full").expect("Linux has it").into()
    }

    /// What nobody reads any more.
    pub(super) fn dead() -> Stdio {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        writer.into()
    }

    pub(super) fn run(args: &[&str], out: Stdio, err: Stdio) -> std::process::Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_taiinet"));
        command.args(args).env("RUST_LOG", "trace").stdin(Stdio::null()).stdout(out).stderr(err);
        command.output().expect("it runs")
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_an_exit_code_and_no_panic() {
    use std::process::Stdio;
    use streams::{dead, full, run};
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let half = path("half", &"{\"a\":1}\nno document\n".repeat(1000));
    let peer = "tn19q25fjxagamw50x4gs6a2r6a8e6zq65j68qhauup53plqssy3c3str8vde";
    let listed =
        format!("[{{\"peer\":\"{peer}\",\"until\":null,\"misbehaviour\":null,\"times\":0}}]");
    let list = path("list", &listed);
    let empty = path("empty", "[]");
    for args in [
        &["--help"][..],
        &["--version"],
        &["help", "match"],
        &["completions", "zsh"],
        &["match", "--skip-invalid", "{}", &half],
        &["match", "--skip-invalid", "--count", "{}", &half],
        &["blacklist", "--blacklist", &list, "list"],
        &["blacklist", "--blacklist", &list, "list", "--json"],
    ] {
        let output = run(args, full(), Stdio::piped());
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains("cannot write to stdout"), "{args:?}: {said}");
        assert_eq!(run(args, full(), full()).status.code(), Some(1), "{args:?}");
        assert_eq!(run(args, dead(), full()).status.code(), Some(0), "{args:?}");
        let wanted = run(args, Stdio::piped(), Stdio::piped()).stdout;
        for stderr in [full(), dead()] {
            let output = run(args, Stdio::piped(), stderr);
            assert_eq!(output.status.code(), Some(0), "{args:?}");
            assert!(output.stdout == wanted, "{args:?}");
        }
    }
    for (args, code) in [
        (&["match", "{bad"][..], 2),
        (&["nonsense"], 2),
        (&["subscribe", "{}"], 2),
        (&["match", "{}", &half], 1),
        (&["match", "{}", "absent"], 1),
        (&["blacklist", "--blacklist", &empty, "list"], 0),
        (&["doctor", "--signaller", "ws://127.0.0.1:9"], 1),
    ] {
        for stderr in [full(), dead()] {
            assert_eq!(run(args, Stdio::null(), stderr).status.code(), Some(code), "{args:?}");
        }
    }
}

/// As editors leave texts, and as PowerShell redirects them.
#[test]
fn a_byte_order_mark_is_no_part_of_a_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let marked = path("marked", b"\xef\xbb\xbf{\"a\":1}\n{\"a\":2}\n");
    let documents = "\u{feff}{\"a\":1}\n{\"a\":2}\n";
    for more in [&["--count"][..], &["--count", "--skip-invalid"]] {
        for query in ["{}", "\u{feff}{}"] {
            let args = [&["match"], more, &[query, &marked, &marked]].concat();
            assert_eq!(run_with(&args, ""), (Some(0), "4\n".to_owned(), String::new()));
            let args = [&["match"], more, &[query]].concat();
            assert_eq!(run_with(&args, documents), (Some(0), "2\n".to_owned(), String::new()));
        }
    }
    let (_, out, _) = run_with(&["match", "{}"], documents);
    assert_eq!(out, "{\"a\":1}\n{\"a\":2}\n", "it is not passed on");
    // A mark alone is nothing; and what is short is not taken for one.
    assert_eq!(run_with(&["match", "--count", "{}"], "\u{feff}").1, "0\n");

    let utf_16 = path("utf-16", b"\xff\xfe{\0}\0\n\0{\0}\0\n\0");
    let big_endian = path("big-endian", b"\xfe\xff\0{\0}\0\n");
    for file in [&utf_16, &big_endian] {
        // Not a line that may be passed over: none of it would be left.
        for args in [&["match", "{}", file][..], &["match", "--skip-invalid", "{}", file]] {
            let (code, out, said) = run_with(args, "");
            assert_eq!((code, out.as_str()), (Some(1), ""), "{said}");
            assert!(said.contains(&format!("{file}: this is UTF-16; save it as UTF-8")), "{said}");
        }
        let args = ["doctor", "--signaller", "wss://127.0.0.1:9", "--ca-file", file];
        let (code, _, said) = run_with(&args, "");
        assert_eq!(code, Some(1));
        assert!(said.contains("this is UTF-16; save it as UTF-8"), "{said}");
    }
}
