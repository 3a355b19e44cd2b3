use proptest::prelude::*;

use super::*;
use crate::limits;

fn pattern(source: &str, options: &str) -> Result<Pattern, PatternError> {
    let options = Options::parse(options).expect("options");
    Pattern::new(source, options, limits::REGEX_BYTES)
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
    let nested = format!("{}a{}", "(?:".repeat(1000), ")".repeat(1000));
    assert!(matches!(pattern(&nested, ""), Err(PatternError::Invalid(_))));
}

/// What `regex-lite` takes on this machine, to the nearest of its steps.
#[cfg(target_pointer_width = "64")]
fn compiled(source: &str, options: Options) -> Option<usize> {
    let (translated, _) = syntax::translate(source, options).ok()?;
    let fits = |limit| {
        RegexBuilder::new(&translated)
            .case_insensitive(options.ignore_case)
            .ignore_whitespace(options.extended)
            .size_limit(limit)
            .build()
            .is_ok()
    };
    let (mut small, mut large) = (0, 1024 * 1024);
    if !fits(large) {
        return None;
    }
    while large - small > 8 {
        let half = small.midpoint(large);
        if fits(half) { large = half } else { small = half }
    }
    Some(large)
}

#[test]
fn the_size_is_measured() {
    let source = "^[a-z]{20}(x|y)+$";
    let options = Options::default();
    let size = Pattern::new(source, options, limits::REGEX_BYTES).expect("it fits").weight();
    Pattern::new(source, options, size).expect("just enough");
    let less = Pattern::new(source, options, size - 1).expect_err("too little");
    assert_eq!(less, PatternError::TooLarge);
}

/// Fixed, because peers on all targets must agree on what is too large.
#[test]
fn the_size_is_the_same_on_every_target() {
    for (source, options, size) in [
        ("", "", 144),
        ("abc", "", 208),
        ("abc", "i", 256),
        ("^.{0,140}$", "", 12_528),
        ("[a-z0-9-]{3,}", "", 416),
        ("(a|b)*c", "", 472),
    ] {
        let options = Options::parse(options).expect("options");
        let measured =
            Pattern::new(source, options, limits::REGEX_BYTES).expect("it fits").weight();
        assert_eq!(measured, size, "{source}");
    }
}

#[test]
#[cfg(target_pointer_width = "64")]
fn the_size_is_about_what_is_taken() {
    let label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
    let words: Vec<String> = (0..42).map(|i| format!("elephant{i}")).collect();
    for source in [
        "^.{0,140}$",
        ".{1,280}",
        &format!("^{label}(\\.{label})*$"),
        &words.join("|"),
        "(a{20}){20}",
        "((ab?)+c*){10,20}",
        "[[:alpha:]_]\\w{5,50}",
        "[aeiouy[:punct:]]{100}",
        "\\s{50}",
        "(?<name>x){50}",
    ] {
        for options in ["", "i"] {
            let options = Options::parse(options).expect("options");
            let weight = Pattern::new(source, options, limits::REGEX_BYTES)
                .unwrap_or_else(|error| panic!("{source}: {error:?}"))
                .weight();
            let taken = compiled(source, options).expect("it compiles");
            assert!(
                weight + 64 >= taken && weight <= 2 * taken + 256,
                "{source}: {weight} counted, {taken} taken"
            );
        }
    }
}

proptest! {
    #[test]
    fn no_expression_panics(source in "[a-cé\\[\\]{}()*+?|^$.\\\\0-9,:&~<>#\\- ]{0,24}", text in ".{0,16}", all in any::<bool>()) {
        if let Ok(pattern) = pattern(&source, if all { "imsx" } else { "" }) {
            let _ = pattern.is_match(&text);
        }
    }

    /// Otherwise it would depend on the target whether an expression is too large.
    #[test]
    #[cfg(target_pointer_width = "64")]
    fn what_is_taken_is_bounded_by_what_is_counted(source in "[a-cé\\[\\]{}()*+?|^$.\\\\0-9,:wds&~# -]{0,24}", all in any::<bool>()) {
        let options = Options::parse(if all { "ix" } else { "" }).expect("options");
        if let Ok((_, weight)) = syntax::translate(&source, options)
            && let Some(taken) = compiled(&source, options)
        {
            prop_assert!(taken as u64 <= 2 * weight + SLACK as u64 / 2, "{taken} of {weight}");
        }
    }
}
