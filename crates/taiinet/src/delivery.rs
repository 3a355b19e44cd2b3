//! Documents on their way to a subscription, and how many of them wait to be read.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use taiinet_document::{
    DocumentId, Map, Opened, Timestamp, VerifiedDocument, Writers, to_json_line,
};
use taiinet_identity::PeerId;
use taiinet_session::{Privacy, Ready, Removed, backlog::LOW_WATER};
use tokio::sync::{Notify, mpsc};

/// A document that matched a subscription. Cheap to clone.
#[derive(Clone)]
pub struct Delivery {
    pub(crate) document: Arc<VerifiedDocument>,
    pub(crate) opened: Option<Arc<Opened>>,
    pub(crate) received_at: Timestamp,
    pub(crate) hops: u8,
    pub(crate) via: Option<PeerId>,
    is_backlog: bool,
    replaces: Option<DocumentId>,
    /// What it holds of the heap; it may be a hundred times the bytes of its document.
    cost: usize,
}

impl Delivery {
    pub(crate) fn new(
        document: Arc<VerifiedDocument>,
        opened: Option<Arc<Opened>>,
        received_at: Timestamp,
        hops: u8,
        via: Option<PeerId>,
    ) -> Self {
        let opened_size = opened.as_ref().map_or(0, |opened| opened.heap_size());
        let cost =
            size_of::<Self>() + size_of::<VerifiedDocument>() + document.heap_size() + opened_size;
        Self { document, opened, received_at, hops, via, is_backlog: false, replaces: None, cost }
    }

    /// For a subscription: whether it was published before it, and which version it was shown before.
    pub(crate) fn shown(self, is_backlog: bool, replaces: Option<DocumentId>) -> Self {
        Self { is_backlog, replaces, ..self }
    }

    /// What it holds of the heap.
    pub(crate) const fn cost(&self) -> usize {
        self.cost
    }

    /// The fields of the document, also those that were sealed; none for a deletion.
    pub fn data(&self) -> &Map {
        static NONE: Map = Map::new();
        let opened = self.opened.as_ref().map(|opened| &opened.fields);
        opened.or_else(|| self.document.content().fields()).unwrap_or(&NONE)
    }

    /// Which peers could read it on its way.
    pub fn privacy(&self) -> Privacy {
        Privacy::of(self.opened.as_deref())
    }

    /// The peer that wrote and signed it.
    pub fn author(&self) -> PeerId {
        self.document.author()
    }

    /// The hash of its signed bytes, by which all peers know it.
    pub fn id(&self) -> DocumentId {
        self.document.id()
    }

    /// The peer whose document it is a version of, by its key: mostly its author.
    pub fn owner(&self) -> PeerId {
        self.document.owner()
    }

    /// The version that the subscription was shown before, and that this one replaces; of the last 16,384
    /// documents.
    pub const fn replaces(&self) -> Option<DocumentId> {
        self.replaces
    }

    /// Its key among the documents of its owner, if it has one.
    pub fn key(&self) -> Option<&str> {
        self.document.key_name()
    }

    /// The peers that its owner lets write versions of it, from this one on; none if it is not shared, or this one is
    /// not its owner's.
    pub fn writers(&self) -> Option<&Writers> {
        self.document.key.as_ref()?.writers()
    }

    /// When its author says to have published it.
    pub fn created_at(&self) -> Timestamp {
        self.document.created_at
    }

    /// When it arrived here.
    pub const fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// When it expires, if its author says so.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.document.expires_at
    }

    /// How many links it crossed, as far as one can tell; 0 for our own.
    pub const fn hops(&self) -> u8 {
        self.hops
    }

    /// The neighbour it came from; none for our own.
    pub const fn via(&self) -> Option<PeerId> {
        self.via
    }

    /// Whether it was published before the subscription, and comes with
    /// [`SubscribeOptions::backlog`](crate::SubscribeOptions).
    pub const fn is_backlog(&self) -> bool {
        self.is_backlog
    }

    /// The fields as one line of JSON, by the rules of [`taiinet_document::json`].
    pub fn json(&self) -> String {
        // A verified document holds nothing that cannot be written.
        to_json_line(self.data()).unwrap_or_default()
    }

    /// The fields as a type of yours.
    ///
    /// # Errors
    /// [`serde_json::Error`] if the document is no `T`.
    pub fn deserialize<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_value(taiinet_document::Value::Map(self.data().clone()).into())
    }

    /// The document with its signature.
    pub const fn document(&self) -> &Arc<VerifiedDocument> {
        &self.document
    }
}

/// With the fields that every peer could read; what was sealed does not belong in a log.
impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id())
            .field("author", &self.author())
            .field("privacy", &self.privacy())
            .field("open", &self.document.content().fields())
            .finish_non_exhaustive()
    }
}

/// What a subscription tells.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SubscriptionEvent {
    /// A document that matches, or a new version of one ([`Delivery::replaces`]).
    Document(Delivery),
    /// A document that was shown is gone. This is told of the last 16,384 documents that the subscriptions of a peer
    /// were shown.
    Removed(Removed),
    /// Two versions of one document bear the same time, and one of them matches.
    Conflict {
        /// The version that counts, by chance: that of the greater id. It is delivered as well, if it matches.
        winner: Delivery,
        /// The other.
        loser: Delivery,
    },
    /// What was published before has come; only with [`SubscribeOptions::backlog`](crate::SubscribeOptions), and
    /// once more after each [`Subscription::more`](crate::Subscription::more).
    Ready(Ready),
}

