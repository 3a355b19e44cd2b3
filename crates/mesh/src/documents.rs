//! Documents: published, pushed, announced, asked for, taken.
//!
//! There is one way in ([`admit()`]) for what others push and what was searched for, and one way on
//! ([`tree`]). What is live stands in the store ([`Recent`]), which other rooms read.

mod admit;
mod kept;
mod keyring;
mod own;
mod quota;
mod recent;
mod stamps;
mod tree;
mod untaken;

use std::{collections::BTreeMap, sync::Arc};

use taiinet_document::{
    Before, Content, Document, DocumentId, Key, SignedDocument, Timestamp, VerifiedDocument,
};
use taiinet_identity::PeerId;
use taiinet_query::DocumentKeys;

pub(crate) use admit::{Rules, admit};
pub(crate) use kept::Kept;
pub(crate) use keyring::Keyring;
pub use keyring::SharedVerification;
pub use quota::Quota;
pub(crate) use recent::Recent;
pub use stamps::Stamps;

use crate::{
    Event, LinkId, Misbehaviour, Output, PublishError, Time,
    cx::Cx,
    interest::Interest,
    limits,
    notice::{Accepted, NeighbourUp, Notice},
    routes::{Plan, Routes, Spreading, Step},
    wire::{DocumentFrame, Push, Routed, Way},
};
use quota::Quotas;
use tree::{Neighbour, Tree};
use untaken::Untaken;

/// The room of documents.
#[derive(Debug)]
pub(crate) struct Documents {
    tree: Tree,
    untaken: Untaken,
    quotas: Quotas,
}

/// How a document came.
#[derive(Debug, Default)]
struct Came {
    from: Option<(LinkId, PeerId)>,
    way: Option<Way>,
    also: Option<DocumentKeys>,
}

/// What a neighbour has done for us, for [`crate::LinkStatus`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Service {
    pub(crate) eager: bool,
    pub(crate) received: u64,
    pub(crate) duplicates: u64,
}

impl Documents {
    pub(crate) fn new(cx: &mut Cx) -> Self {
        Self {
            tree: Tree::new(),
            untaken: Untaken::default(),
            quotas: Quotas::new(cx.config.quota, cx.now),
        }
    }

    // ---- Questions ----

    /// How many documents of our own no neighbour has taken yet.
    pub(crate) fn untaken(&self) -> usize {
        self.untaken.len()
    }

    pub(crate) fn service(&self, link: LinkId) -> Service {
        self.tree.neighbour(link).map_or_else(Service::default, |neighbour| Service {
            eager: !neighbour.feeding.pushed().is_empty(),
            received: neighbour.received,
            duplicates: neighbour.duplicates,
        })
    }

    /// How many ids more can wait to be announced to a neighbour; none if it is no neighbour.
    pub(crate) fn announcement_room(&self, link: LinkId) -> Option<usize> {
        self.tree.neighbour(link).map(Neighbour::announcement_room)
    }

    /// When [`Self::tick`] has something to do.
    pub(crate) fn deadline(&self, cx: &Cx) -> Option<Time> {
        let own = [self.tree.deadline(), self.untaken.deadline(), self.quotas.deadline()];
        own.into_iter().flatten().chain(cx.store.deadline()).min()
    }

    // ---- Ours ----

    /// Signs and publishes. What is not for everyone is sealed already.
    ///
    /// # Errors
    /// [`PublishError`]
    pub(crate) fn publish(
        &mut self,
        cx: &mut Cx,
        content: Content,
        key: Option<Key>,
        expires_at: Option<Timestamp>,
    ) -> Result<DocumentId, PublishError> {
        // A deletion comes after whatever of ours it deletes, however far ahead that was dated.
        let deletes = matches!(content, Content::Deleted(_)).then(Before::default);
        let before = key.as_ref().map(|key| cx.store.before(cx.id(), key)).or(deletes);
        let created_at = cx.stamps.next(before, cx.now)?;
        let document = Document {
            network: cx.config.network.clone(),
            created_at,
            nonce: cx.rng.next_u32(),
            expires_at: expires_at.map(|end| Stamps::end(end, created_at, cx.now)),
            key,
            next_key: None,
            content,
        };
        let document = VerifiedDocument::sign(&cx.identity, document)?;
        self.publish_signed(cx, Arc::new(document))
    }

