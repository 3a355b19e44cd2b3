//! From the syntax of PCRE to that of `regex-lite`.

use core::{iter::Peekable, str::Chars};

use super::Options;

/// Writes an expression so that `regex-lite` reads it as PCRE would:
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
pub(super) fn translate(source: &str, options: Options) -> Result<String, &'static str> {
    Translation {
        rest: source.chars().peekable(),
        out: String::with_capacity(source.len() + 16),
        options,
    }
    .run()
}

struct Translation<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    options: Options,
}

/// What stands before a character.
#[derive(Clone, Copy)]
enum Before {
    Count,
    LazyCount,
    Other,
}

impl Translation<'_> {
    fn run(mut self) -> Result<String, &'static str> {
        let mut before = Before::Other;
        while let Some(c) = self.rest.next() {
            let count = match c {
                '*' | '+' | '?' => true,
                '{' => self.is_count(),
                _ => false,
            };
            if count {
                before = match (before, c) {
                    (Before::Other, _) => Before::Count,
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
                '(' => {
                    self.out.push('(');
                    if self.rest.next_if_eq(&'?').is_some() {
                        self.out.push('?');
                        if self.rest.peek() == Some(&'R') {
                            return Err("recursion is not supported");
                        }
                    }
                }
                '#' if self.options.extended => {
                    self.out.push('#');
                    self.copy_through('\n');
                }
                c => self.literal(c),
            }
        }
        Ok(self.out)
    }

    /// Whether the brace just read begins a count: `{2}`, `{2,}`, `{2,3}`.
    fn is_count(&self) -> bool {
        let mut ahead = self.rest.clone();
        let mut digits = 0;
        while ahead.next_if(char::is_ascii_digit).is_some() {
            digits += 1;
        }
        if ahead.next_if_eq(&',').is_some() {
            while ahead.next_if(char::is_ascii_digit).is_some() {}
        }
        digits > 0 && ahead.next() == Some('}')
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
        } else {
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
        if self.rest.next_if_eq(&']').is_some() {
            self.out.push_str("\\]");
        }
        while let Some(c) = self.rest.next() {
            match c {
                ']' => {
                    self.out.push(']');
                    return Ok(());
                }
                '\\' => self.escape(true)?,
                '[' if self.rest.peek() == Some(&':') => self.out.push('['),
                '[' | '&' | '~' | '#' => self.out.extend(['\\', c]),
                c if c.is_ascii_whitespace() => {
                    self.out.push_str(&format!("\\x{:02x}", u32::from(c)));
                }
                c => self.class_member(c),
            }
        }
        Err("a class `[…` is not closed")
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