/// How many bytes of the heap wait to be read.
#[derive(Debug)]
struct Level {
    unread: AtomicUsize,
    /// Wakes the driver when the level falls through low water.
    relief: Arc<Notify>,
}

impl Level {
    fn rise(&self, bytes: usize) {
        self.unread.fetch_add(bytes, Ordering::AcqRel);
    }

    fn fall(&self, bytes: usize) {
        let before = self.unread.fetch_sub(bytes, Ordering::AcqRel);
        if before > LOW_WATER && before - bytes <= LOW_WATER {
            self.relief.notify_one();
        }
    }
}

/// The two ends of what is delivered to a subscription.
pub(crate) fn deliveries(relief: Arc<Notify>) -> (Inbox, Unread) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let level = Arc::new(Level { unread: AtomicUsize::new(0), relief });
    (Inbox { sender, level: Arc::clone(&level) }, Unread { receiver, level })
}

/// The reader's end.
#[derive(Debug)]
pub(crate) struct Unread {
    receiver: mpsc::UnboundedReceiver<SubscriptionEvent>,
    level: Arc<Level>,
}

impl Unread {
    /// Cancel-safe.
    pub(crate) async fn next(&mut self) -> Option<SubscriptionEvent> {
        let event = self.receiver.recv().await;
        self.read(event)
    }

    pub(crate) fn try_next(&mut self) -> Option<SubscriptionEvent> {
        let event = self.receiver.try_recv().ok();
        self.read(event)
    }

    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<SubscriptionEvent>> {
        let event = std::task::ready!(self.receiver.poll_recv(cx));
        Poll::Ready(self.read(event))
    }

    fn read(&self, event: Option<SubscriptionEvent>) -> Option<SubscriptionEvent> {
        if let Some(SubscriptionEvent::Document(delivery)) = &event {
            self.level.fall(delivery.cost);
        }
        event
    }
}

/// The driver's end.
#[derive(Debug)]
pub(crate) struct Inbox {
    sender: mpsc::UnboundedSender<SubscriptionEvent>,
    level: Arc<Level>,
}

impl Inbox {
    pub(crate) fn push(&self, delivery: Delivery) {
        self.level.rise(delivery.cost);
        // A receiver that is gone has sent its `Unsubscribe`.
        let _ = self.sender.send(SubscriptionEvent::Document(delivery));
    }

    /// Of what holds next to nothing.
    pub(crate) fn tell(&self, event: SubscriptionEvent) {
        let _ = self.sender.send(event);
    }

    /// How many bytes wait to be read.
    pub(crate) fn unread(&self) -> usize {
        self.level.unread.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use getrandom::SysRng;
    use rand_core::UnwrapErr;
    use taiinet_document::{Content, Document, Sealed, parse_map};
    use taiinet_identity::{Identity, OpeningKey, Recipient, Seed};
    use taiinet_session::backlog::HIGH_WATER;

    use super::*;

    #[test]
    fn what_was_sealed_is_not_printed() {
        let identity = Identity::from_seed(&Seed::from_bytes([1; 32]));
        let (author, network) = (identity.peer_id(), "n".parse().expect("a name"));
        let fields = parse_map(r#"{"type": "tweet", "text": "psst"}"#).expect("JSON");
        let to = [Recipient::Peer(author)];
        let sealed = Sealed::seal(fields, &["type"], &to, author, &network, &mut UnwrapErr(SysRng));
        let document = Document {
            network,
            created_at: Timestamp::from_millis(1),
            nonce: 0,
            expires_at: None,
            key: None,
            next_key: None,
            content: Content::Sealed(sealed.expect("sealed")),
        };
        let document = VerifiedDocument::sign(&identity, document).expect("signed");
        let opened = document.open([OpeningKey::Identity(&identity)]).expect("ours");
        let opened = Some(Arc::new(opened));
        let delivery =
            Delivery::new(Arc::new(document), opened, Timestamp::from_millis(2), 0, None);
        assert!(delivery.json().contains("psst"));
        let printed = format!("{delivery:?}");
        assert!(printed.contains("tweet"), "{printed}");
        assert!(!printed.contains("psst") && !printed.contains("text"), "{printed}");
    }

    /// A document of 65 kB that holds 5 MB used to count for 66 kB.
    #[test]
    fn what_waits_unread_counts_for_what_it_holds() {
        let identity = Identity::from_seed(&Seed::from_bytes([1; 32]));
        let delivery = |content: &str| {
            let document = Document {
                network: "n".parse().expect("a name"),
                created_at: Timestamp::from_millis(1),
                nonce: 0,
                expires_at: None,
                key: None,
                next_key: None,
                content: Content::Open(parse_map(content).expect("JSON")),
            };
            let document = VerifiedDocument::sign(&identity, document).expect("signed");
            Delivery::new(Arc::new(document), None, Timestamp::from_millis(2), 0, None)
        };
        let (inbox, mut unread) = deliveries(Arc::default());
        let maps = vec![r#"{"a":null}"#; taiinet_document::limits::VALUES / 2 - 1].join(",");
        let expensive = delivery(&format!(r#"{{"list":[{maps}]}}"#));
        assert!(expensive.document().signed().size() < 100_000);
        inbox.push(expensive);
        assert!(inbox.unread() > HIGH_WATER);
        unread.try_next().expect("it waits");
        assert_eq!(inbox.unread(), 0);
        for _ in 0..1000 {
            inbox.push(delivery(r#"{"text":"about so much as a message has"}"#));
        }
        assert!(inbox.unread() <= HIGH_WATER);
    }
}
