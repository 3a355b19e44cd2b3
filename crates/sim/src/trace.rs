//! A running hash over all that went into and came out of the peers.

/// Two runs with equal hashes were the same run.
#[derive(Debug)]
pub(crate) struct Trace {
    kept: bool,
    hasher: blake3::Hasher,
    entries: u64,
}

impl Trace {
    /// One that notes nothing, unless it is to be kept.
    pub(crate) fn new(kept: bool) -> Self {
        Self { kept, hasher: blake3::Hasher::new(), entries: 0 }
    }

    /// Whether anything is noted.
    pub(crate) const fn is_kept(&self) -> bool {
        self.kept
    }

    /// Notes what happened at a time to a node: `what` names the kind of thing.
    pub(crate) fn note(&mut self, now: u64, node: usize, what: &str, about: u64, bytes: &[u8]) {
        self.entries += 1;
        if !self.kept {
            return;
        }
        self.hasher.update(&now.to_le_bytes());
        self.hasher.update(&(node as u64).to_le_bytes());
        self.hasher.update(what.as_bytes());
        self.hasher.update(&about.to_le_bytes());
        self.hasher.update(&(bytes.len() as u64).to_le_bytes());
        self.hasher.update(bytes);
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        *self.hasher.finalize().as_bytes()
    }

    pub(crate) const fn entries(&self) -> u64 {
        self.entries
    }
}
