//! Bounds of the rooms that decide where documents go: trees, routes, suppliers.

use core::time::Duration;

// ---- The rooted trees ----

/// How many trees a network has: where the root of one hides documents, the other's names them.
pub const SLOTS: usize = 2;
/// The largest signed bulletin, in bytes.
pub const BULLETIN_BYTES: usize = 8 * 1024;
/// How many documents one bulletin names at most.
pub const NAMES_PER_BULLETIN: usize = 256;
/// And in how many bytes.
pub const NAMED_BYTES: usize = BULLETIN_BYTES - 512;
/// How many wait to be named; the oldest give way.
pub const NAMES_WAITING: usize = 8 * 1024;
/// A root that has documents to name does so this often,
pub const BEAT: Duration = Duration::from_secs(1);
/// and says that it is there this often at the least.
pub const BEAT_IDLE: Duration = Duration::from_secs(5);
/// No bulletin of a root counts that was signed sooner after the one before.
pub const BEAT_LEAST: Duration = Duration::from_millis(500);
/// How many bulletins a peer keeps for children that missed some.
pub const BULLETINS_KEPT: usize = 12;
/// A root that is there gives way to a better one eight times at once, as where many offered themselves at the same time, and
/// then once a minute: each costs 60 of these.
pub const ROOT_CHANGES: (u32, u32) = (8 * 60, 1);
/// A parent is left because bulletins are missing twice at once, and then every half minute: each costs 30 of these.
pub const GAPS: (u32, u32) = (2 * 30, 1);
/// So many links to the root count for how long a parent has to bring what is missing.
pub const GAP_HOPS: u8 = 6;
/// A parent that brought none while another neighbour had one is no parent for so long.
pub const STARVED_RESTS: Duration = Duration::from_secs(20);
/// Frames of the trees that one link may send at once, and how many more each second.
pub const TREE_FRAMES: (u32, u32) = (128, 32);
/// No peer stands deeper: what does goes round in a circle.
pub const TREE_DEPTH: u8 = 100;
/// How many roots that fell silent are remembered.
pub const TOMBS: usize = 16;
/// A root that has been followed for so long is one that never fell silent.
pub const TOMB_FORGOTTEN: Duration = Duration::from_secs(60);
/// So much later than the new parent is joined the former one is left.
pub const LEAVE_AFTER: Duration = Duration::from_secs(4);
/// How often a peer looks for a parent that is nearer to the root.
pub const IMPROVE_EVERY: Duration = Duration::from_secs(3);
/// How often at most a peer tells its parent how many peers it brings.
pub const COUNT_EVERY: Duration = Duration::from_secs(2);
/// How long news of a peer's own place is gathered.
pub const BEACON_EVERY: Duration = Duration::from_millis(300);
/// Without a root a peer waits so long at least before it offers itself,
pub const STAND_LEAST: Duration = Duration::from_millis(500);
/// and longer by its rank: the best so much before the next, in the mean,
pub const STAND_APART: Duration = Duration::from_millis(250);
/// and by what is said against it: that it is a page, which comes and goes,
pub const STAND_UNSTEADY: Duration = Duration::from_secs(4);
/// or has not been there for so long.
pub const STAND_UP: Duration = Duration::from_secs(600);
/// Then it waits so much longer.
pub const STAND_YOUNG: Duration = Duration::from_secs(2);
/// No peer waits longer because of its rank and what is said against it.
pub const STAND_MOST: Duration = Duration::from_secs(30);
/// A new root names what has come to it in so much time before, and was not named.
pub const NAMED_WITHIN: Duration = Duration::from_secs(30);
/// What one root has not named for so long the others name, where they have it.
pub const NAMED_LATE: Duration = Duration::from_secs(3);
/// How many documents of our own are remembered until a root has named them.
pub const AWAITED: usize = 4 * 1024;

// ---- Routes ----

