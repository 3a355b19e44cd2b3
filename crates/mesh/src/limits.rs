//! Every bound of the core, in one place.

mod spreading;

use core::time::Duration;

pub use spreading::*;

/// The largest message on a link, in bytes.
pub const MESSAGE_BYTES: usize = 16 * 1024;
/// And what a transport carries for it, where it is sealed in a [`crate::session`].
pub const WIRE_BYTES: usize = MESSAGE_BYTES + 16;
/// What a peer packs into a message at most, so that each has room on a circuit: sealed once more, and in a
/// frame to its signaller.
pub const PACKED_BYTES: usize = MESSAGE_BYTES - 64;
/// The largest frame after its fragments were put together: a document and what surrounds it.
pub const FRAME_BYTES: usize = taiinet_document::limits::DOCUMENT_BYTES + 1024;
/// The largest session description or candidate, in bytes.
pub const NEGOTIATION_BYTES: usize = 8 * 1024;
/// How many ids one announcement or graft names at most.
pub const IDS_PER_FRAME: usize = 400;
/// How many presences one frame carries at most.
pub const PRESENCES_PER_FRAME: usize = 16;
/// The largest signed presence, in bytes: with the longest names there are, and some.
pub const PRESENCE_BYTES: usize = 576;
/// How much an archive says in it of what it keeps, in bytes; it has no address.
pub const KEPT_BYTES: usize = 192;

/// How many active links a peer wants, unless configured otherwise.
pub const TARGET_LINKS: usize = 6;
/// How many active links a peer has at most, unless configured otherwise.
pub const MAX_LINKS: usize = 10;
/// How many archives a peer keeps links to, for what was before.
pub const ARCHIVES: usize = 3;
/// A search that finds no archive among the neighbours waits so long for these to say whether they know of one, and
/// so long for a link to that.
pub const ARCHIVE_HEARD: Duration = Duration::from_secs(1);
/// See [`ARCHIVE_HEARD`].
pub const ARCHIVE_DIALLED: Duration = Duration::from_millis(2500);
/// When that was in vain no search waits for a link so long.
pub const ARCHIVE_REST: Duration = Duration::from_secs(30);
/// Of so many archives a peer goes on knowing while others displace candidates at random.
pub const ARCHIVES_KNOWN: usize = 8;
/// Of the active links at most this many hundredths were opened by others, so that no number of
/// strangers evicts or outnumbers the neighbours that a peer chose itself.
pub const INCOMING_SHARE: usize = 70;
/// How many links of a peer may be relayed at once, beside the others: as many as hold a mesh together in which
/// no two have a direct path, and few, since a signaller carries them.
pub const CIRCUITS: usize = 4;
/// Of these, links that others have asked for. No more of them count towards [`CIRCUITS_ENOUGH`], either: so a peer
/// that has no direct path always has a relayed link of its own choice, whoever asks it for others. (If it had more of
/// its own, all places in a mesh of such peers would soon be taken, and newcomers would find none.)
pub const CIRCUITS_OF_OTHERS: usize = 2;
/// With so many neighbours a peer asks for no relayed link, and parts with one if the other end has as many that
/// are linked directly. Where each has three, chosen at random, a mesh is all but certainly connected.
pub const CIRCUITS_ENOUGH: usize = 3;
/// A direct link that is not open after so long may be relayed meanwhile.
pub const CIRCUIT_AFTER: Duration = Duration::from_secs(3);
/// When there is a direct link, the relayed one between the same two goes so much later: by then both ends know.
pub const CIRCUIT_LINGERS: Duration = Duration::from_secs(2);
/// Of how many peers it is remembered that no direct path leads to them.
pub const CIRCUITS_REMEMBERED: usize = 64;
/// Bytes on their way from one end of a circuit to the other: with one message more for each of
/// [`CIRCUITS`], no more than a transport holds.
pub const CIRCUIT_WINDOW: usize = 16 * 1024;
/// What a message counts for there besides its bytes: so many small ones are few.
pub const CIRCUIT_MESSAGE_BYTES: usize = 1024;
/// Work that a circuit makes which another peer opens: two key exchanges, in units of [`WORK`].
pub const CIRCUIT_WORK: u64 = 200;
/// How many links may be under negotiation or in their handshake at once, beside the active ones.
pub const PENDING_LINKS: usize = 8;
/// How many candidates the passive view holds.
pub const PASSIVE_VIEW: usize = 96;
/// How many signallers one peer knows.
pub const SIGNALLERS: usize = 16;
/// How many subscriptions one peer has at most.
pub const SUBSCRIPTIONS: usize = 100_000;

