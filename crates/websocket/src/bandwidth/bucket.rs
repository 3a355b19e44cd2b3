//! A token bucket that may be overdrawn: no clock and no waiting; times count from any beginning.

use std::time::Duration;

/// What is not used is kept for so long.
const BURST: Duration = Duration::from_millis(100);
/// Short messages may use in advance what comes in so long.
const RESERVE: Duration = Duration::from_millis(500);
/// One link has so small a share of the rate for short messages that go before their turn.
const PRIVILEGED_SHARE: f64 = 64.0;
/// And so many bytes of it at once: a handshake.
const PRIVILEGED_AT_ONCE: f64 = 4096.0;
/// The longest that counts as short: pings, acknowledgements, proofs, announcements of some.
const SHORT: usize = 1024;
/// What a packet adds to its message, about: IPv6, UDP, DTLS and SCTP, or TCP, TLS and WebSocket.
const OVERHEAD: usize = 100;
/// What one packet carries of a message.
const PACKET: usize = 1150;

/// What a message takes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Weight {
    bytes: usize,
    is_short: bool,
}

impl Weight {
    /// Of a message of so many bytes, with the headers of the packets that carry it.
    pub(super) const fn of(bytes: usize) -> Self {
        let packets = if bytes == 0 { 1 } else { bytes.div_ceil(PACKET) };
        Self { bytes: bytes.saturating_add(packets * OVERHEAD), is_short: bytes <= SHORT }
    }

    pub(super) const fn is_short(self) -> bool {
        self.is_short
    }

    /// The same of a message that waits for its turn, however short it is.
    pub(super) const fn in_turn(self) -> Self {
        Self { is_short: false, ..self }
    }
}

/// What one link may send before its turn: enough for what keeps it alive, and too little to keep others from
/// theirs.
#[derive(Debug, Default)]
pub(super) struct Privilege {
    spent: f64,
    filled: Duration,
}

impl Privilege {
    /// Whether a message may go before its turn, where all together have `rate` bytes a second.
    pub(super) fn take(&mut self, weight: Weight, rate: u64, now: Duration) -> bool {
        let share = rate as f64 / PRIVILEGED_SHARE;
        let regained = share * now.saturating_sub(self.filled).as_secs_f64();
        self.filled = self.filled.max(now);
        self.spent = (self.spent - regained).max(0.0);
        let bytes = weight.bytes as f64;
        let may = weight.is_short && self.spent + bytes <= share.max(PRIVILEGED_AT_ONCE);
        if may {
            self.spent += bytes;
        }
        may
    }
}

/// What may still be sent, in bytes; less than nothing when it was overdrawn.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    balance: f64,
    filled: Duration,
}

