//! Our own presence, for others to hear.

use taiinet_document::Network;
use taiinet_identity::{Identity, Signed, Verified};

use crate::{
    Time, limits,
    wire::{Joined, Kept, Presence},
};

/// What we say of ourselves: our network, our address, and what we keep.
pub(crate) type Said<'a> = (&'a Network, Option<&'a str>, Option<&'a Kept>);

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
        (network, address, archive): Said<'_>,
        now: Time,
    ) -> Signed<Presence> {
        let fresh = self.signed.as_ref().filter(|presence| {
            let lives = |age| Time::from(presence.issued_at).after(age) > now;
            lives(limits::PRESENCE_LIFE / 2)
                && (lives(limits::PRESENCE_NEWS) || presence.archive.as_ref() == archive)
        });
        match fresh {
            Some(presence) => presence.signed().clone(),
            None => self.sign(identity, (network, address, archive), self.joined, now),
        }
    }

    /// Signs one now, that names this join.
    pub(crate) fn sign(
        &mut self,
        identity: &Identity,
        (network, address, archive): Said<'_>,
        joined: Option<Joined>,
        now: Time,
    ) -> Signed<Presence> {
        let presence = Presence {
            network: network.clone(),
            joined,
            issued_at: now.timestamp(),
            expires_at: now.after(limits::PRESENCE_LIFE).timestamp(),
            address: address.map(str::to_owned),
            next_key: None,
            archive: archive.cloned(),
        };
        self.signed.insert(Verified::sign(identity, presence)).signed().clone()
    }
}
