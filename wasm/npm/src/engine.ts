// A running peer, wherever it runs: in this tab (local.ts) or in another of the same origin
// (shared.ts).

/** From where the WebAssembly module is loaded. */
export type WasmSource = string | URL | Response | BufferSource | WebAssembly.Module;

/** Who could read a document on its way: everyone; its recipients, and anyone that gets hold of the
 *  identity key of one of them later; its recipients, and no one once the subscription has ended. */
export type Privacy = "open" | "sealed" | "forward-secret";

/** A document as it goes from the core to a subscription, and from tab to tab. */
export interface Raw {
  id: string;
  author: string;
  /** If it is not the author. */
  owner: string | undefined;
  createdAt: number;
  expiresAt: number | undefined;
  receivedAt: number;
  hops: number;
  from: string | undefined;
  key: string | undefined;
  /** Who writes versions of it beside its owner, as this version says. */
  writers: "anyone" | string[] | undefined;
  /** The version that it replaces, of those that were shown. */
  replaces: string | undefined;
  /** Whether it was published before the subscription. */
  backlog?: boolean;
  json: string;
  exact: boolean;
  privacy: Privacy;
  /** About how many bytes of memory it holds. */
  cost: number;
}

/** A document that was shown is gone. */
export interface Removed {
  id: string;
  author: string;
  /** The peer whose document it was a version of; mostly its author. */
  owner: string;
  key: string | undefined;
  /** Why: its author has deleted it; a newer version does not match, or cannot be read here; or its time is over. */
  reason: "deleted" | "replaced" | "expired";
}

/** What was published before a subscription has come, or as much of it as was asked for. */
export interface Ready {
  /** Whether that was all that there is, as far as those that were asked know, and they have left out nothing. */
  complete: boolean;
  /** Whether there may be older ones. */
  more: boolean;
  /** How many neighbours have answered. */
  sources: number;
}

/** What a subscription is told. */
export type News =
  | { type: "document"; raw: Raw }
  | { type: "remove"; removed: Removed }
  | { type: "conflict"; winner: Raw; loser: Raw }
  | { type: "ready"; ready: Ready }
  | { type: "live"; change: LiveChange };

/** What happens to a live result set. Applied one after the other to a list, the changes make it the set. */
export type LiveChange =
  /** It is empty, and nothing is known of it: the first one, also when the peer was started again. */
  | { type: "begin" }
  | { type: "insert"; index: number; raw: Raw }
  /** The version at `from` is taken out, and this one put in at `to` then. */
  | { type: "update"; from: number; to: number; raw: Raw }
  | { type: "remove"; index: number }
  | { type: "state"; phase: "loading" | "ready" | "stale"; complete: boolean; more: boolean };

/** What happens to the peer, as the core says it; see crates/session/src/json.rs. */
export type CoreEvent =
  | { type: "peer-connected"; peer: string }
  | { type: "peer-disconnected"; peer: string; cause: string }
  | { type: "dial-failed"; peer: string; cause: string }
  | { type: "signaller-joined"; url: string; signaller: string }
  | { type: "signaller-learned"; url: string; signaller: string }
  | { type: "signaller-lost"; url: string; cause: string; retryAt: number }
  | { type: "rejected"; peer?: string; misbehaviour: string; text: string }
  | ({ type: "blacklisted" } & Blacklisted)
  | { type: "panicked"; message: string };

/** A peer that is kept out. Of one that was listed by hand, documents are refused as
 *  well. */
export interface Blacklisted {
  peer: string;
  /** Until when, in milliseconds since 1970; until it is unblocked, if undefined. */
  until?: number;
  /** What it did, if it was not listed by hand, and in words. */
  misbehaviour?: string;
  text?: string;
  /** How often it was listed for what it did; each time is twice as long as the one before. */
  times: number;
}

