//! Contents that are not for everyone, until their recipients are known.

use core::time::Duration;
use std::collections::BTreeSet;

use taiinet_document::Map;
use taiinet_identity::Recipient;
use taiinet_mesh::{Peer, PublishError, PublishOptions, Time};

use crate::Waiters;

/// How often it is looked whether a recipient has been heard of.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Contents that wait for a recipient; all are looked at each time.
pub const MAX_UNSEALED: usize = 1024;

/// A content, and the waiter to tell its recipients.
#[derive(Debug)]
pub struct Unsealed<R> {
    /// What is to be sealed.
    pub content: Map,
    /// How it is to be published.
    pub options: PublishOptions,
    /// The caller that waits.
    pub waiter: R,
}

/// The recipients that a content can be sealed to, or why there are none.
pub type Recipients = Result<BTreeSet<Recipient>, PublishError>;

/// Contents for which no recipient is known yet.
#[derive(Debug)]
pub(crate) struct Waiting<R> {
    contents: Vec<(Time, Unsealed<R>)>,
    look_at: Option<Time>,
}

impl<R> Default for Waiting<R> {
    fn default() -> Self {
        Self { contents: Vec::new(), look_at: None }
    }
}

impl<R> Waiting<R> {
    pub(crate) fn has_room(&self) -> bool {
        self.contents.len() < MAX_UNSEALED
    }

    /// A recipient may turn up until then.
    pub(crate) fn add(&mut self, unsealed: Unsealed<R>, until: Time, now: Time) {
        self.look_at.get_or_insert(now.after(LOOK_EVERY));
        self.contents.push((until, unsealed));
    }

    /// When to look again.
    pub(crate) const fn deadline(&self) -> Option<Time> {
        self.look_at
    }

    /// Those that have recipients by now, or have waited long enough. One whose waiter has left is forgotten.
    pub(crate) fn decided<W: Waiters<Recipients = R>>(
        &mut self,
        peer: &mut Peer,
        now: Time,
    ) -> Vec<(Unsealed<R>, Recipients)> {
        if self.look_at.is_none_or(|at| at > now) {
            return Vec::new();
        }
        let mut decided = Vec::new();
        for (until, one) in core::mem::take(&mut self.contents) {
            if W::has_left(&one.waiter) {
                continue;
            }
            match peer.recipients(&one.content, &one.options, now) {
                Err(PublishError::NoRecipient) if now < until => self.contents.push((until, one)),
                recipients => decided.push((one, recipients)),
            }
        }
        self.look_at = (!self.contents.is_empty()).then(|| now.after(LOOK_EVERY));
        decided
    }

    pub(crate) fn drain(&mut self) -> Vec<R> {
        self.look_at = None;
        self.contents.drain(..).map(|(_, one)| one.waiter).collect()
    }
}