/// Bytes of documents sent on a link and not yet acknowledged by the neighbour.
pub const LINK_WINDOW: usize = 512 * 1024;
/// Bytes that later versions may add to a hello.
pub const HELLO_EXTRA_BYTES: usize = 1024;
/// Work that a neighbour may make for us, in units of about a microsecond: so much at once, and so much
/// each second. What is over it waits.
pub const WORK: (u32, u32) = (500_000, 100_000);
/// Of so many peers whose links have ended it is remembered how much work they made, until that is paid.
pub const SPENDERS: usize = 1024;
/// Bytes of messages that wait until a neighbour may make more work: a window of documents, and what its
/// other lanes hold when they are full.
pub const WAITING_BYTES: usize = LINK_WINDOW
    + taiinet_document::limits::DOCUMENT_BYTES
    + CONTROL_LANE_BYTES
    + 2 * FOUND_LANE_BYTES;
/// Bytes handed to a link's transport that it has not reported as sent.
pub const TRANSPORT_WINDOW: usize = 128 * 1024;
/// Bytes of control frames waiting for a link; one that needs more is not keeping up and is closed.
pub const CONTROL_LANE_BYTES: usize = 256 * 1024;
/// Bytes of documents waiting for a link; beyond it documents are announced instead of pushed.
pub const DATA_LANE_BYTES: usize = 512 * 1024;
/// Announcements waiting for a link; the oldest give way.
pub const OWED_IDS: usize = 8 * 1024;
/// Announced and not yet received documents remembered for each link.
pub const PROMISED_IDS: usize = 8 * 1024;
/// How often one document is served to one link on its request.
pub const SERVINGS: u8 = 3;

/// Documents of our own that no neighbour has taken yet.
pub const UNTAKEN_DOCUMENTS: usize = 1024;
/// Bytes of the heap that documents of our own take which no neighbour has taken yet.
pub const UNTAKEN_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of the heap that recent documents take which are kept for neighbours that ask for them.
pub const STORE_BYTES: usize = 64 * 1024 * 1024;
/// How many documents of our own with a key are kept for as long as we run, the newest of each key.
pub const OWN_DOCUMENTS: usize = 1024;
/// And in how many bytes of the heap.
pub const OWN_BYTES: usize = 4 * 1024 * 1024;
/// Ids of verified documents remembered, so that each is delivered once.
pub const SEEN_IDS: usize = 1 << 20;

/// How far ahead of our clock a document or presence may be dated.
pub const CLOCK_SKEW: Duration = Duration::from_secs(120);
/// How old a document may be that was not asked for.
pub const LIVE_WINDOW: Duration = Duration::from_secs(300);
/// The longest life of a presence.
pub const PRESENCE_LIFE: Duration = Duration::from_secs(600);
/// A presence that is about to expire is not passed on any more.
pub const PRESENCE_MARGIN: Duration = Duration::from_secs(10);
/// How long a signal counts after it was made.
pub const SIGNAL_LIFE: Duration = Duration::from_secs(60);

