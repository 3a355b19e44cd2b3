//! The shape of the code: no circle of files inside a crate, no file over 600 lines.
//!
//! A file relies on another if it names something that stands there. Re-exports are looked through, so
//! that `use crate::links::Link` leads to the file of `Link`; a module's own file is not to blame for
//! what its children need.

mod uses;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::{steps::StepOutcome, tools::root};
use uses::Use;

/// The most lines that a file has.
const LINES: usize = 600;

/// Files that are still longer. This list only shrinks.
const TOO_LONG: &[&str] = &[];

/// Crates in which there are still circles. This list only shrinks.
const CIRCULAR: &[&str] = &[];

/// `cargo xtask test shape`.
pub(crate) fn step() -> StepOutcome {
    let faults = faults(&root());
    for fault in &faults {
        println!("{fault}");
    }
    match faults.len() {
        0 => StepOutcome::Passed,
        count => StepOutcome::Failed(format!("{count} faults")),
    }
}

/// All that is wrong with the shape of the workspace.
fn faults(root: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    let mut long = Vec::new();
    for folder in crates(root) {
        let files = files(root, &root.join(&folder));
        for (file, text) in &files {
            let lines = text.lines().count();
            if lines > LINES {
                long.push(file.clone());
                if !TOO_LONG.contains(&file.as_str()) {
                    faults.push(format!("{file} has {lines} lines: more than {LINES}"));
                }
            }
        }
        let circles = circles(&Crate::new(&files, &format!("{folder}/src")).edges());
        match CIRCULAR.contains(&folder.as_str()) {
            true if circles.is_empty() => {
                faults.push(format!("{folder} has no circle any more: take it off CIRCULAR"));
            }
            true => {}
            false => {
                for circle in circles {
                    faults.push("a circle of files:".to_owned());
                    faults.extend(circle.iter().map(|(from, to)| format!("    {from} uses {to}")));
                }
            }
        }
    }
    for file in TOO_LONG.iter().filter(|file| !long.iter().any(|long| long == **file)) {
        faults.push(format!("{file} is short enough by now: take it off TOO_LONG"));
    }
    faults
}

/// The folders of all crates, by their paths from `root`.
fn crates(root: &Path) -> Vec<String> {
    let mut folders: Vec<String> =
        ["keys", "signaller", "wasm", "wasm/bindgen", "audits", "tests"].map(str::to_owned).into();
    let crates = fs::read_dir(root.join("crates")).into_iter().flatten().flatten();
    folders.extend(crates.map(|entry| format!("crates/{}", entry.file_name().display())));
    folders.sort();
    folders
}

/// The Rust files below a folder, by their paths from `root`.
fn files(root: &Path, folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                // Not what is built there.
                if !path.ends_with("target") && !path.ends_with("node_modules") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && let Ok(text) = fs::read_to_string(&path)
            {
                let name = path.strip_prefix(root).unwrap_or(&path);
                files.insert(name.display().to_string(), text);
            }
        }
    }
    files
}

/// The modules of one crate, each a file.
struct Crate {
    /// The file of each module and what it names, by the module's path.
    modules: BTreeMap<Vec<String>, (String, Vec<Use>)>,
}

impl Crate {
    /// The crate whose source stands in the folder `source`.
    fn new(files: &BTreeMap<String, String>, source: &str) -> Self {
        let library = files.contains_key(&format!("{source}/lib.rs"));
        let mut modules = BTreeMap::new();
        for (file, text) in files {
            let Some(inner) = file.strip_prefix(source) else { continue };
            let inner = inner.trim_start_matches('/').trim_end_matches(".rs");
            let mut path: Vec<String> = inner.split('/').map(str::to_owned).collect();
            if path.last().is_some_and(|last| last == "mod") {
                path.pop();
            }
            if path == ["lib"] || path == ["main"] && !library {
                path.clear();
            }
            if path.last().is_none_or(|last| last != "tests") {
                modules.insert(path, (file.clone(), uses::of(text)));
            }
        }
        Self { modules }
    }

