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

/// The commands of a code block of the manual, under this heading.
fn steps(heading: &str) -> Vec<String> {
    let manual = ours("OPERATING.md");
    let (_, section) = manual.split_once(&format!("\n## {heading}\n")).unwrap();
    let block = section.split("```").nth(1).unwrap();
    let (_, block) = block.split_once('\n').unwrap();
    block.replace("\\\n", " ").lines().map(ToOwned::to_owned).collect()
}

/// The steps of the manual, in a mount namespace of the test's own: what they install is there only meanwhile. Nothing is
/// built and nothing started; all else is done as it stands there.
#[cfg(target_os = "linux")]
#[test]
fn systemd_takes_the_unit_without_a_complaint_after_the_steps_of_the_manual() {
    let tools = ["systemd-analyze", "man", "unshare", "install"];
    if !tools.into_iter().all(exists) {
        return;
    }
    let (mut script, mut verifies) = (String::from("set -eu\n"), false);
    for step in steps("systemd") {
        let is_elsewhere = step.starts_with("cargo ") || step.starts_with("systemctl ");
        verifies |= step.starts_with("systemd-analyze verify");
        if !is_elsewhere {
            let step = step.replace("target/dist/taiinet-signaller", "\"$BUILT\"");
            script += &format!("echo \"+ {}\" >&2\n{step}\n", step.replace('"', ""));
        }
    }
    assert!(verifies, "the manual has it verified:\n{script}");
    let folder = Folder::new();
    let within = folder.write("steps.sh", &script);
    // A copy of /etc in its place, and nothing in that of /usr/local but what the steps put there.
    let around = "set -eu; cp -a /etc \"$FOLDER/etc\"; mount --bind \"$FOLDER/etc\" /etc; \
                  mkdir -p \"$FOLDER/local/bin\"; mount --bind \"$FOLDER/local\" /usr/local; mkdir -p /etc/systemd/system; \
                  exec sh \"$STEPS\"";
    // Whoever is not root may be so within.
    let is_root = rustix::process::getuid().is_root();
    let unshare = if is_root { &["--mount"][..] } else { &["--mount", "--map-root-user"] };
    let done = Command::new("unshare")
        .args(unshare)
        .args(["sh", "-c", around])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .env("FOLDER", folder.path())
        .env("STEPS", within)
        .env("BUILT", env!("CARGO_BIN_EXE_taiinet-signaller"))
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
        .output()
        .unwrap();
    let said = text(&done.stderr);
    if said.contains("unshare: ") {
        return eprintln!("skipped: {said}");
    }
    // It warns of other units of this host, too.
    let complaints = said.lines().filter(|line| !line.starts_with('+') && line.contains("taiinet"));
    assert_eq!(complaints.collect::<Vec<_>>(), [""; 0], "{said}");
    assert!(done.status.success(), "{said}");
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

/// The value of an instruction of the Containerfile, as the JSON that it is.
fn instruction(name: &str) -> Vec<String> {
    let file = ours("Containerfile");
    let line = file.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    serde_json::from_str(line.trim()).unwrap()
}

/// What the container runs, with the folder that is mounted at /etc/taiinet in another place.
fn in_container(mounted: &Folder) -> Vec<String> {
    let [entry] = &instruction("ENTRYPOINT")[..] else { panic!("one word") };
    assert_eq!(entry, "/usr/local/bin/taiinet-signaller");
    let place = mounted.path().to_str().unwrap();
    let args = instruction("CMD").into_iter();
    args.map(|arg| arg.replace("/etc/taiinet", place)).collect()
}

/// As its build makes it: the shipped file, through the commands that stand in the Containerfile.
fn file_of_the_image(folder: &Folder) -> String {
    let copied = "COPY --from=build /src/signaller/taiinet-signaller.toml /etc/taiinet/taiinet-signaller.toml";
    let file = ours("Containerfile");
    assert!(file.lines().any(|line| line == copied), "what the image has");
    let sed = file.lines().find(|line| line.starts_with("RUN sed ")).unwrap();
    let path = folder.write("taiinet-signaller.toml", &ours("taiinet-signaller.toml"));
    let sed = sed.strip_prefix("RUN ").unwrap().replace("signaller/taiinet-signaller.toml", &path);
    assert!(Command::new("sh").args(["-c", &sed]).status().unwrap().success(), "{sed}");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_container_runs_by_the_mounted_file_and_without_one_for_all_of_ipv6_and_ipv4() {
    let folder = Folder::new();
    let own = file_of_the_image(&folder);
    let args = in_container(&folder);
    let args: Vec<_> =
        args.iter().map(String::as_str).chain(["--check-config", "--json"]).collect();
    let checked = || {
        let output = run(&args);
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    assert_eq!(checked()["listen"], serde_json::json!(["[::]:7700"]));
    // All that is mounted counts, where it listens, too.
    folder.write("taiinet-signaller.toml", "listen = ['192.0.2.1:7']\nmax-clients = 77\n");
    assert_eq!(checked()["listen"], serde_json::json!(["192.0.2.1:7"]));
    assert_eq!(checked()["max-clients"], 77);

    // And as it is in the image, but for the port, it is reached by both.
    folder.write("taiinet-signaller.toml", &own.replace("[::]:7700", "[::]:0"));
    let mut command = crate::program::command(&args[..args.len() - 2]);
    command.arg("--json").stderr(Stdio::null());
    let program = crate::program::Program::spawn(command);
    let port = program.address().port();
    for address in ["127.0.0.1", "::1"] {
        let address = std::net::SocketAddr::new(address.parse().unwrap(), port);
        let answer = crate::program::get(address, "/healthz", "");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{address}: {answer}");
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
        const OTHERS: [&str; 15] = [
            "--now",
            "--names",
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
    for name in [
        "taiinet-signaller.toml",
        "taiinet-signaller.service",
        "Containerfile",
        "grafana.json",
        "alerts.yml",
    ] {
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
