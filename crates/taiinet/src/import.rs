//! Documents of any age, signed by anybody, on their way to archives.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use taiinet_document::{DocumentId, SignedDocument, VerifiedDocument};
use taiinet_mesh::{KeepError, limits, wire::Outcome};
use taiinet_session::Until;
use tokio::sync::oneshot;

use crate::{
    control::{Control, Publish},
    error::Error,
    net::TaiiNet,
};

/// How many requests are under way at once: two archives' credit.
const WINDOW: usize = 2 * limits::KEEPS_AWAITED;

type Answer = oneshot::Receiver<Result<Option<Vec<Outcome>>, KeepError>>;

/// Gives documents to archives in bulk, with several requests under way; see [`TaiiNet::import`].
///
/// Outcomes come in the order in which documents were given. What was told is so for good, also if the next call fails:
/// an archive says so only once it is on its disk.
#[derive(Debug)]
pub struct Import {
    net: TaiiNet,
    wait: Duration,
    gathered: Vec<SignedDocument>,
    bytes: usize,
    under_way: VecDeque<Answer>,
}

impl TaiiNet {
    /// Begins to give documents to archives among the neighbours, which keep what they [admit](crate::ArchiveOptions).
    /// The documents may be of any age, and of any author; they go no further. Each request waits for so long for an
    /// archive, and for another where one is lost.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use taiinet::{TaiiNet, VerifiedDocument};
    /// # async fn example(net: TaiiNet, old: Vec<VerifiedDocument>) -> Result<(), taiinet::Error> {
    /// let mut import = net.import(Duration::from_secs(60));
    /// let mut outcomes = Vec::new();
    /// for document in old {
    ///     outcomes.extend(import.give(document.signed().clone()).await?);
    /// }
    /// outcomes.extend(import.end().await?);
    /// println!("{} are settled", outcomes.iter().filter(|outcome| outcome.is_settled()).count());
    /// # Ok(()) }
    /// ```
    pub fn import(&self, wait: Duration) -> Import {
        let (gathered, bytes, under_way) = (Vec::new(), 0, VecDeque::new());
        Import { net: self.clone(), wait, gathered, bytes, under_way }
    }

    /// Whether peers still pass on a document of this time: it is of the last five minutes, less a margin for the way.
    pub fn is_live(&self, document: &VerifiedDocument) -> bool {
        let age = self.inner.clock.now().since(document.created_at.into());
        age < limits::LIVE_WINDOW - limits::LIVE_MARGIN
    }

    /// Publishes a document of any author of which the signature holds, as [`queue`](Self::queue) does; it must be
    /// [live](Self::is_live), or it is [lost](Error::Lost).
    ///
    /// # Errors
    /// [`Error::Closed`]
    pub async fn queue_signed(
        &self,
        document: impl Into<Arc<VerifiedDocument>>,
    ) -> Result<DocumentId, Error> {
        let document = document.into();
        let id = document.id();
        let publish = Publish::Document { document, until: Until::Neighbour, taken: None };
        self.inner.publishes.send(publish).await.map_err(|_| Error::Closed)?;
        Ok(id)
    }
}

impl Import {
    /// Gives one more, and waits while too much is under way. Gives what has become of earlier ones, as far as that is
    /// known now.
    ///
    /// # Errors
    /// [`Error::NoArchive`] if no archive has answered in time; [`Error::Closed`]. Nothing more comes of it then.
    pub async fn give(&mut self, document: SignedDocument) -> Result<Vec<Outcome>, Error> {
        let size = document.size();
        let is_full = self.gathered.len() >= limits::KEEP_DOCUMENTS
            || self.bytes + size > limits::KEEP_BYTES && !self.gathered.is_empty();
        let mut outcomes = Vec::new();
        if is_full {
            while self.under_way.len() >= WINDOW {
                outcomes.extend(self.first().await?);
            }
            self.send();
        }
        while let Some(Ok(answer)) = self.under_way.front_mut().map(Answer::try_recv) {
            self.under_way.pop_front();
            outcomes.extend(self.outcomes(answer)?);
        }
        self.gathered.push(document);
        self.bytes += size;
        Ok(outcomes)
    }

    /// Gives what has become of the rest.
    ///
    /// # Errors
    /// As [`give`](Self::give).
    pub async fn end(&mut self) -> Result<Vec<Outcome>, Error> {
        self.send();
        let mut outcomes = Vec::new();
        while !self.under_way.is_empty() {
            outcomes.extend(self.first().await?);
        }
        Ok(outcomes)
    }

    fn send(&mut self) {
        let documents = core::mem::take(&mut self.gathered);
        self.bytes = 0;
        if documents.is_empty() {
            return;
        }
        let (told, answer) = oneshot::channel();
        self.net.control(Control::Keep { documents, wait: self.wait, told });
        self.under_way.push_back(answer);
    }

    /// The answer to the first that is under way.
    async fn first(&mut self) -> Result<Vec<Outcome>, Error> {
        let Some(answer) = self.under_way.front_mut() else { return Ok(Vec::new()) };
        let answer = answer.await;
        self.under_way.pop_front();
        self.outcomes(answer.map_err(|_| Error::Closed)?)
    }

    fn outcomes(
        &self,
        answer: Result<Option<Vec<Outcome>>, KeepError>,
    ) -> Result<Vec<Outcome>, Error> {
        answer?.ok_or(Error::NoArchive { waited: self.wait })
    }
}
