//! The data set, and what each peer wants of it.

use taiinet_document::{Map, parse_map, to_json_line};

/// 1,707 seismic events (USGS, public domain); see `tests/data/README.md`.
const EARTHQUAKES: &str = include_str!("../../../tests/data/earthquakes.ndjson");

/// A peer of the demo.
pub(crate) struct Role {
    pub(crate) name: &'static str,
    /// What it subscribes to; none for the publisher.
    pub(crate) query: Option<&'static str>,
}

/// The peer that publishes.
pub(crate) const PUBLISHER: usize = 0;

/// The peers; the publisher first.
pub(crate) const ROLES: [Role; 6] = [
    Role { name: "publisher", query: None },
    Role { name: "strong", query: Some(r#"{"magnitude":{"$gte":4.5}}"#) },
    Role { name: "north", query: Some(r#"{"place":{"$regex":"alaska|hawaii","$options":"i"}}"#) },
    Role {
        name: "extreme",
        query: Some(r#"{"$or":[{"depth_km":{"$gte":100,"$lt":700}},{"depth_km":{"$lt":0}}]}"#),
    },
    Role {
        name: "west",
        query: Some(r#"{"network":{"$in":["ci","nc","nn"]},"status":"reviewed"}"#),
    },
    Role { name: "everything", query: Some("{}") },
];

/// A document of the data set.
pub(crate) struct Record {
    /// As one line of JSON, names ascending: the same content is always the same line.
    pub(crate) line: String,
    pub(crate) content: Map,
}

/// The data set.
pub(crate) fn records() -> Result<Vec<Record>, String> {
    EARTHQUAKES
        .lines()
        .enumerate()
        .map(|(number, line)| {
            let fault = |error: &dyn std::fmt::Display| {
                format!("line {} of the data set: {error}", number + 1)
            };
            let content = parse_map(line).map_err(|error| fault(&error))?;
            let line = to_json_line(&content).map_err(|error| fault(&error))?;
            Ok(Record { line, content })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_data_set_is_large_enough_and_no_record_is_there_twice() {
        let records = records().expect("the data set is readable");
        let lines: BTreeSet<&str> = records.iter().map(|record| record.line.as_str()).collect();
        assert_eq!((records.len(), lines.len()), (1707, 1707));
    }
}
