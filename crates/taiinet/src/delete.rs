//! Taking back what was published.

use taiinet_document::{Content, Deletion, DocumentId, DocumentIds, Key, Timestamp, limits};
use taiinet_session::Until;
use tokio::sync::oneshot;

use crate::{control::Control, error::Error, net::TaiiNet};

/// What is withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Withdrawn {
    /// The document under this key, in all versions up to now.
    Key(Key),
    /// These documents of this peer.
    Documents(Vec<DocumentId>),
}

impl From<Key> for Withdrawn {
    fn from(key: Key) -> Self {
        Self::Key(key)
    }
}

impl From<DocumentId> for Withdrawn {
    fn from(id: DocumentId) -> Self {
        Self::Documents(vec![id])
    }
}

impl From<Vec<DocumentId>> for Withdrawn {
    fn from(ids: Vec<DocumentId>) -> Self {
        Self::Documents(ids)
    }
}

impl TaiiNet {
    /// Withdraws what this peer has published: the document under a [`Key`], or documents by their ids. Waits until
    /// a neighbour has taken the deletion.
    ///
    /// Subscriptions that show it hear of it, searches find it no more, and archives drop it, whichever of the two
    /// they get first. Nobody can be made to forget what it has read. A deletion lasts as long as what it deletes
    /// may come: where all of that is known here and has an end, until then; else for ever.
    ///
    /// ```no_run
    /// # use taiinet::{Key, TaiiNet, json};
    /// # async fn example(net: TaiiNet) -> Result<(), taiinet::Error> {
    /// let id = net.publish(json!({ "type": "tweet", "text": "oops" })).await?;
    /// net.delete(id).await?;
    /// net.delete(Key::new("profile")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`publish`](Self::publish); [`Error::Document`] for no ids at all. Of more than 256 ids the first deletions
    /// may be published when a later one fails.
    pub async fn delete(&self, what: impl Into<Withdrawn>) -> Result<(), Error> {
        match what.into() {
            Withdrawn::Key(key) => {
                self.withdraw(Some(key), Deletion::Key, None).await?;
            }
            Withdrawn::Documents(ids) if ids.is_empty() => {
                DocumentIds::new(ids)?;
            }
            Withdrawn::Documents(ids) => {
                for some in ids.chunks(limits::DELETED_DOCUMENTS) {
                    let expires_at = self.expiry_of(some.to_vec()).await?;
                    let ids = DocumentIds::new(some.iter().copied())?;
                    self.withdraw(None, Deletion::Documents(ids), expires_at).await?;
                }
            }
        }
        Ok(())
    }

    async fn expiry_of(&self, ids: Vec<DocumentId>) -> Result<Option<Timestamp>, Error> {
        let (tell, told) = oneshot::channel();
        self.control(Control::Expiry { ids, tell });
        told.await.map_err(|_| Error::Closed)
    }

    async fn withdraw(
        &self,
        key: Option<Key>,
        deletion: Deletion,
        expires_at: Option<Timestamp>,
    ) -> Result<DocumentId, Error> {
        // What is over needs no deletion, but one that was asked for is published.
        let end = |created_at| expires_at.filter(|end| *end > created_at);
        let before = self.before(key.as_ref()).await?;
        let document = self.sign_until(Content::Deleted(deletion), key, before, end)?;
        self.publish_signed(document, Until::Neighbour).await
    }
}
