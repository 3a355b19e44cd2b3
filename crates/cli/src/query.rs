//! Queries from the command line, and where in them a fault is.

use taiinet_identity::text::BOM;
use taiinet_query::{Query, QueryError};

use crate::exit::Exit;

/// Reads a query; what is wrong with it is shown under the text.
pub(crate) fn parse(text: &str) -> Result<Query, Exit> {
    // As `"$(cat FILE)"` gives it.
    let text = text.strip_prefix(BOM).unwrap_or(text);
    text.parse().map_err(|error: QueryError| Exit::Usage(explain(text, &error)))
}

fn explain(text: &str, error: &QueryError) -> String {
    match column(text, error) {
        Some(column) if !text.contains('\n') => {
            let before = text.get(..column).unwrap_or(text).chars().count();
            format!("{error}\n  {text}\n  {:before$}^", "")
        }
        _ => error.to_string(),
    }
}

/// At which byte of the text the fault is.
fn column(text: &str, error: &QueryError) -> Option<usize> {
    match error {
        QueryError::Json(json) if json.line() == 1 => json.column().checked_sub(1),
        QueryError::Json(_) => None,
        _ => {
            let place = error.place()?;
            Walk { text: text.as_bytes(), at: 0, wanted: place.as_str() }.value("")?.found()
        }
    }
}

/// Looks for a place like `$or[1].name.$gt` in JSON text that is known to be valid.
struct Walk<'a> {
    text: &'a [u8],
    at: usize,
    wanted: &'a str,
}

enum Step {
    Found(usize),
    Passed,
}

impl Step {
    const fn found(self) -> Option<usize> {
        match self {
            Self::Found(at) => Some(at),
            Self::Passed => None,
        }
    }
}

impl Walk<'_> {
    /// Passes a value that stands at `place`. None if the text is not what it is known to be.
    fn value(&mut self, place: &str) -> Option<Step> {
        match self.peek()? {
            b'{' => self.items(b'}', |walk, _| {
                let start = walk.at;
                let name: String = serde_json::from_slice(walk.string()?).ok()?;
                let dot = if place.is_empty() { "" } else { "." };
                let place = format!("{place}{dot}{name}");
                if place == walk.wanted {
                    return Some(Step::Found(start));
                }
                (walk.peek()? == b':').then(|| walk.at += 1)?;
                walk.value(&place)
            }),
            b'[' => self.items(b']', |walk, index| {
                let place = format!("{place}[{index}]");
                walk.peek()?;
                if place == walk.wanted {
                    return Some(Step::Found(walk.at));
                }
                walk.value(&place)
            }),
            b'"' => self.string().map(|_| Step::Passed),
            _ => {
                let rest = &self.text[self.at..];
                let ends =
                    |byte: &u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
                self.at += rest.iter().position(ends).unwrap_or(rest.len());
                Some(Step::Passed)
            }
        }
    }

    fn items(
        &mut self,
        end: u8,
        mut item: impl FnMut(&mut Self, usize) -> Option<Step>,
    ) -> Option<Step> {
        self.at += 1;
        for index in 0.. {
            match self.peek()? {
                byte if byte == end => break,
                b',' => {
                    self.at += 1;
                    self.peek()?;
                }
                _ => {}
            }
            let step = item(self, index)?;
            if let Step::Found(_) = step {
                return Some(step);
            }
        }
        self.at += 1;
        Some(Step::Passed)
    }

    /// Passes a string and gives it with its quotes.
    fn string(&mut self) -> Option<&[u8]> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.text.get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.text.get(start..self.at)
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at)?.is_ascii_whitespace() {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match parse(text).expect_err("a fault") {
            Exit::Usage(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    /// What the caret points at.
    fn pointed(text: &str) -> String {
        let shown = shown(text);
        let caret = shown.lines().last().expect("a line").chars().count() - 3;
        text.chars().skip(caret).collect()
    }

    #[test]
    fn the_caret_stands_under_the_fault() {
        assert_eq!(pointed(r#"{"a": {"$gte": 1, "$more": 4}}"#), r#""$more": 4}}"#);
        assert_eq!(pointed(r#"{"$or": [ {"ü\"b": 1}, {"c": {"$in": 3}} ]}"#), r#""$in": 3}} ]}"#);
        assert_eq!(pointed(r#"{"$and": [{}, 7]}"#), "7]}");
        assert_eq!(pointed(r#"{"a": }"#), "}");
    }

    #[test]
    fn a_fault_of_the_whole_is_told_without_a_caret() {
        assert!(!shown("3").contains('^'));
        assert!(!shown("{\n\"a\": {\"$more\": 1}}").contains('^'));
    }
}
