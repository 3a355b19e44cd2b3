import { integer, options as checkOptions } from "./arguments.js";
import type { Feed, Found, Privacy, Raw } from "./engine.js";
import { fromCore, wrongType } from "./errors.js";
import { Emitter } from "./events.js";
import type { PublishOptions } from "./taiinet.js";
import { Versions, newest } from "./versions.js";
import { decode, type Content, type Fields } from "./values.js";

/** A document as it was delivered. */
export interface Delivery<T = Fields> {
  data: T;
  /** The document's name. */
  id: string;
  /** The peer that signed it: a PeerId, `tn1…`. */
  author: string;
  /** When its author published it, in milliseconds since 1970 by the author's clock. */
  createdAt: number;
  /** When it came here. */
  receivedAt: number;
  /** How many links it crossed; 0 for our own. */
  hops: number;
  /** The neighbour it came from; undefined for our own. */
  from: string | undefined;
  /** The newest document of one author under one key replaces the older. */
  key: string | undefined;
  /** Who could read it on its way: everyone (`"open"`); its recipients, and anyone that gets hold of the
   *  identity key of one of them later (`"sealed"`); its recipients, and no one once the
   *  subscription has ended (`"forward-secret"`). */
  privacy: Privacy;
}

/** What was published before a subscription has come. */
export interface Ready {
  /** Whether that was all that the neighbours hold: false if the limit left out some, or a neighbour did not answer or
   *  cannot say. */
  complete: boolean;
}

export interface SubscriptionEvents<T> {
  /** A document that matches. */
  data: Delivery<T>;
  /** One that was published before the subscription; with the option `backlog`. */
  backlog: Delivery<T>;
  /** The backlog has come. */
  ready: Ready;
  /** The peer has a neighbour more, or less: as its own events. */
  "peer-connected": { peer: string };
  "peer-disconnected": { peer: string; cause: string };
  error: Error;
  /** Nothing more comes. */
  close: undefined;
}

/** What a {@link Subscription} needs of its peer. @internal */
export interface Source {
  open(deliver: (raw: Raw) => void, failed: (error: Error) => void): Promise<Feed>;
  /** Finds so many, the newest. */
  backlog(limit: number): Promise<Found>;
  publish(document: object, options?: PublishOptions): Promise<string>;
  closed(): void;
}

/** How many documents may wait for a reader, and how many bytes of memory they may hold: beyond either the
 *  neighbours are slowed down, until there are half as many. As much is kept for a reader that is yet
 *  to come, the newest; no neighbour is slowed down for that, since perhaps there will never be one. */
const DOCUMENTS = 1024;
/** As many as `find` gives. */
const BACKLOG_LIMIT = 1000;
const BYTES = 4 * 1024 * 1024;

/** Documents in order, and what they hold. */
class Queue<T> {
  #waiting: { delivery: Delivery<T>; cost: number }[] = [];
  #bytes = 0;

  push(delivery: Delivery<T>, cost: number): void {
    this.#waiting.push({ delivery, cost });
    this.#bytes += cost;
  }

  shift(): Delivery<T> | undefined {
    const first = this.#waiting.shift();
    this.#bytes -= first?.cost ?? 0;
    return first?.delivery;
  }

  /** Drops the oldest that are too much, but not the newest. */
  trim(): void {
    while (this.exceeds(1) && this.#waiting.length > 1) this.shift();
  }

  /** Whether it holds more than this share of what may wait. */
  exceeds(share: number): boolean {
    return this.#waiting.length > DOCUMENTS * share || this.#bytes > BYTES * share;
  }
}

interface Reader<T> {
  queue: Queue<T>;
  /** The reads that wait for the next. */
  wakes: (() => void)[];
  ended?: boolean;
}

function wake({ wakes }: { wakes: (() => void)[] }): void {
  for (const one of wakes.splice(0)) one();
}

/** Documents that match a query, as events or by `for await`. */
export class Subscription<T extends object = Fields> extends Emitter<SubscriptionEvents<T>> implements AsyncIterable<Delivery<T>> {
  readonly #source: Source;
  #feed: Feed | undefined;
  #readers = new Set<Reader<T>>();
  /** What came before there was a listener. */
  #kept: Queue<T> | undefined = new Queue();
  #behind = false;
  #closed = false;
  /** What came live while the backlog was looked for: it is not shown twice. */
  #live: Set<string> | undefined;
  /** Of these and the backlog's documents. */
  #versions: Versions | undefined;
  #backlog: Set<string> | undefined;

