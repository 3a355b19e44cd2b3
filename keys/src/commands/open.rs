//! `taiinet-keys open`

use std::io::Read;

use serde_json::json;
use taiinet_identity::{Identity, keyfile::Access, sealed_file};

use crate::{
    args::{Open, is_stdout, overwrite},
    failure::Failure,
    files,
    output::Output,
    passphrase::Source,
};

pub(crate) fn run(args: &Open) -> Result<(), Failure> {
    if args.json && is_stdout(&args.out) {
        return Err(Failure::usage(
            "--json and the opened file would both go to standard output",
            "name a file with --out",
        ));
    }
    let source = Source::of(&args.passphrase);
    files::at_most_one_dash(&[Some(&args.file), Some(&args.identity), source.file()])?;
    files::check_target(&args.out, overwrite(args.force))?;
    let input = files::open(&args.file)?;
    let identity = files::open_key(&args.identity, &source)?.identity;
    let opened = open(args, &identity, input);
    if !args.json {
        return opened.map(|_| ());
    }
    let mut shown = json!({
        "opened": opened.is_ok(),
        "by": identity.peer_id(),
        "file": args.file.to_string_lossy(),
        "out": args.out.to_string_lossy(),
    });
    match &opened {
        Ok(bytes) => shown["bytes"] = (*bytes).into(),
        Err(failure) => shown["reason"] = failure.what().into(),
    }
    files::print_json(&shown)?;
    opened.map(|_| ()).map_err(|_| Failure::told())
}

/// Whole or not at all, unless it goes to standard output.
fn open(args: &Open, identity: &Identity, input: impl Read) -> Result<u64, Failure> {
    let mut output = Output::create(&args.out, overwrite(args.force), Access::OwnerOnly)?;
    let bytes = sealed_file::open(identity, input, &mut output)
        .map_err(|error| output.failure(&args.file, &error))?;
    output.finish()?;
    Ok(bytes)
}