    /// Publishes what was signed elsewhere.
    ///
    /// # Errors
    /// [`PublishError`]
    pub(crate) fn publish_signed(
        &mut self,
        cx: &mut Cx,
        document: Arc<VerifiedDocument>,
    ) -> Result<DocumentId, PublishError> {
        let id = document.id();
        if cx.store.has_seen(&id) {
            // Seen and not waiting: a neighbour has it, perhaps from another instance of ours.
            if !self.untaken.contains(&id) {
                cx.event(Event::Taken { id });
            }
            return Ok(id);
        }
        let created_at = Time::from(document.created_at);
        let soon = created_at <= cx.now.after(limits::CLOCK_SKEW);
        let ahead = created_at > cx.now.after(limits::VERSION_LEAD);
        if soon && (ahead || !cx.store.has_room_for(document.created_at, cx.now)) {
            self.quotas.wait(cx.now);
            return Err(PublishError::Busy);
        }
        // What others would refuse us for is not published.
        admit::check(cx, &document, Rules::Live(&self.quotas)).map_err(|misbehaviour| {
            match misbehaviour {
                Misbehaviour::WrongNetwork => PublishError::WrongNetwork,
                _ => PublishError::OutOfTime,
            }
        })?;
        let size = document.signed().size();
        if !self.untaken.has_room() || !self.quotas.may_publish(size, cx.now) {
            return Err(PublishError::Busy);
        }
        cx.counters.published += 1;
        self.untaken.insert(&document);
        let also = cx.store.victims_keys(&document);
        self.accept(cx, document, 0, Came { from: None, way: None, also });
        Ok(id)
    }

    /// What was refused may be wanted after all.
    pub(crate) fn reconsider(&mut self) {
        self.tree.reconsider();
    }

    // ---- What happens ----

    pub(crate) fn frame(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        frame: DocumentFrame,
    ) -> Result<(), Misbehaviour> {
        match frame {
            DocumentFrame::Push(Push { hops, document }) => {
                self.pushed(cx, link, document, (hops, None, None))
            }
            DocumentFrame::Routed(Routed { way, hops, also, document }) => {
                self.pushed(cx, link, document, (hops, Some(way), also.map(|also| *also)))
            }
            DocumentFrame::Have(ids) => self.announced(cx, link, &ids),
            DocumentFrame::Graft(ids) => {
                cx.links.touch(link);
                self.tree.grafted(link, &ids, &cx.store)
            }
            DocumentFrame::Feed(groups) => {
                let Some(state) = cx.links.get_mut(link) else { return Ok(()) };
                state.budgets.state(cx.now)?;
                self.tree.feed(link, groups);
                Ok(())
            }
            DocumentFrame::Gone(ids) => self.tree.gone(link, &ids, cx.now),
        }
    }

    pub(crate) fn on(&mut self, cx: &mut Cx, notice: &Notice, interest: &Interest) {
        match notice {
            Notice::NeighbourUp(up) => self.neighbour_up(cx, up, interest),
            Notice::LinkDown(down) => self.tree.neighbour_down(down.link, cx.now),
            Notice::Sending(link) => self.tree.progress(*link, cx.now),
            Notice::Taken(ids) => ids.iter().for_each(|id| self.taken(cx, id)),
            Notice::Dozes { link, dozing } => self.tree.neighbour_dozes(*link, *dozing),
            Notice::WeDoze(dozing) => self.tree.set_dozing(*dozing, cx.now),
            Notice::Suspect(link) => self.tree.distrust(*link),
            Notice::CompareLater(link) => self.tree.schedule_compare(*link, cx.now),
            Notice::Missing { link, ids } => self.tree.announce_missing(*link, ids, cx.now),
            _ => {}
        }
    }