  /** @internal */
  constructor(source: Source, backlog: number | undefined) {
    super(["data", "backlog", "ready", "peer-connected", "peer-disconnected", "error", "close"]);
    this.#source = source;
    if (backlog !== undefined) {
      this.#live = new Set();
      this.#versions = new Versions();
    }
    const failed = (error: unknown) => this.#fail(error);
    source.open(this.#deliver, failed).then(
      (feed) => {
        if (this.#closed) return feed.close();
        this.#feed = feed;
        if (backlog !== undefined) void this.#catchUp(backlog);
      },
      failed,
    );
  }

  /** Publishes a document, which need not match; on a private subscription to the peers that
   *  subscribed privately to it, unless the options name others. Resolves when a neighbour has taken it. */
  send<D extends object>(document: D & Content<D>, options?: PublishOptions): Promise<string> {
    return this.#source.publish(document, options);
  }

  /** @internal What happens to the peer. */
  forwardPeerEvent<K extends "peer-connected" | "peer-disconnected">(name: K, event: SubscriptionEvents<T>[K]): void {
    this.emit(name, event);
  }

  /** Ends the subscription. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#feed?.close();
    for (const reader of this.#readers) wake(reader);
    this.#source.closed();
    this.emit("close", undefined);
  }

  /** Reads from now on; the first, if there is no listener for `data` or `backlog`, also what came since the
   *  subscription was made: the newest 1024, or what holds 4 MiB of memory, of that. A reader that is behind slows the
   *  neighbours down; one that has stopped must say so by `return()`, as `for await` does. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Delivery<T>> {
    // Not a generator: that would begin only with the first `next()`.
    const reader: Reader<T> = { queue: this.#kept ?? new Queue(), wakes: [] };
    this.#kept = undefined;
    this.#readers.add(reader);
    const end = () => {
      this.#readers.delete(reader);
      this.#weigh();
      reader.queue = new Queue();
      reader.ended = true;
      wake(reader);
    };
    const iterator: AsyncIterableIterator<Delivery<T>> = {
      next: async () => {
        for (;;) {
          const value = reader.queue.shift();
          if (value) {
            this.#weigh();
            return { done: false, value };
          }
          if (this.#closed || reader.ended) {
            end();
            return { done: true, value: undefined };
          }
          await new Promise<void>((wake) => reader.wakes.push(wake));
        }
      },
      return: async () => {
        end();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** As {@link Emitter.on}; with a listener for documents none need to be kept. */
  override on<K extends keyof SubscriptionEvents<T> & string>(name: K, listen: (event: SubscriptionEvents<T>[K]) => void): () => void {
    const off = super.on(name, listen);
    if (name === "data" || name === "backlog") this.#kept = undefined;
    return off;
  }

  #deliver = (raw: Raw): void => {
    if (this.#closed || this.#backlog?.delete(raw.id)) return;
    this.#live?.add(raw.id);
    // The newer version may have come with the backlog.
    if (this.#live ? !this.#versions?.isNewest(raw) : this.#versions?.hasNewer(raw)) return;
    this.#show("data", raw);
  };

  #show(event: "data" | "backlog", raw: Raw): void {
    const { json, exact, cost, ...rest } = raw;
    const delivery = { data: decode(json, exact) as T, ...rest };
    this.emit(event, delivery);
    for (const reader of this.#readers) {
      reader.queue.push(delivery, cost);
      wake(reader);
    }
    this.#kept?.push(delivery, cost);
    this.#kept?.trim();
    this.#weigh();
  }

  #weigh(): void {
    const share = this.#behind ? 0.5 : 1;
    const behind = [...this.#readers].some(({ queue }) => queue.exceeds(share));
    if (behind === this.#behind) return;
    this.#behind = behind;
    if (!this.#closed) this.#feed?.behind(behind);
  }

  async #catchUp(limit: number): Promise<void> {
    let complete = false;
    try {
      // One more than is wanted tells whether there are more.
      const found = await this.#source.backlog(limit + 1);
      const all = newest(found.documents);
      complete = found.complete && all.length <= limit;
      const documents = all.slice(0, limit).reverse();
      const live = this.#live;
      this.#backlog = new Set(documents.map(({ id }) => id));
      for (const raw of documents) {
        if (!this.#closed && !live?.has(raw.id) && this.#versions?.isNewest(raw)) this.#show("backlog", raw);
      }
    } catch (error) {
      if (!this.#closed) this.emit("error", fromCore(error));
    }
    this.#live = undefined;
    if (!this.#closed) this.emit("ready", { complete });
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.emit("error", fromCore(error));
    this.close();
  }
}

export interface SubscribeOptions {
  /** Also what neighbours hold of before, the newest, the oldest of them first: 1000 at most, or the limit that is
   *  given, up to 1000. They keep the last five minutes, and their own documents with a key while they run. The
   *  event `ready` tells when all has come, and whether it was cut off. Default false. */
  backlog?: boolean | { limit?: number };
  /** With a key of its own, to which others can seal what matches; no other reads that, and when the
   *  subscription has ended the key is gone. The network is told of the query and the key. What is
   *  open comes too: see {@link Delivery.privacy}. Default false; at most 32 of a peer. */
  private?: boolean;
  /** Closes the subscription. */
  signal?: AbortSignal;
}

/** @internal */
export function checkSubscribeOptions(value: unknown): Omit<SubscribeOptions, "backlog"> & { backlog: number | undefined } {
  const { backlog = false, ...rest } = checkOptions<SubscribeOptions>(value, ["backlog", "private", "signal"]);
  return { ...rest, backlog: backlogLimit(backlog) };
}

/** How many are wanted, if any are. */
function backlogLimit(backlog: unknown): number | undefined {
  if (typeof backlog === "boolean") return backlog ? BACKLOG_LIMIT : undefined;
  if (typeof backlog !== "object" || backlog === null) throw wrongType("options", "options.backlog", "true, false or an object like { limit: 100 }", backlog);
  const { limit = BACKLOG_LIMIT } = checkOptions<{ limit?: number }>(backlog, ["limit"], "options.backlog");
  return integer(limit, "options.backlog.limit", 1, BACKLOG_LIMIT);
}
