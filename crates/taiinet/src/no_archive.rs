//! Without the feature `archive` there is none behind any peer.

use std::sync::Arc;

use taiinet_document::{Timestamp, VerifiedBytes, VerifiedDocument};
use taiinet_mesh::{Answer, LinkId, Question, Reconcile, Reconciled, wire::Outcome};
use tokio::sync::oneshot;

/// There is no such status.
#[derive(Debug)]
pub(crate) enum ArchiveStatus {}

/// Nothing says such a thing.
#[expect(dead_code, reason = "there is no archive that could say it")]
pub(crate) enum Says {
    Found(LinkId, u32, Answer),
    Took(LinkId, u32, Vec<Outcome>),
    Since(Timestamp),
    Step(LinkId, Reconciled),
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

    pub(crate) fn reconcile(&self, _link: LinkId, _what: Reconcile) {
        match *self {}
    }

    pub(crate) async fn says(&mut self) -> Says {
        match *self {}
    }

    pub(crate) fn end(&mut self) {
        match *self {}
    }
}
