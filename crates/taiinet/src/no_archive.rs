//! Without the feature `archive` there is none behind any peer.

use std::sync::Arc;

use taiinet_document::VerifiedDocument;
use taiinet_mesh::{Answer, LinkId, Question};
use tokio::sync::oneshot;

/// There is no such status.
#[derive(Debug)]
pub(crate) enum ArchiveStatus {}

/// An answer for the driver to pass on.
pub(crate) type Answered = (LinkId, u32, Answer);

/// There is no such thing.
pub(crate) enum Keeper {}

impl Keeper {
    pub(crate) fn keep(&self, _document: Arc<VerifiedDocument>) {
        match *self {}
    }

    pub(crate) fn answer(&self, _link: LinkId, _question: Question) {
        match *self {}
    }

    pub(crate) fn status(&self, _tell: oneshot::Sender<ArchiveStatus>) {
        match *self {}
    }

    pub(crate) fn waiting(&self) -> usize {
        match *self {}
    }

    pub(crate) async fn answered(&mut self) -> Answered {
        match *self {}
    }

    pub(crate) fn end(&mut self) {
        match *self {}
    }
}