/// From the dial to the open channel.
pub const DIAL_TIMEOUT: Duration = Duration::from_secs(15);
/// An offer of ours that was not answered for so long is lost, if the other end offers.
pub const OFFER_LOST: Duration = Duration::from_millis(1500);
/// From the open channel to the finished handshake.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// A hello that was not answered is sent again after so long.
pub const HELLO_AGAIN: Duration = Duration::from_millis(700);
/// A link on which nothing was sent for so long gets a ping.
pub const PING_AFTER: Duration = Duration::from_millis(1500);
/// How often the round trip is measured.
pub const PING_EVERY: Duration = Duration::from_secs(5);
/// A link from which nothing was heard for so long is dead.
pub const SILENCE: Duration = Duration::from_secs(6);
/// How long a requested document may take before the next announcer is asked.
pub const PROMISE: Duration = Duration::from_secs(4);
/// How long a document that was asked for elsewhere may take, whatever else comes from there, before
/// another announcer is asked as well.
pub const HOLD_BACK: Duration = Duration::from_secs(5);
/// Announcements are gathered for so long.
pub const ANNOUNCE_EVERY: Duration = Duration::from_millis(2);
/// And held back for so long while a link has no room for them.
pub const HOLD_ANNOUNCEMENTS: Duration = Duration::from_millis(40);
/// Acknowledgements are gathered for so long, or for this share of the window.
pub const ACK_EVERY: Duration = Duration::from_millis(20);
/// How often views are shuffled.
pub const SHUFFLE_EVERY: Duration = Duration::from_secs(10);
/// Views are exchanged only every so-manieth time
pub const SHUFFLE_CALM: u32 = 3;
/// where no neighbour was lost for so long, and there are candidates enough.
pub const CALM_AFTER: Duration = Duration::from_secs(30);
/// The first and the longest wait before a signaller is tried again.
pub const SIGNALLER_BACKOFF: (Duration, Duration) =
    (Duration::from_millis(500), Duration::from_secs(30));
/// How often a signaller is asked for candidates at most, and how rarely when nothing helps.
pub const INTRODUCE_BACKOFF: (Duration, Duration) =
    (Duration::from_millis(300), Duration::from_secs(20));
/// How long a candidate rests after a dial to it failed, and at most.
pub const REDIAL_BACKOFF: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(120));
/// The largest sealed part of a negotiation.
pub const SEALED_BYTES: usize = NEGOTIATION_BYTES + 256;
/// How many parts of one negotiation are kept to be sent over another route.
pub const PARTS_PER_SESSION: usize = 24;
/// How many offers are remembered against replays.
pub const OFFERS_REMEMBERED: usize = 512;
/// Signals that one link may pass us at once, and how many more each second.
pub const SIGNALS: (u32, u32) = (120, 20);
/// How many signallers a peer is connected to at once.
pub const SIGNALLER_LINKS: usize = 3;
/// A signaller to which nothing was sent for so long gets a ping.
pub const SIGNALLER_PING_AFTER: Duration = Duration::from_secs(15);
/// A signaller from which nothing was heard for so long is gone.
pub const SIGNALLER_SILENCE: Duration = Duration::from_secs(40);
/// How many candidates a signaller is asked for at once.
pub const INTRODUCE: u8 = 8;
/// How many that want the same are asked for at once.
pub const INTRODUCE_FOR_ONE: u8 = 4;
/// A signaller is asked for such peers four times at once, and then each ten seconds: each costs ten of these.
pub const INTRODUCE_FOR: (u32, u32) = (4 * 10, 1);
/// How many introductions of a signaller may be outstanding; more are not listened to.
pub const INTRODUCTIONS_AWAITED: u8 = 4;
/// Offences of a signaller's own after which its connection is closed.
pub const SIGNALLER_OFFENCES: u32 = 16;
/// And how long it is then left alone, at first and at last.
pub const SIGNALLER_DISTRUST: (Duration, Duration) =
    (Duration::from_secs(30), Duration::from_secs(1800));
