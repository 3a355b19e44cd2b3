//! The one way in for documents of others.
//!
//! Check before forward, cheap first: limits, network, times, the author's quota, signature. An id
//! counts as seen only after that, so that a bad copy never suppresses the good one.

use std::sync::Arc;

use taiinet_document::{Document, DocumentError, Inspected, SignedDocument, VerifiedDocument};

use super::quota::Quotas;
use crate::{Misbehaviour, Time, cx::Cx, limits};

/// What holds for a document beside its own limits.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rules<'a> {
    /// It comes unasked, and goes on from here: it is of now, and within its author's quota.
    Live(&'a Quotas),
    /// It was searched for: it may be older, and goes no further.
    Found,
    /// It is for our archive, which looks at its time, and goes no further.
    Kept,
}

/// Lets in a document that was not verified before.
///
/// # Errors
/// What its sender did wrong; [`Misbehaviour::AuthorFlood`] is its author's fault alone.
pub(crate) fn admit(
    cx: &mut Cx,
    document: SignedDocument,
    rules: Rules<'_>,
) -> Result<Arc<VerifiedDocument>, Misbehaviour> {
    let size = document.size();
    let inspected = inspect(document)?;
    check(cx, inspected.document(), rules)?;
    if let Rules::Live(quotas) = rules
        && !quotas.admits(inspected.author(), inspected.document(), size)
    {
        return Err(Misbehaviour::AuthorFlood);
    }
    cx.keyring.verify(inspected)
}

fn inspect(document: SignedDocument) -> Result<Inspected, Misbehaviour> {
    document.inspect().map_err(|error| match error {
        DocumentError::TooLarge { .. } => Misbehaviour::Oversize,
        _ => Misbehaviour::MalformedDocument,
    })
}

/// Whether it is of this network, and of its time.
pub(super) fn check(cx: &Cx, document: &Document, rules: Rules<'_>) -> Result<(), Misbehaviour> {
    if document.network != cx.config.network {
        return Err(Misbehaviour::WrongNetwork);
    }
    let (now, created_at) = (cx.now, Time::from(document.created_at));
    let expired = document.expires_at.is_some_and(|expires_at| now >= expires_at.into());
    let ahead = created_at > now.after(limits::CLOCK_SKEW);
    match rules {
        Rules::Found if expired || ahead => Err(Misbehaviour::OutOfTime),
        Rules::Live(_) if is_long_over(document, now) => Err(Misbehaviour::LongOver),
        Rules::Live(_)
            if ahead
                || now.since(created_at) > limits::LIVE_WINDOW
                || expired
                || cx.store.is_too_old(document.created_at)
                || !cx.store.has_room_for(document.created_at, now) =>
        {
            Err(Misbehaviour::OutOfTime)
        }
        Rules::Found | Rules::Kept | Rules::Live(_) => Ok(()),
    }
}

/// Whether no clock can be so wrong.
fn is_long_over(document: &Document, now: Time) -> bool {
    let (created_at, far) = (Time::from(document.created_at), limits::LONG_OVER);
    now.since(created_at) > limits::LIVE_WINDOW + far
        || created_at > now.after(limits::CLOCK_SKEW + far)
        || document.expires_at.is_some_and(|end| now.since(end.into()) > far)
}
