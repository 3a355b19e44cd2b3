//! Every bound of a signaller, in one place.

use core::time::Duration;

use taiinet_mesh::limits::RELAYED;

/// Connections at once, unless configured otherwise.
pub const CLIENTS: usize = 10_000;
/// Connections at once from one address (IPv4) or /64 prefix (IPv6), unless configured otherwise.
pub const CLIENTS_PER_ADDRESS: usize = 256;
/// Networks at once.
pub const NETWORKS: usize = 4096;
/// Presences of one network at once.
pub const PRESENCES_PER_NETWORK: usize = 10_000;
/// From the connection to the first message, and from there to the join.
pub const JOIN_TIMEOUT: Duration = Duration::from_secs(5);
/// A client from which nothing was heard for so long is gone. A browser's hidden tab may have its
/// timers once a minute.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(90);
/// Frames of any kind from one client at once, and how many more each second.
pub const FRAMES: (u32, u32) = (400, 100);
/// Work that one client makes at once, and how much more each second. A unit is about a microsecond of
/// the desk's only task: a verified signature is a hundred. It is enough for all else that a client may.
pub const WORK: (u32, u32) = (64_000, 12_000);
/// Work that all clients of one address make together: a tenth of the desk's time, and half a second of
/// it at once, as when an office comes back. A site has [`SITE_SHARE`] times as much.
pub const WORK_PER_ADDRESS: (u32, u32) = (500_000, 100_000);
/// How often a client that has used up its budget of work may ask for more at once, and how often each
/// second; it is told to wait. One that goes on is closed.
pub const OVERDRAFTS: (u32, u32) = (32, 1);
/// Counts of which it is looked, each second, whether they are of any use.
pub const SWEPT_EACH_SECOND: usize = 4096;
/// And with each new connection: more than it brings.
pub const SWEPT_AT_ONCE: usize = 8;
/// Joins from one client at once, and how many more each second.
pub const JOINS: (u32, u32) = (4, 1);
/// Introductions for one client at once, and how many more each second.
pub const INTRODUCTIONS: (u32, u32) = (12, 1);
/// Routing keys of what it wants that one client has named; the oldest gives way.
pub const KEYS_NAMED: usize = 16;
/// So many of those that have named the same key are told at once.
pub const TOLD_OF_A_KEY: usize = 4;
/// Signals from one client at once, and how many more each second.
pub const SIGNALS: (u32, u32) = (300, 50);
/// Of these, signals for one and the same peer: fewer than it takes in all, so that one sender leaves
/// room for others.
pub const SIGNALS_TO_ONE: (u32, u32) = (60, 4);
/// Recipients of one client whose share is counted at once; it refills within seconds.
pub const RECIPIENTS: usize = 32;
/// Signals from all for one client: no more than a peer takes from one signaller
/// ([`taiinet_mesh::limits::SIGNALS`]). The others' senders are told that it cannot be reached.
pub const SIGNALS_FOR_ONE: (u32, u32) = (110, 18);
/// And their bytes: less than may wait for it ([`OUTBOX_BYTES`]).
pub const SIGNAL_BYTES_FOR_ONE: (u32, u32) = (192 * 1024, 24 * 1024);
/// Peers that have left and whose budgets are remembered until they are full again.
pub const ALLOWANCES: usize = 20_000;
/// Pairs of peers whose signals through the pool are counted at once, for each other signaller. With more,
/// those of the sender go that has most.
pub const POOL_PAIRS: usize = 1024;
/// Of these, pairs of one sender.
pub const POOL_PAIRS_PER_SENDER: usize = RECIPIENTS;
/// Networks at once that were opened from one address.
pub const NETWORKS_PER_ADDRESS: usize = 64;
/// Links that are relayed at once, unless configured otherwise.
pub const CIRCUITS: usize = 512;
/// Of these, what counts as one address asks for at most one in so many.
pub const CIRCUITS_SHARE: usize = 4;
/// Links that are asked of one client, at once and each second: others must not be able to fill its outbox.
pub const CIRCUITS_FOR_ONE: (u32, u32) = (16, 4);
/// So long a relayed link that is over keeps the place of the one that asked for it.
pub const CIRCUIT_KEPT: Duration = Duration::from_secs(1);
/// Bytes that one peer says over relayed links each second, unless configured otherwise.
pub const CIRCUIT_BYTES_PER_PEER: u32 = 256 * 1024;
/// And all peers together. Those of what counts as one address say at most one in [`CIRCUITS_SHARE`] of them, or as much
/// as one peer; a site has [`SITE_SHARE`] times as much.
pub const CIRCUIT_BYTES: u32 = 4 * 1024 * 1024;
/// Work that a frame of a relayed link may make more than others: that of a message of a few kilobytes, which
/// is read and passed on.
pub const CIRCUIT_FRAME_WORK: u32 = 40;
/// How often it is looked whether those may go on that have said as much as they may.
pub const CIRCUIT_PACE: Duration = Duration::from_millis(25);
/// A relayed link over which nothing comes for so long is over; a dozing peer's may be silent for a minute.
pub const CIRCUIT_IDLE: Duration = IDLE_TIMEOUT;
/// When a client that asked too often may ask again.
pub const RETRY_AFTER: Duration = Duration::from_secs(2);
/// When a client that found no room may come again.
pub const FULL_RETRY_AFTER: Duration = Duration::from_secs(20);
/// How often late and silent clients are looked for.
pub const CHECK_EVERY: Duration = Duration::from_secs(1);
/// What one client said together is handed to the desk together, up to so many messages.
pub const TOGETHER_MESSAGES: usize = 64;
/// And no more of them once they have so many bytes: about what is read at once.
pub const TOGETHER_BYTES: usize = READ_BUFFER;
/// What waits for the desk, each of one client; a client that says more waits.
pub const INBOX: usize = 1024;
/// So much of it the desk takes in before it answers.
pub const INBOX_BATCH: usize = 64;
/// Messages waiting for one client; one that does not read them is dropped.
pub const OUTBOX_MESSAGES: usize = 256;
/// Bytes waiting for one client; one that does not read them is dropped.
pub const OUTBOX_BYTES: usize = 512 * 1024;
/// How long a batch of messages may take to be written to a client.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// What a WebSocket reads at once: it is resident for each idle connection.
pub const READ_BUFFER: usize = 4096;
/// So much is gathered before it is written, unless that is all.
pub const WRITE_GATHERED: usize = 16 * 1024;
/// What a WebSocket may have unwritten: what is gathered, one more message, and pongs.
pub const WRITE_BUFFER: usize = WRITE_GATHERED + taiinet_mesh::limits::WIRE_BYTES + 8 * 1024;
/// WebSocket frames from one connection at once, and how many more each second. Control frames and
/// fragments count, too; that leaves twice as many as the messages that [`FRAMES`] allows.
pub const WEBSOCKET_FRAMES: (u32, u32) = (2 * FRAMES.0, 2 * FRAMES.1);
/// WebSocket frames from all connections of one address at once, and how many more each second.
pub const WEBSOCKET_FRAMES_PER_ADDRESS: (u32, u32) = (20_000, 5_000);
/// What each connection of an address may still send when the address has nothing left: one that sends
/// more than that is closed, one that sends little is not.
pub const WEBSOCKET_FRAMES_WHEN_CROWDED: (u32, u32) = (64, 8);
/// Bytes that may wait for all clients together, unless configured otherwise. With more, a client that has
/// more than its share waiting is dropped.
pub const OUTBOX_TOTAL: usize = 256 * 1024 * 1024;
/// What a connection takes without anything waiting: its task, its sockets' buffers, its seat at the desk.
pub const CLIENT_MEMORY: usize = 24 * 1024;
/// What TLS takes for a connection, at most: a record each way, and what waits to be sealed.
pub const TLS_MEMORY: usize = 48 * 1024;
/// What is kept besides connections, at most: the counts of addresses, what is left to peers that have
/// left, what waits for the desk, lists of a common size.
pub const TABLES_MEMORY: usize = 256 * 1024 * 1024;
/// A client whose join is dated further from our time is told what our clock says.
pub const CLOCKS_AGREE: Duration = Duration::from_secs(10);
/// How long all that is left to be said may take when the server stops.
pub const DRAIN: Duration = Duration::from_secs(2);
/// How long a client that was told to go may take to go.
pub const CLOSE: Duration = Duration::from_millis(800);
/// From a connection to the end of its HTTP request, TLS included.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// From a whole request to its answer, read by whoever asked.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections at once that are in their handshake, unless configured otherwise. For one more, the oldest
/// of the address that has the most is cut.
pub const HANDSHAKES: usize = 2048;
/// While more than half of these are taken, a handshake may take only so much of the usual time: a quarter.
pub const HURRIED_HANDSHAKE: u32 = 4;
/// How long a connection that gives way to another may take for it to be told so.
pub const GIVING_WAY: Duration = CLOSE;
/// Connections that are giving way and are still here, at most.
pub const GIVING_WAY_AT_ONCE: usize = 1024;
/// An address, a site or a household of IPv6 that has no more places than this gives none away.
pub const SPARED: usize = 8;
/// New connections from one address in a minute, unless configured otherwise. Twice as many are told
/// that they are too many; the rest are closed without a word.
pub const ARRIVALS_PER_MINUTE: u32 = 600;
/// Connections at once that are being told why they are refused. For one more, the oldest of the address that
/// has the most is cut.
pub const REFUSALS: usize = 64;
/// Connections at once that were cut in their handshake and are being told so; the rest are cut without a word.
pub const GOODBYES: usize = 64;
/// Handshakes at once besides those of clients that may come in.
pub const ASIDE: usize = REFUSALS + GOODBYES + OPERATORS;
/// Addresses that are counted at once. With more, no newcomer is let in until the minute is over.
pub const ADDRESSES: usize = 200_000;
/// The leading bits of an IPv4 address that count as one address.
pub const IPV4_PREFIX: u8 = 32;
/// The leading bits of an IPv6 address that count as one address: what a household is given.
pub const IPV6_PREFIX: u8 = 64;
/// The leading bits of an IPv6 address that count as one site, besides: a customer with many
/// households' prefixes has them from one such range.
pub const IPV6_SITE_PREFIX: u8 = 48;
/// How many times as much as one address a site may have.
pub const SITE_SHARE: u32 = 8;
/// The head of an HTTP request.
pub const REQUEST_BYTES: usize = 16 * 1024;
/// Addresses that are looked at in a proxy's header, from the right.
pub const FORWARDED_HOPS: usize = 16;
/// A configuration file, or a certificate or its key.
pub const CONFIG_BYTES: u64 = 1024 * 1024;
/// The secret of the TURN servers.
pub const SECRET_BYTES: u64 = 4096;
/// Connections at once to where metrics are told, and to the control socket.
pub const OPERATORS: usize = 32;
/// Networks that an operator is shown at once, the largest first.
pub const SHOWN_NETWORKS: usize = 20;
/// Peers of each of them, if it is shown names.
pub const SHOWN_PEERS: usize = 10;
/// Other signallers that an operator is shown at once.
pub const SHOWN_MEMBERS: usize = 128;
/// How long an operator that asks who is here waits for the desk, which may be busy.
pub const VIEW_TIMEOUT: Duration = Duration::from_secs(2);
/// Whoever asks without being the owner is told what was seen at most so long ago.
pub const VIEW_EVERY: Duration = Duration::from_secs(1);
/// The last weeks of a certificate, in which the log warns of its end.
pub const CERTIFICATE_LATE: Duration = Duration::from_secs(21 * 24 * 3600);
/// And its last week, in which that is an error.
pub const CERTIFICATE_URGENT: Duration = Duration::from_secs(7 * 24 * 3600);
/// How often it is looked when the certificate ends.
pub const CERTIFICATE_LOOK: Duration = Duration::from_secs(24 * 3600);
/// An allow-list or block-list.
pub const LIST_BYTES: u64 = 32 * 1024 * 1024;
/// How often the desk says how it is, while something happens.
pub const STATUS_EVERY: Duration = Duration::from_millis(100);
/// A desk that has not said so for so long is not well.
pub const STALLED: Duration = Duration::from_secs(10);
/// STUN answers to one address in a second.
pub const STUN_ANSWERS: u32 = 50;
/// Addresses and sites that get STUN answers in one second.
pub const STUN_ADDRESSES: usize = 10_000;
/// How long news for the pool are gathered, so that many go in one document.
pub const POOL_TELL_AFTER: Duration = Duration::from_millis(50);
/// How soon a new member of the pool is told of all that are here.
pub const POOL_ALL_AFTER: Duration = Duration::from_millis(200);
/// And when again, if there was no room.
pub const POOL_ALL_AGAIN: Duration = Duration::from_secs(2);
/// How many presences or farewells one document of the pool holds: well below its largest size.
pub const POOL_ITEMS: usize = 400;
/// How many clients of other signallers are remembered, in all and of each.
pub const POOL_SEATS: usize = 500_000;
/// See [`POOL_SEATS`].
pub const POOL_SEATS_PER_SIGNALLER: usize = 50_000;
/// How many clients of others are looked at for an introduction.
pub const POOL_LOOK: usize = 64;
/// Signals that are passed on to another signaller at once, and how many more each second. Together with
/// [`POOL_UNDELIVERABLE`] this is half of what it takes ([`taiinet_mesh::limits::RELAYED`]), so that it
/// holds nothing that clients do against us.
pub const POOL_SIGNALS: (u32, u32) = (RELAYED.0 / 5 * 2, RELAYED.1 / 5 * 2);
/// Answers to another signaller that its signal is undeliverable; what is over it is not answered.
pub const POOL_UNDELIVERABLE: (u32, u32) = (RELAYED.0 / 10, RELAYED.1 / 10);
/// Signals that are verified for another signaller: a quarter more than it sends if it is honest.
pub const POOL_VERIFIED: (u32, u32) = (RELAYED.0 / 2, RELAYED.1 / 2);
/// See [`POOL_VERIFIED`]: of these, those that do not come out of [`POOL_VERIFIED_SHARED`].
pub const POOL_VERIFIED_OWN: (u32, u32) = (600, 40);
/// Signals that are verified for all other signallers, besides those that each has of its own.
pub const POOL_VERIFIED_SHARED: (u32, u32) = (20_000, 2_500);
/// Presences in the news that are verified for another signaller: one that has as many clients as there is
/// room for tells of all of them at once, and they renew theirs.
pub const POOL_NEWS: (u32, u32) = (POOL_SEATS_PER_SIGNALLER as u32, 1000);
/// See [`POOL_NEWS`]: of these, those that do not come out of [`POOL_NEWS_SHARED`].
pub const POOL_NEWS_OWN: (u32, u32) = (1000, 20);
/// Presences in the news that are verified for all other signallers, besides those that each has of its
/// own: as many as renewals of [`POOL_SEATS`].
pub const POOL_NEWS_SHARED: (u32, u32) = (2 * POOL_SEATS_PER_SIGNALLER as u32, 4000);
/// Signals that wait for another signaller, in bytes. With more, one of the sender goes that has most.
pub const POOL_WAITING_BYTES: usize = 1024 * 1024;
/// What a waiting signal takes besides what is sealed.
pub const POOL_WAITING_EACH: usize = 256;
/// How often it is looked whether they may go, and how many go at once, to all signallers together.
pub const POOL_PACE: Duration = Duration::from_millis(10);
/// See [`POOL_PACE`].
pub const POOL_AT_ONCE: usize = 64;
/// What is over is forgotten, so many a second of each kind, and with each that comes
/// [`POOL_FORGOTTEN_FOR_ONE`].
pub const POOL_FORGOTTEN: usize = 2048;
/// See [`POOL_FORGOTTEN`].
pub const POOL_FORGOTTEN_FOR_ONE: usize = 2;
/// How many signals that other signallers passed on are remembered, and of ours.
pub const POOL_REPLAYS: usize = 100_000;
/// How many signals that other signallers were to pass on are remembered.
pub const POOL_SENT: usize = 100_000;
/// Networks that the clients of other signallers are in, in all and of each.
pub const POOL_NETWORKS: usize = 4 * POOL_NETWORKS_PER_SIGNALLER;
/// See [`POOL_NETWORKS`].
pub const POOL_NETWORKS_PER_SIGNALLER: usize = NETWORKS;
/// How many clients of each other signaller that have left are remembered, for a presence that was
/// overtaken on its way.
pub const POOL_LEFT_PER_SIGNALLER: usize = 4096;
/// Signallers that are or were linked lately, whose news count.
pub const POOL_MEMBERS: usize = 256;
/// Telling all members everything takes so much of [`POOL_ALL`]: eight times at once, for a pool that
/// forms, and then every twenty seconds.
pub const POOL_ALL_COST: usize = 20;
/// See [`POOL_ALL_COST`].
pub const POOL_ALL: (u32, u32) = (8 * 20, 1);
/// Messages that may wait for another signaller; the mesh core's window bounds their bytes.
pub const POOL_OUTBOX_MESSAGES: usize = 16 * 1024;
/// How many tries a slow device does in a second of the work for a join. It gets four times as long as
/// the work then takes on average.
pub const SLOW_TRIES: u64 = 100_000;
/// How long a join may take in any case.
pub const WORK_TIMEOUT: Duration = taiinet_mesh::limits::WORK_TIMEOUT;
/// The work that a join takes under load, in zero bits.
pub const JOIN_WORK: u8 = 18;
/// How long TURN credentials are good for; a new join, which comes sooner, brings new ones.
pub const TURN_LIFE: Duration = Duration::from_secs(3600);