/// Of the passive view at most so many are known from one and the same neighbour or signaller alone.
pub const PASSIVE_SHARE: usize = PASSIVE_VIEW / 2;
/// How old an archive's presence must be before another one is signed because what it keeps has changed.
pub(crate) const PRESENCE_NEWS: Duration = Duration::from_secs(10);
/// For how many peers that dialled us before we had heard of them we remember why they could not reach us.
pub(crate) const STRANGERS_NOTED: usize = 8;
/// How long a neighbour that broke its promises is not believed.
pub const DISTRUST: Duration = Duration::from_secs(10);
/// Documents asked for and not yet sent, for each link.
pub const REQUESTED_IDS: usize = 4 * IDS_PER_FRAME;
/// How often a peer with more links than its target looks whether one can go.
pub const TRIM_EVERY: Duration = Duration::from_secs(2);
/// How often a peer with a full view looks whether to change a neighbour.
pub const MIX_EVERY: Duration = Duration::from_secs(30);
/// A neighbour that has brought no document for so long is of no use to a peer that is cut off.
pub const IDLE_AFTER: Duration = Duration::from_secs(10);
/// A peer that is cut off changes so many neighbours at once,
pub const CHANGES: usize = 2;
/// first after so long,
pub const CUT_OFF_AFTER: Duration = Duration::from_secs(4);
/// and then again: the first and the longest wait.
pub const CUT_OFF_BACKOFF: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));
/// How many pieces one comparison has at most.
pub const PIECES: usize = 200;
/// How many documents are in one piece.
pub const PIECE_DOCUMENTS: usize = 64;
/// How many documents are looked at for one comparison of a neighbour, to be hashed and to be announced:
/// as many as one of ours makes the other end look at where everything differs.
pub const COMPARE_LOOKS: usize = 2 * PIECES * PIECE_DOCUMENTS;
/// So many documents that are looked at cost a unit of [`WORK`].
pub const LOOKS_PER_UNIT: usize = 4;
/// How often an archive asks those of its neighbours for what it lacks, beside when a link is new.
pub const RECONCILE_EVERY: Duration = Duration::from_secs(240);
/// How rarely at most where that is of no use: each time twice as much later.
pub const RECONCILE_RARELY: Duration = Duration::from_secs(3600);
/// How long a neighbour's archive may take to answer.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// How many questions of a link an archive answers at once: one, and one where the other end has given up another.
pub const ANSWERED_AT_ONCE: usize = 2;
/// How many documents an archive asks another for at once.
pub const WANTED_IDS: usize = 256;
/// And how many bytes of documents it gets.
pub const GIVEN_BYTES: usize = 512 * 1024;
/// What it takes to find a document of an archive by its id, in units of [`WORK`].
pub const PICK_WORK: u64 = 20;
/// A document that is about to leave the live window is not announced any more.
pub const LIVE_MARGIN: Duration = Duration::from_secs(10);
/// How long before its start a peer begins to care for documents.
pub const START_MARGIN: Duration = Duration::from_secs(2);
/// Public keys of authors kept ready.
pub const AUTHOR_KEYS: usize = 4096;
/// How many STUN servers are taken from a signaller.
pub const ICE_SERVERS: usize = 4;
/// The longest address of a STUN server.
pub const ICE_SERVER_BYTES: usize = 256;
/// How many ways to reach one candidate are remembered.
pub const ROUTES: usize = 8;
/// Ids that one link may announce at once, and how many more each second.
pub const ANNOUNCEMENTS: (u32, u32) = (16_384, 15_000);
/// Documents whose servings to a link are counted.
pub const SERVINGS_REMEMBERED: usize = 16 * 1024;
/// How soon one point of offences is forgiven ([`crate::Misbehaviour::weight`]).
pub const POINT_FORGIVEN_EVERY: Duration = Duration::from_secs(6);
/// From so many points on, neither a neighbour's announcements nor the peers that it tells of are believed.
pub const SUSPECT_AT: u32 = 20;
/// At so many points a peer is blacklisted.
pub const BLACKLISTED_AT: u32 = 100;
/// For how long, the first time and at most; each time is twice as long as the one before.
pub const BLACKLISTED_FOR: (Duration, Duration) =
    (Duration::from_secs(600), Duration::from_secs(24 * 3600));
