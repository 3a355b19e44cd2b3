//! What a check has shown, and how it is printed.

use std::io;

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use taiinet_terminal as terminal;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    Good,
    /// Worth knowing; most things work all the same.
    Note,
    Bad,
}

/// What a check has shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Finding {
    pub(crate) check: &'static str,
    pub(crate) state: State,
    pub(crate) says: String,
    /// What to do about it.
    #[serde(rename = "do")]
    pub(crate) cure: Option<String>,
}

impl Finding {
    pub(crate) fn new(check: &'static str, state: State, says: impl Into<String>) -> Self {
        Self { check, state, says: says.into(), cure: None }
    }

    pub(crate) fn cure(self, cure: impl Into<String>) -> Self {
        Self { cure: Some(cure.into()), ..self }
    }

    pub(super) fn print(&self) -> io::Result<()> {
        terminal::print(&self.text())
    }

    fn text(&self) -> String {
        let Self { check, state, says, cure } = self;
        let (mark, color) = match state {
            State::Good => ("✓", AnsiColor::Green),
            State::Note => ("·", AnsiColor::Yellow),
            State::Bad => ("✗", AnsiColor::Red),
        };
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
        let text = anstream::adapter::strip_str(&finding.text()).to_string();
        assert!(is_harmless(&text) && text.contains("all is fine"), "{text:?}");
        assert_eq!(text.lines().count(), 2, "{text:?}");
    }
}
