//! Why something is no query.

use core::fmt;

use taiinet_document::JsonError;

use crate::limits;

/// Why something is no query, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The text is not JSON.
    #[error("the query is not valid JSON: {0}")]
    Json(JsonError),
    /// JSON that is no value where it stands: wrong base64, or a type of MongoDB's Extended JSON that there
    /// is not.
    #[error("{reason}")]
    NoValue {
        /// Where it stands.
        at: Place,
        /// What is wrong with it; begins with the place.
        reason: String,
    },
    /// A query, or a branch of one, is something else than a map.
    #[error("{at} must be a map like {{\"field\": value}}, not {found}")]
    NotAMap {
        /// Where in the query it stands.
        at: Place,
        /// The type found.
        found: &'static str,
    },
    /// There is no such operator.
    #[error("{at}: there is no operator `{operator}`{}", did_you_mean(*.suggestion))]
    UnknownOperator {
        /// Where it stands.
        at: Place,
        /// Its name as written.
        operator: String,
        /// The operator that it resembles.
        suggestion: Option<&'static str>,
    },
    /// An operator that needs a field stands where a field's name is expected.
    #[error(
        "{at}: `{operator}` tests a field, so it belongs below one: {{\"field\": {{\"{operator}\": …}}}}"
    )]
    NeedsField {
        /// Where it stands.
        at: Place,
        /// The operator.
        operator: &'static str,
    },
    /// An operator that joins queries stands below a field.
    #[error(
        "{at}: `{operator}` joins whole queries, so it cannot stand below a field; put the field into \
         each branch"
    )]
    JoinsQueries {
        /// Where it stands.
        at: Place,
        /// The operator.
        operator: &'static str,
    },
    /// Operators and fields in one map.
    #[error(
        "{at} mixes the operator `{operator}` with the field `{field}`; write the field as a dotted \
         path, or compare the whole value by `$eq`"
    )]
    Mixed {
        /// Where the map stands.
        at: Place,
        /// An operator in it.
        operator: String,
        /// A field in it.
        field: String,
    },
    /// A value to compare with holds a name with `$`: an operator in a place where there is none.
    #[error(
        "{at}: a value to compare with holds no names that begin with `$`; an operator stands right \
         below its field, so write the field as a dotted path, like {{\"a.b\": {{\"$gt\": 1}}}}"
    )]
    NameInValue {
        /// Where the name stands.
        at: Place,
    },
    /// The operand has the wrong type or form.
    #[error("{at} must be {expected}, not {found}")]
    Operand {
        /// Where the operand stands.
        at: Place,
        /// What is allowed.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A list or map of the query may not be empty here.
    #[error("{at} must not be empty")]
    Empty {
        /// Where it stands.
        at: Place,
    },
    /// The divisor of `$mod` is zero, its fraction cut off.
    #[error("{at} divides by zero")]
    DivisionByZero {
        /// Where the operand stands.
        at: Place,
    },
    /// There is no such type.
    #[error(
        "{at}: there is no type `{name}`; there are double, string, object, array, binData, bool, \
         null, int, long and number"
    )]
    UnknownType {
        /// Where it stands.
        at: Place,
        /// Its name or number as written.
        name: String,
    },
    /// The regular expression cannot be used.
    #[error("{at}: the regular expression cannot be used: {reason}")]
    Regex {
        /// Where it stands.
        at: Place,
        /// What is wrong with it.
        reason: String,
    },
    /// `$options` has a letter that is no option.
    #[error("{at}: `{option}` is no option; there are i, m, s and x")]
    RegexOption {
        /// Where it stands.
        at: Place,
        /// The letter.
        option: char,
    },
    /// `$options` without `$regex`.
    #[error("{at} stands without `$regex`")]
    OptionsWithoutRegex {
        /// Where it stands.
        at: Place,
    },
    /// Regular expressions that are together larger than [`limits::REGEX_BYTES`], or, in a query for
    /// others, [`limits::STRANGERS_REGEX_BYTES`].
    #[error(
        "{at}: a query's regular expressions may have {most} bytes in all when compiled{}; use smaller \
         repetition counts, or fewer expressions",
        if *most < limits::REGEX_BYTES { " where others evaluate it" } else { "" }
    )]
    RegexTooLarge {
        /// Where the first one too large stands.
        at: Place,
        /// How many bytes they may have in all.
        most: usize,
    },
    /// More regular expressions than [`limits::REGEXES`].
    #[error("{at}: a query has at most {} regular expressions", limits::REGEXES)]
    TooManyRegexes {
        /// Where the first one too many stands.
        at: Place,
    },
    /// Longer than [`limits::QUERY_BYTES`].
    #[error("the query has {bytes} bytes, more than the {} allowed", limits::QUERY_BYTES)]
    TooLong {
        /// Its length, as written or normalised.
        bytes: usize,
    },
    /// Nested deeper than [`limits::DEPTH`], or a value in it than
    /// [`VALUE_DEPTH`](taiinet_document::limits::VALUE_DEPTH).
    #[error("{at} is nested too deep, more than {} levels", limits::DEPTH)]
    TooDeep {
        /// Where in the query it stands.
        at: Place,
    },
    /// More clauses than [`limits::CLAUSES`].
    #[error("{at}: a query has at most {} clauses", limits::CLAUSES)]
    TooManyClauses {
        /// Where the first one too many stands.
        at: Place,
    },
    /// A path of more than [`limits::PATH_PARTS`] names.
    #[error("{at}: a path has at most {} names", limits::PATH_PARTS)]
    PathTooLong {
        /// Where in the query it stands.
        at: Place,
    },
    /// A number that is not finite, which JSON cannot express.
    #[error("the query holds a number that is not finite")]
    NotFinite,
}