/// For how long after its end a time on the blacklist makes the next one longer.
pub const LISTING_REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// How many peers can be blacklisted by hand.
pub const LISTED_BY_HAND: usize = 4096;
/// Of how many peers offences are remembered.
pub const REPUTATIONS: usize = 2 * LISTED_BY_HAND;
/// How much a link may cost at once, and how much more each second
/// ([`crate::Misbehaviour::link_cost`]).
pub const LINK_TOLERANCE: (u32, u32) = (256, 1);
/// For how long there is no link to a peer whose link cost more than that.
pub const USELESS_RESTS: Duration = Duration::from_secs(120);
/// Beyond the limits on its time, a document that is further out than this was passed on knowingly, or
/// one of two clocks is of no use: twice the clocks' skew, and a minute on the way.
pub const LONG_OVER: Duration = Duration::from_secs(2 * CLOCK_SKEW.as_secs() + 60);
/// Shuffles and comparisons that one link may send at once, and how many each second.
pub const EXCHANGES: (u32, u32) = (16, 2);
/// How often one link may say that it dozes, has a surplus, or what is to be pushed to it, at once and each
/// second; a peer that keeps the rules says it a third as often, and a stalled link may bring a minute of it.
pub const STATES: (u32, u32) = (2048, 64);
/// That we cease to doze, and whether we have a surplus, is told at most so often; the last state counts.
pub const TELL_EVERY: Duration = Duration::from_secs(1);
/// What has come within so long is left out when two neighbours compare: it may be on its way.
pub const COMPARE_MARGIN: Duration = Duration::from_secs(10);
/// After announcements had no room, the link compares so much later at the earliest.
pub const COMPARE_AFTER: Duration = Duration::from_secs(1);
/// Bytes of the heap that documents take, decoded, which come while the application is behind; what
/// comes beyond is fetched when it has caught up. Short texts hold two and a half times their bytes on the
/// wire: so these are 8 MiB of them.
pub const BEHIND_BYTES: usize = 20 * 1024 * 1024;
/// While the seen-cache is more than half full, documents dated further ahead are refused: otherwise an
/// author that fills it with such could make it forget, and then refuse as old, what is written now.
pub const FUTURE_GRACE: Duration = Duration::from_secs(5);
/// How far a document without a key may be ahead of its author's clock, since each bears a time of its own
/// ([`crate::Stamps`]).
pub const STAMP_LEAD: Duration = Duration::from_secs(2);
/// How far a version of a document may be: it must be later than the one before it, whatever clock that was
/// of. Half of what others accept. What is further ahead waits.
pub const VERSION_LEAD: Duration = Duration::from_secs(CLOCK_SKEW.as_secs() / 2);
/// Documents that one author publishes at once, and how many more each second, unless the network is
/// configured otherwise.
pub const AUTHOR_DOCUMENTS: (u32, u32) = (16 * 1024, 1000);
/// Bytes of documents that one author publishes at once, and how many more each second.
pub const AUTHOR_BYTES: (u32, u32) = (64 * 1024 * 1024, 8 * 1024 * 1024);
/// Over which time an author's documents are counted by others.
pub const QUOTA_STEP: Duration = Duration::from_secs(60);
/// Of how many authors the documents of one such time are counted one by one.
pub const QUOTA_AUTHORS: usize = 8192;
/// How soon a document of ours that was over our quota is tried again.
pub const QUOTA_RETRY: Duration = Duration::from_millis(20);
/// How long a peer that finds no room is to wait, about, before it asks again.
pub const REFUSED_FOR: Duration = Duration::from_secs(4);

/// A link to or from a peer that dozes, and from which nothing was heard for so long, is dead: its
/// timers may come once a minute.
pub const DOZE_SILENCE: Duration = Duration::from_secs(75);
/// So much longer than for others a document is awaited that a dozer announced, or a neighbour that owes answers.
pub const DOZE_GRAFT_AFTER: Duration = Duration::from_millis(250);
/// After a wake, a peer that is not heard of for so long is not there any more.
pub const WAKE_PROBE: Duration = Duration::from_secs(2);
/// A neighbour that was asked whether it is there, and says nothing for so long, may be dialled again while
/// the old link has the rest of its time: it may well be there, and the way to it another.
pub const DOUBTED_AFTER: Duration = Duration::from_millis(700);
/// When nothing was heard of any neighbour for so long, it may be us who are cut off: all are asked, and
/// the signallers as well.
pub const ALL_SILENT: Duration = Duration::from_millis(2500);
/// And so often at most, whatever the neighbours do.
pub const ALL_SILENT_EVERY: Duration = Duration::from_secs(5);
/// A peer that is called so much later than it wanted has slept: what others said meanwhile is read
/// before they are judged.
pub const OVERSLEPT: Duration = Duration::from_secs(3);

