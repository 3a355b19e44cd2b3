use std::{
    path::Path,
    process::{Command, Stdio},
};

use taiinet_signaller::{
    limits,
    server::{AcceptConfig, TlsFiles},
};

use crate::program::{Folder, run, text};

fn ours(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn exists(command: &str) -> bool {
    let run = Command::new(command).arg("--version").stdout(Stdio::null()).status();
    let exists = run.is_ok_and(|status| status.success());
    if !exists {
        eprintln!("skipped: there is no {command} here");
    }
    exists
}

/// The unit with the program that was built here in the place of the one to be installed.
fn unit(folder: &Folder) -> String {
    let unit = ours("taiinet-signaller.service");
    const INSTALLED: &str = "/usr/local/bin/taiinet-signaller";
    assert!(unit.contains(INSTALLED));
    let unit = unit.replace(INSTALLED, env!("CARGO_BIN_EXE_taiinet-signaller"));
    folder.write("taiinet-signaller.service", &unit)
}

#[test]
fn systemd_takes_the_unit_without_a_complaint() {
    if !exists("systemd-analyze") {
        return;
    }
    let folder = Folder::new();
    let verify = Command::new("systemd-analyze")
        .args(["verify", "--man=no", &unit(&folder)])
        .output()
        .unwrap();
    let said = text(&verify.stderr);
    let about_it: Vec<_> = said.lines().filter(|line| line.contains("taiinet")).collect();
    assert!(verify.status.success() && about_it.is_empty(), "{said}");
}

#[test]
fn systemd_finds_little_that_the_unit_exposes() {
    if !exists("systemd-analyze") {
        return;
    }
    let folder = Folder::new();
    let security = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=15", &unit(&folder)])
        .output()
        .unwrap();
    assert!(security.status.success(), "{}", text(&security.stdout));
}

#[test]
fn what_the_unit_and_the_container_run_is_what_the_command_takes() {
    for (file, start) in [("taiinet-signaller.service", "ExecStart="), ("Containerfile", "CMD ")] {
        let file = ours(file);
        let line = file.lines().find_map(|line| line.strip_prefix(start)).unwrap();
        let words = line.split(|letter: char| letter.is_whitespace() || "[],\"".contains(letter));
        let mut args: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        args.retain(|word| !word.ends_with("/taiinet-signaller"));
        // The file of the place where it runs is not here.
        let example = concat!(env!("CARGO_MANIFEST_DIR"), "/taiinet-signaller.toml");
        for arg in &mut args {
            if arg.ends_with(".toml") {
                *arg = example;
            }
        }
        args.push("--check-config");
        let output = run(&args);
        assert!(output.status.success(), "{args:?} {}", text(&output.stderr));
    }
}

#[test]
fn completions_and_the_manual_are_written() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["--completions", shell]);
        assert!(output.status.success());
        let script = text(&output.stdout);
        assert!(script.contains("handshake-timeout"), "{shell}");
    }
    let folder = Folder::new();
    assert!(run(&["--man", folder.path().to_str().unwrap()]).status.success());
    let page = std::fs::read_to_string(folder.path().join("taiinet-signaller.1")).unwrap();
    assert!(page.contains("SIGHUP") && page.contains("max\\-clients"), "{page}");
    assert!(!page.contains("completions"), "what is hidden is hidden here, too");
}

#[test]
fn the_operators_manual_is_true_of_options_and_files() {
    let help = run(&["--help"]);
    let manual = ours("OPERATING.md");
    let words = manual.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    let mut count = 0;
    for option in
        words.filter(|word| word.starts_with("--") && word.ends_with(char::is_alphanumeric))
    {
        // Those of other commands.
        const OTHERS: [&str; 14] = [
            "--now",
            "--out",
            "--profile",
            "--deploy-hook",
            "--read-only",
            "--cap-drop",
            "--security-opt",
            "--memory",
            "--signal",
            "--use-auth-secret",
            "--static-auth-secret",
            "--realm",
            "--no-cli",
            "--relay-only",
        ];
        const HIDDEN: [&str; 2] = ["--man", "--completions"];
        if !OTHERS.contains(&option) && !HIDDEN.contains(&option) {
            assert!(text(&help.stdout).contains(option), "{option}");
            count += 1;
        }
    }
    assert!(count >= 10, "{count}");
    for name in
        ["taiinet-signaller.toml", "taiinet-signaller.service", "Containerfile", "grafana.json"]
    {
        assert!(manual.contains(name), "{name}");
        ours(name);
    }
    let metrics = ours("src/server/metrics.rs");
    let names = manual.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    for name in names.filter_map(|word| word.strip_prefix("taiinet_signaller_")) {
        assert!(metrics.contains(&format!("\"{name}\"")), "{name}");
    }
}

/// A size as systemd and podman write it, in bytes.
fn bytes(size: &str) -> usize {
    let (number, unit) = size.split_at(size.find(char::is_alphabetic).unwrap());
    let shift = match unit.to_ascii_lowercase().as_str() {
        "m" => 20,
        "g" => 30,
        _ => panic!("{size}"),
    };
    number.parse::<usize>().unwrap() << shift
}

/// The defaults are those of the file that is shipped (`the_example_says_the_defaults_and_names_each_option`).
#[test]
fn the_unit_and_the_container_give_it_the_memory_that_it_may_take() {
    let tls = TlsFiles { certificate: "cert.pem".into(), key: "key.pem".into() };
    let most = AcceptConfig { tls: Some(tls), ..AcceptConfig::default() }.most_memory();
    let unit = ours("taiinet-signaller.service");
    let unit = unit.lines().find_map(|line| line.strip_prefix("MemoryMax=")).unwrap();
    let given = bytes(unit);
    assert!(given >= most, "MemoryMax={unit}: it takes {most} bytes at most");
    assert!(given < most + (512 << 20), "MemoryMax={unit}: for {most} bytes");
    let descriptors = ours("taiinet-signaller.service");
    let descriptors = descriptors.lines().find_map(|line| line.strip_prefix("LimitNOFILE="));
    let descriptors: usize = descriptors.unwrap().parse().unwrap();
    assert!(descriptors > limits::CLIENTS + limits::HANDSHAKES);
    for file in ["Containerfile", "OPERATING.md"] {
        let text = ours(file);
        let mut found = 0;
        for line in text.lines().filter(|line| line.contains("podman run")) {
            let size = line.split("--memory ").nth(1).unwrap().split_whitespace().next().unwrap();
            assert_eq!(bytes(size), given, "{file}");
            found += 1;
        }
        assert_eq!(found, 1, "{file}");
    }
}
