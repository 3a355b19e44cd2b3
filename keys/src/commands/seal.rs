//! `taiinet-keys seal`

use std::io::{self, IsTerminal};

use serde_json::json;
use taiinet_identity::{
    keyfile::Access,
    sealed_file::{self, Form},
};

use crate::{
    args::{Seal, is_stdout, overwrite},
    failure::Failure,
    files,
    output::Output,
};

pub(crate) fn run(args: &Seal) -> Result<(), Failure> {
    if args.json && is_stdout(&args.out) {
        return Err(Failure::usage(
            "--json and the sealed file would both go to standard output",
            "name a file with --out",
        ));
    }
    if !args.armor && is_stdout(&args.out) && io::stdout().is_terminal() {
        return Err(Failure::usage(
            "a sealed file is not text, and would garble the terminal",
            "name a file with --out, or add --armor",
        ));
    }
    let input = files::open(&args.file)?;
    let mut output = Output::create(&args.out, overwrite(args.force), Access::Everyone)?;
    let form = if args.armor { Form::Text } else { Form::Binary };
    let bytes = sealed_file::seal(&args.to, input, &mut output, form)
        .map_err(|error| output.failure(&args.file, &error))?;
    output.finish()?;
    if !args.json {
        return Ok(());
    }
    let shown = json!({
        "file": args.file.to_string_lossy(),
        "out": args.out.to_string_lossy(),
        "to": args.to,
        "bytes": bytes,
    });
    files::print_json(&shown)
}
