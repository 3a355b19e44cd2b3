//! A passphrase, and what it costs to try one.

use std::fmt;

use zeroize::Zeroizing;

/// What the user typed to protect a key. Wiped on drop, never printed.
#[derive(Clone)]
pub struct Passphrase {
    text: Zeroizing<String>,
    work: WorkFactor,
}

impl Passphrase {
    /// Takes the text as it is: every character counts, spaces at the ends too.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: Zeroizing::new(text.into()), work: WorkFactor::DEFAULT }
    }

    /// The same passphrase, with another cost in the age files that are encrypted with it.
    #[must_use]
    pub fn with_work_factor(self, work: WorkFactor) -> Self {
        Self { work, ..self }
    }

    /// Whether it has no characters at all.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn expose(&self) -> &str {
        &self.text
    }

    pub(super) const fn work(&self) -> WorkFactor {
        self.work
    }
}

/// In constant time for passphrases of the same length.
impl PartialEq for Passphrase {
    fn eq(&self, other: &Self) -> bool {
        // Hashes are compared, so the time says nothing about where two texts differ.
        blake3::hash(self.text.as_bytes()) == blake3::hash(other.text.as_bytes())
    }
}

impl Eq for Passphrase {}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(secret)")
    }
}

/// What it costs to try one passphrase on an age file: scrypt's N is two to the power of this. One
/// more doubles time and memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkFactor(u8);

impl WorkFactor {
    /// About a millisecond and 1 MiB: for tests, and for passphrases of many random bits.
    pub const MIN: Self = Self(10);
    /// About a second and 256 MiB, as `age` itself takes.
    pub const DEFAULT: Self = Self(18);
    /// About four seconds and 1 GiB. Files that ask for more are not opened.
    pub const MAX: Self = Self(20);

    /// Nothing if out of the range from [`Self::MIN`] to [`Self::MAX`].
    pub fn new(log_n: u8) -> Option<Self> {
        (Self::MIN..=Self::MAX).contains(&Self(log_n)).then_some(Self(log_n))
    }

    /// The power of two.
    pub const fn log_n(self) -> u8 {
        self.0
    }
}
