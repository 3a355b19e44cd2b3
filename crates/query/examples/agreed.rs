//! Reads rows `{"q": query, "d": document, "e": expected}` from stdin, one a line; prints those that
//! this engine agrees with to stdout, the others to stderr. See tests/data/README.md.

use std::io;

use taiinet_document::Value;
use taiinet_query::Query;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for line in io::stdin().lines() {
        let line = line?;
        if agrees(&line)? {
            println!("{line}");
        } else {
            eprintln!("{line}");
        }
    }
    Ok(())
}

fn agrees(line: &str) -> Result<bool, Box<dyn std::error::Error>> {
    let Value::Map(row) = Value::from_json(line)? else { return Err("a row is a map".into()) };
    let query = Query::parse(row.get("q").ok_or("no query")?)?;
    let Some(Value::Map(document)) = row.get("d") else { return Err("no document".into()) };
    Ok(row.get("e") == Some(&Value::Bool(query.matches(document))))
}