/** A link to another peer. */
export interface PeerInfo {
  /** Its name, `tn1…`. */
  peer: string;
  state: "dialling" | "handshake" | "active";
  /** Whether it opened the link. */
  incoming: boolean;
  /** Whether documents are pushed to it (eager) or announced first (lazy). */
  eager: boolean;
  /** Whether a signaller relays the link, since no direct one could be had. */
  relayed: boolean;
  /** What it says that it keeps, if it has an archive. */
  archive?: ArchiveInfo;
  /** Whether it is a hidden page, whose timers come once a minute. */
  dozing: boolean;
  /** Since when it is in this state, in milliseconds since 1970. */
  since: number;
  roundTripMs?: number;
  documentsSent: number;
  documentsReceived: number;
  /** Further copies of documents that were here before. */
  duplicates: number;
  /** What was refused from it. */
  rejected: number;
  /** What this peer has against it; 100 points lead to the blacklist. */
  points: number;
  queuedBytes: number;
}

/** What a peer with an archive says that it keeps; what it gives is checked, and others are asked as well. */
export interface ArchiveInfo {
  /** Documents from then on, in milliseconds since 1970. */
  since: number;
  /** What matches one of these; none if there was no room to say it. */
  queries: string[];
  /** The fields by which it finds and sorts quickly. */
  indexed: string[];
}

/** A signaller as this peer sees it. */
export interface SignallerInfo {
  url: string;
  /** Its key, once it has proven it. */
  signaller?: string;
  joined: boolean;
  /** Whether it relays links between peers that cannot be linked directly. */
  relays: boolean;
  /** Why it was lost, or could not be reached, last. */
  failure?: string;
  /** Whether the Content-Security-Policy of the page that runs the peer forbids to connect to it. */
  forbidden?: boolean;
  /**
   * How many milliseconds this device's clock was ahead of the signaller's (behind, if negative) at the last
   * join; only if the two differed by more than 10 seconds.
   */
  clockAheadMs?: number;
}

/** A picture of the peer. */
export interface CoreStatus {
  peerId: string;
  network: string;
  now: number;
  links: PeerInfo[];
  signallers: SignallerInfo[];
  /** How documents spread in the network: to all peers, or on routes to those that want them. */
  spreading: "flooding" | "routes";
  /** How many other peers it knows that it could link to. */
  candidates: number;
  /** How many private subscriptions, of others and its own, it could seal to. */
  private: number;
  /** Peers that no link could be made to, and why. */
  failed: { peer: string; cause: string }[];
  /** The peers that are blacklisted now. */
  blacklist: Blacklisted[];
  counters: {
    published: number;
    /** Private subscriptions that a published document matched, and that it was not sealed to for want of room or time. */
    leftOut: number;
    /** Sealed documents that were passed on and not looked into, since too many came at once. */
    unopened: number;
    /** Documents that only a later version of TaiiNet can read: passed on, or found for us, and not delivered here. */
    unknown: number;
    delivered: number;
    /** Documents that came from others, first copies. */
    received: number;
    /** Of these, those that matched a subscription here, and were delivered. */
    wanted: number;
    /** Of those received, the ones that matched none, and were passed on to other peers at once. */
    passedOn: number;
    /** Of those received, the ones that matched none, passed on or not. */
    unwanted: number;
    duplicates: number;
    sent: number;
    announced: number;
    grafted: number;
    /** What was refused, by reason. */
    rejected: Record<string, number>;
  };
  /** What is wrong, if anything is. */
  problem?: string;
  /** What to do about it. */
  advice?: string;
}

/** A subscription of an engine. */
export interface Feed {
  /** Whether its reader is behind: then the neighbours are slowed down. */
  behind(behind: boolean): void;
  /** So many older documents are wanted; `ready` comes after them. */
  more(limit: number): void;
  close(): void;
}

/** What is wanted of the time before a subscription: the newest, or all since then (milliseconds since 1970). */
export type Before = { last: number } | { since: number };

export interface SubscribeQuery {
  private: boolean;
  /** Others are told that everything is wanted, and never the query. */
  discreet?: boolean;
  backlog?: Before;
  /** It is a live result set, and hears of nothing else. */
  live?: LiveWish;
}

/** Which documents a live result set has. */
export interface LiveWish {
  limit: number;
  sort?: Order;
}

/** By which fields, in which direction, documents are sorted. */
export type Order = readonly (readonly [field: string, towards: "asc" | "desc"])[];

/** What the core can be asked for in one go. */
const MOST_LAST = 65_535;

