//! Classes: `[a-z\d]`.

use super::{
    escape::{DIGIT, Escape, SPACE, WORD},
    reader::Parser,
};
use crate::pattern::{
    fold::{self, Range},
    set::Set,
};

/// The classes of POSIX, in ASCII.
const POSIX: [(&str, &[Range]); 14] = [
    ("alpha", ALPHA),
    ("lower", &[(0x61, 0x7a)]),
    ("upper", &[(0x41, 0x5a)]),
    ("alnum", &[(0x30, 0x39), (0x41, 0x5a), (0x61, 0x7a)]),
    ("ascii", &[(0x00, 0x7f)]),
    ("blank", &[(0x09, 0x09), (0x20, 0x20)]),
    ("cntrl", &[(0x00, 0x1f), (0x7f, 0x7f)]),
    ("digit", DIGIT),
    ("graph", &[(0x21, 0x7e)]),
    ("print", &[(0x20, 0x7e)]),
    ("punct", &[(0x21, 0x2f), (0x3a, 0x40), (0x5b, 0x60), (0x7b, 0x7e)]),
    ("space", SPACE),
    ("word", WORD),
    ("xdigit", &[(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)]),
];
const ALPHA: &[Range] = &[(0x41, 0x5a), (0x61, 0x7a)];

/// What stands before a `-`.
#[derive(Clone, Copy)]
enum Before {
    /// Nothing, or a range: the `-` is a character.
    Nothing,
    Char(char),
    /// A class like `\d`: it can begin no range.
    Named,
}

/// What a class holds.
enum Member {
    Char(char),
    Named(Set),
}

impl<'a> Parser<'a> {
    /// What follows `[`.
    ///
    /// White space counts even with the option `x`. Case never matters in a named class, whatever
    /// the options; but with `i`, `[:upper:]` and `[:lower:]` are `[:alpha:]`.
    pub(super) fn class(&mut self, ignore_case: bool) -> Result<Set, String> {
        if self.posix_name().is_some() {
            return Err("a class like `[:alpha:]` stands in another: `[[:alpha:]]`".to_owned());
        }
        let negated = self.skip("^");
        let (mut written, mut named) = (Vec::new(), Vec::new());
        let mut before = Before::Nothing;
        // A `]` that comes first is a character.
        let mut first = true;
        while first || !self.skip("]") {
            if self.peek() == Some('-') && !self.rest.as_str().starts_with("-]") {
                match before {
                    Before::Named => return Err(bad_range()),
                    Before::Char(begin) => {
                        self.next();
                        let Member::Char(end) = self.member(ignore_case)? else {
                            return Err(bad_range());
                        };
                        if end < begin {
                            return Err(format!("the range `{begin}-{end}` is in the wrong order"));
                        }
                        written.push((begin.into(), end.into()));
                        before = Before::Nothing;
                        continue;
                    }
                    Before::Nothing => {}
                }
            }
            before = match self.member(ignore_case)? {
                Member::Char(c) => {
                    written.push((c.into(), c.into()));
                    Before::Char(c)
                }
                Member::Named(set) => {
                    named.extend_from_slice(set.ranges());
                    Before::Named
                }
            };
            first = false;
        }
        if ignore_case {
            written = fold::closed(written);
        }
        written.extend(named);
        let set = Set::new(written);
        Ok(if negated { set.opposite() } else { set })
    }

    fn member(&mut self, ignore_case: bool) -> Result<Member, String> {
        match self.next() {
            None => Err("a class `[…` is not closed; write `\\[` for the character".to_owned()),
            Some('\\') if self.skip("b") => Ok(Member::Char('\u{8}')),
            Some('\\') => match self.escaped_member()? {
                Escape::Char(c) => Ok(Member::Char(c)),
                Escape::Set(set) => Ok(Member::Named(set)),
                Escape::Place(_) => Err("a class holds characters, not places".to_owned()),
            },
            Some('[') => match self.posix_name() {
                Some(name) => {
                    self.rest = self.rest.as_str()[name.len() + 2..].chars();
                    posix(name, ignore_case).map(Member::Named)
                }
                None => Ok(Member::Char('[')),
            },
            Some(c) => Ok(Member::Char(c)),
        }
    }

    /// What stands between the brackets of `[:alpha:]` without the last mark, also of `[.x.]` and
    /// `[=x=]`, if the `[` just read begins that.
    fn posix_name(&self) -> Option<&'a str> {
        let rest = self.rest.as_str();
        let mark = rest.chars().next().filter(|c| matches!(c, ':' | '.' | '='))?;
        let (inner, _) = rest[1..].split_once(']')?;
        let name = inner.strip_suffix(mark)?;
        (!inner.contains(&format!("[{mark}"))).then(|| &rest[..=name.len()])
    }
}

fn posix(name: &str, ignore_case: bool) -> Result<Set, String> {
    let (plain, negated) = match name.strip_prefix(":^") {
        Some(plain) => (plain, true),
        None => (&name[1..], false),
    };
    let known = POSIX.iter().find(|(known, _)| *known == plain && name.starts_with(':'));
    let ranges = match known {
        Some(("lower" | "upper", _)) if ignore_case => ALPHA,
        Some((_, ranges)) => ranges,
        None => {
            let names = POSIX.map(|(name, _)| name).join(", ");
            return Err(format!("there is no class `[{name}{}]`; there are {names}", &name[..1]));
        }
    };
    let set = Set::new(ranges);
    Ok(if negated { set.opposite() } else { set })
}

fn bad_range() -> String {
    "a class like `\\d` cannot be the end of a range; write `\\-` for the character".to_owned()
}
