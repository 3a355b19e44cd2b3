//! What all links of a program carry, and what they may carry at most.
//!
//! A cap holds messages back before the transport gets them (sending), or before the core does (receiving, so
//! that the transport's window closes and the other end slows down). Nothing is lost by it, and links take
//! turns, message by message. Short messages are those that keep links and handshakes alive: each link has a small share
//! of them that need not wait for their turn and may use half a second's worth in advance, so that no link falls
//! silent behind the documents of others; beyond that share they wait like all others. What waits for a link here is
//! made smaller with the cap ([`Bandwidth::window`]), so that what matters more does not wait behind it.

mod bucket;
mod rate;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use taiinet_mesh::limits;
use tokio::time::{Instant, sleep};

use bucket::{Bucket, Privilege, Weight};
pub use rate::{Rate, RateError};

/// What may wait for one link is so much of what the cap lets through in this time.
const WINDOW: Duration = Duration::from_millis(60);
/// The cap may change while somebody waits: it is looked at so often.
const LOOK: Duration = Duration::from_millis(250);

/// The bandwidth of all links that it is given to; clones are the same. Without caps it only counts.
#[derive(Debug, Clone)]
pub struct Bandwidth {
    all: Arc<Both>,
    /// Of one link.
    own: Arc<Privileges>,
}

/// What a link may send, and receive, before its turn.
#[derive(Debug, Default)]
struct Privileges {
    up: Mutex<Privilege>,
    down: Mutex<Privilege>,
}

#[derive(Debug)]
struct Both {
    begun: Instant,
    up: Direction,
    down: Direction,
}

#[derive(Debug, Default)]
struct Direction {
    /// Bytes a second; 0 for no cap.
    cap: AtomicU64,
    bytes: AtomicU64,
    bucket: Mutex<Bucket>,
    /// Whose turn it is; tokio's is fair.
    turn: tokio::sync::Mutex<()>,
}

impl Default for Bandwidth {
    fn default() -> Self {
        let (up, down) = (Direction::default(), Direction::default());
        Self { all: Arc::new(Both { begun: Instant::now(), up, down }), own: Arc::default() }
    }
}

impl Bandwidth {
    /// The same bandwidth for one more link, which has its own share of short messages.
    pub(crate) fn for_link(&self) -> Self {
        Self { all: Arc::clone(&self.all), own: Arc::default() }
    }

    /// At most so much is sent from now on.
    pub fn cap_upload(&self, cap: Option<Rate>) {
        self.all.up.cap.store(cap.map_or(0, Rate::bytes_per_second), Relaxed);
    }

    /// At most so much is received from now on; what others have sent already waits in between.
    pub fn cap_download(&self, cap: Option<Rate>) {
        self.all.down.cap.store(cap.map_or(0, Rate::bytes_per_second), Relaxed);
    }

    /// The caps of sending and receiving, in bytes a second; 0 for none.
    pub fn caps(&self) -> [u64; 2] {
        [&self.all.up, &self.all.down].map(|direction| direction.cap.load(Relaxed))
    }

    /// Bytes of messages sent so far, without what transports add.
    pub fn sent(&self) -> u64 {
        self.all.up.bytes.load(Relaxed)
    }

    /// Bytes of messages received so far, without what transports add.
    pub fn received(&self) -> u64 {
        self.all.down.bytes.load(Relaxed)
    }

    /// How many bytes may wait for one link, besides a message.
    pub(crate) fn window(&self) -> usize {
        match self.all.up.cap.load(Relaxed) {
            0 => limits::TRANSPORT_WINDOW,
            cap => {
                let share = Duration::from_secs(1).as_millis() / WINDOW.as_millis();
                let share = u128::from(cap) / share;
                let share = usize::try_from(share).unwrap_or(usize::MAX);
                share.clamp(limits::WIRE_BYTES, limits::TRANSPORT_WINDOW)
            }
        }
    }

