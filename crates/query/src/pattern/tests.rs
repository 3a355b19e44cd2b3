use proptest::prelude::*;

use super::*;
use crate::limits;

fn pattern(source: &str, options: &str) -> Result<Pattern, PatternError> {
    let options = Options::parse(options).expect("options");
    Pattern::new(source, options, limits::REGEX_BYTES).map(|(pattern, _)| pattern)
}

#[test]
fn the_syntax_is_that_of_pcre() {
    // expression, options, texts that match, texts that do not
    let rows: &[(&str, &str, &[&str], &[&str])] = &[
        ("", "", &["", "x"], &[]),
        ("^ab$", "", &["ab"], &["abc", "AB", "x\nab"]),
        ("^ab$", "i", &["AB"], &["abc"]),
        ("^ab$", "m", &["x\nab\ny"], &["xab"]),
        ("a.b", "", &["a-b"], &["a\nb"]),
        ("a.b", "s", &["a\nb"], &["ab"]),
        ("a b # comment", "x", &["ab"], &["a b"]),
        ("a[ ]b\\ c", "x", &["a b c"], &["abc", "ab c"]),
        ("a b", "", &["a b"], &["ab"]),
        // braces that count, and that do not
        ("^a{2}$", "", &["aa"], &["a", "a{2}"]),
        ("^a{2,}$", "", &["aaa"], &["a"]),
        ("^a{x}$", "", &["a{x}"], &["ax"]),
        ("^a{,2}$", "", &["a{,2}"], &["a"]),
        ("^{a}$", "", &["{a}"], &["a"]),
        ("^a{$", "", &["a{"], &["a"]),
        // escapes
        ("^\\d+\\.\\w\\s$", "", &["12.x "], &["12xx "]),
        ("^a\\/b\\<c\\>\\-\\é$", "", &["a/b<c>-é"], &["ab"]),
        ("^\\x41\\x{42}\\u0043$", "", &["ABC"], &["abc"]),
        ("\\bcat\\b", "", &["a cat"], &["cats"]),
        // classes
        ("^[a[]$", "", &["a", "["], &["b"]),
        ("^[a&&b]$", "", &["a", "b", "&"], &["c"]),
        ("^[a~~]$", "", &["~"], &["b"]),
        ("^[]a]$", "", &["]", "a"], &["b"]),
        ("^[^]a]$", "", &["b"], &["]", "a"]),
        ("^[\\]\\b]$", "", &["]", "\u{8}"], &["b"]),
        ("^[[:digit:]x]$", "", &["7", "x"], &[":", "d"]),
        ("^[a-c-]$", "", &["b", "-"], &["d"]),
        ("^[^é]$", "i", &["e"], &["é", "É"]),
        // case beyond ASCII
        ("^été$", "i", &["ÉTÉ", "été"], &["ete"]),
        ("^été$", "", &["été"], &["ÉTÉ"]),
        ("^[à-ö]+$", "i", &["ÀÖ", "éÉ"], &["x"]),
        ("^привет$", "i", &["ПРИВЕТ"], &[]),
        ("^ς$", "i", &["Σ", "σ", "ς"], &["s"]),
        ("^ß$", "i", &["ß"], &["ss"]),
        // lazy counts, groups
        ("^(?:ab)+?(?<n>c)??$", "", &["abab", "abc"], &["c"]),
        ("(?i)AB", "", &["xaby"], &["a"]),
    ];
    for (source, options, yes, no) in rows {
        let pattern = pattern(source, options).unwrap_or_else(|e| panic!("{source}: {e:?}"));
        for text in *yes {
            assert!(pattern.is_match(text), "{source:?} with {options:?} on {text:?}");
        }
        for text in *no {
            assert!(!pattern.is_match(text), "{source:?} with {options:?} not on {text:?}");
        }
    }
}

#[test]
fn what_cannot_be_matched_in_linear_time_is_refused() {
    let rows = [
        ("(?=a)", "look-around"),
        ("(?<!a)b", "look-around"),
        ("(a)\\1", "backreferences"),
        ("a++b", "possessive"),
        ("a{2}+", "possessive"),
        ("a**", "count"),
        ("(?R)", "recursion"),
        ("\\p{L}", "Unicode character classes"),
        ("(a", "group"),
        ("a)", "without matching"),
        ("[a", "class"),
        ("[z-a]", "range"),
        ("*a", "repetition"),
        ("a{3,2}", "min"),
        ("\\", "backslash"),
    ];
    for (source, reason) in rows {
        match pattern(source, "") {
            Err(PatternError::Invalid(message)) => {
                assert!(message.contains(reason), "{source}: {message}");
            }
            other => panic!("{source}: {other:?}"),
        }
    }
}

#[test]
fn the_size_is_limited() {
    for source in ["a{100000}", "((a{50}){50}){50}", "(?:){4294967295}", "(\\w|\\d){1000}"] {
        assert_eq!(pattern(source, "").expect_err(source), PatternError::TooLarge, "{source}");
    }
    pattern(&"x".repeat(200), "").expect("200 characters fit");
    // Deep nesting is refused before it can exhaust the stack.
    let nested = format!("{}a{}", "(".repeat(1000), ")".repeat(1000));
    assert!(matches!(pattern(&nested, ""), Err(PatternError::Invalid(_))));
}

#[test]
fn the_size_is_measured() {
    let source = "^[a-z]{20}(x|y)+$";
    let options = Options::default();
    let (_, size) = Pattern::new(source, options, limits::REGEX_BYTES).expect("it fits");
    Pattern::new(source, options, size).expect("just enough");
    let less = Pattern::new(source, options, size - SIZE_STEP).expect_err("too little");
    assert_eq!(less, PatternError::TooLarge);
}

proptest! {
    #[test]
    fn no_expression_panics(source in "[a-cé\\[\\]{}()*+?|^$.\\\\0-9,:&~<>#\\- ]{0,24}", text in ".{0,16}", all in any::<bool>()) {
        if let Ok(pattern) = pattern(&source, if all { "imsx" } else { "" }) {
            let _ = pattern.is_match(&text);
        }
    }
}