/// How many searches one peer has under way at once.
pub const FINDS: usize = 16;
/// How many there are at most with those that rest.
pub const FINDS_AT_REST: usize = 128;
/// How many names of versions one search remembers.
pub const FIND_VERSIONS: usize = 16 * 1024;
/// How long a search waits for its neighbours' answers.
pub const FIND_TIMEOUT: Duration = Duration::from_secs(4);
/// A neighbour has missed a search if it was asked so long before the end and has brought fewer bytes than this.
pub(crate) const FIND_LATE: (Duration, usize) = (Duration::from_secs(2), 64 * 1024);
/// The score at which a peer rests: a missed search adds two to it, and a page that it has answered takes one away.
pub(crate) const LATE_AT: u8 = 4;
/// For how many peers the score is remembered.
pub(crate) const LATE_PEERS: usize = 256;
/// How long a peer rests: meanwhile it is asked only if no other of its kind is there.
pub(crate) const FIND_REST: Duration = Duration::from_secs(60);
/// The longest query of a search, as JSON text.
pub const FIND_QUERY_BYTES: usize = taiinet_query::limits::QUERY_BYTES;
/// Pages of searches that one link may ask for at once, and how many more each second. What looking takes is [`WORK`].
pub const FIND_REQUESTS: (u32, u32) = (16, 2);
/// The same of an archive.
pub const ARCHIVE_REQUESTS: (u32, u32) = (256, 64);
/// How many documents are looked at for one search, the newest first.
pub const FIND_DOCUMENTS: usize = 4096;
/// The work that one search takes of a peer that it asks, in units of [`taiinet_query::Fuel`]: about
/// 16 ms, which decode 4 MiB of documents.
pub const FIND_FUEL: u64 = 32 * 1024 * 1024;
/// What it takes to decode one byte of a document.
pub const DECODING_FUEL: u64 = 8;
/// Of so many decoded bytes one counts as a byte of the document: it takes about as long to make them.
pub const FIND_DECODED_SHARE: usize = 16;
/// So many units of [`taiinet_query::Fuel`] are one of [`WORK`].
pub const FUEL_PER_UNIT: u64 = 2000;
/// Bytes of the heap that the documents take which one search of ours finds; then it ends.
pub const FIND_HEAP_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of documents in one answer to a search.
pub const FOUND_BYTES: usize = 1024 * 1024;
/// Bytes of found documents that wait for a link; they go behind all else.
pub const FOUND_LANE_BYTES: usize = 1024 * 1024;
/// How many documents an archive is asked to keep at once.
pub const KEEP_DOCUMENTS: usize = 256;
/// Bytes of them, if they are several.
pub const KEEP_BYTES: usize = 128 * 1024;
/// How many such requests a link may have outstanding; who gets no answer asks for no more.
pub const KEEPS_AWAITED: usize = 4;
/// How many such requests of ours are under way, or wait for an archive.
pub const KEEPS: usize = 16;
/// How long an archive may take to answer one before another is asked.
pub const KEEP_TIMEOUT: Duration = Duration::from_secs(20);
/// What it takes to keep one document, with its signature verified, in units of [`WORK`].
pub const KEEPING: u64 = 60;
/// How many private subscriptions a peer has at most: each costs a key exchange for each sealed
/// document that passes.
pub const PRIVATE_SUBSCRIPTIONS: usize = 32;
/// How long an announcement of a private subscription counts; less than the live window, so that
/// newcomers still get it.
pub const ANNOUNCED_FOR: Duration = Duration::from_secs(240);
/// How often, about, it is announced again; twice in its life, also if a timer is a minute late.
pub const ANNOUNCE_AGAIN: Duration = Duration::from_secs(80);
/// When an announcement for which there was no room is tried again.
pub const ANNOUNCE_RETRY: Duration = Duration::from_secs(1);
/// How many private subscriptions of others a peer remembers, and in how many bytes of its memory.
pub const DIRECTORY_ENTRIES: usize = 8192;
/// See [`DIRECTORY_ENTRIES`].
pub const DIRECTORY_BYTES: usize = 4 * 1024 * 1024;
/// What an entry is taken to need besides its query.
pub const DIRECTORY_ENTRY_BYTES: usize = 512;
/// While the directory is full, the author that occupies most of it gives way, if that is more than this.
pub const DIRECTORY_SHARE: usize = 16 * 1024;
/// Announcements of private subscriptions that are read, of all at once and more each second: each
/// costs a key exchange and compiling a query. What comes beyond is announced again anyway.
pub const DIRECTORY_ANNOUNCEMENTS: (u32, u32) = (8192, 256);
/// The same of one announcer: twice as many as it may have, and ten times as many as it needs.
pub const ANNOUNCER_ANNOUNCEMENTS: (u32, u32) = (2 * PRIVATE_SUBSCRIPTIONS as u32, 4);
/// The work of finding the recipients of one document, in units of [`taiinet_query::Fuel`]: about
/// 5 ms. Subscriptions for which that is not enough are left out.
pub const MATCH_WORK: u64 = 8 * 1024 * 1024;
/// Of that, for the queries of one announcer in the first turn: enough for the clauses of a whole query,
/// or a short expression and a short text.
pub const MATCH_TURN: u64 = 16 * 1024;
/// Key exchanges that opening sealed documents may take at once, and how many more each second: some
/// hundredths of a processor. What comes beyond waits.
pub const OPENINGS: (u32, u32) = (4096, 1024);
/// Of these, for the documents of one author. Those that were for us do not count.
pub const AUTHOR_OPENINGS: (u32, u32) = (2048, 512);
/// How many authors' exchanges are remembered.
pub const OPENING_AUTHORS: usize = 4096;
/// How many sealed documents wait to be opened, and in how many bytes; what has no room was passed on,
/// but is not delivered here ([`Counters::unopened`](crate::Counters::unopened)).
pub const UNOPENED: usize = 1024;
/// See [`UNOPENED`].
pub const UNOPENED_BYTES: usize = 8 * 1024 * 1024;
/// How soon those that wait are tried again.
pub const OPENING_RETRY: Duration = Duration::from_millis(20);
/// Key exchanges that one search may take: as many as a second of live documents.
pub const FIND_OPENINGS: usize = 1024;
/// How many signallers a pool has at most: each is linked to each other.
pub const POOL_LINKS: usize = 64;
/// The longest address of a signaller, in bytes.
pub const ADDRESS_BYTES: usize = 256;
/// How many addresses of the pool are remembered.
pub const SEEDS: usize = 128;
/// How long to wait before an address is dialled again.
pub const SEED_BACKOFF: (Duration, Duration) =
    (Duration::from_millis(500), Duration::from_secs(15));