    fn edges(&self) -> BTreeSet<(String, String)> {
        let mut edges = BTreeSet::new();
        for (module, (file, uses)) in &self.modules {
            for used in uses.iter().filter(|used| !used.public) {
                if let Some(other) = self.resolve(module, &used.path, 0)
                    && other != file
                {
                    edges.insert((file.clone(), other.to_owned()));
                }
            }
        }
        edges
    }

    /// The file in which what is named so in a module stands, if it is of this crate.
    fn resolve(&self, module: &[String], path: &[String], depth: usize) -> Option<&str> {
        let mut at = module.to_vec();
        let mut rest = path;
        let mut anchored = false;
        while let Some((first, others)) = rest.split_first() {
            match first.as_str() {
                "crate" => at.clear(),
                "super" => {
                    at.pop();
                }
                "self" => {}
                _ => break,
            }
            anchored = true;
            rest = others;
        }
        if !anchored {
            // A child of this module, or another crate.
            let child = [module, rest.get(..1)?].concat();
            if !self.modules.contains_key(&child) {
                return None;
            }
        }
        while let Some((first, others)) = rest.split_first() {
            let child = [&at[..], core::slice::from_ref(first)].concat();
            if !self.modules.contains_key(&child) {
                break;
            }
            (at, rest) = (child, others);
        }
        let (file, uses) = self.modules.get(&at)?;
        if let Some((name, others)) = rest.split_first()
            && depth < 8
            && let Some(passed_on) = uses.iter().find(|used| used.public && used.name == *name)
        {
            let path = [&passed_on.path[..], others].concat();
            return self.resolve(&at, &path, depth + 1);
        }
        Some(file)
    }
}

/// The edges that lie in circles, one set for each group of files that rely on one another.
fn circles(edges: &BTreeSet<(String, String)>) -> Vec<BTreeSet<(String, String)>> {
    let mut reaches: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, _) in edges {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.as_str()]);
        while let Some(file) = next.pop() {
            let others = edges.iter().filter(|(from, _)| from == file).map(|(_, to)| to.as_str());
            next.extend(others.filter(|other| seen.insert(*other)));
        }
        reaches.insert(from, seen);
    }
    let mutual = |one: &str, other: &str| {
        let reach = |from: &str, to: &str| reaches.get(from).is_some_and(|all| all.contains(to));
        reach(one, other) && reach(other, one)
    };
    let mut circles: Vec<BTreeSet<(String, String)>> = Vec::new();
    for edge in edges.iter().filter(|(from, to)| mutual(from, to)) {
        let same = |circle: &&mut BTreeSet<(String, String)>| {
            circle.first().is_some_and(|(from, _)| mutual(from, &edge.0))
        };
        match circles.iter_mut().find(same) {
            Some(circle) => {
                circle.insert(edge.clone());
            }
            None => circles.push(BTreeSet::from([edge.clone()])),
        }
    }
    circles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_is_too_long_and_none_relies_on_itself_by_way_of_others() {
        let faults = faults(&root());
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn a_circle_is_found_and_re_exports_are_looked_through() {
        let files = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            let pair = |(file, text): &(&str, &str)| (format!("x/src/{file}"), (*text).to_owned());
            pairs.iter().map(pair).collect()
        };
        let circles =
            |pairs: &[(&str, &str)]| circles(&Crate::new(&files(pairs), "x/src").edges()).len();
        let lib = ("lib.rs", "mod a;\nmod b;\npub use a::A;\n");
        let child = ("a/inner.rs", "pub struct A;\n");
        let parent = ("a.rs", "mod inner;\npub use inner::A;\nuse crate::b::B;\n");
        // b relies on a's child alone: by its name in the crate, in its parent, or its own.
        for path in ["crate::A", "crate::a::A", "crate::{a::inner::A}"] {
            let b = format!("use {path};\npub struct B;\n");
            assert_eq!(circles(&[lib, parent, child, ("b.rs", &b)]), 0, "{path}");
        }
        let b = ("b.rs", "use crate::a::something;\npub struct B;\n");
        assert_eq!(circles(&[lib, parent, child, b]), 1);
    }
}
