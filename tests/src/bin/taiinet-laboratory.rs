//! Has two peers meet in each pair of networks of the laboratory, and moves peers that are linked; writes what was
//! measured.
//!
//! `taiinet-laboratory [--json] [--page FILE] [--changes] [SUBSCRIBER PUBLISHER]…`: tables on stdout, or JSON; with
//! `--page` also the page of the documentation. Without pairs each is tried, in both orders, and all changes;
//! with `--changes` only these. With `--missing` it says why there can be no laboratory here, if so.

#[cfg(target_os = "linux")]
fn main() -> Result<(), String> {
    laboratory::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> Result<(), String> {
    Err("the laboratory is made of Linux's network namespaces".to_owned())
}

#[cfg(target_os = "linux")]
mod laboratory {
    use std::path::PathBuf;

    use serde_json::json;
    use taiinet_terminal::{print, say};
    use taiinet_tests::laboratory::{
        Access, Change, Encounter, Laboratory, Measured, Recovery, Trial, changes_json,
        changes_markdown, json, markdown, missing, page,
    };

    #[derive(Default)]
    struct Options {
        json: bool,
        changes_only: bool,
        page: Option<PathBuf>,
        pairs: Vec<Encounter>,
    }

    pub(super) fn main() -> Result<(), String> {
        if std::env::args().nth(1).is_some_and(|arg| arg == "--missing") {
            let why = missing().map(|why| format!("{why}\n")).unwrap_or_default();
            return print(&why).map_err(|error| error.to_string());
        }
        let options = options()?;
        if let Some(missing) = missing() {
            return Err(missing);
        }
        let laboratory = Laboratory::new();
        let pairs = if options.changes_only { &[] } else { &options.pairs[..] };
        let measured: Vec<Measured> = pairs
            .iter()
            .map(|pair| {
                let measured = laboratory.measure(*pair, Trial::default());
                say(markdown(&[measured]).lines().last().unwrap_or_default());
                measured
            })
            .collect();
        let changes = if options.changes_only || pairs.len() == Access::ALL.len().pow(2) {
            changes(&laboratory)
        } else {
            Vec::new()
        };
        if let Some(file) = options.page {
            std::fs::write(&file, page(&measured, &changes))
                .map_err(|error| format!("{}: {error}", file.display()))?;
        }
        let tables = if options.json {
            let all = json!({ "encounters": json(&measured), "changes": changes_json(&changes) });
            format!("{all}\n")
        } else {
            format!("{}\n{}", markdown(&measured), changes_markdown(&changes))
        };
        print(&tables).map_err(|error| error.to_string())
    }

    fn changes(laboratory: &Laboratory) -> Vec<Recovery> {
        let mut measured = Vec::new();
        for (access, change) in Change::everywhere() {
            for publishes in [false, true] {
                let one = laboratory.measure_change(access, change, publishes);
                say(changes_markdown(&[one]).lines().last().unwrap_or_default());
                measured.push(one);
            }
        }
        measured
    }

    fn options() -> Result<Options, String> {
        let (mut options, mut names) = (Options::default(), Vec::new());
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--json" => options.json = true,
                "--changes" => options.changes_only = true,
                "--page" => options.page = Some(args.next().ok_or("--page takes a file")?.into()),
                name => names.push(access(name)?),
            }
        }
        options.pairs = pairs(&names)?;
        Ok(options)
    }

    fn pairs(names: &[Access]) -> Result<Vec<Encounter>, String> {
        if names.is_empty() {
            let with =
                |subscriber| Access::ALL.map(|publisher| Encounter { subscriber, publisher });
            return Ok(Access::ALL.into_iter().flat_map(with).collect());
        }
        let pair = |pair: &[Access]| match *pair {
            [subscriber, publisher] => Ok(Encounter { subscriber, publisher }),
            _ => Err("it takes two to meet: name pairs of networks".to_owned()),
        };
        names.chunks(2).map(pair).collect()
    }

    fn access(name: &str) -> Result<Access, String> {
        let plain = |name: &str| name.to_lowercase().replace([' ', '-', '_'], "");
        let found =
            Access::ALL.into_iter().find(|access| plain(&access.to_string()) == plain(name));
        found.ok_or_else(|| {
            let known: Vec<String> = Access::ALL.map(|access| access.to_string()).into();
            format!("there is no network {name:?}; there are {}", known.join(", "))
        })
    }
}
