//! Proof of work for a join, where a signaller asks for one: after Hashcash (Back, 2002).
//!
//! An answer is a number for which `BLAKE3("taiinet/1 work" ‖ challenge ‖ peer ‖ answer)` begins with
//! so many zero bits. The challenge is fresh for each connection, so nothing can be done ahead.

use taiinet_identity::PeerId;

/// Whether `answer` (little-endian in the hash) does it.
pub fn is_done(challenge: &[u8; 32], peer: &PeerId, bits: u8, answer: u64) -> bool {
    Work::new(*challenge, *peer, bits).is_answer(answer)
}

/// A search for the answer, in pieces: a driver has other things to do as well.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    start: blake3::Hasher,
    bits: u8,
    next: u64,
}

impl Work {
    pub(crate) fn new(challenge: [u8; 32], peer: PeerId, bits: u8) -> Self {
        let mut start = blake3::Hasher::new();
        start.update(b"taiinet/1 work").update(&challenge).update(peer.as_bytes());
        Self { start, bits, next: 0 }
    }

    /// Tries so many numbers more.
    pub(crate) fn search(&mut self, tries: u64) -> Option<u64> {
        let end = self.next.saturating_add(tries);
        let found = (self.next..end).find(|answer| self.is_answer(*answer));
        self.next = end;
        found
    }

    fn is_answer(&self, answer: u64) -> bool {
        let hash = self.start.clone().update(&answer.to_le_bytes()).finalize();
        let begin = hash.as_bytes().iter().take(8);
        let begin = begin.fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        begin.leading_zeros() >= u32::from(self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn what_was_found_holds_for_this_challenge_and_peer_alone() {
        let (one, other) = (testing::identity(1).peer_id(), testing::identity(2).peer_id());
        let mut work = Work::new([7; 32], one, 12);
        let answer = std::iter::repeat_with(|| work.search(100)).flatten().next();
        let answer = answer.expect("there is one");
        assert!(is_done(&[7; 32], &one, 12, answer));
        assert!(is_done(&[7; 32], &one, 0, answer + 1));
        assert!(!is_done(&[8; 32], &one, 12, answer) && !is_done(&[7; 32], &other, 12, answer));
        assert!(!is_done(&[7; 32], &one, 64, answer));
    }
}
