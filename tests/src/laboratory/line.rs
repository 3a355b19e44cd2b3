//! A long line that loses packets, in user space: two TUN devices and the packets between them.
//!
//! (Kernels without `netem` have nothing else. TUN rather than packet sockets: the kernel hands out whole packets with
//! their checksums.)

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use tun_tap::{Iface, Mode};

use super::namespace::{Namespace, run};

/// What a line does to packets, in each direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// How long each is under way,
    pub delay: Duration,
    /// more or less, evenly distributed; so some overtake others.
    pub jitter: Duration,
    /// How many of a hundred are lost.
    pub loss_percent: u32,
}

impl Line {
    /// 80 ± 20 ms each way and 3 % loss.
    pub const LOSSY: Self = Self {
        delay: Duration::from_millis(80),
        jitter: Duration::from_millis(20),
        loss_percent: 3,
    };

    /// Lays it between two namespaces. Its ends are interfaces of these names; it lasts until one of the
    /// namespaces goes.
    pub(super) fn lay(self, one: (&Namespace, &str), other: (&Namespace, &str)) {
        let ends = [one, other].map(|(namespace, name)| {
            // The kernel chooses a name that is free here; it gets its own when it moves.
            let end = Iface::without_packet_info("", Mode::Tun).expect("a TUN device");
            let moved = ["link", "set", end.name(), "netns", namespace.name(), "name", name];
            run(std::process::Command::new("ip").args(moved));
            Arc::new(end)
        });
        let [one, other] = ends;
        self.carry(one.clone(), other.clone(), 1);
        self.carry(other, one, 2);
    }

    /// Carries packets in one direction, until there is no device any more.
    fn carry(self, from: Arc<Iface>, to: Arc<Iface>, seed: u64) {
        let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
        thread::spawn(move || {
            let mut dice = Dice(seed);
            let mut packet = [0; 2048];
            loop {
                match from.recv(&mut packet) {
                    Ok(length) if dice.below(100) >= u64::from(self.loss_percent) => {
                        let due = Instant::now() + self.transit(&mut dice);
                        if sender.send((due, packet[..length].to_vec())).is_err() {
                            return;
                        }
                    }
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_gone) => return,
                }
            }
        });
        thread::spawn(move || {
            let mut under_way = BinaryHeap::<Reverse<(Instant, Vec<u8>)>>::new();
            loop {
                let now = Instant::now();
                let next = under_way.peek().map(|Reverse((due, _))| *due);
                match next {
                    Some(due) if due <= now => {
                        if let Some(Reverse((_, packet))) = under_way.pop() {
                            // An end that is down loses it, as any line would.
                            let _: io::Result<usize> = to.send(&packet);
                        }
                        continue;
                    }
                    _ => {}
                }
                let wait = next.map_or(Duration::from_secs(1), |due| due - now);
                match receiver.recv_timeout(wait) {
                    Ok(packet) => under_way.push(Reverse(packet)),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        });
    }

    fn transit(self, dice: &mut Dice) -> Duration {
        let spread = u64::try_from(2 * self.jitter.as_micros()).unwrap_or(u64::MAX);
        self.delay.saturating_sub(self.jitter) + Duration::from_micros(dice.below(spread + 1))
    }
}

/// Chance of which nothing depends: xorshift64* (Vigna 2016).
struct Dice(u64);

impl Dice {
    const fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_takes_about_its_time_and_the_share_that_is_lost_is_about_right() {
        let (line, mut dice) = (Line::LOSSY, Dice(1));
        let times: Vec<Duration> = (0..1000).map(|_| line.transit(&mut dice)).collect();
        let (least, most) = (line.delay - line.jitter, line.delay + line.jitter);
        assert!(times.iter().all(|time| (least..=most).contains(time)));
        let mean = times.iter().sum::<Duration>() / 1000;
        assert!(mean.abs_diff(line.delay) < Duration::from_millis(3), "{mean:?}");
        let lost = (0..10_000).filter(|_| dice.below(100) < 3).count();
        assert!((200..400).contains(&lost), "{lost}");
    }
}
