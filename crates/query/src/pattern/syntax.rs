//! The syntax: from text to a tree.
//!
//! It is that of PCRE2 in UTF mode, as far as it can be matched in linear time. What PCRE2 would
//! read in a way that cannot be matched here is an error that names it; so is what its versions read
//! differently.

mod class;
mod escape;
mod reader;

use super::{
    options::{Options, PatternError},
    set::Set,
    tree::{Node, Place},
};
use escape::Escape;
use reader::{Parser, braces};

/// How deep groups may be nested; reading and compiling recurse so deep.
const DEPTH: usize = 50;

/// Reads an expression of at most so many characters, classes, places and groups.
///
/// # Errors
/// What is wrong with it, or cannot be matched.
pub(super) fn parse(source: &str, options: Options, most: usize) -> Result<Node, PatternError> {
    let mut parser = Parser { rest: source.chars(), room: most, depth: 0, names: Vec::new() };
    let node = parser.alternatives(options)?;
    match parser.next() {
        None => Ok(node),
        Some(_) => Err("a `)` closes no group; write `\\)` for the character".to_owned().into()),
    }
}

/// What is wrong where a count stands.
const NOTHING_TO_REPEAT: &str = "a count follows nothing that it could repeat, or another count; write `\\` before it for the \
     character, or put a group around what it repeats";

