//! Documents of our own: signed and, unless they are for everyone, sealed on the caller's thread.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

use getrandom::SysRng;
use rand_core::UnwrapErr;
use taiinet_document::{
    Before, Content, Document, DocumentId, Key, Map, Sealed, Timestamp, VerifiedDocument,
};
use taiinet_identity::Recipient;
use taiinet_mesh::{Audience, PublishError, Time};
use taiinet_session::{Until, publications::Failures, unsealed::Unsealed};
use tokio::{sync::oneshot, task::spawn_blocking};

use crate::{
    control::{Control, Publish},
    document::{IntoDocument, PublishOptions},
    error::Error,
    net::TaiiNet,
    tally::PublishCounts,
};

/// Sealing to more than so many takes milliseconds: not on a thread of the runtime.
const AT_ONCE: usize = 16;

/// A document that is signed and can be published once.
#[doc(hidden)]
#[derive(Debug)]
pub struct Prepared {
    document: Arc<VerifiedDocument>,
    until: Until,
}

impl Prepared {
    /// The document that waits to be published.
    pub fn document(&self) -> &VerifiedDocument {
        &self.document
    }
}

impl TaiiNet {
    /// Publishes a document and waits until a neighbour has taken it: then it is not lost with us.
    /// Without a neighbour it waits for one; bound the wait with `tokio::time::timeout`. If the future
    /// is dropped the document may still be published.
    ///
    /// # Errors
    /// [`Error::Document`], [`Error::Json`], [`Error::NotADocument`] for what is no document;
    /// [`Error::Lost`] if there was no neighbour for five minutes, after which no peer would accept
    /// it, or until it expired; [`Error::Closed`] if the peer was closed before a neighbour took it.
    pub async fn publish(&self, document: impl IntoDocument) -> Result<DocumentId, Error> {
        self.publish_with(document, PublishOptions::default()).await
    }

    /// As [`publish`](Self::publish), with a key, an expiry, for some only, or until the network has it.
    ///
    /// To go on only when a document does not depend on this peer and its neighbours any more:
    ///
    /// ```no_run
    /// # use taiinet::{Error, PublishOptions, TaiiNet, Until, json};
    /// # async fn example(net: TaiiNet) -> Result<(), Error> {
    /// let options = PublishOptions { until: Until::Network, ..PublishOptions::default() };
    /// let id = net.publish_with(json!({ "type": "invoice" }), options).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`publish`](Self::publish); [`Error::NoRecipient`] and [`Error::Seal`] for what is not for
    /// everyone; [`Error::VersionAhead`] for a version that could not be the newest under its key;
    /// [`Error::Unconfirmed`] where the network was waited for, and has not confirmed it for five minutes.
    pub async fn publish_with(
        &self,
        document: impl IntoDocument,
        options: PublishOptions,
    ) -> Result<DocumentId, Error> {
        let Prepared { document, until } = self.prepare_for(document, options).await?;
        self.publish_signed(document, until).await
    }

    /// Publishes what is signed, and waits until it has come so far.
    pub(crate) async fn publish_signed(
        &self,
        document: impl Into<Arc<VerifiedDocument>>,
        until: Until,
    ) -> Result<DocumentId, Error> {
        let document = document.into();
        let id = document.id();
        let (taken, is_taken) = oneshot::channel();
        self.give(Publish::Document { document, until, taken: Some(taken) }).await?;
        is_taken.await.unwrap_or(Err(Error::Closed))?;
        Ok(id)
    }