/** What is to be asked for if a subscription that has asked for more is begun again. */
export function withMore<T extends { options: SubscribeQuery }>(subscriber: T, limit: number): void {
  const { options } = subscriber;
  if (options.backlog && "last" in options.backlog) {
    subscriber.options = { ...options, backlog: { last: Math.min(options.backlog.last + limit, MOST_LAST) } };
  }
}

/** What a search found. */
export interface Found {
  documents: Raw[];
  /** Whether that is all, as far as can be told. */
  complete: boolean;
  /** From where to go on. */
  cursor?: string;
}

export interface FindQuery {
  limit: number;
  timeoutMs: number;
  sort?: Order;
  after?: string;
  /** Milliseconds since 1970. */
  since?: number;
  until?: number;
}

/** What to delete: documents of this peer by their ids, up to 256, or the one under a key, perhaps of another's. */
export type Deletion = { ids: readonly string[] } | { key: string; of?: string };

export interface DeleteQuery {
  stamp?: Stamp;
}

/** What tells a document from all others of its author: each is later than the one before. */
export interface Stamp {
  createdAt: number;
  nonce: number;
}

/** Under which key a document stands: one of this peer's, under which others may write as well, or another's. */
export interface KeyQuery {
  key?: string;
  writers?: "anyone" | { peers: readonly string[] };
  of?: string;
}

/** What a stamp is for. */
export interface StampQuery extends KeyQuery {
  /** A deletion comes after whatever it deletes. */
  deletes?: boolean;
}

export interface PublishQuery extends KeyQuery {
  expiresAt?: number | undefined;
  /** With the same stamp, the same content is the same document. */
  stamp?: Stamp;
  /** Who may read it, if not everyone. */
  to?: "subscribers" | { peers: readonly string[] };
  /** Fields that everyone may read all the same. */
  public?: readonly string[];
  /** How long to wait for a recipient. */
  waitMs?: number;
  /** `"neighbour"` if undefined. */
  until?: Until;
}

/** How far a document is to come before it counts as published. */
export type Until = "neighbour" | "network";

/** When links may be relayed by a signaller: where no direct one can be had, never, or all of them. */
export type SignallerRelay = "last-resort" | "never" | "only";

/** What the core is started with. */
export interface CoreOptions {
  network: string;
  signallers: string[];
  targetLinks?: number | undefined;
  maxLinks?: number | undefined;
  signallerRelay?: SignallerRelay | undefined;
  introduceByInterest?: boolean | undefined;
}

/** What is kept from visit to visit. */
export interface StateStores {
  blacklist: StateStore;
  /** When the last document was published. */
  stamps: StateStore;
  /** Those that others told of. */
  signallers: StateStore;
}

/** Where something is kept: a JSON list that only the core reads. */
export interface StateStore {
  load(): string | undefined;
  save(list: string): void;
}

/** What is told of an engine's life. */
export interface Audience {
  /** The peer runs, under this name and with these options, which may be another tab's. */
  started(peerId: string, options: CoreOptions): void;
  event(event: CoreEvent): void;
  /** No tab runs the peer, and this one cannot. */
  leaderless?(): void;
  /** The peer cannot go on. */
  failed(error: Error): void;
}

/** A peer. All texts are JSON. */
export interface Engine {
  /** Whether the peer runs here, and not in another tab. */
  readonly isHere: boolean;
  /** `failed` is called, once, for a fault that shows later: when another peer has taken over. */
  subscribe(query: string, options: SubscribeQuery, hear: (news: News) => void, failed: (error: Error) => void): Feed;
  publish(document: string, options: PublishQuery): Promise<string>;
  /** Resolves with the id of the deletion. */
  delete(what: Deletion, options: DeleteQuery): Promise<string>;
  find(query: string, options: FindQuery): Promise<Found>;
  status(): Promise<CoreStatus>;
  /** Until then (milliseconds since 1970), or until it is unblocked. */
  blacklist(peer: string, until: number | undefined): Promise<void>;
  unblock(peer: string): Promise<boolean>;
  /** Restarts, with the identity that is kept now. */
  restart(): Promise<void>;
  close(): Promise<void>;
}
