//! Wrong scenarios are refused, with the line and what would be right.

use taiinet_sim::scenario::{Changes, Scenario};

const GOOD: &str = "\
name = \"t\"
about = \"t\"
peers = 20
interest = \"everyone\"

[time]
measured_s = 10

[[fault]]
death = { share = 0.5, at_s = 4 }

[bounds]
copies = { max = 1 }
";

fn complaint(from: &str, to: &str) -> String {
    let text = GOOD.replace(from, to);
    assert_ne!(text, GOOD, "{from:?} is not there");
    Scenario::parse(&text, Changes::default()).expect_err(to).to_string()
}

/// What stands in place of what, in which line that is named, and what as right.
fn each_is_named(cases: &[(&str, &str, &str, &str)]) {
    for (from, to, line, right) in cases {
        let complaint = complaint(from, to);
        assert!(complaint.contains(line) && complaint.contains(right), "{to}: {complaint}");
    }
}

#[test]
fn a_good_one_is_read_and_changed() {
    let scenario = Scenario::parse(GOOD, Changes::default()).expect("good");
    assert_eq!((scenario.peers.get(), scenario.seed), (20, 1));
    let changes = Changes { seed: Some(7), peers: Some(50), short: false };
    let scenario = Scenario::parse(GOOD, changes).expect("good");
    assert_eq!((scenario.peers.get(), scenario.seed), (50, 7));
    let short = Scenario::parse(GOOD, Changes { short: true, ..Changes::default() });
    assert!(short.expect_err("none").to_string().contains("[short]"));
    let peers = Scenario::parse(GOOD, Changes { peers: Some(1), ..Changes::default() });
    assert!(peers.expect_err("too few").to_string().contains("from 2"));
}

#[test]
fn what_is_unknown_is_named_with_its_line_and_with_what_is_known() {
    each_is_named(&[
        ("peers = 20", "peers = 20\npears = 3", "line 4", "`peers`"),
        ("measured_s = 10", "meassured_s = 10", "line 7", "`measured_s`"),
        ("death =", "deaht =", "line 10", "`death`"),
        ("at_s = 4 }", "when = 4 }", "line 10", "`at_s`"),
        ("copies =", "copys =", "line 13", "`copies`"),
        ("max = 1", "most = 1", "line 13", "`max`"),
        ("\"everyone\"", "\"nobody\"", "line 4", "`everyone`"),
        ("[time]", "[publish]\nonly_publish = true\n[time]", "[publish]", "leave some"),
    ]);
}

#[test]
fn what_cannot_be_is_named_with_its_line_and_with_what_would_be_right() {
    each_is_named(&[
        ("peers = 20", "peers = 1", "line 3", "from 2"),
        ("peers = 20", "peers = 2.5", "line 3", "whole"),
        ("peers = 20", "peers = \"many\"", "line 3", "a number"),
        ("share = 0.5", "share = 1.5", "line 10", "from 0 to 1"),
        ("at_s = 4", "at_s = 40", "line 10", "ends at 10 s"),
        ("measured_s = 10", "measured_s = 0", "line 7", "at least a second"),
        ("measured_s = 10", "measured_s = -1", "line 7", "from 0"),
        ("[bounds]", "[network]\nregions = { here = 1 }\n\n[bounds]", "line 13", "each of the 1"),
        (
            "[[fault]]",
            "[[fault]]\npartition = { share = 0.5, from_s = 6, to_s = 5 }\n\n[[fault]]",
            "line 10",
            "after it begins",
        ),
    ]);
}

/// An attack in the place of `[bounds]`, whose first line is 12.
fn each_attack_is_named(cases: &[(&str, &str, &str)]) {
    for (attack, line, right) in cases {
        let attack = format!("[[attack]]\n{attack}\n\n[bounds]");
        each_is_named(&[("[bounds]", &attack, line, right)]);
    }
}

#[test]
fn what_is_unknown_or_cannot_be_of_an_attack_is_named_with_its_line() {
    each_attack_is_named(&[
        ("share = 0.2", "line 12", "`does`"),
        ("does = [\"censors\"]", "line 12", "`share`"),
        ("shere = 0.2\ndoes = [\"censors\"]", "line 13", "`share`"),
        ("share = 0\ndoes = [\"censors\"]", "line 13", "from 0.00001"),
        ("share = 0.2\ndoes = []", "line 14", "do nothing"),
        ("share = 0.2\ndoes = [\"drops\"]", "line 14", "`drops_documents`"),
        ("share = 0.2\ndoes = [{ promises = 0 }]", "line 14", "from 1"),
        ("share = 0.2\ndoes = [\"promises\"]", "line 14", ""),
        ("share = 0.2\ndoes = [\"censors\"]\ntargets = 0", "line 15", "from 1"),
        ("share = 0.2\ndoes = [\"censors\"]\nlinks = 101", "line 15", "from 1 to 100"),
        (
            "share = 0.2\ndoes = [\"censors\"]\nfrom_s = 5\nuntil_s = 5",
            "line 16",
            "after it begins",
        ),
        ("share = 0.2\ndoes = [\"censors\"]\nuntil_s = 11", "line 15", "ends at 10 s"),
        ("share = 0.2\ndoes = [\"censors\"]\nfrom_s = 11", "line 15", "ends at 10 s"),
        ("share = 0.2\ndoes = [\"censors\"]\njoins_at_s = 11", "line 15", "ends at 10 s"),
        (
            "share = 0.2\ndoes = [\"hides_authors\"]\nroot = true\njoins_at_s = 1",
            "line 16",
            "before all",
        ),
        ("share = 0.2\ndoes = [\"censors\"]\ntargets = 17", "line 15", "16 honest"),
        ("share = 0.2\ndoes = [\"censors\"]\nroot = 1", "line 15", "a boolean"),
    ]);
}

#[test]
fn not_all_may_be_hostile() {
    let attack = "[[attack]]\nshare = 1\ndoes = [\"censors\"]\n\n[bounds]";
    let complaint = complaint("[bounds]", attack);
    assert!(complaint.contains("honest"), "{complaint}");
}

#[test]
fn the_example_in_the_readme_is_one() {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```toml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    for short in [false, true] {
        let read = Scenario::parse(example, Changes { short, ..Changes::default() });
        assert_eq!(read.map(|scenario| scenario.name).as_deref(), Ok("example"));
    }
}
