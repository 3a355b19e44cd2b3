//! Documents to the archives of a network, and to its subscribers what is of now.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use taiinet::{Error, Import, Outcome, TaiiNet};
use taiinet_document::{Network, VerifiedDocument};
use taiinet_terminal::line;
use tokio::time::timeout;

use super::tally::{Taken, Tally};
use crate::{exit::Exit, hints, net::NetArgs};

/// How long subscribers may take in the end to get what is of now; archives have it by then.
const PATIENCE: Duration = Duration::from_secs(10);

/// A peer that gives documents to archives.
pub(super) struct Archives {
    net: TaiiNet,
    reports: bool,
    import: Import,
    /// Of each document that is under way, itself if subscribers are to have it.
    under_way: VecDeque<Option<Arc<VerifiedDocument>>>,
    pub(super) tally: Tally,
}

impl Archives {
    /// Starts the peer: not that of the key file, which may run elsewhere, and signs here.
    pub(super) async fn connect(
        net: &NetArgs,
        wait: Duration,
        reports: bool,
    ) -> Result<Self, Exit> {
        let net = NetArgs { identity: None, blacklist: net.blacklist(), ..net.clone() };
        let net = net.connect().await?;
        hints::spawn(&net);
        let import = net.import(wait);
        Ok(Self { net, reports, import, under_way: VecDeque::new(), tally: Tally::default() })
    }

    pub(super) fn network(&self) -> &Network {
        self.net.network()
    }

    /// Gives a document to archives; or says what is wrong with its line.
    pub(super) async fn take(&mut self, document: VerifiedDocument) -> Taken {
        let (theirs, ours) = (&document.network, self.net.network());
        if theirs != ours {
            return Ok(Err(format!(
                "the document is of the network \"{theirs}\", and the archives of \"{ours}\""
            )));
        }
        let signed = document.signed().clone();
        self.under_way.push_back(self.net.is_live(&document).then(|| Arc::new(document)));
        let outcomes = self.import.give(signed).await;
        self.note(outcomes).await.map(Ok)
    }

    /// Waits for what is under way.
    pub(super) async fn end(&mut self) -> Result<(), Exit> {
        let outcomes = self.import.end().await;
        self.note(outcomes).await?;
        // What no neighbour takes any more is in an archive.
        let _ = timeout(PATIENCE, self.net.flush()).await;
        Ok(())
    }

    pub(super) async fn close(&self) {
        self.net.close().await;
    }

    async fn note(&mut self, outcomes: Result<Vec<Outcome>, Error>) -> Result<(), Exit> {
        let outcomes = match outcomes {
            Ok(outcomes) => outcomes,
            Err(Error::NoArchive { waited }) => return Err(self.no_archive(waited).await),
            Err(error) => return Err(error.into()),
        };
        for outcome in &outcomes {
            self.tally.count(*outcome);
            if let Some(Some(document)) = self.under_way.pop_front() {
                self.net.queue_signed(document).await?;
            }
        }
        if self.reports && !outcomes.is_empty() {
            self.tally.tell();
        }
        Ok(())
    }

    async fn no_archive(&self, waited: Duration) -> Exit {
        let status = self.net.status().await.unwrap_or_default();
        let why = if status.links.iter().any(|link| link.state == taiinet::LinkState::Active) {
            let network = line(self.net.network().as_str()).into_owned();
            format!("is a `taiinet seed` of the network \"{network}\" running?")
        } else {
            hints::why_alone(&status)
        };
        Exit::Failed(format!("no archive has answered within {} s: {why}", waited.as_secs_f64()))
    }
}
