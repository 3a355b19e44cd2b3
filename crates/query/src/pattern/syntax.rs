//! From the syntax of PCRE to that of `regex-lite`.

use core::{iter::Peekable, str::Chars};

use super::{Options, weight::Scale};

/// The most ranges of a class like `\s` or `[:punct:]`, or of its opposite.
const NAMED_RANGES: u64 = 7;

/// Writes an expression so that `regex-lite` reads it as PCRE would, and weighs it:
///
/// - `{` that begins no count is a literal brace (`{x}`, `a{,3}`), `\<` and `\>` are literal, any
///   character that is not ASCII may be escaped;
/// - in a class, `[`, `&&` and `~~` are literal, `\b` is a backspace, and white space counts even
///   with the option `x`;
/// - with the option `i`, letters beyond ASCII match their other case too, which `regex-lite` does
///   for ASCII only.
///
/// # Errors
/// What PCRE would read in a way that cannot be matched here: possessive counts, recursion. (What is
/// an error to `regex-lite` as well is left to it.)
pub(super) fn translate(source: &str, options: Options) -> Result<(String, u64), &'static str> {
    Translation {
        rest: source.chars().peekable(),
        out: String::with_capacity(source.len() + 16),
        options,
        scale: Scale::default(),
    }
    .run()
}

struct Translation<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    options: Options,
    scale: Scale,
}

/// What stands before a character.
#[derive(Clone, Copy)]
enum Before {
    Count,
    LazyCount,
    Other,
}

