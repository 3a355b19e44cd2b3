//! Documents for some: they wait until it is known for whom, and are sealed.

use core::time::Duration;
use std::collections::BTreeSet;

use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
use taiinet_document::{Content, Map, Network, Opened, Sealed};
use taiinet_identity::{PeerId, Recipient};
use taiinet_mesh::{Peer, PublishError, PublishOptions, Time};

use crate::{
    bindings::random,
    fault::{Code, Fault},
    promise::Settle,
};

/// How often it is looked whether somebody to seal to has been heard of.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Documents that wait for somebody; all are looked at each time.
const WAITING: usize = 1024;

/// A document for which nobody is known yet.
pub(crate) struct Unsealed {
    pub(crate) content: Map,
    pub(crate) options: PublishOptions,
    pub(crate) settle: Settle,
    /// Until when somebody may still turn up.
    until: Time,
}

/// Documents for which nobody is known yet.
#[derive(Default)]
pub(crate) struct Waiting {
    documents: Vec<Unsealed>,
    look_at: Option<Time>,
}

impl Waiting {
    pub(crate) fn check_room(&self) -> Result<(), Fault> {
        if self.documents.len() < WAITING {
            return Ok(());
        }
        let text = format!("{WAITING} documents wait for a recipient already; await earlier ones");
        Err(Fault::new(Code::Busy, text))
    }

    pub(crate) fn add(
        &mut self,
        content: Map,
        options: PublishOptions,
        settle: Settle,
        wait: Duration,
        now: Time,
    ) {
        self.look_at.get_or_insert(now.after(LOOK_EVERY));
        self.documents.push(Unsealed { content, options, settle, until: now.after(wait) });
    }

    /// When to look again.
    pub(crate) const fn deadline(&self) -> Option<Time> {
        self.look_at
    }

    /// Those that have recipients by now, or have waited long enough.
    pub(crate) fn decided(
        &mut self,
        peer: &mut Peer,
        now: Time,
    ) -> Vec<(Unsealed, Result<BTreeSet<Recipient>, PublishError>)> {
        if self.look_at.is_none_or(|at| at > now) {
            return Vec::new();
        }
        let mut decided = Vec::new();
        for one in core::mem::take(&mut self.documents) {
            match peer.recipients(&one.content, &one.options, now) {
                Err(PublishError::NoRecipient) if now < one.until => self.documents.push(one),
                recipients => decided.push((one, recipients)),
            }
        }
        self.look_at = (!self.documents.is_empty()).then(|| now.after(LOOK_EVERY));
        decided
    }

    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Settle> {
        self.look_at = None;
        self.documents.drain(..).map(|one| one.settle)
    }
}

/// Seals a document with randomness of its own, fresh from the browser.
pub(crate) fn seal(
    content: Map,
    options: &PublishOptions,
    recipients: BTreeSet<Recipient>,
    author: PeerId,
    network: &Network,
) -> Result<Content, Fault> {
    let rng = &mut ChaCha12Rng::from_seed(random()?);
    let recipients = Vec::from_iter(recipients);
    let sealed = Sealed::seal(content, &options.public, &recipients, author, network, rng);
    Ok(Content::Sealed(sealed.map_err(PublishError::from)?))
}

/// Who could read a document on its way: `open`, `sealed` or `forward-secret`.
pub(crate) fn privacy(opened: Option<&Opened>) -> &'static str {
    match opened.map(|opened| opened.recipient.is_forward_secret()) {
        None => "open",
        Some(false) => "sealed",
        Some(true) => "forward-secret",
    }
}
