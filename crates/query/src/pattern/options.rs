//! What an expression is read with, and why it cannot be.

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

impl From<String> for PatternError {
    fn from(reason: String) -> Self {
        Self::Invalid(reason)
    }
}

impl Options {
    /// # Errors
    /// The letter that is no option. `u` is allowed and says nothing, as in MongoDB.
    pub(crate) fn parse(text: &str) -> Result<Self, char> {
        let mut options = Self::default();
        for letter in text.chars() {
            if letter != 'u' && !options.set(letter, true) {
                return Err(letter);
            }
        }
        Ok(options)
    }

    /// Turns on or off what a letter stands for; whether it is one.
    pub(super) const fn set(&mut self, letter: char, on: bool) -> bool {
        match letter {
            'i' => self.ignore_case = on,
            'm' => self.multi_line = on,
            's' => self.dot_all = on,
            'x' => self.extended = on,
            _ => return false,
        }
        true
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
