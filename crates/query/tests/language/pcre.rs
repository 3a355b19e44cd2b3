//! `$regex` gives the answers of PCRE2 in UTF mode, which MongoDB has: thousands of generated
//! expressions and texts, over all of the syntax that is accepted.

use pcre2::bytes::RegexBuilder;
use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};
use taiinet_document::{Map, Value};
use taiinet_query::Query;

/// A document with a text.
fn content(text: &str) -> Map {
    Map::from([("a".to_owned(), text.into())])
}

/// Characters that have no case, one other, several others, or others in odd places.
const LETTERS: [&str; 42] = [
    "a", "b", "A", "k", "K", "\u{212a}", "s", "S", "ſ", "i", "I", "ı", "İ", "é", "É", "ß", "ẞ",
    "µ", "μ", "Μ", "σ", "ς", "Σ", "λ", "Λ", "×", "÷", "ÿ", "Ÿ", "Ā", "ǆ", "ǅ", "Ǆ", "å",
    "\u{212b}", "Ω", "ω", "я", "Я", "日", "1", "_",
];
const BLANKS: [&str; 9] = ["\n", "\n", "\n", " ", "\t", "\r", "\u{85}", "\u{a0}", "\u{2028}"];

/// The same sequence in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        // Steele and Vigna's SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn several(&mut self, most: usize, mut each: impl FnMut(&mut Self) -> String) -> String {
        (0..self.below(most + 1)).map(|_| each(self)).collect()
    }

    fn text(&mut self) -> String {
        self.several(5, |random| match random.below(4) {
            0 => random.one(&BLANKS).to_owned(),
            1 => random.one(&["a", "b", "k", "s"]).to_owned(),
            _ => random.one(&LETTERS).to_owned(),
        })
    }

    fn options(&mut self) -> String {
        ["i", "i", "m", "s", "x"].iter().filter(|_| self.below(3) == 0).copied().collect()
    }

    /// Alternatives of sequences.
    fn expression(&mut self, depth: usize) -> String {
        let first = self.several(4, |random| random.item(depth));
        match self.below(5) {
            0 => format!("{first}|{}", self.several(3, |random| random.item(depth))),
            _ => first,
        }
    }

    fn item(&mut self, depth: usize) -> String {
        let item = match self.below(if depth == 0 { 12 } else { 16 }) {
            0..4 => self.one(&LETTERS).to_owned(),
            4 | 5 => self.class(),
            6 => self
                .one(&[
                    "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\h", "\\H", "\\v", "\\V", "\\N",
                    ".",
                ])
                .to_owned(),
            7 => self
                .one(&[
                    "\\n",
                    "\\x41",
                    "\\x{e9}",
                    "\\x{212a}",
                    "\\é",
                    "\\.",
                    "\\x6b",
                    "\\t",
                    "\n",
                    " ",
                    "#x\n",
                ])
                .to_owned(),
            // Nothing repeats a place.
            8..10 => {
                return self
                    .one(&["^", "$", "^", "$", "\\A", "\\z", "\\Z", "\\b", "\\B"])
                    .to_owned();
            }
            10 => {
                return self
                    .one(&["(?i)", "(?-i)", "(?m)", "(?-m)", "(?s-i)", "(?x)", "(?#note)", "(?)"])
                    .to_owned();
            }
            11 => self.one(&["a", "b", "\\]", "]", "{", "}", "-", "{x}"]).to_owned(),
            _ => {
                let open = self.one(&["(", "(?:", "(?i:", "(?-i:", "(?m:", "(?s-m:", "(?im-s:"]);
                format!("{open}{})", self.expression(depth - 1))
            }
        };
        let count = match self.below(3) {
            0 => {
                self.one(&["*", "+", "?", "{2}", "{0,2}", "{1,}", "{0}", "*?", "+?", "??", "{2,}?"])
            }
            _ => "",
        };
        // A comment of the option `x` is no place for a count.
        if item.starts_with('#') { item } else { item + count }
    }

    fn class(&mut self) -> String {
        let begin = self.one(&["[", "[", "[^", "[]", "[^]"]);
        let members: String = (0..=self.below(3)).map(|_| self.member()).collect();
        format!("{begin}{members}{}]", self.one(&["", "", "-"]))
    }

    fn member(&mut self) -> String {
        match self.below(8) {
            0 => self.one(&["\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\h", "\\V"]).to_owned(),
            1 => {
                let name = self.one(&[
                    "alpha", "lower", "upper", "alnum", "ascii", "blank", "cntrl", "digit",
                    "graph", "print", "punct", "space", "word", "xdigit",
                ]);
                format!("[:{}{name}:]", self.one(&["", "^"]))
            }
            2 => self
                .one(&["\\b", "\\n", "\\x{e9}", "\\]", "[", "&&", "~~", "^", " ", "#", "\\-"])
                .to_owned(),
            3 => self
                .one(&["a-z", "A-Z", "à-ÿ", "À-Ö", "--a", "!--", "j-l", "ǅ-ǆ", "Ā-ž", "α-ω", "Я-я"])
                .to_owned(),
            _ => self.one(&LETTERS).to_owned(),
        }
    }

    /// What may be an expression.
    fn soup(&mut self) -> String {
        self.several(8, |random| {
            random
                .one(&[
                    "a",
                    "k",
                    "é",
                    "1",
                    "(",
                    ")",
                    "(?",
                    "(?i",
                    ":",
                    "[",
                    "]",
                    "[:",
                    ":]",
                    "[^",
                    "-",
                    "^",
                    "$",
                    "|",
                    "*",
                    "+",
                    "?",
                    "{",
                    "}",
                    ",",
                    "2",
                    "\\",
                    "\\x",
                    "\\d",
                    "\\b",
                    "\\0",
                    "[:alpha:]",
                    "(?<",
                    ">",
                    "x",
                    "#",
                    " ",
                    "\n",
                    "\\x{",
                    "=",
                    ".",
                    "(*",
                    "\\Q",
                    "&&",
                    "\\z",
                    "'",
                    "P",
                ])
                .to_owned()
        })
    }
}

