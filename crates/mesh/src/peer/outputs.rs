//! What a peer wants done.

use super::Peer;
use crate::{Output, Time};

impl Peer {
    /// What to do next; call it until it is `None` after each other call, or after several: what
    /// is sent on one link is packed together only here.
    pub fn poll_output(&mut self, now: Time) -> Option<Output> {
        if self.cx.out.is_empty() {
            self.cx.now = now;
            self.transmit();
        }
        while let Some(output) = self.cx.out.pop_front() {
            if let Some(output) = self.circuits.carry(&mut self.cx, &mut self.signallers, output) {
                return Some(output);
            }
        }
        None
    }

    /// Has all that is to go over circuits on its way, before their signallers are told goodbye.
    pub(super) fn carry(&mut self) {
        for output in core::mem::take(&mut self.cx.out) {
            let output = self.circuits.carry(&mut self.cx, &mut self.signallers, output);
            self.cx.out.extend(output);
        }
    }

    /// Turns what waits on links into messages.
    pub(super) fn transmit(&mut self) {
        while let Some(link) = self.cx.links.next_dirty() {
            self.documents.serve(&mut self.cx, link, &self.routes);
            // What was asked for may have room now.
            if self.cx.transmit(link)
                && self.documents.has_requests(link)
                && self.cx.links.get(link).is_some_and(|link| link.lanes.has_room())
            {
                self.cx.links.touch(link);
            }
        }
    }
}
