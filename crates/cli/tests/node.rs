//! What a node can be told, without any network: its configuration, and what is installed with it.

#![allow(clippy::expect_used)]

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/taiinet-node.toml");
const WHERE: [&str; 4] = ["--network", "n", "--signaller", "ws://127.0.0.1:1"];

fn node(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taiinet"));
    for variable in ["NETWORK", "SIGNALLER", "IDENTITY", "PASSPHRASE", "BLACKLIST"] {
        command.env_remove(format!("TAIINET_{variable}"));
    }
    command.arg("node").args(args).env_remove("RUST_LOG").stdin(Stdio::null());
    command.output().expect("it runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

fn ours(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn checked(args: &[&str]) -> Value {
    let output = node(&[args, &["--check-config", "--json"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// What it says of a wrong configuration.
fn complaint(args: &[&str]) -> String {
    let output = node(&[args, &["--check-config"]].concat());
    assert_eq!(output.status.code(), Some(2), "{args:?}: {}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "");
    // It does not start with it either.
    assert_eq!(node(args).status.code(), Some(2), "{args:?}");
    text(&output.stderr).to_owned()
}

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("written");
    path.display().to_string()
}

#[test]
fn the_example_says_the_defaults_and_names_each_option() {
    let example = checked(&[&["--config", EXAMPLE], &WHERE[..]].concat());
    assert_eq!(example, checked(&WHERE));
    let text = ours("taiinet-node.toml");
    let options: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim_start_matches("# ").split_once(" = "))
        .map(|(name, _)| name)
        .collect();
    // Each is known by that name: another would be refused.
    let folder = tempfile::tempdir().expect("a folder");
    let key = file(&folder, "key", "");
    let list = file(&folder, "list", "[]");
    let mut all = String::new();
    for line in text.lines() {
        let bare = line.strip_prefix("# ").filter(|line| line.contains(" = "));
        all += bare.unwrap_or(line);
        all += "\n";
    }
    for (example, given) in [
        ("/etc/taiinet/node.key", &key),
        ("/etc/taiinet/node.blacklist", &list),
        ("ca-file = \"/etc/taiinet/ca.pem\"", &String::new()),
    ] {
        assert!(all.contains(example), "{example}");
        all = all.replace(example, given);
    }
    let all = checked(&[&["--config", &file(&folder, "all.toml", &all)], &WHERE[..]].concat());
    let all = all.as_object().expect("an object");
    for option in options {
        assert!(option == "ca-file" || all.contains_key(option), "{option}");
    }
    assert!(all.len() >= 15, "{all:?}");
    assert_eq!((&all["upload"], &all["quota"]), (&"2MB/s".into(), &"1000,16384".into()));
}

#[test]
fn the_command_line_wins_over_the_file_and_what_is_printed_is_a_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "networks = ['a', 'b']\nsignallers = ['wss://one.example']\nupload = '500kB/s'\n";
    let config = file(&folder, "node.toml", config);
    let settings = checked(&["--config", &config]);
    assert_eq!(settings["networks"], serde_json::json!(["a", "b"]));
    assert_eq!((&settings["upload"], &settings["links"]), (&"500kB/s".into(), &"6,10".into()));
    let args = ["--config", &config, "--network", "c", "--upload", "1MiB/s", "--links", "3"];
    let settings = checked(&args);
    assert_eq!(settings["networks"], serde_json::json!(["c"]));
    assert_eq!((&settings["upload"], &settings["links"]), (&"1MiB/s".into(), &"3,7".into()));
    assert_eq!(settings["signallers"], serde_json::json!(["wss://one.example"]));
    let printed = node(&[&args[..], &["--check-config"]].concat());
    let printed = file(&folder, "printed.toml", text(&printed.stdout));
    assert_eq!(checked(&["--config", &printed]), settings);
}

#[test]
fn what_cannot_run_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = "networks = ['a']\nsignallers = ['ws://x']\n";
    let damaged = file(&folder, "damaged", "[{]");
    for (more, reason) in [
        ("uplaod = '2MB/s'\n", "unknown field `uplaod`"),
        ("upload = '2MB'\n", "write 500kB/s, 2MB/s or 20Mbit/s"),
        ("upload = '1kB/s'\n", "at least 64KiB/s"),
        ("links = '0,x'\n", "no number of links"),
        ("quota = '0'\n", "no number of documents"),
        ("metrics = 'here'\n", "expected ADDR:PORT or `off`"),
        ("log = 'loud=very=much'\n", "log:"),
        ("identity = '/nowhere/key'\n", "/nowhere/key"),
        ("ca-file = '/nowhere/ca'\n", "/nowhere/ca"),
        (&format!("blacklist = '{damaged}'\n"), "is damaged"),
        ("networks = 7\n", "networks"),
    ] {
        let told = complaint(&["--config", &file(&folder, "bad.toml", &(good.to_owned() + more))]);
        assert!(told.contains(reason), "{more}: {told}");
    }
    for (config, reason) in [
        ("", "which networks?"),
        ("networks = ['a']\n", "no signaller"),
        ("networks = ['a', 'a']\nsignallers = ['ws://x']\n", "each once"),
        ("networks = ['']\nsignallers = ['ws://x']\n", "1 to 64 bytes"),
        ("networks = ['a']\nsignallers = ['http://x']\n", "ws:// or wss://"),
    ] {
        let told = complaint(&["--config", &file(&folder, "bad.toml", config)]);
        assert!(told.contains(reason), "{config}: {told}");
    }
    let told = complaint(&["--config", "/nowhere/node.toml"]);
    assert!(told.contains("/nowhere/node.toml"), "{told}");
}

#[test]
fn what_the_unit_runs_is_what_the_command_takes() {
    let unit = ours("taiinet-node.service");
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a start");
    let mut words = line.split_whitespace();
    assert_eq!(words.next(), Some("/usr/local/bin/taiinet"));
    assert_eq!(words.next(), Some("node"));
    let mut args: Vec<&str> = words.collect();
    assert_eq!(args[1], "/etc/taiinet/taiinet-node.toml");
    args[1] = EXAMPLE;
    checked(&[&args[..], &WHERE].concat());
    // What the example names as the folder of the state is the one that the unit makes.
    let folder = unit.lines().find_map(|line| line.strip_prefix("StateDirectory="));
    let example = format!("# state = \"/var/lib/{}\"", folder.expect("a folder"));
    assert!(ours("taiinet-node.toml").lines().any(|line| line == example), "{example}");
}

#[test]
fn systemd_takes_the_unit_and_finds_little_that_it_exposes() {
    let exists = Command::new("systemd-analyze").arg("--version").stdout(Stdio::null()).status();
    if !exists.is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no systemd-analyze here");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let unit = ours("taiinet-node.service");
    let unit = unit.replace("/usr/local/bin/taiinet", env!("CARGO_BIN_EXE_taiinet"));
    let unit = file(&folder, "taiinet-node.service", &unit);
    for args in [&["verify", "--man=no"][..], &["security", "--offline=true", "--threshold=18"]] {
        let ran = Command::new("systemd-analyze").args(args).arg(&unit).output().expect("it runs");
        let said = format!("{}{}", text(&ran.stdout), text(&ran.stderr));
        let is_of_it = |line: &&str| args[0] == "verify" && line.contains("taiinet");
        assert!(ran.status.success() && said.lines().filter(is_of_it).count() == 0, "{said}");
    }
}

#[test]
fn the_operators_manual_is_true_of_options_files_and_metrics() {
    let manual = ours("NODE.md");
    let help = node(&["--help"]);
    let words = manual.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    let mut count = 0;
    for option in
        words.filter(|word| word.starts_with("--") && word.ends_with(char::is_alphanumeric))
    {
        // Those of other commands.
        if !["--out", "--profile", "--now", "--no-passphrase"].contains(&option) {
            assert!(text(&help.stdout).contains(option), "{option}");
            count += 1;
        }
    }
    assert!(count >= 4, "{count}");
    for name in ["taiinet-node.toml", "taiinet-node.service"] {
        assert!(manual.contains(name), "{name}");
    }
    let metrics = ours("src/node/metrics.rs");
    let names = manual.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let names: Vec<_> = names.filter_map(|word| word.strip_prefix("taiinet_node_")).collect();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        assert!(metrics.contains(&format!("\"{name}\"")), "{name}");
    }
}