impl From<JsonError> for QueryError {
    fn from(error: JsonError) -> Self {
        match error.place() {
            Some(place) => Self::NoValue { at: place.into(), reason: error.message().to_owned() },
            None => Self::Json(error),
        }
    }
}

impl QueryError {
    /// Where in the query the fault is; `None` if it is not at one place.
    pub const fn place(&self) -> Option<&Place> {
        match self {
            Self::Json(_) | Self::TooLong { .. } | Self::NotFinite => None,
            Self::NoValue { at, .. }
            | Self::NameInValue { at }
            | Self::NotAMap { at, .. }
            | Self::UnknownOperator { at, .. }
            | Self::NeedsField { at, .. }
            | Self::JoinsQueries { at, .. }
            | Self::Mixed { at, .. }
            | Self::Operand { at, .. }
            | Self::Empty { at }
            | Self::DivisionByZero { at }
            | Self::UnknownType { at, .. }
            | Self::Regex { at, .. }
            | Self::RegexOption { at, .. }
            | Self::OptionsWithoutRegex { at }
            | Self::RegexTooLarge { at, .. }
            | Self::TooManyRegexes { at }
            | Self::TooDeep { at }
            | Self::TooManyClauses { at }
            | Self::PathTooLong { at } => Some(at),
        }
    }
}

fn did_you_mean(suggestion: Option<&'static str>) -> String {
    suggestion.map(|operator| format!("; did you mean `{operator}`?")).unwrap_or_default()
}

/// A place in a query: the names and numbers that lead there, like `$or[1].name.$gt`; empty for the
/// whole query.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Place(String);

impl Place {
    /// The place as text, empty for the whole query.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn name(&self, name: &str) -> Self {
        let dot = if self.0.is_empty() { "" } else { "." };
        Self(format!("{}{dot}{name}", self.0))
    }

    /// The place of another name in the same map; this place must end with a name without dots.
    pub(crate) fn sibling(&self, name: &str) -> Self {
        let parent = self.0.rfind('.').and_then(|dot| self.0.get(..dot)).unwrap_or_default();
        Self(parent.to_owned()).name(name)
    }

    pub(crate) fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if self.0.is_empty() { "the query" } else { &self.0 })
    }
}

impl From<&str> for Place {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
