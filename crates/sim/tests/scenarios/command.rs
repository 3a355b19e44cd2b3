//! What a user does with the command: real processes.

use std::{
    fs,
    io::Read as _,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

const SMALL: &str = "\
name = \"small\"
about = \"A few peers.\"
peers = 12
interest = \"everyone\"

[time]
warm_up_s = 6
measured_s = 3
patience_s = 3

[publish]
per_second = 2
";

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taiinet-sim"));
    command.args(args).stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    command(args).output().expect("it runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// A scenario in a folder of its own.
struct File(tempfile::TempDir);

impl File {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("scenario.toml"), text).expect("written");
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }
}

#[test]
fn a_run_prints_one_object_and_writes_what_is_asked() {
    let file = File::new(SMALL);
    let (csv, html) = (file.path("seconds.csv"), file.path("page.html"));
    let path = file.path("scenario.toml");
    let output = run(&[&path, "--json", "--csv", &csv, "--html", &html, "--seed", "5"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let object: Value = serde_json::from_slice(&output.stdout).expect("one object");
    for name in [
        "scenario",
        "seed",
        "peers",
        "published",
        "due",
        "delivered",
        "doubles",
        "unwanted_per_wanted",
        "copies",
        "last_hop",
        "p50_ms",
        "p99_ms",
        "bytes_per_s",
        "bytes_per_s_max",
        "control_bytes_per_s",
        "interest_bytes_max",
        "honest_cut",
        "recovered_after_s",
        "wall_s",
        "memory_mib",
        "verification_shared",
    ] {
        assert!(object.get(name).is_some(), "{name}: {object}");
    }
    assert_eq!((&object["seed"], &object["peers"]), (&Value::from(5), &Value::from(12)));
    assert_eq!((&object["published"], &object["due"]), (&Value::from(6), &Value::from(66)));
    assert_eq!(object["delivered"], object["due"]);
    let csv = fs::read_to_string(csv).expect("written");
    assert!(csv.starts_with("second,alive,") && csv.lines().count() > 9, "{csv}");
    let html = fs::read_to_string(html).expect("written");
    assert!(html.starts_with("<!doctype html>") && html.contains("<svg"));
    // The same seed shows the same.
    let again = run(&[&path, "--json", "--seed", "5"]);
    let again: Value = serde_json::from_slice(&again.stdout).expect("one object");
    for name in ["delivered", "copies", "last_hop", "p99_ms", "bytes_per_s"] {
        assert_eq!(object[name], again[name], "{name}");
    }
}

/// What a real mesh is to do is what the simulated one does.
#[test]
fn a_plan_has_what_a_run_publishes_and_who_wants_it() {
    let topics = "interest = { topics = { share = 0.25, topics = 8 } }";
    let small =
        SMALL.replace("interest = \"everyone\"", topics).replace("peers = 12", "peers = 24");
    let file = File::new(&format!("{small}count = 3\nonly_publish = true\n"));
    let object = |option| -> Value {
        let output = run(&[&file.path("scenario.toml"), option]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("one object")
    };
    let (plan, figures) = (object("--plan"), object("--json"));
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let (publishers, queries) = (list(&plan["publishers"]), list(&plan["queries"]));
    assert_eq!((publishers.len(), queries.len()), (3, 24));
    for (peer, queries) in queries.iter().enumerate() {
        let publishes = publishers.contains(&Value::from(peer));
        assert_eq!(list(queries).is_empty(), publishes, "{peer} wants {queries}");
    }
    let counts = |one: &&Value| one["at_ms"].as_u64() >= plan["begin_ms"].as_u64();
    let documents = list(&plan["documents"]);
    let counted: Vec<&Value> = documents.iter().filter(counts).collect();
    let mut due = 0;
    for one in &counted {
        let content: Value =
            serde_json::from_str(one["content"].as_str().expect("text")).expect("JSON");
        let query = format!("{{\"type\":{}}}", content["type"]);
        let wants = |of: &&Value| list(of).contains(&Value::from(query.as_str()));
        let wanting = queries.iter().filter(wants).count();
        assert_eq!(list(&one["wanted_by"]).len(), wanting, "{query}");
        assert!(publishers.contains(&one["by"]), "{}", one["by"]);
        due += wanting;
    }
    assert!(due > 0);
    assert_eq!((&figures["published"], &figures["due"]), (&counted.len().into(), &due.into()));
    assert_eq!(figures["delivered"], figures["due"]);
}

#[test]
fn a_broken_bound_is_named_with_its_figure_and_the_seed() {
    let file = File::new(&format!("{SMALL}\n[bounds]\nlast_hop = {{ max = 0.5 }}\n"));
    let output = run(&[&file.path("scenario.toml")]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("last_hop is") && said.contains("at most 0.5"), "{said}");
    assert!(said.contains("seed 1"), "{said}");
    assert!(text(&output.stdout).contains("bound broken"));
}

#[test]
fn an_aim_that_is_missed_is_said_and_no_failure() {
    let file = File::new(&format!("{SMALL}\n[aims]\nlast_hop = {{ max = 0.5 }}\n"));
    let output = run(&[&file.path("scenario.toml")]);
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("aim missed"), "{}", text(&output.stdout));
}

#[test]
fn a_wrong_file_is_wrong_usage() {
    let file = File::new(&SMALL.replace("peers", "pears"));
    let output = run(&[&file.path("scenario.toml"), "--json"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""));
    let said = text(&output.stderr);
    assert!(
        said.contains("line 3") && said.contains("pears") && said.contains("`peers`"),
        "{said}"
    );
    assert_eq!(run(&[&file.path("nothing.toml")]).status.code(), Some(2));
    assert_eq!(run(&[&file.path("scenario.toml"), "--pears"]).status.code(), Some(2));
    // Nobody can want this.
    let few =
        SMALL.replace("interest = \"everyone\"", "interest = { ranges = { share = 0.0001 } }");
    let output = run(&[&File::new(&few).path("scenario.toml")]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_prints_what_it_has() {
    let file = File::new(&SMALL.replace("measured_s = 3", "measured_s = 80000"));
    for (signal, json) in [("-INT", true), ("-TERM", false)] {
        let mut args = vec![file.path("scenario.toml")];
        args.extend(json.then(|| "--json".to_owned()));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut command = command(&args);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
        // It listens from its start on; a signal before that would end it, and is sent to a process that runs.
        listens(child.id());
        let pid = child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("sent").success());
        let mut said = String::new();
        child.stdout.take().expect("piped").read_to_string(&mut said).expect("text");
        assert_eq!(child.wait().expect("it ends").code(), Some(130));
        if json {
            let object: Value = serde_json::from_str(&said).expect("one object");
            assert_eq!(object["interrupted"], Value::from(true));
        } else {
            assert!(said.contains("interrupted"), "{said}");
        }
    }
}

/// Waits until a process catches SIGTERM.
#[cfg(unix)]
fn listens(process: u32) {
    const TERM: u64 = 1 << 14;
    let begun = std::time::Instant::now();
    while begun.elapsed().as_secs() < 20 {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        if caught.is_some_and(|mask| mask & TERM != 0) {
            return;
        }
        std::thread::yield_now();
    }
    panic!("it does not listen to signals");
}
