//! Without the feature `archive` there is none behind any peer.

use std::sync::Arc;

use taiinet_document::{VerifiedBytes, VerifiedDocument};
use taiinet_mesh::{Answer, LinkId, Question, wire::Outcome};
use tokio::sync::oneshot;

/// There is no such status.
#[derive(Debug)]
pub(crate) enum ArchiveStatus {}

/// An answer for the driver to pass on, and the link and request that it is for.
pub(crate) type Answered = (LinkId, u32, Reply);

/// What an archive would answer.
pub(crate) enum Reply {
    #[expect(dead_code)]
    Found(Answer),
    #[expect(dead_code)]
    Took(Vec<Outcome>),
}

/// There is no such thing.
pub(crate) enum Keeper {}

impl Keeper {
    pub(crate) fn keep(&self, _document: Arc<VerifiedDocument>) {
        match *self {}
    }

    pub(crate) fn answer(&self, _link: LinkId, _question: Question) {
        match *self {}
    }

    pub(crate) fn offer(&self, _link: LinkId, _request: u32, _documents: Vec<VerifiedBytes>) {
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
