//! Has two peers meet in each pair of networks of the laboratory, and writes what was measured.
//!
//! `taiinet-laboratory [--json] [--page FILE] [SUBSCRIBER PUBLISHER]…`: a table on stdout, or JSON; with `--page` also the
//! page of the documentation. Without pairs each is tried, in both orders.

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

    use taiinet_tests::laboratory::{
        Access, Encounter, Laboratory, Trial, json, markdown, missing, page,
    };

    pub(super) fn main() -> Result<(), String> {
        let (mut as_json, mut page_file, mut names) = (false, None, Vec::new());
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--json" => as_json = true,
                "--page" => {
                    page_file = Some(PathBuf::from(args.next().ok_or("--page takes a file")?));
                }
                name => names.push(access(name)?),
            }
        }
        if let Some(missing) = missing() {
            return Err(missing);
        }
        let encounters = encounters(&names)?;
        let laboratory = Laboratory::new();
        let mut measured = Vec::new();
        for encounter in encounters {
            let one = laboratory.measure(encounter, Trial::default());
            taiinet_terminal::say(markdown(&[one]).lines().last().unwrap_or_default());
            measured.push(one);
        }
        if let Some(file) = page_file {
            std::fs::write(&file, page(&measured))
                .map_err(|error| format!("{}: {error}", file.display()))?;
        }
        let table = if as_json { format!("{}\n", json(&measured)) } else { markdown(&measured) };
        taiinet_terminal::print(&table).map_err(|error| error.to_string())
    }

    fn encounters(names: &[Access]) -> Result<Vec<Encounter>, String> {
        if names.is_empty() {
            let with =
                |subscriber| Access::ALL.map(|publisher| Encounter { subscriber, publisher });
            return Ok(Access::ALL.into_iter().flat_map(with).collect());
        }
        let pairs = names.chunks(2).map(|pair| match *pair {
            [subscriber, publisher] => Ok(Encounter { subscriber, publisher }),
            _ => Err("it takes two to meet: name pairs of networks".to_owned()),
        });
        pairs.collect()
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
