//! `taiinet match`: which documents does a query match?

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use taiinet_terminal as terminal;

use crate::{
    exit::{CommandResult, Exit},
    ndjson::{Fault, Lines},
    query,
};

/// Print the documents of NDJSON files that match a query
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  taiinet match '{\"likes\": {\"$gt\": 4}}' tweets.ndjson
  zcat log.gz | taiinet match --count '{\"level\": {\"$in\": [\"warn\", \"error\"]}}'

Exit codes: 0 all lines were read, 1 a line or file could not be read, 2 the query is wrong.")]
pub(crate) struct MatchArgs {
    /// A query as JSON
    query: String,
    /// NDJSON files, one document a line; `-` or none: stdin
    files: Vec<PathBuf>,
    /// Print the lines that do not match
    #[arg(short = 'v', long)]
    invert: bool,
    /// Print only how many lines match
    #[arg(short, long)]
    count: bool,
    /// Pass over lines that are no documents, with a warning
    #[arg(long)]
    skip_invalid: bool,
}

pub(crate) fn run(args: MatchArgs) -> CommandResult {
    let query = query::parse(&args.query)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut count = 0_u64;
    for line in Lines::new(args.files) {
        let line = match line {
            Ok(line) => line,
            Err(fault @ Fault::Line(..)) if args.skip_invalid => {
                terminal::say(format_args!("warning: {}", terminal::line(&fault.to_string())));
                continue;
            }
            Err(fault) => {
                // What was found before the fault is good.
                out.flush()?;
                return Err(Exit::failed(fault));
            }
        };
        if query.matches(&line.document) == args.invert {
            continue;
        }
        count += 1;
        if !args.count {
            writeln!(out, "{}", terminal::json(&line.text))?;
        }
    }
    if args.count {
        writeln!(out, "{count}")?;
    }
    out.flush()?;
    Ok(())
}