    /// Whether sending has a cap, so that [`Self::upload`] may wait.
    pub fn is_upload_capped(&self) -> bool {
        self.all.up.cap.load(Relaxed) > 0
    }

    /// Returns when a message of so many bytes may be sent.
    pub async fn upload(&self, bytes: usize) {
        self.pass(&self.all.up, &self.own.up, bytes).await;
    }

    /// Returns when a message of so many bytes may be taken.
    pub(crate) async fn download(&self, bytes: usize) {
        self.pass(&self.all.down, &self.own.down, bytes).await;
    }

    async fn pass(&self, direction: &Direction, privilege: &Mutex<Privilege>, bytes: usize) {
        let cap = direction.cap.load(Relaxed);
        if cap > 0 {
            let (weight, now) = (Weight::of(bytes), self.all.begun.elapsed());
            let goes_ahead = weight.is_short() && {
                let mut privilege = privilege.lock().unwrap_or_else(PoisonError::into_inner);
                privilege.take(weight, cap, now)
            };
            let (weight, _turn) = if goes_ahead {
                (weight, None)
            } else {
                (weight.in_turn(), Some(direction.turn.lock().await))
            };
            while let Err(wait) = direction.take(weight, self.all.begun.elapsed()) {
                sleep(wait.min(LOOK)).await;
            }
        }
        direction.bytes.fetch_add(bytes as u64, Relaxed);
    }
}

impl Direction {
    fn take(&self, weight: Weight, now: Duration) -> Result<(), Duration> {
        match self.cap.load(Relaxed) {
            0 => Ok(()),
            cap => {
                let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
                bucket.take(weight, cap, now)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_of_a_link_follows_the_cap() {
        let bandwidth = Bandwidth::default();
        assert_eq!(bandwidth.window(), limits::TRANSPORT_WINDOW);
        for (cap, window) in [
            ("64KiB/s", limits::WIRE_BYTES),
            ("1MiB/s", 65_536),
            ("100MB/s", limits::TRANSPORT_WINDOW),
        ] {
            bandwidth.cap_upload(Some(cap.parse().expect("a rate")));
            assert_eq!(bandwidth.window(), window, "{cap}");
        }
        bandwidth.cap_upload(None);
        assert!(!bandwidth.is_upload_capped());
        assert_eq!(bandwidth.window(), limits::TRANSPORT_WINDOW);
    }

    /// A link that floods with short messages holds up its own, and not the long ones of another.
    #[tokio::test]
    async fn a_link_that_floods_leaves_others_their_turn() {
        let bandwidth = Bandwidth::default();
        bandwidth.cap_download(Some("1MB/s".parse().expect("a rate")));
        let floods: Vec<_> = (0..4)
            .map(|_| {
                let flood = bandwidth.for_link();
                tokio::spawn(async move {
                    loop {
                        flood.download(60).await;
                    }
                })
            })
            .collect();
        let honest = bandwidth.for_link();
        let said = async {
            for _ in 0..20 {
                honest.download(16_000).await;
                honest.download(60).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), said).await.expect("it has its turns");
        let others = bandwidth.received() - 20 * 16_060;
        assert!(others < 20 * 16_060, "{others} bytes of those that flood");
        floods.iter().for_each(tokio::task::JoinHandle::abort);
    }

    /// A cap that is taken away lets go those who wait, and all is counted.
    #[tokio::test]
    async fn who_waits_is_let_go_when_the_cap_goes() {
        let bandwidth = Bandwidth::default();
        bandwidth.cap_upload(Some(Rate::LEAST));
        let sender = bandwidth.clone();
        let sending = tokio::spawn(async move {
            // A minute's worth.
            for _ in 0..60 {
                sender.upload(64 * 1024).await;
            }
        });
        while bandwidth.sent() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(!sending.is_finished());
        bandwidth.cap_upload(None);
        sending.await.expect("it ends");
        assert_eq!(bandwidth.sent(), 60 * 64 * 1024);
        bandwidth.download(7).await;
        assert_eq!(bandwidth.received(), 7);
    }
}
