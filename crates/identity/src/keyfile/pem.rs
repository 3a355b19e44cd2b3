//! PEM as people and programs leave it.
//!
//! RFC 7468 lets readers be lax: text may stand before and after, lines may have any length, be empty, or
//! have white space at their ends. The crates that read what is inside take its strict form only, so it is
//! brought into that: what is in it is theirs to judge.

use zeroize::Zeroizing;

/// Characters on a line of the strict form.
const WIDTH: usize = 64;

/// What stands between two boundaries of the same label.
pub(super) struct Block<'a> {
    pub(super) label: &'a str,
    /// Whether there is an end.
    is_whole: bool,
    /// Without white space.
    words: Vec<&'a str>,
}

/// All that are in the text, in its order.
pub(super) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut lines = text.split(['\r', '\n']).map(str::trim);
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        let Some(label) = label(line, "-----BEGIN ") else { continue };
        let mut block = Block { label, is_whole: false, words: Vec::new() };
        for line in lines.by_ref() {
            block.is_whole = self::label(line, "-----END ") == Some(block.label);
            if block.is_whole {
                break;
            }
            block.words.extend(line.split_whitespace());
        }
        blocks.push(block);
    }
    blocks
}

fn label<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    line.strip_prefix(start)?.strip_suffix("-----")
}

impl Block<'_> {
    /// Whether a private key is in it, as far as its label says.
    pub(super) fn is_private_key(&self) -> bool {
        self.label.ends_with("PRIVATE KEY") || self.label == "AGE ENCRYPTED FILE"
    }

    /// Its strict form; nothing if it has no end.
    pub(super) fn strict(&self) -> Option<Zeroizing<String>> {
        if !self.is_whole {
            return None;
        }
        let body: usize = self.words.iter().map(|word| word.len()).sum();
        // Room for everything at once: a text that grew would leave copies of the secret behind.
        let mut pem = Zeroizing::new(String::with_capacity(2 * (body + self.label.len()) + 64));
        pem.extend(["-----BEGIN ", self.label, "-----"]);
        for (at, char) in self.words.iter().flat_map(|word| word.chars()).enumerate() {
            if at % WIDTH == 0 {
                pem.push('\n');
            }
            pem.push(char);
        }
        pem.extend(["\n-----END ", self.label, "-----\n"]);
        Some(pem)
    }
}