impl Bucket {
    /// Takes a message, at `rate` bytes a second; or says how long it has to wait at least. A long one may go
    /// when nothing is owed, and then owes for itself.
    pub(super) fn take(
        &mut self,
        Weight { bytes, is_short }: Weight,
        rate: u64,
        now: Duration,
    ) -> Result<(), Duration> {
        let (bytes, rate) = (bytes as f64, rate as f64);
        let came = rate * now.saturating_sub(self.filled).as_secs_f64();
        self.filled = self.filled.max(now);
        self.balance = (self.balance + came).min(rate * BURST.as_secs_f64());
        let wanted = if is_short { bytes - rate * RESERVE.as_secs_f64() } else { 0.0 };
        if self.balance >= wanted {
            self.balance -= bytes;
            return Ok(());
        }
        let wait = Duration::from_secs_f64((wanted - self.balance) / rate);
        // Never nothing: what is missing may be less than a nanosecond's worth.
        Err(wait.max(Duration::from_micros(100)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: u64 = 100_000;

    /// Senders that always have something to say, each a message of its length; those of short messages say one
    /// in so long, and the first waits since when. What was sent in the time, and the longest that a short one waited.
    fn drive(lengths: &[usize], short_every: Duration, time: Duration) -> (usize, Duration) {
        let (mut bucket, mut now, mut sent, mut turn) = (Bucket::default(), Duration::ZERO, 0, 0);
        let (mut short_due, mut longest) = (Duration::ZERO, Duration::ZERO);
        while now < time {
            let mut next = time;
            while short_due <= now {
                match bucket.take(Weight::of(60), RATE, now) {
                    Ok(()) => {
                        longest = longest.max(now - short_due);
                        sent += Weight::of(60).bytes;
                        short_due += short_every;
                    }
                    Err(wait) => {
                        next = next.min(now + wait);
                        break;
                    }
                }
            }
            if short_due > now {
                next = next.min(short_due);
            }
            while let Some(length) = lengths.get(turn % lengths.len().max(1)) {
                match bucket.take(Weight::of(*length), RATE, now) {
                    Ok(()) => {
                        sent += Weight::of(*length).bytes;
                        turn += 1;
                    }
                    Err(wait) => {
                        next = next.min(now + wait);
                        break;
                    }
                }
            }
            now = next;
        }
        (sent, longest)
    }

    #[test]
    fn the_rate_is_kept_over_a_minute_and_used() {
        let minute = Duration::from_secs(60);
        for lengths in [&[16_384][..], &[2000], &[16_384, 1100, 1100, 5000]] {
            let (sent, longest) = drive(lengths, Duration::from_millis(100), minute);
            let rate = sent as f64 / 60.0;
            assert!((rate / RATE as f64 - 1.0).abs() < 0.02, "{lengths:?}: {rate} a second");
            assert!(longest < Duration::from_millis(50), "pings are not held up: {longest:?}");
        }
    }

    /// They, too, are bounded: there is no way past the cap.
    #[test]
    fn short_messages_alone_keep_the_rate_too() {
        let (sent, _) = drive(&[], Duration::from_micros(100), Duration::from_secs(60));
        let rate = sent as f64 / 60.0;
        assert!((0.98..1.02).contains(&(rate / RATE as f64)), "{rate} a second");
    }

    /// One that floods with short messages has no more than its share before its turn.
    #[test]
    fn a_flood_of_short_messages_has_to_wait_for_its_turn() {
        let mut flood = Privilege::default();
        let ahead = (0..6000)
            .filter(|ms| flood.take(Weight::of(60), RATE, Duration::from_millis(10 * ms)))
            .count();
        let bytes = ahead * Weight::of(60).bytes;
        let most = 60.0 * RATE as f64 / PRIVILEGED_SHARE + PRIVILEGED_AT_ONCE;
        assert!(bytes as f64 <= most, "{bytes} of {most}");
        let mut honest = Privilege::default();
        for second in 0..60 {
            assert!(honest.take(Weight::of(60), RATE, Duration::from_secs(second)));
        }
        assert!(!honest.take(Weight::of(2000), RATE, Duration::from_secs(60)), "that is not short");
    }

    #[test]
    fn what_was_not_used_is_kept_for_a_moment_only() {
        let mut bucket = Bucket::default();
        let hour = Duration::from_secs(3600);
        let mut sent = 0;
        while bucket.take(Weight::of(2000), RATE, hour).is_ok() {
            sent += Weight::of(2000).bytes;
        }
        assert!(sent <= 12_300, "a tenth of a second's worth, and a message: {sent}");
    }

    proptest! {
        /// Over any time not more than the cap, what was kept, what may be had in advance and one message.
        #[test]
        fn no_order_of_messages_is_faster_than_the_cap(
            messages in prop::collection::vec((0_usize..20_000, 0_u64..50), 1..300),
            rate in 65_536_u64..10_000_000,
        ) {
            let (mut bucket, mut now, mut sent) = (Bucket::default(), Duration::ZERO, 0);
            for (length, pause) in messages {
                now += Duration::from_millis(pause);
                while let Err(wait) = bucket.take(Weight::of(length), rate, now) {
                    prop_assert!(wait <= Duration::from_secs(1), "{:?}", wait);
                    now += wait;
                }
                sent += Weight::of(length).bytes;
            }
            let most = rate as f64 * (now + BURST + RESERVE).as_secs_f64();
            prop_assert!(sent as f64 <= most + Weight::of(20_000).bytes as f64);
        }
    }
}
