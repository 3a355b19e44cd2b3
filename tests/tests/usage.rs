//! Wrong usage: exit code 2, and a message that names the fault and its place.

use taiinet_tests::{Process, taiinet};

/// The exit code and what was said on stderr.
fn run(args: &[&str]) -> (i32, String) {
    let mut process = Process::start("taiinet", &mut taiinet(args));
    process.end_input();
    (process.exit_code(), process.stderr().join("\n"))
}

#[test]
fn a_bad_query_is_wrong_usage_and_its_place_is_named() {
    let deep = format!("{}{}", r#"{"a":{"$not":"#.repeat(200), "1");
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(10_000));
    let queries = [
        (r#"{"a":{"$gtx":1}}"#, "$gtx"),
        (r#"{"$or":[{"a":1},{"b":{"$in":3}}]}"#, "$or[1].b.$in"),
        (r#"{"a":{"$regex":"("}}"#, "a.$regex"),
        (r#"{"a":1"#, "JSON"),
        ("[]", "map"),
        ("", "JSON"),
        (&deep, ""),
        (&long, ""),
    ];
    let network = ["--network", "usage", "--signaller", "ws://127.0.0.1:1"];
    for (query, named) in queries {
        for command in [vec!["match", query], [&["subscribe", query][..], &network].concat()] {
            let (code, said) = run(&command);
            assert_eq!(code, 2, "{command:?}: {said}");
            assert!(said.contains(named), "{command:?}: {said}");
            assert!(said.len() < 20_000, "{command:?} says too much");
        }
    }
}

#[test]
fn missing_and_wrong_options_are_wrong_usage() {
    let signaller = ["--signaller", "ws://127.0.0.1:1"];
    for (args, named) in [
        (vec!["subscribe", "{}"], "--network"),
        (vec!["subscribe", "{}", "--network", "n"], "--signaller"),
        (vec!["subscribe", "{}", "--network", "n", "--signaller", "http://x"], "ws://"),
        ([&["subscribe", "{}", "--network", ""][..], &signaller].concat(), "network"),
        ([&["publish", "--network", "n", "--links", "9,3"][..], &signaller].concat(), "links"),
        (vec!["nonsense"], "nonsense"),
    ] {
        let (code, said) = run(&args);
        assert_eq!(code, 2, "{args:?}: {said}");
        assert!(said.contains(named), "{args:?}: {said}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_no_invalid_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().display().to_string();
    let missing = format!("{folder}/missing.ndjson");
    for file in [&folder, &missing] {
        for command in [&["match", "{}", file][..], &["match", "--skip-invalid", "{}", file]] {
            let (code, said) = run(command);
            assert_eq!(code, 1, "{command:?}: {said}");
            assert!(said.contains(&format!("{file}: ")), "{command:?}: {said}");
        }
    }
}