/// The most that one peer says of what it, or those below it in a tree, want, in bytes.
pub const KEYS_BYTES: usize = taiinet_query::limits::KEY_SET_BYTES;
/// How soon changes of what those below want are told on, at most so often; where there is much to say,
pub const KEYS_EVERY: Duration = Duration::from_millis(250);
/// so often.
pub const MANY_KEYS_EVERY: Duration = Duration::from_millis(400);
/// Where there is more than this.
pub const MANY_KEYS: usize = 100;
/// So many peers are a small network, in which documents flood.
pub const SMALL_NETWORK: u32 = 64;
/// So many peers stand for all, when it comes to what peers want.
pub const CROWD: u32 = 24;
/// Where fewer bytes of documents are published a second, it costs less to let them flood than to keep the trees. Each root
/// measures its share.
pub const QUIET_NETWORK: u64 = 700;
/// For so long another way for documents to spread has to be the better one before a root turns to it.
pub const TURNS_AFTER: Duration = Duration::from_secs(5);
/// Over so long a root measures that.
pub const LOAD_OVER: Duration = Duration::from_secs(20);
/// How many documents on their way through a peer are remembered.
pub const PASSAGES: usize = 8 * 1024;
/// For so long.
pub const PASSAGE_LASTS: Duration = Duration::from_secs(60);
/// A document of our own that is not named so long after it was sent up is sent up once more,
pub const NAMED_AFTER: Duration = Duration::from_secs(3);
/// and in all so often.
pub const CLIMBS_OURS: u8 = 12;
/// One of others is sent up once more after so long, and so much longer for each link to the root,
pub const RELAYED_AFTER: Duration = Duration::from_millis(1100);
/// See [`RELAYED_AFTER`].
pub const NAMED_PER_HOP: Duration = Duration::from_millis(300);
/// and in all so often.
pub const CLIMBS: u8 = 5;
/// So many links count for how long to wait.
pub const HOPS_WAITED_FOR: u8 = 12;
/// What was named, and is wanted, is asked for when it has not come after so long, and so much longer for each link
/// to the root.
pub const ASK_AFTER: Duration = Duration::from_millis(800);
/// See [`ASK_AFTER`].
pub const ASK_PER_HOP: Duration = Duration::from_millis(120);
/// Where documents flood they count as missed so much later.
pub const MISSED_LATER: Duration = Duration::from_secs(2);
/// And again after so long.
pub const ASK_EVERY: Duration = Duration::from_millis(1300);
/// What a neighbour asks for is remembered for so long, in which an answer can come over all the links of a question.
pub const ASK_KEPT: Duration = Duration::from_secs(8);
/// In which, when it asks again, so many others are asked, one at a time.
pub const ASK_RELAYED: u8 = 4;
/// One neighbour is asked so often, and then another;
pub const ASK_ALONE: u8 = 2;
/// then so many at once.
pub const ASK_WIDELY: usize = 3;
/// So often in all.
pub const ASK_TRIES: u8 = 12;
/// So often at once, and so often more each second, a peer asks for what the root of one tree has named and that does not come:
/// a root may name what there is not. Each that comes gives [`ASK_TRIES`] back.
pub const ASKS_IN_VAIN: (u32, u32) = (64, 2);
/// How many links a question goes at most.
pub const ASK_HOPS: u8 = 12;
/// Of how many answers to questions it is remembered that they were given.
pub const ANSWERED: usize = 8 * 1024;
/// How much of that a peer asks of one neighbour at once, and each second: well below what a neighbour may ask
/// ([`TREE_FRAMES`]), whatever roots name and children ask for.
pub const ASKS: (u32, u32) = (32, 8);
/// And of all in one go.
pub const ASKS_AT_ONCE: usize = 64;
/// What has no room is asked for so much later.
pub const ASK_LATER: Duration = Duration::from_millis(250);
/// How many documents are missed at once; each tree has its share.
pub const MISSING: usize = 1024;

// ---- Suppliers ----

/// A peer that wants more keys than this leaves all of them to the trees.
pub const SUPPLIED_KEYS: usize = 64;
/// How many keys of one neighbour a peer supplies at most.
pub const CLIENT_KEYS: usize = 64;
/// How many links a peer has at most for the sake of suppliers, its own and those of others,
pub const SUPPLY_LINKS: usize = 6;
/// of which so many are for its own, as long as it lacks some,
pub const SUPPLY_LINKS_FREE: usize = 2;
/// and how many of these count towards those that it wants: the others are beside them, so that the mesh stays one at random.
pub const SUPPLY_LINKS_COUNTED: usize = 2;
/// How many links are offered to seekers at once,
pub const SEEKERS_AT_ONCE: usize = 2;
/// and in all: so many at the most, and so many more each second.
pub const SEEKER_OFFERS: (u32, u32) = (8, 1);
/// A link that was made for a seeker is kept for so long, until it shows whether it is of use.
pub const SUPPLY_TRIED: Duration = Duration::from_secs(15);
/// A neighbour that does not answer for so long is no supplier.
pub const SUPPLY_ANSWER: Duration = Duration::from_secs(5);
/// The first wait before a supplier is sought, and the longest before it is sought again.
pub const SEEK_BACKOFF: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));
/// How many links a search for a supplier goes.
pub const SEEK_HOPS: u8 = 24;
/// Searches for suppliers that one link may pass at once, and how many more each second.
pub const SEEKS: (u32, u32) = (256, 64);
/// So long what is sought is sought.
pub const SOUGHT_LASTS: Duration = Duration::from_secs(30);
/// How many bytes that takes.
pub const SOUGHT_BYTES: usize = 512;
/// With so many points a supplier or a parent is left for another: two for each document that a root named and that it
/// owed and did not bring, one less for each that it brings.
pub const OWED: u8 = 4;
/// Then it is none for so long.
pub const OWED_RESTS: Duration = Duration::from_secs(60);