impl Translation<'_> {
    fn run(mut self) -> Result<(String, u64), &'static str> {
        let mut before = Before::Other;
        while let Some(c) = self.rest.next() {
            let count = match c {
                '*' => Some((0, None)),
                '+' => Some((1, None)),
                '?' => Some((0, Some(1))),
                '{' => self.count(),
                _ => None,
            };
            if let Some((min, max)) = count {
                before = match (before, c) {
                    (Before::Other, _) => {
                        self.scale.repeat(min, max);
                        Before::Count
                    }
                    // It makes the count lazy, which changes no answer.
                    (Before::Count, '?') => Before::LazyCount,
                    (Before::Count, '+') => {
                        return Err("possessive counts like `a++` are not supported");
                    }
                    _ => return Err("a count follows a count"),
                };
                self.out.push(c);
                if c == '{' {
                    self.copy_through('}');
                }
                continue;
            }
            before = Before::Other;
            match c {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '{' => self.out.push_str("\\{"),
                '(' => self.group()?,
                ')' => {
                    self.out.push(')');
                    self.scale.close();
                }
                '|' => {
                    self.out.push('|');
                    self.scale.alternative();
                }
                '.' => {
                    self.out.push('.');
                    self.scale.class(2);
                }
                '#' if self.options.extended => {
                    self.out.push('#');
                    self.copy_through('\n');
                }
                c => self.literal(c),
            }
        }
        Ok((self.out, self.scale.total()))
    }

    /// The least and the most, if the brace just read begins a count: `{2}`, `{2,}`, `{2,3}`.
    fn count(&self) -> Option<(u64, Option<u64>)> {
        let mut ahead = self.rest.clone();
        let mut number = || {
            let mut number = None;
            while let Some(digit) = ahead.next_if(char::is_ascii_digit).and_then(|c| c.to_digit(10))
            {
                number =
                    Some(number.unwrap_or(0_u64).saturating_mul(10).saturating_add(digit.into()));
            }
            (number, ahead.next())
        };
        match number() {
            (Some(exactly), Some('}')) => Some((exactly, Some(exactly))),
            (Some(min), Some(',')) => match number() {
                (max, Some('}')) => Some((min, max)),
                _ => None,
            },
            _ => None,
        }
    }

    /// What follows a parenthesis.
    fn group(&mut self) -> Result<(), &'static str> {
        self.out.push('(');
        let mut captures = true;
        if self.rest.next_if_eq(&'?').is_some() {
            self.out.push('?');
            match self.rest.peek() {
                Some('R') => return Err("recursion is not supported"),
                // A name.
                Some('<' | 'P') => {}
                _ => captures = false,
            }
            // Flags and names are no expression.
            while let Some(c) = self.rest.next_if(|c| !matches!(c, ':' | '>' | ')' | '=' | '!')) {
                self.out.push(c);
            }
            if let Some(c) = self.rest.next_if(|c| matches!(c, ':' | '>' | '=' | '!')) {
                self.out.push(c);
            }
        }
        self.scale.open(captures);
        Ok(())
    }

    fn copy_through(&mut self, last: char) {
        for c in self.rest.by_ref() {
            self.out.push(c);
            if c == last {
                break;
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self, in_class: bool) -> Result<(), &'static str> {
        let Some(c) = self.rest.next() else {
            return Err("it ends with a backslash");
        };
        match c {
            _ if in_class => {}
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => self.scale.class(NAMED_RANGES),
            // Weighed as what it is.
            c if !c.is_ascii() => {}
            c if self.folds(c) || matches!(c, 'x' | 'u' | 'U') => self.scale.class(2),
            _ => self.scale.state(),
        }
        match c {
            '<' | '>' => self.out.push(c),
            'b' if in_class => self.out.push_str("\\x08"),
            'x' | 'u' | 'U' => {
                self.out.extend(['\\', c]);
                if self.rest.peek() == Some(&'{') {
                    self.copy_through('}');
                }
            }
            c if c.is_ascii() => self.out.extend(['\\', c]),
            c if in_class => self.class_member(c),
            c => self.literal(c),
        }
        Ok(())
    }

    /// A character that stands for itself, outside a class.
    fn literal(&mut self, c: char) {
        let cases = self.cases(c);
        if cases.len() == 1 {
            self.out.push(c);
            if self.folds(c) {
                self.scale.class(2);
            } else if !(self.options.extended && c.is_ascii_whitespace()) {
                self.scale.state();
            }
        } else {
            self.scale.class(cases.len() as u64);
            self.out.push('[');
            self.out.extend(cases);
            self.out.push(']');
        }
    }

    fn class(&mut self) -> Result<(), &'static str> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        // One more for the opposite.
        let mut ranges = 1;
        if self.rest.next_if_eq(&']').is_some() {
            self.out.push_str("\\]");
            ranges += 1;
        }
        // Whether a `-` would make a range of what stands last, and whether it has.
        let (mut begins, mut joins) = (false, false);
        while let Some(c) = self.rest.next() {
            if c == '-' && begins && self.rest.peek() != Some(&']') {
                self.out.push('-');
                (begins, joins) = (false, true);
                continue;
            }
            let members = match (c, self.rest.peek()) {
                (']', _) => 0,
                ('\\', Some('d' | 'D' | 's' | 'S' | 'w' | 'W')) | ('[', Some(':')) => NAMED_RANGES,
                _ if joins => 0,
                (c, _) => self.cases(c).len() as u64,
            };
            ranges += members;
            (begins, joins) = (!joins, false);
            match c {
                ']' => {
                    self.out.push(']');
                    self.scale.class(if self.options.ignore_case { 2 * ranges } else { ranges });
                    return Ok(());
                }
                '\\' => self.escape(true)?,
                '[' if self.rest.peek() == Some(&':') => {
                    self.out.push('[');
                    self.posix_class();
                }
                '[' | '&' | '~' | '#' => self.out.extend(['\\', c]),
                c if c.is_ascii_whitespace() => {
                    self.out.push_str(&format!("\\x{:02x}", u32::from(c)));
                }
                c => self.class_member(c),
            }
        }
        Err("a class `[…` is not closed")
    }

    /// The rest of `[:digit:]`, if it is one.
    fn posix_class(&mut self) {
        let mut ahead = self.rest.clone();
        let mut name = String::new();
        name.extend(ahead.next_if_eq(&':'));
        name.extend(ahead.next_if_eq(&'^'));
        while let Some(letter) = ahead.next_if(char::is_ascii_lowercase) {
            name.push(letter);
        }
        name.extend(ahead.next_if_eq(&':'));
        if name.len() > 2 && name.ends_with(':') && ahead.next_if_eq(&']').is_some() {
            name.push(']');
            self.out.push_str(&name);
            self.rest = ahead;
        }
    }

    /// A character in a class, or the range that it begins.
    fn class_member(&mut self, c: char) {
        self.out.push(c);
        let mut ahead = self.rest.clone();
        let end = (ahead.next() == Some('-')).then(|| ahead.next()).flatten();
        match end {
            Some(end) if !c.is_ascii() && !matches!(end, ']' | '\\' | '[') => {
                self.rest = ahead;
                self.out.extend(['-', end]);
                // The same range in the other case, if it is as long there.
                for (start, end) in self.cases(c).into_iter().zip(self.cases(end)).skip(1) {
                    if start <= end {
                        self.out.extend([start, '-', end]);
                    }
                }
            }
            _ => self.out.extend(self.cases(c).into_iter().skip(1)),
        }
    }

    /// Whether `regex-lite` matches its other case too.
    const fn folds(&self, c: char) -> bool {
        self.options.ignore_case && c.is_ascii_alphabetic()
    }

    /// The character, then its other cases if they count.
    fn cases(&self, c: char) -> Vec<char> {
        let mut cases = vec![c];
        if self.options.ignore_case && !c.is_ascii() {
            let lower = single(c.to_lowercase());
            let upper = single(c.to_uppercase());
            let folded = upper.and_then(|upper| single(upper.to_lowercase()));
            for other in [lower, upper, folded].into_iter().flatten() {
                if !cases.contains(&other) {
                    cases.push(other);
                }
            }
        }
        cases
    }
}

fn single(mut chars: impl Iterator<Item = char>) -> Option<char> {
    chars.next().filter(|_| chars.next().is_none())
}
