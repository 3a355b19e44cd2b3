//! `taiinet seed` for several networks: an archive each, and nothing goes from one network to another; in real
//! processes.

use std::path::Path;

use serde_json::{Value, json};
use taiinet_tests::{Mesh, Peer, Signaller, generate_key};

/// A seed of both networks that has started, with what it says of them.
fn seed(meshes: &[Mesh; 2], store: &Path, key: &Path) -> (Peer, Vec<Value>) {
    let [one, other] = meshes;
    let (store, key) = (store.display().to_string(), key.display().to_string());
    let args = ["seed", "{}", "--json", "--store", &store, "--identity", &key];
    let seed = one.run("seed", &[&args[..], &["--network", other.network()]].concat());
    let started = seed.eventually("started", |seed| {
        let lines = seed.stdout();
        let lines = lines.iter().map(|line| serde_json::from_str(line).expect("JSON"));
        let lines: Vec<Value> = lines.collect();
        (lines.len() == 2).then_some(lines)
    });
    (seed, started)
}

/// An archive that had more than there was room for says from when on it has everything.
#[test]
fn neighbours_see_what_an_archive_keeps() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, file) = (folder.path().join("archive"), folder.path().join("documents.jsonl"));
    let key = folder.path().join("author.key");
    generate_key(&key);
    let text = "x".repeat(4_000);
    let lines = (0..400).map(|number| format!("{}\n", json!({ "n": number, "text": text })));
    std::fs::write(&file, lines.collect::<String>()).expect("written");
    let signaller = Signaller::start();
    let mesh = Mesh::new(&signaller);
    let store = store.display().to_string();
    let args =
        ["seed", r#"{"n":{"$gte":0}}"#, "--index", "n", "--quota", "1MiB", "--store", &store];
    let mut seeding = mesh.run("seed", &args);
    seeding.has_joined();
    let (file, key) = (file.display().to_string(), key.display().to_string());
    mesh.run("import", &["import", &file, "--identity", &key]).succeeds();
    let peers = mesh.run("peers", &["peers", "--json"]);
    let kept = peers.eventually("is told from when on there is everything", |peers| {
        let lines = peers.stdout();
        let status: Value = serde_json::from_str(lines.last()?).ok()?;
        let kept =
            &status["links"].as_array()?.iter().find(|link| !link["archive"].is_null())?["archive"];
        (kept["since"].as_u64()? > 1_700_000_000_000).then(|| kept.clone())
    });
    assert_eq!(kept["queries"], json!([r#"{"n":{"$gte":0}}"#]));
    assert_eq!(kept["indexed"], json!(["n"]));
    seeding.signal("TERM");
    seeding.succeeds();
}

fn found(mesh: &Mesh) -> Vec<Value> {
    let mut finder = mesh.run("finder", &["find", "{}"]);
    finder.succeeds();
    finder.stdout().iter().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn two_networks_have_an_archive_each_and_nothing_crosses() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, key) = (folder.path().join("archives"), folder.path().join("archive.key"));
    generate_key(&key);
    let signaller = Signaller::start();
    let meshes = [Mesh::new(&signaller), Mesh::new(&signaller)];
    let documents = [json!({ "in": "one" }), json!({ "in": "other" })];

    let (mut seeding, started) = seed(&meshes, &store, &key);
    assert_eq!(started[0]["peer"], started[1]["peer"], "of one identity");
    let mut named: Vec<_> = started.iter().map(|line| line["network"].as_str()).collect();
    named.sort_unstable();
    let mut networks: Vec<_> = meshes.iter().map(|mesh| Some(mesh.network())).collect();
    networks.sort_unstable();
    assert_eq!(named, networks);
    for (mesh, document) in meshes.iter().zip(&documents) {
        let mut publisher = mesh.publisher("publisher");
        publisher.publish(document);
        publisher.end_input();
        publisher.succeeds();
    }
    for (mesh, document) in meshes.iter().zip(&documents) {
        assert_eq!(found(mesh), std::slice::from_ref(document));
    }

    // After a restart they have it from the disk.
    seeding.signal("TERM");
    seeding.succeeds();
    let (mut seeding, started) = seed(&meshes, &store, &key);
    assert!(started.iter().all(|line| line["documents"] == 1), "{started:?}");
    for (mesh, document) in meshes.iter().zip(&documents) {
        assert_eq!(found(mesh), std::slice::from_ref(document));
    }
    seeding.signal("TERM");
    seeding.succeeds();

    // Neither is taken for an archive of one network, nor made one beside.
    let mut alone =
        meshes[0].run("alone", &["seed", "{}", "--store", &store.display().to_string()]);
    assert_eq!(alone.exit_code(), 2);
    assert!(alone.stderr().join("\n").contains("several networks"), "{:?}", alone.stderr());

    // One that cannot start is named, and holds up nothing: the others have let go of their stores.
    let other = store.join(meshes[1].network()).display().to_string();
    let mut holder = meshes[1].run("holder", &["seed", "{}", "--store", &other]);
    holder.eventually("holds it", |holder| (!holder.stdout().is_empty()).then_some(()));
    let args = ["seed", "{}", "--store", &store.display().to_string()];
    let mut both =
        meshes[0].run("both", &[&args[..], &["--network", meshes[1].network()]].concat());
    assert_eq!(both.exit_code(), 1);
    let said = both.stderr().join("\n");
    assert!(said.contains(meshes[1].network()) && said.contains("documents.redb"), "{said}");
    assert!(both.stdout().is_empty(), "none has started");
    holder.signal("TERM");
    holder.succeeds();
}
