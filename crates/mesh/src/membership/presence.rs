//! Our own presence, for others to hear.

use taiinet_document::Network;
use taiinet_identity::{Identity, Signed, Verified};

use crate::{
    Time, limits,
    wire::{Joined, Kept, Presence},
};

/// What we say of ourselves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'a> {
    pub(crate) network: &'a Network,
    pub(crate) address: Option<&'a str>,
    /// What we keep.
    pub(crate) archive: Option<&'a Kept>,
    /// Whether we want everything.
    pub(crate) open: bool,
}

impl Said<'_> {
    /// Whether a presence says it as well.
    fn is_in(&self, presence: &Presence) -> bool {
        presence.archive.as_ref() == self.archive && presence.open == self.open
    }
}

/// What we last signed of ourselves.
#[derive(Debug, Default)]
pub(crate) struct OwnPresence {
    signed: Option<Verified<Presence>>,
    /// The join that the next one is to name.
    pub(crate) joined: Option<Joined>,
}

impl OwnPresence {
    /// One that is fresh enough to be passed on.
    pub(crate) fn current(
        &mut self,
        identity: &Identity,
        said: Said<'_>,
        now: Time,
    ) -> Signed<Presence> {
        let fresh = self.signed.as_ref().filter(|presence| {
            let lives = |age| Time::from(presence.issued_at).after(age) > now;
            lives(limits::PRESENCE_LIFE / 2)
                && (lives(limits::PRESENCE_NEWS) || said.is_in(presence))
        });
        match fresh {
            Some(presence) => presence.signed().clone(),
            None => self.sign(identity, said, self.joined, now),
        }
    }

    /// Signs one now, that names this join.
    pub(crate) fn sign(
        &mut self,
        identity: &Identity,
        said: Said<'_>,
        joined: Option<Joined>,
        now: Time,
    ) -> Signed<Presence> {
        let presence = Presence {
            network: said.network.clone(),
            joined,
            issued_at: now.timestamp(),
            expires_at: now.after(limits::PRESENCE_LIFE).timestamp(),
            address: said.address.map(str::to_owned),
            next_key: None,
            archive: said.archive.cloned(),
            open: said.open,
        };
        self.signed.insert(Verified::sign(identity, presence)).signed().clone()
    }
}
