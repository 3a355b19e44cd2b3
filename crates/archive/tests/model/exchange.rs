//! Two archives reconcile, with what goes between them as it would on the wire.

use taiinet_archive::{Answering, Archive, Pull, PullStep, Pulled, Store, Unwanted};
use taiinet_document::{Differences, Inquiry, SignedDocument, Timestamp, VerifiedDocument};

/// What went between them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// Of questions and answers, without documents.
    pub(crate) bytes: usize,
    /// Questions that were answered.
    pub(crate) rounds: usize,
    /// Documents that were given.
    pub(crate) documents: usize,
    /// The largest answer, in bytes.
    pub(crate) largest: usize,
}

/// One gets from the other what it lacks; both read so many rows at a time.
pub(crate) fn pull<S: Store, T: Store>(
    into: &mut Archive<S>,
    from: &Archive<T>,
    unwanted: &mut Unwanted,
    rows: usize,
    now: Timestamp,
) -> (Pulled, Traffic) {
    pull_by(into, from, unwanted, (rows, 512 * 1024), now)
}

/// The same, with so many bytes of documents at a time.
pub(crate) fn pull_by<S: Store, T: Store>(
    into: &mut Archive<S>,
    from: &Archive<T>,
    unwanted: &mut Unwanted,
    (rows, bytes): (usize, usize),
    now: Timestamp,
) -> (Pulled, Traffic) {
    let salt = *blake3::hash(&now.as_millis().to_be_bytes()).as_bytes();
    let mut pull = Pull::new(salt, Timestamp::default(), core::mem::take(unwanted));
    let mut traffic = Traffic::default();
    loop {
        match into.pull(&mut pull, rows, now).expect("reads") {
            PullStep::Working => {}
            PullStep::Waiting => panic!("nobody else has a turn"),
            PullStep::Inquire(inquiry) => {
                let differences = answer(from, &inquiry, rows);
                let size = size(&differences);
                traffic.rounds += 1;
                traffic.bytes += self::size(&inquiry) + size;
                traffic.largest = traffic.largest.max(size);
                pull.differs(differences);
            }
            PullStep::Want(ids) => {
                let documents = from.pick(&ids, bytes, now).expect("reads");
                traffic.rounds += 1;
                traffic.bytes += size(&ids);
                traffic.documents += documents.len();
                for bytes in documents {
                    let document = verified(&bytes);
                    let admission = into.admit(&document, now).expect("admits");
                    pull.admitted(&document, &admission);
                }
                pull.given();
            }
            PullStep::Done => break,
        }
    }
    into.commit().expect("commits");
    let pulled = pull.pulled();
    *unwanted = pull.into_unwanted();
    (pulled, traffic)
}

fn answer<S: Store>(archive: &Archive<S>, inquiry: &Inquiry, rows: usize) -> Differences {
    assert!(inquiry.is_ascending() && inquiry.count() <= taiinet_document::limits::INQUIRY_PIECES);
    let mut answering = Answering::new(inquiry);
    loop {
        if let Some(differences) = archive.compare(&mut answering, rows).expect("reads") {
            assert_eq!(differences.check(inquiry), Ok(()), "{inquiry:?} {differences:?}");
            return differences;
        }
    }
}

/// As on the wire, without the number of the request.
fn size<T: serde::Serialize>(value: &T) -> usize {
    postcard::to_allocvec(value).expect("encodes").len()
}

pub(crate) fn verified(bytes: &[u8]) -> VerifiedDocument {
    let signed: SignedDocument = postcard::from_bytes(bytes).expect("decodes");
    let key = signed.author().public_key().expect("a key");
    signed.verify(&key).expect("verifies")
}
