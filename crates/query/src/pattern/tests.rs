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
        ("^ab$", "", &["ab", "ab\n"], &["abc", "AB", "x\nab", "ab\n\n", "ab\nx"]),
        ("^ab\\Z", "", &["ab", "ab\n"], &["ab\n\n"]),
        ("\\Aab\\z", "m", &["ab"], &["ab\n", "x\nab"]),
        ("a$\n", "", &["a\n"], &["a", "a\nb"]),
        ("^$", "", &["", "\n"], &["x\n", "\n\n"]),
        ("^$", "m", &["", "\n", "x\n\n", "x\n\ny"], &["x\n", "x\ny"]),
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
        ("^a{,}$", "", &["a{,}"], &["a"]),
        ("^{a}$", "", &["{a}"], &["a"]),
        ("^a{$", "", &["a{"], &["a"]),
        // escapes
        ("^\\d+\\.\\w\\s$", "", &["12.x "], &["12xx "]),
        ("^a\\/b\\<c\\>\\-\\é$", "", &["a/b<c>-é"], &["ab"]),
        ("^\\x41\\x{42}\\u0043$", "", &["ABC"], &["abc"]),
        ("^\\0\\x9\\t\\e\\a$", "", &["\0\t\t\u{1b}\u{7}"], &[]),
        ("^\\h\\v\\N$", "", &["\u{a0}\u{85}\r", " \nx"], &[" \n\n", "\n\nx"]),
        ("\\bcat\\b", "", &["a cat", "écat"], &["cats"]),
        // classes
        ("^[a[]$", "", &["a", "["], &["b"]),
        ("^[a&&b]$", "", &["a", "b", "&"], &["c"]),
        ("^[a~~]$", "", &["~"], &["b"]),
        ("^[]a]$", "", &["]", "a"], &["b"]),
        ("^[^]a]$", "", &["b"], &["]", "a"]),
        ("^[\\]\\b]$", "", &["]", "\u{8}"], &["b"]),
        ("^[[:digit:]x]$", "", &["7", "x"], &[":", "d"]),
        ("^[[:^digit:]]$", "", &["x", "é"], &["7"]),
        ("^[[:foo]$", "", &["[", ":", "f"], &["x"]),
        ("^[a-c-]$", "", &["b", "-"], &["d"]),
        ("^[a-c-e]$", "", &["b", "-", "e"], &["d"]),
        ("^[--a]$", "", &["_", "-", "a"], &["b", ","]),
        ("^[^é]$", "i", &["e"], &["é", "É"]),
        // case beyond ASCII
        ("^été$", "i", &["ÉTÉ", "été"], &["ete"]),
        ("^été$", "", &["été"], &["ÉTÉ"]),
        ("^[à-ö]+$", "i", &["ÀÖ", "éÉ"], &["x"]),
        ("^привет$", "i", &["ПРИВЕТ"], &[]),
        ("^ς$", "i", &["Σ", "σ", "ς"], &["s"]),
        ("^ß$", "i", &["ß", "ẞ"], &["ss"]),
        ("ΛΟΓΟΣ", "i", &["λογος", "λογοσ"], &[]),
        ("^ı$", "i", &["ı"], &["i", "I"]),
        ("^k$", "i", &["K", "\u{212a}"], &[]),
        ("^[^k]$", "i", &["x"], &["K", "\u{212a}"]),
        ("^5 μm$", "i", &["5 µm"], &[]),
        ("^[à-ÿ]$", "i", &["é", "É", "Ÿ"], &["×", "Ā", "ß"]),
        ("^[^à-ÿ]$", "i", &["×", "Ā"], &["é", "É", "Ÿ"]),
        ("^\\x{e9}\\é[\\x{e9}]$", "i", &["ÉéÉ"], &["eee"]),
        // named classes have no cases, but for these two
        ("^\\w$", "i", &["k"], &["\u{212a}", "ſ"]),
        ("^[[:upper:]]$", "i", &["k", "K"], &["\u{212a}", "é"]),
        ("^[[:^lower:]]$", "i", &["1"], &["k", "K"]),
        // lazy counts, groups
        ("^(?:ab)+?(?<n>c)??$", "", &["abab", "abc"], &["c"]),
        ("(?i)AB", "", &["xaby"], &["a"]),
        ("^a(?i)b|c$", "", &["aB", "C"], &["Ab"]),
        ("^(a(?i)b)c$", "", &["aBc"], &["aBC"]),
        ("^(?i:é)é$", "", &["Éé"], &["ÉÉ"]),
        ("^(?-i)É", "i", &["É"], &["é"]),
        ("^(?-i:É)é", "i", &["ÉÉ"], &["éé"]),
        ("^a(?s-m).$", "m", &["a\n"], &["a\nb", "a\nb\n"]),
        ("^(?x) a b # c\n c$", "", &["abc"], &["a b"]),
        ("^a(?#b)+$", "", &["aa"], &["ab"]),
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
fn what_cannot_be_read_or_matched_in_linear_time_is_refused() {
    let rows = [
        ("(?=a)", "look-around"),
        ("(?<!a)b", "look-around"),
        ("(a)\\1", "backreferences"),
        ("a++b", "possessive"),
        ("a{2}+", "possessive"),
        ("(?R)", "recursion"),
        ("(?1)", "recursion"),
        ("(?P>n)", "recursion"),
        ("(?P=n)", "backreferences"),
        ("\\k<n>", "backreferences"),
        ("(?>a)", "give back"),
        ("(?|a)", "branch resets"),
        ("(?(1)a)", "conditions"),
        ("(*UCP)a", "verbs"),
        ("(?xx)a", "`xx`"),
        ("(?u)a", "no option"),
        ("\\p{L}", "Unicode character classes"),
        ("[\\p{L}]", "Unicode character classes"),
        ("\\Qa\\E", "`\\Q`"),
        ("\\R", "`\\R`"),
        ("a{,2}", "read differently"),
        ("a{1, 2}", "read differently"),
        ("(a", "group"),
        ("a)", "closes no group"),
        ("(?<n>a)(?<n>b)", "two groups"),
        ("(?<1>a)", "group's name"),
        ("[a-\\d]", "range"),
        ("[\\d-a]", "range"),
        ("[[:foo:]]", "no class"),
        ("[[.a.]]", "no class"),
        ("[:alpha:]", "stands in another"),
        ("\\x{110000}", "number"),
        ("\\x{d800}", "number"),
        ("\\x{}", "number"),
        ("\\x{+1}", "number"),
        ("\\xg", "number"),
        ("[a", "class"),
        ("[z-a]", "range"),
        ("*a", "nothing that it could repeat"),
        ("a**", "another count"),
        ("a{2}{3}", "another count"),
        ("(?x)a+ ?", "another count"),
        ("^*", "nothing that it could repeat"),
        ("(|*)", "nothing that it could repeat"),
        ("a{3,2}", "less than the first"),
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
    // Deep nesting is refused before it can exhaust the stack; so are the many ranges of cases.
    assert_eq!(pattern(&"[Ā-ž]".repeat(2000), "i").expect_err("2000"), PatternError::TooLarge);
    let nested = format!("{}a{}", "(?:".repeat(1000), ")".repeat(1000));
    assert!(matches!(pattern(&nested, ""), Err(PatternError::Invalid(_))));
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
        ("k", "i", 168),
        ("é", "i", 160),
        ("^.{0,140}$", "", 12_528),
        ("[a-z0-9-]{3,}", "", 392),
        ("(a|b)*c", "", 392),
    ] {
        let options = Options::parse(options).expect("options");
        let measured =
            Pattern::new(source, options, limits::REGEX_BYTES).expect("it fits").weight();
        assert_eq!(measured, size, "{source}");
    }
}