    /// Sends a document that is new here on its way. Whether it was pushed to any neighbour.
    pub(crate) fn spread(&mut self, cx: &mut Cx, accepted: &Accepted, plan: Plan) -> bool {
        match plan {
            Plan::Flood => self.tree.spread(cx, accepted),
            Plan::Route(steps) => self.tree.route(cx, accepted, &steps),
        }
    }

    /// Sends a document that is here to some neighbours more.
    pub(crate) fn pass(
        &mut self,
        cx: &mut Cx,
        id: DocumentId,
        steps: &BTreeMap<LinkId, Step>,
        also: Option<&DocumentKeys>,
    ) {
        self.tree.pass(cx, id, steps, also);
    }

    pub(crate) fn tick(&mut self, cx: &mut Cx) {
        self.tree.tick(cx);
        cx.store.expire(cx.now);
        self.quotas.expire(cx.now);
        self.quotas.tick(cx.now);
        for id in self.untaken.expired(cx.now) {
            cx.event(Event::Lost { id });
        }
    }

    /// The application fell behind, or caught up.
    pub(crate) fn set_behind(&mut self, behind: bool, now: Time) {
        self.tree.set_behind(behind, now);
    }

    /// Moves what a neighbour asked for into its lane, as far as there is room.
    pub(crate) fn serve(&mut self, cx: &mut Cx, link: LinkId, routes: &Routes) {
        self.tree.serve(cx, link, routes);
    }

    /// Whether a neighbour waits for documents that it asked for.
    pub(crate) fn has_requests(&self, link: LinkId) -> bool {
        self.tree.has_requests(link)
    }

    /// It gets our own documents that no neighbour has taken, and the ids of private subscriptions; of what
    /// else it may have missed it hears when it compares.
    fn neighbour_up(&mut self, cx: &mut Cx, up: &NeighbourUp, interest: &Interest) {
        let mut missed = interest.announcements(up.since, cx.now);
        missed.retain(|id| !self.untaken.contains(id));
        self.tree.neighbour_up(cx, up.link, &missed, self.untaken.documents());
    }

    /// A neighbour pushes a document. Check before forward, cheap first: the size was checked when
    /// it was decoded; then whether it was seen; then as [`admit()`] has it.
    fn pushed(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        document: SignedDocument,
        (hops, way, also): (u8, Option<Way>, Option<DocumentKeys>),
    ) -> Result<(), Misbehaviour> {
        let (id, author, size) = (document.id(), document.author(), document.size());
        let Some(state) = cx.links.get_mut(link) else { return Ok(()) };
        state.inbound.account_received(size, cx.now)?;
        let sender = state.peer;
        // Sent is not accepted: whatever becomes of it, a promise is kept.
        let sent = self.tree.sent(link, &id, cx.now);
        if cx.store.has_seen(&id) {
            cx.counters.duplicates += 1;
            self.taken(cx, &id);
            match way {
                Some(way) => cx.notify(Notice::Again { link, id, way, also }),
                None => self.tree.duplicate(cx, link, sent, &id, &author),
            }
            return Ok(());
        }
        if cx.reputation.is_listed_by_hand(&author, cx.now) {
            self.tree.refused(cx, link, sent, id, &author);
            return Ok(());
        }
        if !self.tree.has_room(link, size, cx.now) {
            return Ok(());
        }
        let verified = match admit(cx, document, Rules::Live(&self.quotas)) {
            Err(Misbehaviour::AuthorFlood) => {
                self.tree.refused(cx, link, sent, id, &author);
                return cx.blame_signer(link, author, Misbehaviour::AuthorFlood);
            }
            result => result?,
        };
        match way {
            Some(_) => self.tree.received_routed(link),
            None => self.tree.received(cx, link, sent, id, &author),
        }
        cx.counters.received += 1;
        if self.tree.is_behind() {
            // There was room for its bytes; what it takes beside them is known only now.
            self.tree.has_room(link, verified.heap_size().saturating_sub(size), cx.now);
        }
        let way = way.filter(|_| cx.spreading == Spreading::Route);
        // Nothing else has gone elsewhere before.
        let replaces = verified.key.is_some() || matches!(verified.content(), Content::Deleted(_));
        let also = also.filter(|_| replaces);
        let came = Came { from: Some((link, sender)), way, also };
        self.accept(cx, verified, hops.saturating_add(1), came);
        Ok(())
    }

