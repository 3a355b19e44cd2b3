//! What follows a backslash.

use super::reader::{Parser, braces};
use crate::pattern::{fold::Range, set::Set, tree::Place};

/// What a backslash and what follows it stand for.
pub(super) enum Escape {
    Char(char),
    Set(Set),
    Place(Place),
}

pub(super) const DIGIT: &[Range] = &[(0x30, 0x39)];
pub(super) const SPACE: &[Range] = &[(0x09, 0x0d), (0x20, 0x20)];
pub(super) const WORD: &[Range] = &[(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)];
const HORIZONTAL: &[Range] = &[
    (0x09, 0x09),
    (0x20, 0x20),
    (0xa0, 0xa0),
    (0x1680, 0x1680),
    (0x180e, 0x180e),
    (0x2000, 0x200a),
    (0x202f, 0x202f),
    (0x205f, 0x205f),
    (0x3000, 0x3000),
];
const VERTICAL: &[Range] = &[(0x0a, 0x0d), (0x85, 0x85), (0x2028, 0x2029)];

impl Parser<'_> {
    /// Outside a class.
    pub(super) fn escape(&mut self) -> Result<Escape, String> {
        Ok(match self.peek() {
            Some('A') => Escape::Place(self.place(Place::Start)),
            Some('z') => Escape::Place(self.place(Place::End)),
            Some('Z') => Escape::Place(self.place(Place::EndOrLastNewline)),
            Some('b') => Escape::Place(self.place(Place::WordBoundary)),
            Some('B') => Escape::Place(self.place(Place::NoWordBoundary)),
            Some('N') => {
                self.next();
                if self.peek() == Some('{') && braces(self.rest.as_str())?.is_none() {
                    return Err("characters by name, `\\N{…}`, are not supported; write `\\x{…}`"
                        .to_owned());
                }
                Escape::Set(Set::of('\n', false).opposite())
            }
            _ => self.escaped_member()?,
        })
    }

    fn place(&mut self, place: Place) -> Place {
        self.next();
        place
    }

    /// In a class, and where it is the same outside: never a place.
    pub(super) fn escaped_member(&mut self) -> Result<Escape, String> {
        let Some(c) = self.next() else {
            return Err("it ends with a backslash; write `\\\\` for the character".to_owned());
        };
        let set = |ranges: &[Range]| Ok(Escape::Set(Set::new(ranges)));
        let opposite = |ranges: &[Range]| Ok(Escape::Set(Set::new(ranges).opposite()));
        let unsupported = |what: &str| Err(format!("{what} are not supported"));
        match c {
            'd' => set(DIGIT),
            'D' => opposite(DIGIT),
            's' => set(SPACE),
            'S' => opposite(SPACE),
            'w' => set(WORD),
            'W' => opposite(WORD),
            'h' => set(HORIZONTAL),
            'H' => opposite(HORIZONTAL),
            'v' => set(VERTICAL),
            'V' => opposite(VERTICAL),
            'a' => Ok(Escape::Char('\u{7}')),
            'e' => Ok(Escape::Char('\u{1b}')),
            'f' => Ok(Escape::Char('\u{c}')),
            'n' => Ok(Escape::Char('\n')),
            'r' => Ok(Escape::Char('\r')),
            't' => Ok(Escape::Char('\t')),
            '0' => self.number(8, 0, 2).map(Escape::Char),
            'x' => self.number(16, 1, 2).map(Escape::Char),
            // Not PCRE's, which refuses them: JavaScript's, and Python's.
            'u' => self.number(16, 4, 4).map(Escape::Char),
            'U' => self.number(16, 8, 8).map(Escape::Char),
            '1'..='9' | 'g' | 'k' => unsupported("backreferences"),
            'p' | 'P' => unsupported("Unicode character classes like `\\p{L}`"),
            c if c.is_ascii_alphanumeric() => Err(format!(
                "`\\{c}` is not supported; write `\\x{{…}}` for a character by its number"
            )),
            c => Ok(Escape::Char(c)),
        }
    }

    /// A character by its number in digits: so many at least and at most; or any in braces, unless the
    /// number is octal.
    fn number(&mut self, radix: u32, least: usize, most: usize) -> Result<char, String> {
        let rest = self.rest.as_str();
        let digits = if radix == 16 && self.skip("{") {
            self.until('}').unwrap_or_default()
        } else {
            let count = rest.chars().take(most).take_while(|c| c.is_digit(radix)).count();
            let digits = rest.get(..count).filter(|_| count >= least).unwrap_or_default();
            self.rest = rest[digits.len()..].chars();
            // `\0` alone.
            if digits.is_empty() && least == 0 { "0" } else { digits }
        };
        u32::from_str_radix(digits, radix)
            .ok()
            .filter(|_| !digits.starts_with('+'))
            .and_then(char::from_u32)
            .ok_or_else(|| {
                "a character's number is wrong; write it in hex digits, like `\\x{e9}`".to_owned()
            })
    }
}