/// What a pattern occupies is bounded by its size, and so are the steps for each character.
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
        "[\\x{100}-\\x{10ffff}]{20}",
        "[Ā-Ž\\x{1e00}-\\x{1eff}]",
        "(|||||||||)",
        "((a*)*)*",
        "(?<name>x){50}",
    ] {
        for options in ["", "i"] {
            let pattern = pattern(source, options).unwrap_or_else(|e| panic!("{source}: {e:?}"));
            let (steps, (bytes, _)) = (pattern.program.len(), pattern.heap());
            let weight = pattern.weight();
            assert!(16 * steps <= weight, "{source}: {weight} counted, {steps} steps");
            assert!(bytes <= 2 * weight, "{source}: {weight} counted, {bytes} taken");
        }
    }
}

proptest! {
    #[test]
    fn no_expression_panics(source in "[a-cékK\\[\\]{}()*+?|^$.\\\\0-9,:=&~<>#'PixzQ\\- ]{0,24}", text in ".{0,16}", all in any::<bool>()) {
        if let Ok(pattern) = pattern(&source, if all { "imsx" } else { "" }) {
            let _ = pattern.is_match(&text);
            let (steps, (bytes, _)) = (pattern.program.len(), pattern.heap());
            prop_assert!(16 * steps <= pattern.weight() && bytes <= 2 * pattern.weight());
        }
    }
}
