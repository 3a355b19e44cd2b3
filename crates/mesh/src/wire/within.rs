//! Signed values are looked into only if they are no larger than they may be.

use taiinet_identity::{Signable, Signed};

use crate::Misbehaviour;

/// What a signed value says, **unverified**, if it has at most so many bytes.
///
/// # Errors
/// [`Misbehaviour::Oversize`], [`Misbehaviour::Undecodable`].
pub(super) fn peek_within<T: Signable>(signed: &Signed<T>, most: usize) -> Result<T, Misbehaviour> {
    if signed.size() > most {
        return Err(Misbehaviour::Oversize);
    }
    signed.peek().map_err(|_| Misbehaviour::Undecodable)
}
