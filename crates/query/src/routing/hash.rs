//! The hash that all peers give paths and values. No security rests on it: who finds another value with the
//! same hash gets documents sent that are not wanted, as by naming the value itself.

/// The beginning of all paths.
const ROOT: u64 = u64::from_be_bytes(*b"taiinet1");

/// The finaliser of SplitMix64, of what was hashed and what is added.
pub(super) const fn step(hash: u64, word: u64) -> u64 {
    let mut hash = (hash ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// Adds bytes, eight at a time, and how many they were.
pub(super) fn absorb(hash: u64, bytes: &[u8]) -> u64 {
    let words = bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(chunk) {
            *to = *from;
        }
        u64::from_le_bytes(word)
    });
    step(words.fold(hash, step), bytes.len() as u64)
}

/// The hash of a path, so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PathHash(u64);

impl PathHash {
    /// Of no names.
    pub(super) const ROOT: Self = Self(ROOT);

    /// With one name more.
    pub(super) fn then(self, name: &str) -> Self {
        Self(absorb(self.0, name.as_bytes()))
    }

    /// What all terms of the path have.
    pub(super) const fn short(self) -> u16 {
        (self.0 >> 48) as u16
    }
}

/// Whether a name can be in a path that documents list what they have at. An index cannot, since the same value
/// would stand at several paths; one with a dot is in no path.
pub(super) fn is_keyed_name(name: &str) -> bool {
    let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    !is_number && !name.contains('.')
}
