//! What is imported is what was exported.

use serde_json::Value;

use super::{
    documents::{lines, of_all_kinds},
    support::{Room, command, done, export, fails, json, output, told},
};

#[test]
fn an_import_of_an_export_is_the_same_database() {
    let room = Room::new();
    let mut documents = of_all_kinds();
    // In another order than that of their times.
    documents.reverse();
    let file = room.write("all.ndjson", lines(&documents));
    let (first, second) = (room.text("first"), room.text("second"));
    let said = json(&format!("import {file} --store {first} --json"));
    assert_eq!(said["invalid"], 0, "{said}");
    let exported = export(&first);
    // The older version, what was deleted by key and by id, and what was written before the owner's newest version.
    assert!(exported.lines().count() < documents.len(), "{exported}");
    assert!(exported.contains("\"deleted\":true") && exported.contains("\"deleted\":[\""));
    assert!(exported.contains("\"public\":{\"type\":\"letter\"}") && !exported.contains("for bob"));
    assert!(exported.contains("a stranger's") && !exported.contains("\"old\""));
    assert!(!exported.chars().any(|char| char.is_control() && char != '\n'), "{exported:?}");
    let times = exported.lines().map(|line| {
        serde_json::from_str::<Value>(line).expect("JSON")["created_at"].as_u64().expect("a time")
    });
    assert!(times.is_sorted());

    let out = room.text("out.ndjson");
    done(&format!("export --store {first} --out {out}"));
    assert_eq!(std::fs::read_to_string(&out).expect("a file"), exported);
    done(&format!("import {out} --store {second}"));
    assert_eq!(export(&second), exported);
    for what in ["documents", "deletions", "signed_bytes", "oldest", "newest", "network"] {
        let of = |store| json(&format!("archive stats --store {store} --json"))[what].clone();
        assert_eq!(of(&first), of(&second), "{what}");
    }
    // Once more, and nothing is new.
    let again = json(&format!("import {out} {out} --store {second} --json"));
    assert_eq!((&again["stored"], &again["superseded"]), (&0.into(), &0.into()), "{again}");
    assert_eq!(export(&second), exported);
}

