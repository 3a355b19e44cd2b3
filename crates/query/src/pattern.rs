//! Regular expressions: MongoDB's syntax (PCRE's), as far as it can be matched in linear time.
//!
//! `regex-lite` matches; it has no look-around and no back-references, so the time is at most
//! proportional to the text times the expression. [`syntax`] bridges the small differences in how
//! expressions are written, and refuses what would be read differently.

mod syntax;
mod weight;

use core::{
    cmp::Ordering,
    hash::{Hash, Hasher},
};

use regex_lite::{Regex, RegexBuilder};

/// A compiled regular expression; compares by what was written.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    source: Box<str>,
    options: Options,
    weight: usize,
    regex: Regex,
}

/// The letters of `$options`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Options {
    /// `i`: upper and lower case are the same.
    pub(crate) ignore_case: bool,
    /// `m`: `^` and `$` match at the lines' ends too.
    pub(crate) multi_line: bool,
    /// `s`: a dot matches a line's end too.
    pub(crate) dot_all: bool,
    /// `x`: white space and `#` comments in the expression are ignored.
    pub(crate) extended: bool,
}

/// Why an expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PatternError {
    /// It does not fit into the budget.
    TooLarge,
    /// It breaks the syntax, or cannot be matched in linear time.
    Invalid(String),
}

/// What `regex-lite` says of an expression beyond its size limit; it has no kinds of errors.
const TOO_LARGE: &str = "compiled regex exceeded size limit";
/// What `regex-lite` may take beyond twice what we count, in bytes: never reached, but a bound that
/// does not depend on how well we count.
const SLACK: usize = 4 * 1024;

impl Options {
    /// # Errors
    /// The letter that is no option. `u` is allowed and says nothing, as in MongoDB.
    pub(crate) fn parse(text: &str) -> Result<Self, char> {
        let mut options = Self::default();
        for letter in text.chars() {
            match letter {
                'i' => options.ignore_case = true,
                'm' => options.multi_line = true,
                's' => options.dot_all = true,
                'x' => options.extended = true,
                'u' => {}
                other => return Err(other),
            }
        }
        Ok(options)
    }

    /// The letters in order.
    pub(crate) fn letters(self) -> String {
        let all = [
            ('i', self.ignore_case),
            ('m', self.multi_line),
            ('s', self.dot_all),
            ('x', self.extended),
        ];
        all.iter().filter(|(_, on)| *on).map(|(letter, _)| letter).collect()
    }
}

impl Pattern {
    /// Compiles an expression to at most `budget` bytes.
    pub(crate) fn new(source: &str, options: Options, budget: usize) -> Result<Self, PatternError> {
        let (translated, weight) = syntax::translate(source, options)
            .map_err(|reason| PatternError::Invalid(reason.to_owned()))?;
        let weight = usize::try_from(weight)
            .ok()
            .filter(|weight| *weight <= budget)
            .ok_or(PatternError::TooLarge)?;
        let regex = RegexBuilder::new(&translated)
            .case_insensitive(options.ignore_case)
            .multi_line(options.multi_line)
            .dot_matches_new_line(options.dot_all)
            .ignore_whitespace(options.extended)
            .size_limit(weight.saturating_mul(2).saturating_add(SLACK))
            .build()
            .map_err(|error| match error.to_string() {
                message if message == TOO_LARGE => PatternError::TooLarge,
                message => PatternError::Invalid(message),
            })?;
        Ok(Self { source: source.into(), options, weight, regex })
    }

    /// The expression as written.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Its options.
    pub(crate) const fn options(&self) -> Options {
        self.options
    }

    /// About how many bytes it took when it was compiled; the same on every target.
    pub(crate) const fn weight(&self) -> usize {
        self.weight
    }

    /// Whether it finds something in a text.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    fn key(&self) -> (&str, Options) {
        (&self.source, self.options)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Pattern {}

impl PartialOrd for Pattern {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Pattern {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

#[cfg(test)]
mod tests;