fn ours(expression: &str, options: &str) -> Result<Query, String> {
    let operators = Map::from([
        ("$regex".to_owned(), expression.into()),
        ("$options".to_owned(), options.into()),
    ]);
    let query = Map::from([("a".to_owned(), Value::Map(operators))]);
    Query::parse(&Value::Map(query)).map_err(|error| error.to_string())
}

fn theirs(expression: &str, options: &str) -> Result<pcre2::bytes::Regex, pcre2::Error> {
    RegexBuilder::new()
        .utf(true)
        .caseless(options.contains('i'))
        .multi_line(options.contains('m'))
        .dotall(options.contains('s'))
        .extended(options.contains('x'))
        .build(expression)
}

/// What a run has seen.
#[derive(Debug, Default)]
struct Seen {
    found: usize,
    not_found: usize,
    wrong: Vec<String>,
}

impl Seen {
    /// Matches some texts by both engines; `known` says which refusals of ours are none of PCRE2's.
    fn compare(&mut self, random: &mut Random, expression: &str, options: &str, known: &[&str]) {
        let (query, regex) = match (ours(expression, options), theirs(expression, options)) {
            (Ok(query), Ok(regex)) => (query, regex),
            (Ok(_), Err(error)) => {
                return self.wrong.push(format!("{expression:?} is accepted, but: {error}"));
            }
            (Err(error), Ok(_)) if !known.iter().any(|known| error.contains(known)) => {
                return self.wrong.push(format!("{expression:?} with {options:?}: {error}"));
            }
            (Err(_), _) => return,
        };
        for _ in 0..6 {
            let text = random.text();
            let found = regex.is_match(text.as_bytes()).expect("within PCRE2's limits");
            if query.matches(&content(&text)) != found {
                self.wrong.push(format!("{expression:?} with {options:?} on {text:?}: {found}"));
            }
            *if found { &mut self.found } else { &mut self.not_found } += 1;
        }
    }

    fn check(&self, least: usize) {
        println!("{} found, {} not found", self.found, self.not_found);
        let few = &self.wrong[..self.wrong.len().min(20)];
        assert!(few.is_empty(), "{} wrong, among them {few:#?}", self.wrong.len());
        assert!(self.found > least && self.not_found > least, "too few accepted");
    }
}

#[test]
fn expressions_find_what_pcre2_finds() {
    let (mut random, mut seen) = (Random(9), Seen::default());
    // PCRE2 takes `a+ ?` with the option `x` for `a+?`; Perl does not.
    for _ in 0..20_000 {
        let (expression, options) = (random.expression(2), random.options());
        seen.compare(&mut random, &expression, &options, &["or another count"]);
    }
    seen.check(20_000);
}

/// What we accept, PCRE2 accepts and answers alike. What it accepts and we do not is known.
#[test]
fn what_is_no_expression_to_pcre2_is_none_to_us() {
    const KNOWN: [&str; 4] =
        ["not supported", "read differently", "is no option", "or another count"];
    let (mut random, mut seen) = (Random(10), Seen::default());
    for _ in 0..60_000 {
        let (expression, options) = (random.soup(), random.options());
        seen.compare(&mut random, &expression, &options, &KNOWN);
    }
    seen.check(10_000);
}

/// Each character that has another case, with exactly those cases.
#[test]
fn case_is_folded_as_pcre2_folds_it() {
    /// Equal since Unicode 15.1, later than the PCRE2 that this is built with.
    const NEWER: [char; 6] = ['\u{390}', '\u{3b0}', '\u{1fd3}', '\u{1fe3}', '\u{fb05}', '\u{fb06}'];
    let group = |c| {
        let mut class = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
        class.try_case_fold_simple().expect("the table is there");
        class.iter().flat_map(|range| range.start()..=range.end()).collect::<Vec<_>>()
    };
    let cased: Vec<char> = ('\0'..=char::MAX).filter(|c| group(*c).len() > 1).collect();
    assert!(cased.len() > 2_800, "{}", cased.len());
    for c in &cased {
        let query = ours(&format!("^\\x{{{:x}}}$", u32::from(*c)), "i").expect("a character");
        let regex = theirs(&c.to_string(), "i").expect("a character");
        let group = group(*c);
        let others: String = cased.iter().filter(|other| !group.contains(other)).collect();
        assert!(!regex.is_match(others.as_bytes()).expect("linear"), "{c:?}");
        for other in &group {
            let text = other.to_string();
            assert!(query.matches(&content(&text)), "{c:?} and {other:?}");
            let alike = regex.is_match(text.as_bytes()).expect("linear");
            assert!(alike || NEWER.contains(c), "{c:?} and {other:?} in PCRE2");
        }
        let query = ours(&format!("\\x{{{:x}}}", u32::from(*c)), "i").expect("a character");
        assert!(!query.matches(&content(&others)), "{c:?}");
    }
}