    /// A verified document that was not seen before is remembered, and every room is told.
    fn accept(&mut self, cx: &mut Cx, document: Arc<VerifiedDocument>, hops: u8, came: Came) {
        let Came { from, way, also } = came;
        if let Some(state) = from.and_then(|(link, _)| cx.links.get_mut(link)) {
            state.brought_at = Some(cx.now);
        }
        let conflict = cx.store.insert(&document, hops, cx.now);
        if document.author() == cx.id() {
            cx.store.keep_own(&document);
            // It may be of another instance, or an earlier run.
            cx.stamps.resume(document.created_at, cx.now);
        }
        self.quotas.note(document.author(), &document, document.signed().size());
        if cx.config.archive.is_some() {
            cx.out.push_back(Output::Accepted(Arc::clone(&document)));
        }
        cx.notify(Notice::Accepted(Accepted { document, hops, from, way, also, conflict }));
    }

    fn announced(
        &mut self,
        cx: &mut Cx,
        link: LinkId,
        ids: &[DocumentId],
    ) -> Result<(), Misbehaviour> {
        cx.counters.announced = cx.counters.announced.saturating_add(ids.len() as u64);
        let peer = cx.links.peer(link);
        let believed = !peer.is_some_and(|peer| cx.reputation.is_suspect(&peer, cx.now));
        for id in self.tree.announced(link, ids, believed, &cx.store, cx.now)? {
            self.taken(cx, &id);
        }
        Ok(())
    }

