//! Reads rows `{"query": …, "document": …}` from stdin, one a line, and prints for each `true`,
//! `false` or the error: for comparing this engine with others (tests/data/README.md).

use std::io::{self, BufRead, Write};

use taiinet_document::{Map, Value};
use taiinet_query::Query;

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        match answer(&line?) {
            Ok(answer) => writeln!(out, "{answer}")?,
            Err(error) => writeln!(out, "error: {error}")?,
        }
    }
    out.flush()
}

fn answer(line: &str) -> Result<bool, Box<dyn std::error::Error>> {
    let Value::Map(row) = Value::from_json(line)? else { return Err("a row is a map".into()) };
    let query = Query::parse(row.get("query").ok_or("no query")?)?;
    match row.get("document") {
        Some(Value::Map(document)) => Ok(query.matches(document)),
        _ => Ok(query.matches(&Map::new())),
    }
}