    /// Publishes a document without waiting for a neighbour to take it: waits only for room among
    /// those that none has taken yet (1,024), or that the network has not confirmed yet (1,024), where that is waited
    /// for. For many documents at once; [`flush`](Self::flush) after the last.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub async fn queue(&self, document: impl IntoDocument) -> Result<DocumentId, Error> {
        self.queue_with(document, PublishOptions::default()).await
    }

    /// As [`queue`](Self::queue), with a key, an expiry, for some only, or until the network has it: that
    /// [`flush`](Self::flush) waits for. A network confirms some 250 documents a second.
    ///
    /// # Errors
    /// As [`publish_with`](Self::publish_with).
    pub async fn queue_with(
        &self,
        document: impl IntoDocument,
        options: PublishOptions,
    ) -> Result<DocumentId, Error> {
        let document = self.prepare_for(document, options).await?;
        self.queue_prepared(document).await
    }

    /// Signs a document for everyone now, on this thread, for
    /// [`queue_prepared`](Self::queue_prepared) soon.
    #[doc(hidden)]
    pub fn prepare(
        &self,
        document: impl IntoDocument,
        options: PublishOptions,
    ) -> Result<Prepared, Error> {
        self.sign(Content::Open(document.into_document()?), options, Before::default())
    }

    /// Seals and signs a document.
    async fn prepare_for(
        &self,
        document: impl IntoDocument,
        options: PublishOptions,
    ) -> Result<Prepared, Error> {
        let content = seal(self, document.into_document()?, &options).await?;
        let before = self.before(options.key.as_ref()).await?;
        self.sign(content, options, before)
    }

    /// What a document with this key, if any, must be later than.
    pub(crate) async fn before(&self, key: Option<&Key>) -> Result<Before, Error> {
        let Some(key) = key.cloned() else { return Ok(Before::default()) };
        let (tell, told) = oneshot::channel();
        self.control(Control::Before { key, tell });
        told.await.map_err(|_| Error::Closed)
    }

    fn sign(
        &self,
        content: Content,
        options: PublishOptions,
        before: Before,
    ) -> Result<Prepared, Error> {
        let end = |created_at| Some(Time::from(created_at).after(options.expires?).timestamp());
        let document = Arc::new(self.sign_until(content, options.key, before, end)?);
        Ok(Prepared { document, until: options.until })
    }

    /// Signs a document now, of a time later than those before it; `end` says when one of that time expires.
    pub(crate) fn sign_until(
        &self,
        content: Content,
        key: Option<Key>,
        before: Before,
        end: impl FnOnce(Timestamp) -> Option<Timestamp>,
    ) -> Result<VerifiedDocument, Error> {
        let now = self.inner.clock.now();
        // A deletion comes after whatever of ours it deletes, however far ahead that was dated.
        let replaces = key.is_some() || matches!(content, Content::Deleted(_));
        let created_at = self.inner.stamps.next(replaces.then_some(before), now)?;
        let document = Document {
            network: self.inner.network.clone(),
            created_at,
            nonce: self.inner.nonce.fetch_add(1, Ordering::Relaxed),
            expires_at: end(created_at),
            key,
            next_key: None,
            content,
        };
        Ok(VerifiedDocument::sign(&self.inner.identity, document)?)
    }

    #[doc(hidden)]
    pub async fn queue_prepared(&self, document: Prepared) -> Result<DocumentId, Error> {
        let Prepared { document, until } = document;
        let id = document.id();
        self.give(Publish::Document { document, until, taken: None }).await?;
        Ok(id)
    }

    /// Waits until neighbours have taken all that was published before this call, and the network has confirmed what
    /// was published [until it has](Until::Network).
    ///
    /// # Errors
    /// [`Error::Lost`] with how many documents, since the last flush, no neighbour took before they
    /// were too old; if none, [`Error::Unconfirmed`] with how many the network did not confirm;
    /// [`Error::Closed`] if the peer was closed before.
    pub async fn flush(&self) -> Result<(), Error> {
        let (done, is_done) = oneshot::channel();
        self.give(Publish::Flush(done)).await?;
        match is_done.await.map_err(|_| Error::Closed)? {
            Failures { lost: 0, unconfirmed: 0 } => Ok(()),
            Failures { lost: 0, unconfirmed: documents } => Err(Error::Unconfirmed { documents }),
            Failures { lost: documents, .. } => Err(Error::Lost { documents }),
        }
    }

    /// What became of the documents published here so far: those in no number still wait for a
    /// neighbour or the network, or did when the peer was closed. May be asked at any time, also after the end.
    pub fn outcome(&self) -> PublishCounts {
        self.inner.tally.read()
    }

    async fn give(&self, publish: Publish) -> Result<(), Error> {
        self.inner.publishes.send(publish).await.map_err(|_| Error::Closed)
    }
}

/// Seals what is not for everyone.
async fn seal(net: &TaiiNet, content: Map, options: &PublishOptions) -> Result<Content, Error> {
    if options.to == Audience::Everyone {
        return Ok(Content::Open(content));
    }
    let (content, recipients) = recipients(net, content, options).await?;
    let recipients = Vec::from_iter(recipients);
    let (author, network, public) = (net.peer_id(), net.network().clone(), options.public.clone());
    let count = recipients.len();
    let seal = move || {
        let rng = &mut UnwrapErr(SysRng);
        Sealed::seal(content, &public, &recipients, author, &network, rng)
    };
    let sealed = if count > AT_ONCE {
        spawn_blocking(seal).await.map_err(|_| Error::Closed)?
    } else {
        seal()
    };
    Ok(Content::Sealed(sealed?))
}

/// The recipients, with the content; waits for a first one if none is known.
async fn recipients(
    net: &TaiiNet,
    content: Map,
    options: &PublishOptions,
) -> Result<(Map, BTreeSet<Recipient>), Error> {
    let (waiter, told) = oneshot::channel();
    let to = taiinet_mesh::PublishOptions {
        audience: options.to.clone(),
        key: options.key.clone(),
        ..Default::default()
    };
    let unsealed = Unsealed { content, options: to, waiter };
    net.control(Control::Recipients { unsealed, wait: options.wait });
    match told.await.map_err(|_| Error::Closed)? {
        (content, Ok(recipients)) => Ok((content, recipients)),
        (_, Err(PublishError::Seal(error))) => Err(error.into()),
        (_, Err(_)) => Err(Error::NoRecipient),
    }
}
