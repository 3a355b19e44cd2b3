//! What the worlds around the state machines have in common: steps, and time.

use taiinet_mesh::Time;

use super::bytes::Bytes;

/// How often in a row a machine may want to be called at one and the same moment.
const ROUNDS: usize = 64;

/// A peer, a desk or a pair of peers, with all that is outside of it.
pub(super) trait World: Sized {
    /// What happens at most in one run.
    const STEPS: usize;
    /// How often the machine is called in one stretch of time; then it sleeps through the rest.
    const CALLS: usize;

    fn clock(&mut self) -> &mut Time;

    /// One thing happens.
    fn step(&mut self, bytes: &mut Bytes<'_>);

    /// Does what the machine wants done.
    fn drain(&mut self);

    /// The bounds hold.
    fn check(&self);

    /// When the machine wants to be called.
    fn due(&mut self) -> Option<Time>;

    /// Calls it.
    fn time_out(&mut self);

    /// All that happens; `look` sees the world after each step.
    fn play(mut self, bytes: &mut Bytes<'_>, mut look: impl FnMut(&Self)) -> Self {
        for _ in 0..Self::STEPS {
            if bytes.is_empty() {
                break;
            }
            self.step(bytes);
            self.drain();
            self.check();
            look(&self);
        }
        self
    }

    /// Time passes: the machine is called when it wants to be, for a while.
    fn pass(&mut self, millis: u64) {
        let until = Time::from_millis(self.clock().as_millis().saturating_add(millis));
        let mut rounds = 0;
        for _ in 0..Self::CALLS {
            let Some(due) = self.due().filter(|due| *due <= until) else { break };
            if due > *self.clock() {
                *self.clock() = due;
                rounds = 0;
            }
            rounds += 1;
            assert!(rounds < ROUNDS, "it does not come to rest at {due:?}");
            self.time_out();
            self.drain();
        }
        let now = *self.clock();
        *self.clock() = until.max(now);
    }
}

/// Mutations of a target's seeds come past every door, so a fuzzer is not stopped by the first check.
/// `play` runs an input and says at each step which doors were passed.
#[cfg(test)]
pub(super) fn comes_past_every_door<const DOORS: usize>(
    target: &str,
    play: impl Fn(&[u8], &mut dyn FnMut([bool; DOORS])),
) {
    let (seeds, mut mutator) = (super::seeds(target), super::Mutator::new(3));
    let mut seen = [false; DOORS];
    for _ in 0..6000 {
        play(&mutator.next(&seeds, 512), &mut |now| {
            for (seen, now) in seen.iter_mut().zip(now) {
                *seen |= now;
            }
        });
        if seen == [true; DOORS] {
            return;
        }
    }
    panic!("not reached: {seen:?}");
}
