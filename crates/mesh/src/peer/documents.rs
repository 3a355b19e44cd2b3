//! Documents through the front door: published, pushed, announced, asked for, taken.

use std::sync::Arc;

use taiinet_document::{
    Content, Document, DocumentError, DocumentId, Inspected, SignedDocument, VerifiedDocument,
};

use super::Peer;
use crate::{
    Event, LinkId, Misbehaviour, PublishError, PublishOptions, Time,
    frame::{Compare, Frame, Push},
    limits,
    link::Link,
};

impl Peer {
    pub(super) fn publish_document(
        &mut self,
        content: Content,
        options: PublishOptions,
        now: Time,
    ) -> Result<DocumentId, PublishError> {
        let content = self.seal(content, &options, now)?;
        let document = Document {
            network: self.config.network.clone(),
            created_at: now.timestamp(),
            nonce: self.rng.next_u32(),
            expires_at: options.expires_at,
            key: options.key,
            content,
        };
        let document = VerifiedDocument::sign(&self.identity, document)?;
        self.publish_verified(Arc::new(document), now)
    }

    pub(super) fn publish_verified(
        &mut self,
        document: Arc<VerifiedDocument>,
        now: Time,
    ) -> Result<DocumentId, PublishError> {
        let id = document.id();
        if self.broadcast.recent.has_seen(&id) {
            // Seen and not waiting: a neighbour has it, perhaps from another instance of ours.
            if !self.broadcast.outbox.contains(&id) {
                self.event(Event::Taken { id });
            }
            return Ok(id);
        }
        // What others would refuse us for is not published.
        self.check(&document, now).map_err(|misbehaviour| match misbehaviour {
            Misbehaviour::WrongNetwork => PublishError::WrongNetwork,
            _ => PublishError::OutOfTime,
        })?;
        let size = document.signed().size();
        if self.left || !self.broadcast.outbox.has_room() || !self.quotas.may_publish(size, now) {
            return Err(PublishError::Busy);
        }
        self.counters.published += 1;
        self.broadcast.outbox.insert(Arc::clone(&document));
        self.accept(&document, 0, None, now);
        self.hurry(now);
        Ok(id)
    }

    /// A neighbour pushes a document. Check before forward, cheap first: the size was checked when
    /// it was decoded; then whether it was seen, limits, network, times, signature.
    pub(super) fn pushed(
        &mut self,
        link: LinkId,
        push: Push,
        now: Time,
    ) -> Result<(), Misbehaviour> {
        let Push { hops, document } = push;
        let id = document.id();
        let size = document.size();
        if let Some(neighbour) = self.broadcast.neighbour_mut(link) {
            neighbour.took(size, now)?;
        }
        if self.broadcast.recent.has_seen(&id) {
            self.counters.duplicates += 1;
            if self.broadcast.outbox.taken(&id) {
                self.event(Event::Taken { id });
            }
            if let Some(prune) = self.broadcast.duplicate(link, &id, now) {
                self.control(link, &prune, now);
            }
            return Ok(());
        }
        let author = document.author();
        if self.reputation.is_listed_by_hand(&author, now)
            || !self.broadcast.has_room(link, size, now)
        {
            return Ok(());
        }
        let inspected = Self::inspect(document)?;
        self.check(inspected.document(), now)?;
        if !self.quotas.admits(author, inspected.document(), size) {
            return self.blame_signer(link, author, Misbehaviour::AuthorFlood);
        }
        let verified = self.verify(inspected)?;
        if let Some(neighbour) = self.broadcast.neighbour_mut(link) {
            neighbour.received += 1;
        }
        self.counters.received += 1;
        self.accept(&Arc::new(verified), hops.saturating_add(1), Some(link), now);
        Ok(())
    }

    pub(super) fn inspect(document: SignedDocument) -> Result<Inspected, Misbehaviour> {
        document.inspect().map_err(|error| match error {
            DocumentError::TooLarge { .. } => Misbehaviour::Oversize,
            _ => Misbehaviour::MalformedDocument,
        })
    }

    /// Checks the signature.
    pub(super) fn verify(&mut self, document: Inspected) -> Result<VerifiedDocument, Misbehaviour> {
        let author = document.author();
        let known = self.keys.get(&author).copied();
        let key = known.or_else(|| author.public_key().ok());
        let key = key.ok_or(Misbehaviour::InvalidSignature)?;
        let verified = document.verify(&key).map_err(|_| Misbehaviour::InvalidSignature)?;
        if known.is_none() {
            self.remember_key(key);
        }
        Ok(verified)
    }