#[test]
fn an_export_can_be_of_what_matches_and_of_a_time() {
    let room = Room::new();
    let file = room.write("all.ndjson", lines(&of_all_kinds()));
    let store = room.text("store");
    done(&format!("import {file} --store {store}"));
    let all = export(&store);
    let count = |more: &str| done(&format!("export --store {store} {more}")).lines().count();
    assert_eq!(count(r#"{"mood":{"$exists":true}}"#), 1);
    assert_eq!(count(r#"{"type":"letter"}"#), 1, "by its public fields");
    let first = "2023-11-14T22:13:20Z";
    assert_eq!(count(&format!("--until {first}")), 0);
    assert_eq!(count(&format!("--since {first}")), all.lines().count());
    // Up to a second, and from then on: nothing is missing, and nothing double.
    for seconds in 1..14 {
        let at = format!("2023-11-14T22:13:{}Z", 20 + seconds);
        for query in ["", "{}"] {
            let halves =
                count(&format!("{query} --until {at}")) + count(&format!("{query} --since {at}"));
            assert_eq!(halves, count(query), "{at}");
        }
    }
    let summary = json(&format!("export --store {store} --json --out {}", room.text("out")));
    assert_eq!(summary["exported"], all.lines().count());
    assert_eq!(summary["complete"], true);
    assert_eq!(summary["bytes"], all.len());
}

#[test]
fn plain_lines_are_signed_and_become_the_same_documents_again() {
    let room = Room::new();
    let (store, key) = (room.text("store"), room.key());
    let cities = "{\"id\":1,\"name\":\"Ulm\",\"at\":\"2024-05-01T12:00:00+02:00\"}\n\
                  {\"id\":2,\"name\":\"Bonn\",\"at\":1714557600001}\n\
                  {\"id\":1,\"name\":\"Ulm on Danube\",\"at\":1714557600002}\n";
    let file = room.write("cities.ndjson", cities);
    let import = format!(
        "import {file} --store {store} --network places --identity {key} --key-field id \
         --time-field at --json"
    );
    assert_eq!(json(&import)["stored"], 3);
    let exported = export(&store);
    let found: Vec<Value> =
        exported.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(found.len(), 2, "the newest of each key");
    assert_eq!(
        (&found[0]["key"], &found[0]["created_at"]),
        (&"2".into(), &1_714_557_600_001_u64.into())
    );
    assert_eq!(found[1]["data"]["name"], "Ulm on Danube");
    let again = json(&import);
    assert_eq!(
        (&again["stored"], &again["known"], &again["superseded"]),
        (&0.into(), &2.into(), &1.into())
    );
    assert_eq!(export(&store), exported);
}

#[test]
fn without_a_time_lines_are_as_old_as_their_file_and_later_ones_are_newer() {
    let room = Room::new();
    let (store, key) = (room.text("store"), room.key());
    let versions: String = (0..300).map(|n| format!("{{\"id\":{},\"n\":{n}}}\n", n % 3)).collect();
    let file = room.write("versions.ndjson", versions);
    let changed = std::fs::metadata(&file).expect("a file").modified().expect("a time");
    let import =
        format!("import {file} --store {store} --network n --identity {key} --key-field id");
    done(&import);
    let exported = export(&store);
    let newest: Vec<u64> = exported
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .map(|line| line["data"]["n"].as_u64().expect("a number"))
        .collect();
    assert_eq!(newest, [297, 298, 299]);
    let millis = changed.duration_since(std::time::UNIX_EPOCH).expect("a time").as_millis();
    assert!(exported.contains(&format!("\"created_at\":{}", millis - 1)), "{exported} {millis}");
    done(&import);
    assert_eq!(export(&store), exported, "it holds when it is run again");
    // Of what is no file nobody knows.
    let mut command = command(&format!("import - --store {store} --identity {key}"));
    command.stdin(std::fs::File::open(&file).expect("a file"));
    let (code, _, said) = told(&command.output().expect("it runs"));
    assert!(
        code == Some(1) && said.contains("stdin:1: ") && said.contains("--time-field"),
        "{said}"
    );
}

/// The store of a seed keeps its indexes and bounds, and nothing is made anew.
#[test]
fn what_a_seed_has_set_stays() {
    use std::time::Duration;
    use taiinet::{
        ArchiveOptions, Query,
        archives::{Config, RedbStore},
    };
    let room = Room::new();
    let (store, file) = (room.text("store"), room.write("all.ndjson", lines(&of_all_kinds())));
    let mut options = ArchiveOptions::new(&store, vec![Query::all()]);
    options.index = vec!["n".parse().expect("a path"), "mood".parse().expect("a path")];
    options.quota = Some(1 << 30);
    options.keep = Some(Duration::from_secs(1_000_000_000));
    drop(options.open("tests".parse().expect("a name")).expect("opens"));
    let set = || {
        let store = RedbStore::open(store.as_ref()).expect("opens");
        format!("{:?}", Config::stored(&store).expect("reads"))
    };
    let before = set();
    assert!(before.contains("1073741824"), "{before}");
    done(&format!("import {file} --store {store} --index mood"));
    let stats = json(&format!("archive stats --store {store} --json"));
    assert_eq!(stats["indexes"], serde_json::json!(["n", "mood"]));
    assert_eq!(stats["quota"], 1 << 30);
    export(&store);
    json(&format!("archive compact --store {store} --json"));
    let said = fails(2, &format!("import {file} --store {store} --index other"));
    assert!(said.contains("n, mood") && said.contains("seed --index"), "{said}");
    done(&format!("archive repair --store {store}"));
    assert_eq!(set(), before);
    assert!(export(&store).contains("mood"));
}

#[test]
fn a_table_says_what_is_there() {
    let room = Room::new();
    let (store, file) = (room.text("store"), room.write("all.ndjson", lines(&of_all_kinds())));
    let (code, out, said) = output(&format!("import {file} --store {store} --index n"));
    assert_eq!((code, out.as_str()), (Some(0), ""));
    assert!(said.starts_with("imported "), "{said}");
    let table = done(&format!("archive stats --store {store}"));
    for line in ["network    tests", "deletions  2", "indexes    n"] {
        assert!(table.lines().any(|one| one == line), "{line}: {table}");
    }
    assert!(table.contains("newest     2023-11-14T22:13:33.000Z"), "{table}");
    let checked = done(&format!("archive check --store {store}"));
    assert!(checked.contains("of tests: everything is as it was written"), "{checked}");
}
