//! What each thing that a client can ask for costs, on one scale.
//!
//! One unit is about a microsecond of the desk's only task. It is charged before the work is done, to
//! the client and to the ranges of addresses that it counts in, so that neither one client with what is
//! most expensive nor many from one place keep the desk from others ([`crate::limits::WORK`],
//! [`crate::limits::WORK_PER_ADDRESS`]).
//!
//! Signatures are verified on that task, too: one takes 56 µs (in a build for tests, whose curve is
//! optimised, on a busy machine), so an address has 6 % of its time, all that our clients pass on to a pool
//! 36 %, and a join waits for 64 signatures, 4 ms, at most. A task of their own would add a round through two
//! queues to each join, and more states.

/// An Ed25519 signature that is verified.
pub(super) const VERIFY: usize = 100;
/// One that is made, for a welcome.
pub(super) const SIGN: usize = 40;
/// A session: a key for it, and an exchange (X25519).
pub(super) const SESSION: usize = 100;
/// An introduction: the peers that are looked at and those that are told.
pub(super) const INTRODUCE: usize = 64;
/// Bytes that are as expensive as one unit, to decode and to pass on.
const BYTES_PER_UNIT: usize = 256;
/// A frame without what is in it, and the answer to it: a ping, for example.
const FRAME: usize = 4;

/// A frame of so many bytes, whatever it is.
pub(super) const fn frame(bytes: usize) -> usize {
    FRAME + bytes / BYTES_PER_UNIT
}

#[cfg(test)]
mod tests {
    use taiinet_mesh::limits::WIRE_BYTES;

    use super::*;
    use crate::limits;

    #[test]
    fn a_client_that_does_all_that_it_may_stays_within_its_budget_of_work() {
        let of = |which: fn((u32, u32)) -> u32| {
            let count = |budget| which(budget) as usize;
            let most = count(limits::FRAMES) * frame(WIRE_BYTES)
                + count(limits::JOINS) * VERIFY
                + count(limits::INTRODUCTIONS) * INTRODUCE
                + count(limits::SIGNALS) * VERIFY;
            (most, count(limits::WORK))
        };
        let (at_once, budget) = of(|(at_once, _)| at_once);
        assert!(at_once + SESSION + SIGN <= budget, "{at_once}");
        let (each_second, budget) = of(|(_, each_second)| each_second);
        assert!(each_second <= budget, "{each_second}");
    }
}
