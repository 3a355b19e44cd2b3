//! What programs write: so that a terminal shows what strangers wrote and does not obey it, and so that
//! nothing panics where it cannot be written ([`say`], [`print()`]).
//!
//! A terminal obeys control characters (ECMA-48: U+0000–001F, U+007F, U+0080–009F): they set titles, erase
//! lines, and let what comes later stand where something else stood. Characters that change the
//! direction of writing or cannot be seen (Unicode's `Cf`, `Zl`, `Zp` and the blank fillers) make a text
//! look like another one ("Trojan Source", CVE-2021-42574). All of them are written as escapes:
//!
//! ```
//! assert_eq!(taiinet_terminal::json("{\"a\":\"x\u{9b}2Jy\"}"), r#"{"a":"x\u009b2Jy"}"#);
//! assert_eq!(taiinet_terminal::line("evil\u{1b}[2J\nfine"), r"evil\u001b[2J\u000afine");
//! assert_eq!(taiinet_terminal::lines("two\nlines\r"), "two\nlines\\u000d");
//! ```
//!
//! It is done whether or not the output is a terminal: it may well become one's later.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod output;

use std::{borrow::Cow, fmt::Write as _};

pub use output::{end, parse, print, say, unwritten};

/// What is not shown as it is, besides the control characters: first and last.
const HIDDEN: [(char, char); 27] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e007f}'),
    ('\u{e0080}', '\u{e00ff}'),
    ('\u{e01f0}', '\u{e0fff}'),
    ('\u{fdd0}', '\u{fdef}'),
    ('\u{10fffe}', '\u{10ffff}'),
];

/// Whether a character is written as an escape.
fn is_escaped(char: char) -> bool {
    char.is_control() || HIDDEN.iter().any(|(first, last)| (*first..=*last).contains(&char))
}

/// A JSON text in which nothing is left for a terminal to obey; it says the same. Outside its strings JSON
/// has no such characters but white space, which becomes spaces.
pub fn json(text: &str) -> Cow<'_, str> {
    escape(text, |char| char.is_ascii_control() && char != '\u{7f}', |_| false)
}

/// The same for a JSON text of several lines.
pub fn pretty_json(text: &str) -> Cow<'_, str> {
    escape(text, |char| char.is_ascii_control() && char != '\u{7f}', |char| char == '\n')
}

/// A text, on one line.
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text, |_| false, |_| false)
}

/// A text of several lines. Parts of it that strangers wrote should have been through [`line()`] before, so
/// that they begin no line.
pub fn lines(text: &str) -> Cow<'_, str> {
    escape(text, |_| false, |char| char == '\n')
}

fn escape(text: &str, blank: impl Fn(char) -> bool, kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    let changes = |char: char| is_escaped(char) && !kept(char);
    if !text.contains(changes) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if !changes(char) {
            escaped.push(char);
        } else if blank(char) {
            escaped.push(' ');
        } else {
            for unit in char.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Everything that a terminal obeys, or that hides or turns what stands beside it.
    fn dangerous() -> impl Iterator<Item = char> {
        let controls = ('\0'..='\u{1f}').chain('\u{7f}'..='\u{9f}');
        let bidi = ['\u{61c}', '\u{200e}', '\u{200f}'].into_iter();
        let bidi = bidi.chain('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
        let invisible = ['\u{ad}', '\u{180e}', '\u{200b}', '\u{200d}', '\u{2060}', '\u{feff}'];
        let separators = ['\u{2028}', '\u{2029}', '\u{e0041}', '\u{3164}'];
        controls.chain(bidi).chain(invisible).chain(separators)
    }

    #[test]
    fn nothing_dangerous_is_left() {
        for char in dangerous() {
            let text = format!("a{char}b");
            assert!(!line(&text).contains(char), "{char:?}");
            assert!(!json(&text).contains(char), "{char:?}");
            assert!(char == '\n' || !lines(&text).contains(char), "{char:?}");
        }
    }

    #[test]
    fn what_people_write_stays() {
        for text in
            ["", "hello", "Grüße, 世界! שלום مرحبا", "❤\u{fe0f} 👍🏽", "a\u{a0}b", "ñ e\u{301}"]
        {
            assert!(matches!(line(text), Cow::Borrowed(same) if same == text), "{text}");
            assert!(matches!(json(text), Cow::Borrowed(_)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn json_says_the_same(name in any::<String>(), text in any::<String>(), pretty: bool) {
            let value = serde_json::json!({ name: [text, { "a": dangerous().collect::<String>() }] });
            let (text, escaped);
            if pretty {
                text = format!("{value:#}");
                escaped = pretty_json(&text);
            } else {
                text = value.to_string();
                escaped = json(&text);
            }
            prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(&escaped).expect("JSON"), &value);
            let left = dangerous().find(|char| escaped.contains(*char) && !(*char == '\n' && pretty));
            prop_assert_eq!(left, None, "{}", escaped);
        }

        /// White space between the tokens of a text that a stranger wrote can rewrite a line too.
        #[test]
        fn white_space_between_tokens_becomes_spaces(space in "[ \t\r\n]{0,4}") {
            let text = format!("{{{space}\"a\"{space}:{space}1{space}}}");
            let escaped = json(&text);
            prop_assert_eq!(escaped.len(), text.len());
            prop_assert!(escaped.chars().all(|char| !char.is_control()));
        }
    }
}