    /// A neighbour has it; if it is ours and waited for that, it is safe now.
    fn taken(&mut self, cx: &mut Cx, id: &DocumentId) {
        if self.untaken.taken(id) {
            cx.event(Event::Taken { id: *id });
        }
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use taiinet_document::{Before, Deletion, DocumentIds, Map, Writers};

    use super::*;
    use crate::{
        VersionAhead,
        testing::{self, NOW},
    };

    #[test]
    fn what_is_ahead_of_the_time_is_published_waits_or_is_refused() {
        let mut cx = testing::cx();
        let mut documents = Documents::new(&mut cx);
        let mut publish = |seconds| {
            let created_at = NOW.after(Duration::from_secs(seconds));
            let document = testing::keyed(&testing::identity(2), "key", created_at);
            documents.publish_signed(&mut cx, document).err()
        };
        assert_eq!(publish(limits::VERSION_LEAD.as_secs()), None);
        assert_eq!(publish(limits::VERSION_LEAD.as_secs() + 1), Some(PublishError::Busy));
        assert_eq!(publish(limits::CLOCK_SKEW.as_secs() + 1), Some(PublishError::OutOfTime));
    }

    /// A co-writer had pushed the version ahead of the time, and its deletion came before it: it deleted nothing.
    #[test]
    fn a_deletion_by_id_comes_after_a_version_that_is_ahead_of_the_time() {
        let mut cx = testing::cx();
        let mut documents = Documents::new(&mut cx);
        let pushed = NOW.after(limits::VERSION_LEAD - Duration::from_secs(5));
        let version = testing::keyed(&cx.identity.clone(), "key", pushed);
        cx.stamps.resume(version.created_at, NOW);
        documents.publish_signed(&mut cx, Arc::clone(&version)).expect("taken");
        let ids = DocumentIds::new([version.id()]).expect("one");
        let deletion = Content::Deleted(Deletion::Documents(ids));
        let id = documents.publish(&mut cx, deletion, None, None).expect("published");
        let deletion = cx.store.decoded(&id).expect("kept");
        assert!(deletion.created_at > version.created_at);
    }

    #[test]
    fn another_instance_of_ours_is_followed_and_one_whose_clock_is_wrong_is_not() {
        let mut cx = testing::cx();
        let mut documents = Documents::new(&mut cx);
        let (own, seconds) =
            (cx.identity.clone(), |seconds| NOW.after(Duration::from_secs(seconds)));
        let lead = limits::VERSION_LEAD.as_secs();
        let others = [(lead + 10, 0), (lead - 10, lead - 10)];
        for (ahead, followed) in others {
            let document = testing::keyed(&own, "key", seconds(ahead));
            documents.accept(&mut cx, document, 1, Came::default());
            assert_eq!(Time::from(cx.stamps.last()).since(NOW).as_secs(), followed);
        }
        assert_eq!(
            cx.stamps.next(Some(Before::default()), NOW).map(Time::from),
            Ok(Time::from_millis(seconds(lead - 10).as_millis() + 1))
        );
        let unkeyed = cx.stamps.next(None, NOW).map(Time::from);
        assert!(
            unkeyed.expect("a time") <= NOW.after(limits::STAMP_LEAD),
            "without a key none waits for it"
        );
    }

    #[test]
    fn a_version_counts_though_the_clock_is_behind_or_its_author_is_told() {
        let owner = testing::identity(2);
        let content = || Content::Open(Map::default());
        let write = |ahead: u64| {
            let mut cx = testing::cx();
            let mut documents = Documents::new(&mut cx);
            let shared = Some(Key::shared("list", Writers::Anyone));
            let theirs =
                testing::said(&owner, content(), shared, NOW.after(Duration::from_secs(ahead)));
            documents.accept(&mut cx, Arc::clone(&theirs), 1, Came::default());
            let key = Some(Key::of("list", owner.peer_id()));
            let [one, two] =
                [1, 2].map(|_| documents.publish(&mut cx, content(), key.clone(), None));
            one?;
            let two = cx.store.get(&two?).expect("kept").decode()?;
            let is_newest = !cx.store.is_replaced(&two);
            Ok::<_, PublishError>((is_newest, cx.store.is_replaced(&theirs)))
        };
        let lead = limits::VERSION_LEAD.as_secs();
        for ahead in [0, 30, lead - 1] {
            assert_eq!(write(ahead), Ok((true, true)), "{ahead}");
        }
        for ahead in [lead + 1, limits::CLOCK_SKEW.as_secs()] {
            let by = Duration::from_secs(ahead);
            assert_eq!(write(ahead), Err(VersionAhead { by }.into()), "{ahead}");
        }
    }

    #[test]
    fn an_owner_takes_a_right_back_whatever_its_writer_dates_ahead() {
        let mut cx = testing::cx();
        let mut documents = Documents::new(&mut cx);
        let writer = testing::identity(2);
        let content = || Content::Open(Map::default());
        let shared = Key::shared("list", Writers::Anyone);
        documents.publish(&mut cx, content(), Some(shared.clone()), None).expect("shared");
        let far = NOW.after(limits::CLOCK_SKEW);
        let theirs = testing::said(&writer, content(), Some(Key::of("list", cx.id())), far);
        documents.accept(&mut cx, theirs, 1, Came::default());
        let again = documents.publish(&mut cx, content(), Some(shared), None);
        assert_eq!(again, Err(VersionAhead { by: limits::CLOCK_SKEW }.into()));
        let key = Key::new("list");
        let own = documents.publish(&mut cx, content(), Some(key), None).expect("taken back");
        let own = cx.store.get(&own).expect("kept").decode().expect("decodes");
        assert!(!cx.store.is_replaced(&own));
    }
}
