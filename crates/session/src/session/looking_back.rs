//! What was published before a subscription.

use taiinet_mesh::{Delivery, FindId, Time};

use super::{Action, Session};
use crate::{
    ACQUAINTED, Waiters,
    histories::{Given, Step},
};

impl<W: Waiters> Session<W> {
    /// Begins to look for what subscriptions and live result sets want of before, or goes on; whether there was
    /// something to do.
    pub(super) fn look_back(&mut self, now: Time) -> bool {
        let neighbours = self.peer.neighbour_ids().count();
        self.met = (neighbours > 0).then(|| {
            let met_at = self.met.map_or(now, |(met_at, _)| met_at);
            (met_at, neighbours >= ACQUAINTED.0 || now >= met_at.after(ACQUAINTED.1))
        });
        self.lives.meet(neighbours == 0);
        self.tell_lives() || self.look_for_histories(now) || self.look_for_lives(now)
    }

    /// Whether there are enough neighbours to ask.
    pub(super) fn is_acquainted(&self) -> bool {
        self.met.is_some_and(|(_, enough)| enough)
    }

    fn look_for_histories(&mut self, now: Time) -> bool {
        match self.histories.next(self.is_acquainted()) {
            Some(Step::Begin { subscription, query, options }) => {
                // Another search must end first.
                let Ok(find) = self.peer.find(query, options, now) else { return false };
                self.histories.sought(subscription, find);
                true
            }
            Some(Step::GoOn { find, limit }) => {
                self.histories.go_on(find);
                self.peer.find_more(find, limit, now)
            }
            None => false,
        }
    }

    pub(super) fn show_history(&mut self, find: FindId, ended: (bool, bool), sources: usize) {
        let mut found = self.found.remove(&find).unwrap_or_default();
        let Some(given) = self.histories.done(find, ended, sources) else { return };
        let Given { subscription, is_reversed, ready } = given;
        if is_reversed {
            found.reverse();
        }
        for (document, opened) in found {
            if self.histories.has_come(subscription, &document.id()) {
                continue;
            }
            let subscriptions = Vec::new();
            let delivery = Delivery { document, opened, subscriptions, hops: 0, via: None };
            self.show(&delivery, &[subscription], true);
        }
        if ready.is_some_and(|ready| !ready.more) {
            self.peer.find_end(find);
        }
        self.ready.extend(ready.map(|ready| Action::Ready { subscription, ready }));
    }

    /// So many older documents are wanted for a subscription with [`Backlog::Last`](crate::Backlog::Last), which are
    /// told like the first ones. Whether there may be any.
    pub fn more_history(&mut self, name: W::Subscription, limit: u16, now: Time) -> bool {
        let Some(find) = self.histories.want_more(name) else { return false };
        self.peer.find_more(find, limit, now)
    }

    /// A subscription's reader is behind, or has caught up: what was before it waits for that.
    pub fn hold_history(&mut self, name: W::Subscription, behind: bool) {
        self.histories.hold(name, behind);
    }
}