    fn check(&self, document: &Document, now: Time) -> Result<(), Misbehaviour> {
        if document.network != self.config.network {
            return Err(Misbehaviour::WrongNetwork);
        }
        let created_at = Time::from(document.created_at);
        let expired = document.expires_at.is_some_and(|expires_at| now >= expires_at.into());
        let (skew, far) = (limits::CLOCK_SKEW, limits::LONG_OVER);
        if now.since(created_at) > limits::LIVE_WINDOW + far
            || created_at > now.after(skew + far)
            || document.expires_at.is_some_and(|end| now.since(end.into()) > far)
        {
            return Err(Misbehaviour::LongOver);
        }
        if created_at > now.after(skew)
            || now.since(created_at) > limits::LIVE_WINDOW
            || expired
            || self.broadcast.recent.is_too_old(document.created_at)
            || !self.broadcast.recent.has_room_for(document.created_at, now)
        {
            return Err(Misbehaviour::OutOfTime);
        }
        Ok(())
    }

    /// A verified document that was not seen before: remember, deliver, pass on.
    fn accept(
        &mut self,
        document: &Arc<VerifiedDocument>,
        hops: u8,
        from: Option<LinkId>,
        now: Time,
    ) {
        self.broadcast.recent.insert(document, hops, now);
        self.quotas.note(document.author(), document, document.signed().size());
        self.note_subscription(document, now);
        let sender = from.and_then(|link| Some(self.links.get(&link)?.peer));
        self.deliver(document, hops, sender, now);
        let acts = self.broadcast.spread(document, hops, from, now);
        self.act(acts, now);
    }

    pub(super) fn announced(
        &mut self,
        link: LinkId,
        ids: &[DocumentId],
        now: Time,
    ) -> Result<(), Misbehaviour> {
        self.counters.announced = self.counters.announced.saturating_add(ids.len() as u64);
        let suspect = |link: &Link| self.reputation.is_suspect(&link.peer, now);
        let believed = !self.links.get(&link).is_some_and(suspect);
        for id in self.broadcast.announced(link, ids, believed, now)? {
            self.taken(id);
        }
        Ok(())
    }

    /// Tells a neighbour what we have, so that it announces what we lack.
    pub(super) fn compare(&mut self, link: LinkId, now: Time) {
        let since = self.cares_since(now);
        let until = now.before(limits::COMPARE_MARGIN).timestamp();
        let digests = self.broadcast.recent.digests_until(since, until);
        self.control(link, &Frame::Compare(Compare { since, digests }), now);
    }

    /// A neighbour tells what it has.
    pub(super) fn compared(
        &mut self,
        link: LinkId,
        compare: &Compare,
        now: Time,
    ) -> Result<(), Misbehaviour> {
        if compare.digests.len() > limits::DIGESTS {
            return Err(Misbehaviour::Oversize);
        }
        self.may_exchange(link, now)?;
        let lacking = self.broadcast.recent.differing_within(compare.since, &compare.digests, now);
        self.broadcast.lacks(link, lacking, now);
        Ok(())
    }

    pub(super) fn grafted(&mut self, link: LinkId, ids: &[DocumentId]) -> Result<(), Misbehaviour> {
        self.dirty.insert(link);
        self.broadcast.grafted(link, ids)
    }

    /// Moves what a neighbour asked for into its lane, as far as there is room.
    pub(super) fn serve(&mut self, link: LinkId) {
        while let Some(state) = self.links.get_mut(&link)
            && state.lanes.has_room()
            && let Some(parcel) = self.broadcast.requested(link)
            && state.lanes.push(parcel)
        {
            self.broadcast.served(link);
        }
    }

    pub(super) fn acknowledged(&mut self, link: LinkId, bytes: u32) -> Result<(), Misbehaviour> {
        let Some(state) = self.links.get_mut(&link) else { return Ok(()) };
        let taken = state.lanes.acknowledged(bytes)?;
        self.dirty.insert(link);
        for id in taken {
            self.taken(id);
        }
        Ok(())
    }

    fn taken(&mut self, id: DocumentId) {
        if self.broadcast.outbox.taken(&id) {
            self.event(Event::Taken { id });
        }
    }

    pub(super) fn tick_broadcast(&mut self, now: Time) {
        let links = &self.links;
        let ready = |link| links.get(&link).is_some_and(|link| link.lanes.has_control_room());
        let acts = self.broadcast.tick(now, ready);
        for act in &acts {
            if let crate::broadcast::Act::Control { frame: Frame::Graft(ids), .. } = act {
                self.counters.grafted += ids.len() as u64;
            }
        }
        self.act(acts, now);
        self.broadcast.recent.expire(now);
        self.quotas.expire(now);
        self.quotas.tick(now);
        for id in self.broadcast.outbox.expired(now) {
            self.event(Event::Lost { id });
        }
    }
}
