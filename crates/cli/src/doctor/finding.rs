//! What a check has shown, and how it is printed.

use std::io;

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

    pub(super) fn print(&self, json: bool) -> io::Result<()> {
        terminal::print(&self.text(json))
    }

    fn text(&self, json: bool) -> String {
        let Self { check, state, says, cure } = self;
        let (word, mark, color) = match state {
            State::Good => ("good", "✓", AnsiColor::Green),
            State::Note => ("note", "·", AnsiColor::Yellow),
            State::Bad => ("bad", "✗", AnsiColor::Red),
        };
        if json {
            let line = json!({ "check": check, "state": word, "says": says, "do": cure });
            return format!("{}\n", terminal::json(&line.to_string()));
        }
        let style = Style::new().fg_color(Some(color.into()));
        let mut text = format!("{style}{mark}{style:#} {check:<10} {}\n", terminal::line(says));
        if let Some(cure) = cure {
            text += &format!("  {:<10} → {}\n", "", terminal::line(cure));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{EVIL, is_harmless};

    /// A signaller names servers, and libraries say what is wrong with them.
    #[test]
    fn what_others_wrote_is_shown_and_not_obeyed() {
        let finding = Finding::new("STUN", State::Note, format!("{EVIL} answers")).cure(EVIL);
        let text = anstream::adapter::strip_str(&finding.text(false)).to_string();
        assert!(is_harmless(&text) && text.contains("all is fine"), "{text:?}");
        assert_eq!(text.lines().count(), 2, "{text:?}");
        let json = finding.text(true);
        assert!(is_harmless(&json) && json.lines().count() == 1, "{json:?}");
        let says: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(says["do"], EVIL, "it says the same");
    }
}
