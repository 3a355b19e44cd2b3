//! "I am here", signed.

use serde::{Deserialize, Serialize};
use taiinet_document::{Network, Timestamp};
use taiinet_identity::{Domain, NextKey, PeerId, Signable, Signed};

use super::{address::is_address, within::peek_within};
use crate::{Misbehaviour, Time, limits};

/// The network in which signallers are peers of one another. No signaller lets others join it.
pub const POOL: &str = "taiinet/signallers";

/// "I am here": what a peer signs to join a signaller and to be introduced to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The network it is in.
    pub network: Network,
    /// The signaller it joined, and in which session.
    pub joined: Option<Joined>,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// From when on it is worthless; at most [`crate::limits::PRESENCE_LIFE`] later.
    pub expires_at: Timestamp,
    /// Where a signaller can be reached, as `wss://…`; none for a peer.
    pub address: Option<String>,
    /// Reserved; see [`NextKey`].
    pub next_key: Option<NextKey>,
    /// What it keeps, if it has an archive. A hint to those that look for some: nobody relies on it.
    pub archive: Option<Kept>,
    /// Whether it wants all documents. Of many peers that is how a root knows whether it is worth while to send
    /// documents where they are wanted.
    pub open: bool,
}

/// What an archive says that it keeps, in [`crate::limits::KEPT_BYTES`] at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Documents from then on: what is older is not kept for so long, or left for want of room.
    pub since: Timestamp,
    /// What matches one of these queries, in their canonical form. None: there is no room to say it.
    pub queries: Vec<String>,
    /// The fields by which it finds and sorts quickly.
    pub indexed: Vec<String>,
}

impl Kept {
    /// [`taiinet_query::Query::all`], in its canonical form.
    pub(crate) const EVERYTHING: &str = "{}";
    /// An archive covers another one that keeps the same from a moment a little earlier.
    pub(crate) const ABOUT_MS: u64 = 24 * 3600 * 1000;

    /// How many bytes of text it has.
    fn size(&self) -> usize {
        self.queries.iter().chain(&self.indexed).map(|text| text.len() + 2).sum()
    }

    /// Whether it keeps, by its word, all that another says that it keeps. Neither is believed: both are asked where a
    /// peer has both, and what they give is checked.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let has_all = self.queries.iter().any(|query| query == Self::EVERYTHING);
        let has_each = !other.queries.is_empty()
            && other.queries.iter().all(|query| self.queries.contains(query));
        (has_all || has_each) && self.since.as_millis() <= other.since.as_millis() + Self::ABOUT_MS
    }

    /// As much of it as there is room for.
    pub fn within_limits(mut self) -> Self {
        if self.size() > limits::KEPT_BYTES {
            self.queries = Vec::new();
        }
        while self.size() > limits::KEPT_BYTES {
            self.indexed.pop();
        }
        self
    }
}

impl Signable for Presence {
    const DOMAIN: Domain = Domain::Presence;
}

impl Presence {
    /// What a signed one says, **unverified**, if it is no larger than one may be: asked
    /// before it is kept or passed on.
    ///
    /// # Errors
    /// [`Misbehaviour::Oversize`], [`Misbehaviour::Undecodable`].
    pub fn peek(signed: &Signed<Self>) -> Result<Self, Misbehaviour> {
        let body = peek_within(signed, limits::PRESENCE_BYTES)?;
        let address = body.address.as_ref().map_or(0, String::len);
        let kept = body.archive.as_ref().map_or(0, Kept::size);
        let oversize = address > limits::ADDRESS_BYTES || kept > limits::KEPT_BYTES;
        if oversize { Err(Misbehaviour::Oversize) } else { Ok(body) }
    }

    /// Whether it counts now.
    pub fn is_in_time(&self, now: Time) -> bool {
        let (issued, expires) = (Time::from(self.issued_at), Time::from(self.expires_at));
        issued <= now.after(limits::CLOCK_SKEW)
            && now < expires
            && expires.since(issued) <= limits::PRESENCE_LIFE
    }

    /// Whether it will still count when others have heard of it.
    pub(crate) fn is_worth_telling(&self, now: Time) -> bool {
        self.is_in_time(now) && Time::from(self.expires_at) > now.after(limits::PRESENCE_MARGIN)
    }

    /// Where it can be reached, if that is an address that a signaller may have.
    pub fn reachable_at(&self) -> Option<&str> {
        self.address.as_deref().filter(|url| is_address(url))
    }
}

/// Binds a join to one signaller and one session, so that it is worth nothing elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The signaller.
    pub signaller: PeerId,
    /// The hash of the session ([`Session::hash`](crate::session::Session::hash)), to which both ends
    /// have given fresh keys.
    pub challenge: [u8; 32],
}
