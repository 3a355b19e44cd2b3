//! Contents that are not for everyone, until their recipients are known.

use core::time::Duration;
use std::collections::BTreeSet;

use taiinet_document::Map;
use taiinet_identity::Recipient;
use taiinet_mesh::{Peer, PublishError, PublishOptions, Time, limits};

use crate::Waiters;

/// How often it is looked whether a recipient has been heard of.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A look ends after so much work, in units of [`Fuel`](taiinet_query::Fuel): that of one content whose
/// recipients are as expensive to find as strangers' queries can make it. The next look begins with what was left.
pub(crate) const LOOK_WORK: u64 = limits::MATCH_WORK;
/// Contents that wait for a recipient.
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
    /// Those that were not looked at for longest come first.
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
        let (mut decided, mut looked_at, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        let enough = peer.counters().matching_work.saturating_add(LOOK_WORK);
        for (until, one) in core::mem::take(&mut self.contents) {
            if W::has_left(&one.waiter) {
                continue;
            }
            let looks = peer.counters().matching_work < enough;
            let recipients = if looks {
                peer.recipients(&one.content, &one.options, now)
            } else {
                Err(PublishError::NoRecipient)
            };
            match recipients {
                Err(PublishError::NoRecipient) if now < until => {
                    let waiting = if looks { &mut looked_at } else { &mut rest };
                    waiting.push((until, one));
                }
                recipients => decided.push((one, recipients)),
            }
        }
        rest.append(&mut looked_at);
        self.contents = rest;
        self.look_at = (!self.contents.is_empty()).then(|| now.after(LOOK_EVERY));
        decided
    }

    pub(crate) fn drain(&mut self) -> Vec<R> {
        self.look_at = None;
        self.contents.drain(..).map(|(_, one)| one.waiter).collect()
    }
}
