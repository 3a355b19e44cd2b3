//! What is still to be read of an expression.

use core::str::Chars;

/// What is still to be read, and what that depends on.
pub(super) struct Parser<'a> {
    pub(super) rest: Chars<'a>,
    /// For how many more nodes; what is far too large is not read to its end.
    pub(super) room: usize,
    /// Of groups that are open.
    pub(super) depth: usize,
    /// Of groups.
    pub(super) names: Vec<&'a str>,
}

impl<'a> Parser<'a> {
    pub(super) fn next(&mut self) -> Option<char> {
        self.rest.next()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    pub(super) fn skip(&mut self, expected: &str) -> bool {
        let rest = self.rest.as_str().strip_prefix(expected);
        self.rest = rest.unwrap_or(self.rest.as_str()).chars();
        rest.is_some()
    }

    /// Takes what stands before a mark, and the mark; nothing, if there is no mark.
    pub(super) fn until(&mut self, mark: char) -> Option<&'a str> {
        let (before, after) = self.rest.as_str().split_once(mark)?;
        self.rest = after.chars();
        Some(before)
    }
}

/// `{2}`, `{2,}` or `{2,3}`; nothing, if the brace begins no count.
pub(super) fn braces(text: &str) -> Result<Option<(u64, Option<u64>)>, String> {
    let Some((inner, _)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) else {
        return Ok(None);
    };
    let (min, max) = inner.split_once(',').map_or((inner, None), |(min, max)| (min, Some(max)));
    let [least, most] = [min, max.unwrap_or(min)].map(|text| text.trim_matches([' ', '\t']));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(least) || !is_number(most) || least.is_empty() && most.is_empty() {
        return Ok(None);
    }
    if least.is_empty() || inner.contains([' ', '\t']) {
        return Err(
            "`{,3}` and counts with spaces are read differently by the versions of PCRE2; write \
                    `{0,3}`, or `\\{` for the brace"
                .to_owned(),
        );
    }
    // What is beyond 64 bits is too large as well.
    let number = |text: &str| text.parse().unwrap_or(u64::MAX);
    let (least, most) = (number(least), (!most.is_empty()).then(|| number(most)));
    if most.is_some_and(|most| most < least) {
        return Err("the second number of a count is less than the first".to_owned());
    }
    Ok(Some((least, most)))
}
