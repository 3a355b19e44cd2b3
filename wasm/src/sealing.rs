//! Documents for some are sealed.

use std::collections::BTreeSet;

use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
use taiinet_document::{Content, Map, Network, Sealed};
use taiinet_identity::{PeerId, Recipient};
use taiinet_mesh::{PublishError, PublishOptions};

use crate::{fault::Fault, page::random};

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
