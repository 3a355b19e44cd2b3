//! The `use` declarations of a file, and other paths into its crate: as far as it takes to know which
//! file relies on which. No parser of Rust; what rustfmt leaves is regular enough.

/// A path that a file names, and whether it passes it on (`pub use`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) path: Vec<String>,
    /// The name that it has from here on.
    pub(super) name: String,
    pub(super) public: bool,
}

/// What a file names, without its tests, its comments, and what only its documentation needs.
pub(super) fn of(source: &str) -> Vec<Use> {
    let code = code(source);
    let mut uses = Vec::new();
    let mut rest = String::new();
    let mut lines = code.lines();
    let mut for_docs = false;
    while let Some(line) = lines.next() {
        let text = line.trim_start();
        let public = text.starts_with("pub");
        let declaration = match text.split_once("use ") {
            Some((before, after)) if is_visibility(before) => after,
            _ => {
                for_docs = text == "#[cfg(doc)]";
                rest.push_str(line);
                rest.push('\n');
                continue;
            }
        };
        let mut declaration = declaration.to_owned();
        while !declaration.contains(';') {
            let Some(line) = lines.next() else { break };
            declaration.push_str(line);
        }
        if !core::mem::take(&mut for_docs) {
            let tree = declaration.split(';').next().unwrap_or_default();
            let mut leaves = Vec::new();
            expand(&[], tree, &mut leaves);
            uses.extend(leaves.into_iter().map(|(path, name)| Use { path, name, public }));
        }
    }
    uses.extend(inline(&rest));
    uses
}

fn is_visibility(before: &str) -> bool {
    let before = before.trim();
    before.is_empty() || before == "pub" || before.starts_with("pub(") && before.ends_with(')')
}

/// The lines that are neither comments nor tests.
fn code(source: &str) -> String {
    let mut code = String::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" {
            let Some(next) = lines.next() else { break };
            if next.ends_with('{') {
                // A module, or another item of the file's tests: up to its closing brace.
                for line in lines.by_ref() {
                    if line == "}" {
                        break;
                    }
                }
            }
            continue;
        }
        if !line.trim_start().starts_with("//") {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}

/// The leaves of a tree such as `a::{b, c::{self, d as e}}`.
fn expand(prefix: &[String], tree: &str, leaves: &mut Vec<(Vec<String>, String)>) {
    let tree = tree.trim();
    if let Some((head, group)) = tree.split_once('{') {
        let mut prefix = prefix.to_vec();
        prefix.extend(segments(head));
        let group = group.trim_end().strip_suffix('}').unwrap_or(group);
        let (mut depth, mut start) = (0_usize, 0);
        for (at, letter) in group.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    expand(&prefix, &group[start..at], leaves);
                    start = at + 1;
                }
                _ => {}
            }
        }
        expand(&prefix, &group[start..], leaves);
        return;
    }
    let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(p, a)| (p, Some(a.trim())));
    let mut full = prefix.to_vec();
    full.extend(segments(path));
    if tree.is_empty() {
        return;
    }
    if full.len() > 1 && full.last().is_some_and(|last| last == "self") {
        full.pop();
    }
    let name = alias.map(str::to_owned).or_else(|| full.last().cloned()).unwrap_or_default();
    leaves.push((full, name));
}

fn segments(path: &str) -> impl Iterator<Item = String> {
    path.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty())
}

/// Paths into the crate that stand in the code itself.
fn inline(code: &str) -> Vec<Use> {
    let mut uses = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|letter| letter.is_alphanumeric() || "_$:".contains(letter)) {
            continue;
        }
        let end = code[at..]
            .find(|letter: char| !(letter.is_alphanumeric() || "_:".contains(letter)))
            .map_or(code.len(), |length| at + length);
        let path: Vec<String> = segments(&code[at..end]).collect();
        let name = path.last().cloned().unwrap_or_default();
        uses.push(Use { path, name, public: false });
    }
    uses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(source: &str) -> Vec<String> {
        of(source).iter().map(|used| used.path.join("::")).collect()
    }

    #[test]
    fn trees_are_taken_apart() {
        let source = "use crate::{\n    One, a::{self, Two as Three},\n    b::c::Four,\n};\n";
        assert_eq!(paths(source), ["crate::One", "crate::a", "crate::a::Two", "crate::b::c::Four"]);
        let uses = of("pub(crate) use inner::Thing as Other;\nuse super::X;\n");
        assert!(uses[0].public && uses[0].name == "Other" && !uses[1].public);
    }

    #[test]
    fn tests_comments_and_documentation_do_not_count_and_inline_paths_do() {
        let source = "\
// use crate::a;
#[cfg(doc)]
use crate::b::B;
fn f() { crate::c::g() }

#[cfg(test)]
mod tests {
    use crate::d;
}
";
        assert_eq!(paths(source), ["crate::c::g"]);
    }
}
