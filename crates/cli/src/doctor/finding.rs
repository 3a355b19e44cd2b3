//! What a check has shown, and how it is printed.

use anstyle::{AnsiColor, Style};
use serde_json::json;
use taiinet_terminal as terminal;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Good,
    /// Worth knowing; most things work all the same.
    Note,
    Bad,
}

/// What a check has shown.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) check: &'static str,
    pub(crate) state: State,
    pub(crate) says: String,
    /// What to do about it.
    pub(crate) cure: Option<String>,
}

impl Finding {
    pub(crate) const fn new(check: &'static str, state: State, says: String) -> Self {
        Self { check, state, says, cure: None }
    }

    pub(crate) fn cure(self, cure: impl Into<String>) -> Self {
        Self { cure: Some(cure.into()), ..self }
    }

    pub(super) fn print(&self, json: bool) {
        let Self { check, state, says, cure } = self;
        let (word, mark, color) = match state {
            State::Good => ("good", "✓", AnsiColor::Green),
            State::Note => ("note", "·", AnsiColor::Yellow),
            State::Bad => ("bad", "✗", AnsiColor::Red),
        };
        if json {
            let line = json!({ "check": check, "state": word, "says": says, "do": cure });
            anstream::println!("{}", terminal::json(&line.to_string()));
            return;
        }
        let style = Style::new().fg_color(Some(color.into()));
        anstream::println!("{style}{mark}{style:#} {check:<10} {}", terminal::line(says));
        if let Some(cure) = cure {
            anstream::println!("  {:<10} → {}", "", terminal::line(cure));
        }
    }
}