/// Of two links between the same two peers that are younger than this, the smaller key's stays.
pub const GLARE: Duration = Duration::from_secs(5);
/// How many connections of others to the pool may be in their handshake at once, and of these from one
/// address.
pub const STRANGERS: usize = 64;
/// See [`STRANGERS`].
pub const STRANGERS_PER_ADDRESS: usize = 4;
/// How many signals a neighbour in the pool may pass us at once, and how many each second.
pub const RELAYED: (u32, u32) = (20_000, 5_000);
/// How many signallers a signaller tells of at once.
pub const SIGNALLERS_TOLD: usize = 8;
/// How many signallers to be joined to before learned ones are not needed.
pub const SIGNALLERS_ENOUGH: usize = 2;
/// How often a signaller exchanges the presences of others with a neighbour in the pool.
pub const POOL_SHUFFLE_EVERY: Duration = Duration::from_secs(2);
/// How much work a peer does for a join at most, in zero bits: some seconds of it.
pub const WORK_BITS: u8 = 24;
/// How many numbers are tried before other things have their turn: about a millisecond.
pub const WORK_TRIES: u64 = 8192;
/// How long the others have it.
pub const WORK_PAUSE: Duration = Duration::from_millis(1);
/// How long a join may take for which there is work to do.
pub const WORK_TIMEOUT: Duration = Duration::from_secs(60);
