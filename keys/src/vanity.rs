//! Keys whose peer id begins as the user wishes.
//!
//! There is no better way than to make keys until one fits: a key of RFC 8032 is the hash of its
//! seed, so no key is got from another. Each letter more takes 32 times longer.

use std::{
    str::FromStr,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use rand_core::UnwrapErr;
use taiinet_identity::{Identity, PeerId};

/// The letters of bech32, each for the five bits of its place (BIP 173).
const LETTERS: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// Beyond this the sun burns out first.
const MAX_LEN: usize = 12;

/// What the peer id begins with, behind `tn1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prefix {
    len: u32,
    bits: [u8; 32],
    mask: [u8; 32],
}

impl Prefix {
    fn matches(&self, id: &PeerId) -> bool {
        id.as_bytes().iter().zip(self.mask).map(|(byte, mask)| byte & mask).eq(self.bits)
    }

    /// How many keys it takes on average.
    fn expected(&self) -> f64 {
        32_f64.powi(self.len.cast_signed())
    }
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix("tn1").unwrap_or(text).to_lowercase();
        let len = text.chars().count();
        if len == 0 || len > MAX_LEN {
            return Err(format!("from 1 to {MAX_LEN} letters"));
        }
        let (mut bits, mut mask) = ([0; 32], [0; 32]);
        for (n, letter) in text.chars().enumerate() {
            let value = LETTERS.find(letter).ok_or_else(|| {
                format!("`{letter}` does not occur in peer ids; these do: {LETTERS}")
            })?;
            for bit in 0..5 {
                let at = 5 * n + bit;
                mask[at / 8] |= 0x80 >> (at % 8);
                if value & (0x10 >> bit) != 0 {
                    bits[at / 8] |= 0x80 >> (at % 8);
                }
            }
        }
        Ok(Self { len: u32::try_from(len).unwrap_or(u32::MAX), bits, mask })
    }
}

/// Makes keys on all processors until one fits, with a progress bar if there is a terminal.
pub(crate) fn search(prefix: &Prefix) -> Identity {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (found, tried) = (OnceLock::new(), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| search_one(prefix, &found, &tried));
        }
        show_progress(prefix, &found, &tried);
    });
    found.into_inner().expect("the workers end when a key was found")
}

fn search_one(prefix: &Prefix, found: &OnceLock<Identity>, tried: &AtomicU64) {
    const BATCH: u64 = 256;
    let mut rng = UnwrapErr(getrandom::SysRng);
    while found.get().is_none() {
        for _ in 0..BATCH {
            let identity = Identity::generate(&mut rng);
            if prefix.matches(&identity.peer_id()) {
                // The first one found stays.
                let _ = found.set(identity);
                return;
            }
        }
        tried.fetch_add(BATCH, Ordering::Relaxed);
    }
}

/// The bar shows how likely a find was by now: the search has no memory, so there is no better
/// measure of how far it is.
fn show_progress(prefix: &Prefix, found: &OnceLock<Identity>, tried: &AtomicU64) {
    const STEPS: u32 = 1000;
    let bar = ProgressBar::new(u64::from(STEPS));
    if bar.is_hidden() {
        return;
    }
    if let Ok(style) = ProgressStyle::with_template("{elapsed} [{bar:24}] {msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    let started = Instant::now();
    while found.get().is_none() {
        std::thread::sleep(Duration::from_millis(100));
        let tries = tried.load(Ordering::Relaxed) as f64;
        let rate = tries / started.elapsed().as_secs_f64();
        let chance = 1.0 - (-tries / prefix.expected()).exp();
        bar.set_position((chance * f64::from(STEPS)) as u64);
        let mean = Duration::try_from_secs_f64(prefix.expected() / rate)
            .map_or_else(|_| "ages".to_owned(), |mean| HumanDuration(mean).to_string());
        bar.set_message(format!(
            "{:.0} % of such searches are done by now; the mean takes {mean} ({rate:.0} keys/s)",
            chance * 100.0
        ));
    }
    bar.finish_and_clear();
}

#[cfg(test)]
mod tests {
    use taiinet_identity::Seed;

    use super::*;

    #[test]
    fn a_prefix_matches_what_it_looks_like() {
        for n in 0..40 {
            let id = Identity::from_seed(&Seed::from_bytes([n; 32])).peer_id();
            let text = id.to_string();
            for len in 1..=MAX_LEN {
                let prefix: Prefix = text[3..3 + len].parse().expect("letters of bech32");
                assert!(prefix.matches(&id));
                let other = Identity::from_seed(&Seed::from_bytes([n + 100; 32])).peer_id();
                let alike = other.to_string().starts_with(&text[..3 + len]);
                assert_eq!(prefix.matches(&other), alike);
            }
        }
    }

    #[test]
    fn finds_what_was_asked_for() {
        let identity = search(&"q7".parse().expect("a prefix"));
        assert!(identity.peer_id().to_string().starts_with("tn1q7"));
    }

    #[test]
    fn impossible_prefixes_are_refused() {
        for text in ["", "b", "tn1", "i", "o", "1", "ä", "a b", "qqqqqqqqqqqqq"] {
            assert!(text.parse::<Prefix>().is_err(), "{text}");
        }
        assert_eq!("tn1QP".parse::<Prefix>(), "qp".parse());
    }
}
