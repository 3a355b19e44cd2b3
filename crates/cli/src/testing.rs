//! What strangers write, in tests of what becomes of it here.

/// What a terminal would obey, or what would hide from its reader; and words that are to be shown.
pub(crate) const EVIL: &str = "\u{9b}2J\u{1b}[1A\r\nall is fine\u{202e}\u{7f}\u{200b}";

/// Whether a terminal obeys nothing of this, and hides nothing.
pub(crate) fn is_harmless(text: &str) -> bool {
    let hides = |char| "\u{202e}\u{200b}".contains(char);
    !text.chars().any(|char| char.is_control() && char != '\n' || hides(char))
}
