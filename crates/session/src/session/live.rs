//! Live result sets of a session.

use taiinet_mesh::{FindId, Time};
use taiinet_query::SharedQuery;

use super::{Action, Session};
use crate::{LIVE_LIMIT, LiveError, LiveOptions, Waiters, live::Ended};

impl<W: Waiters> Session<W> {
    /// Begins a live result set: the first so many documents that match, in an order. It keeps itself true, and
    /// [`Action::Live`] tells its changes, first of all its state. `name` is the driver's, and new, among those of
    /// subscriptions as well. Equal queries with equal options share one set.
    ///
    /// What was before is looked for once there is a neighbour, and again after there was none.
    ///
    /// # Errors
    /// [`LiveError`]
    pub fn live(
        &mut self,
        name: W::Subscription,
        query: SharedQuery,
        options: LiveOptions,
        now: Time,
    ) -> Result<(), LiveError> {
        let limit = options.limit;
        if !(1..=LIVE_LIMIT).contains(&limit) {
            return Err(LiveError::Limit { limit });
        }
        if !self.lives.join(name, &query, &options) {
            if !self.lives.has_room() {
                return Err(LiveError::TooMany);
            }
            let id = if options.private {
                self.peer.subscribe_privately(query.clone(), now)
            } else {
                self.peer.subscribe(query.clone().into_query())
            };
            self.lives.begin(name, id.map_err(|_| LiveError::TooMany)?, query, options);
        }
        self.tell_lives();
        Ok(())
    }

    /// Ends a live result set. Whether there was one of this name.
    pub fn end_live(&mut self, name: W::Subscription, now: Time) -> bool {
        let Some(was_last) = self.lives.leave(name) else { return false };
        if let Some((id, find)) = was_last {
            if let Some(find) = find {
                self.peer.find_end(find);
                self.found.remove(&find);
            }
            self.peer.unsubscribe(id, now);
        }
        true
    }

    /// A search has ended.
    pub(super) fn show_live(&mut self, find: FindId, ended: Ended, now: Time) {
        let found = self.found.remove(&find).unwrap_or_default();
        self.peer.find_end(find);
        self.lives.done(find, found, ended, now);
        self.tell_lives();
    }

    /// Begins a search that a set wants; whether there was one.
    pub(super) fn look_for_lives(&mut self, now: Time) -> bool {
        if !self.is_acquainted() {
            return false;
        }
        let Some((set, query, options)) = self.lives.next(now) else { return false };
        let find = self.peer.find(query, options, now).ok();
        self.lives.sought(set, find, now);
        true
    }

    /// Hands on what sets are to tell; whether there was something.
    pub(super) fn tell_lives(&mut self) -> bool {
        let told = self.lives.told();
        let is_news = !told.is_empty();
        self.ready.extend(
            told.into_iter().map(|(subscriptions, change)| Action::Live { subscriptions, change }),
        );
        is_news
    }
}