impl Parser<'_> {
    /// Everything up to the end of the group.
    fn alternatives(&mut self, mut options: Options) -> Result<Node, PatternError> {
        let mut branches = Vec::new();
        let mut branch = Vec::new();
        // Whether what stands last can be repeated.
        let mut repeatable = false;
        while let Some(c) = self.peek().filter(|c| *c != ')') {
            if let Some((min, max)) = self.count()? {
                let Some(node) = branch.pop().filter(|_| repeatable) else {
                    return Err(NOTHING_TO_REPEAT.to_owned().into());
                };
                branch.push(Node::Repeat { node: Box::new(node), min, max });
                repeatable = false;
                continue;
            }
            self.next();
            let node = match c {
                '|' => {
                    branches.push(sequence(core::mem::take(&mut branch)));
                    repeatable = false;
                    continue;
                }
                '(' => match self.group(&mut options)? {
                    Some(node) => node,
                    None => continue,
                },
                '#' if options.extended => {
                    if self.until('\n').is_none() {
                        self.rest = "".chars();
                    }
                    continue;
                }
                c if options.extended && is_space(c) => continue,
                '\\' => match self.escape()? {
                    Escape::Char(c) => Node::Set(Set::of(c, options.ignore_case)),
                    Escape::Set(set) => Node::Set(set),
                    Escape::Place(place) => Node::Place(place),
                },
                '[' => Node::Set(self.class(options.ignore_case)?),
                '^' if options.multi_line => Node::Place(Place::LineStart),
                '^' => Node::Place(Place::Start),
                '$' if options.multi_line => Node::Place(Place::LineEnd),
                '$' => Node::Place(Place::EndOrLastNewline),
                '.' if options.dot_all => Node::Set(Set::new([]).opposite()),
                '.' => Node::Set(Set::of('\n', false).opposite()),
                c => Node::Set(Set::of(c, options.ignore_case)),
            };
            repeatable = c == '(' || !matches!(node, Node::Place(_));
            self.room = self.room.checked_sub(1).ok_or(PatternError::TooLarge)?;
            branch.push(node);
        }
        if branches.is_empty() {
            return Ok(sequence(branch));
        }
        branches.push(sequence(branch));
        Ok(Node::Alternatives(branches))
    }

    /// What follows `(`; nothing for options that hold from here on, and for a comment.
    fn group(&mut self, options: &mut Options) -> Result<Option<Node>, PatternError> {
        let mut inner = *options;
        if self.skip("*") {
            return Err("verbs like `(*UCP)` are not supported".to_owned().into());
        }
        if self.skip("?#") {
            let closed = self.until(')').map(|_| None);
            return closed.ok_or_else(|| "a comment `(?#…` is not closed".to_owned().into());
        }
        if self.skip("?") && !self.name()? {
            inner = self.flags(inner)?;
            if self.skip(")") {
                *options = inner;
                return Ok(None);
            }
            if !self.skip(":") {
                return Err(self.unsupported().into());
            }
        }
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("groups are nested deeper than {DEPTH} levels").into());
        }
        let node = self.alternatives(inner)?;
        self.depth -= 1;
        if self.skip(")") {
            Ok(Some(node))
        } else {
            Err("a group `(…` is not closed".to_owned().into())
        }
    }

    /// A group's name, if there is one: it says nothing here, but must be one.
    fn name(&mut self) -> Result<bool, String> {
        let is_look_behind = ["<=", "<!"].iter().any(|mark| self.rest.as_str().starts_with(mark));
        let end = match self.peek() {
            Some('<') if !is_look_behind => '>',
            Some('P') if self.rest.as_str().starts_with("P<") => '>',
            Some('\'') => '\'',
            _ => return Ok(false),
        };
        self.skip("P");
        self.next();
        let name = self.until(end).unwrap_or_default();
        let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_word || name.is_empty() || name.len() > 32 || name.as_bytes()[0].is_ascii_digit() {
            return Err(
                "a group's name has 1 to 32 letters, digits and `_`, and begins with no digit"
                    .to_owned(),
            );
        }
        if self.names.contains(&name) {
            return Err(format!("two groups have the name `{name}`"));
        }
        self.names.push(name);
        Ok(true)
    }

    /// The options that `i`, or `s-i` in `(?s-i)`, turn on and off.
    fn flags(&mut self, mut options: Options) -> Result<Options, String> {
        let mut on = true;
        let letters = self.rest.as_str();
        while let Some(c) = self.peek().filter(|c| !matches!(c, ':' | ')')) {
            match c {
                // Lazy or not changes no answer.
                'U' => {}
                '-' if on => on = false,
                c if options.set(c, on) => {}
                _ => return Err(self.unsupported()),
            }
            self.next();
        }
        if letters.starts_with("xx") {
            return Err("the option `xx` is not supported; write `x`".to_owned());
        }
        Ok(options)
    }

    /// Why what stands after `(?` cannot be used.
    fn unsupported(&self) -> String {
        let rest = self.rest.as_str();
        let what = match rest.chars().next() {
            Some('=' | '!' | '<') => {
                "look-around is not supported; use several `$regex`, or `$not`"
            }
            Some('>') => "groups that do not give back, `(?>…)`, are not supported; write `(?:…)`",
            Some('R' | '&' | '0'..='9' | '+') => "recursion is not supported",
            Some('P') if rest.starts_with("P=") => "backreferences are not supported",
            Some('P') if rest.starts_with("P>") => "recursion is not supported",
            Some('(') => "conditions `(?(…)…)` are not supported",
            Some('|') => "branch resets `(?|…)` are not supported; write `(?:…)`",
            None => "a group `(…` is not closed",
            Some(_) => {
                "what follows `(?` is no option; there are i, m, s, x and U, as in `(?i)` or `(?s-i:…)`"
            }
        };
        what.to_owned()
    }

    /// A count that stands here, with the `?` that makes it lazy, which changes no answer.
    fn count(&mut self) -> Result<Option<(u64, Option<u64>)>, String> {
        let count = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => match braces(self.rest.as_str())? {
                Some(count) => count,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        if self.next() == Some('{') {
            self.until('}');
        }
        if self.skip("+") {
            return Err(
                "possessive counts like `a++` are not supported; leave the last `+` out".to_owned()
            );
        }
        self.skip("?");
        Ok(Some(count))
    }
}

fn sequence(mut nodes: Vec<Node>) -> Node {
    match nodes.pop() {
        Some(node) if nodes.is_empty() => node,
        last => {
            nodes.extend(last);
            Node::Sequence(nodes)
        }
    }
}

/// What the option `x` leaves out: Unicode's pattern white space.
const fn is_space(c: char) -> bool {
    matches!(c, '\t'..='\r' | ' ' | '\u{85}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
}
