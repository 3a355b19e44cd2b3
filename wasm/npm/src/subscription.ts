import { boolean, integer, options as checkOptions, signal as checkSignal, time } from "./arguments.js";
import { toDelivery, type Delivery } from "./delivery.js";
import type { Before, Feed, News, Raw, Ready, Removed, SubscribeQuery } from "./engine.js";
import { TaiiNetError, fromCore, indiscreet, wrongType } from "./errors.js";
import { Emitter } from "./events.js";
import { Shown } from "./shown.js";
import type { PublishOptions } from "./taiinet.js";
import type { Content, Fields } from "./values.js";

/** Two versions of one document that bear the same time. Of both only what everyone can read is told. */
export interface Conflict<T = Fields> {
  /** The version that counts, which is delivered as well. */
  winner: Delivery<T>;
  loser: Delivery<T>;
}

export interface SubscriptionEvents<T> {
  /** A document that matches. */
  data: Delivery<T>;
  /** One that was published before the subscription; with the option `backlog`. */
  backlog: Delivery<T>;
  /** A document, told as `data` or `backlog` just before, that replaces one that was shown. */
  update: Delivery<T> & { replaces: string };
  /** One that was shown is gone, and nothing replaces it. */
  remove: Removed;
  /** Two versions of one document and one moment. */
  conflict: Conflict<T>;
  /** The backlog has come, or what {@link Subscription.next} has asked for. */
  ready: Ready;
  /** The peer has a neighbour more, or less: as its own events. */
  "peer-connected": { peer: string };
  "peer-disconnected": { peer: string; cause: string };
  error: Error;
  /** Nothing more comes. */
  close: undefined;
}

/** Documents from before a subscription, the oldest first, and what is known of the rest. */
export type Page<T = Fields> = Delivery<T>[] & Ready;

/** What a {@link Subscription} needs of its peer. @internal */
export interface Source {
  open(hear: (news: News) => void, failed: (error: Error) => void): Promise<Feed>;
  publish(document: object, options?: PublishOptions): Promise<string>;
  closed(): void;
}

/** How many documents may wait for a reader, and how many bytes of memory they may hold: beyond either the
 *  neighbours are slowed down, until there are half as many. As much is kept for a reader that is yet
 *  to come, the newest; no neighbour is slowed down for that, since perhaps there will never be one. */
const DOCUMENTS = 1024;
const BYTES = 4 * 1024 * 1024;
/** How many documents from before come at once. */
const PAGE = 1000;

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
  readonly #shown: Shown;
  /** Whether the newest are wanted of what was before, and more can be asked for. */
  readonly #hasPages: boolean;
  readonly #began = Date.now();
  /** Ends when what was asked for of before has come; undefined if nothing was. */
  #awaited: (() => void) | undefined;
  /** The end of the last {@link next}. */
  #turn: Promise<void> = Promise.resolve();
  #page: Delivery<T>[] | undefined;
  /** What is known of what was before. */
  #known: Ready = { complete: false, more: false, sources: 0 };

  /** @internal */
  constructor(source: Source, backlog: Before | undefined) {
    super(["data", "backlog", "update", "remove", "conflict", "ready", "peer-connected", "peer-disconnected", "error", "close"]);
    this.#source = source;
    this.#shown = new Shown(backlog && "since" in backlog ? backlog.since : undefined);
    this.#hasPages = backlog !== undefined && "last" in backlog;
    if (backlog) this.#turn = this.#come();
    const failed = (error: unknown) => this.#fail(error);
    source.open(this.#hear, failed).then((feed) => {
      if (this.#closed) return feed.close();
      this.#feed = feed;
      if (this.#behind) feed.behind(true);
    }, failed);
  }

  /** Publishes a document, which need not match; on a private subscription to the peers that
   *  subscribed privately to it, unless the options name others. Resolves when a neighbour has taken it. */
  send<D extends object>(document: D & Content<D>, options?: PublishOptions): Promise<string> {
    return this.#source.publish(document, options);
  }

  /**
   * The next older documents, with `backlog: true` or `{ last }`: so many, or as many as there are, the oldest of them
   * first. They come as events `backlog` as well, and `ready` after them. Of several calls each waits for the one
   * before. When the subscription is closed, it is what has come until then, and there is no `more`.
   */
  async next(limit = PAGE): Promise<Page<T>> {
    integer(limit, "the number of documents", 1, PAGE, "argument");
    if (!this.#hasPages) throw new TaiiNetError("argument", "there is nothing to look back for: subscribe with { backlog: true } or { backlog: { last: 100 } }");
    const page = this.#turn.then(() => this.#older(limit));
    this.#turn = page.then(() => {});
    return page;
  }

  async #older(limit: number): Promise<Page<T>> {
    const page: Delivery<T>[] = [];
    if (!this.#closed && this.#known.more) {
      this.#page = page;
      const come = this.#come();
      this.#feed?.more(limit);
      await come;
      this.#page = undefined;
    }
    return Object.assign(page, this.#known, this.#closed && { complete: false, more: false });
  }

  #come(): Promise<void> {
    return new Promise((come) => (this.#awaited = come));
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
    this.#awaited?.();
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

  #hear = (news: News): void => {
    if (this.#closed) return;
    switch (news.type) {
      case "document": {
        const raw = this.#shown.take(news.raw);
        if (raw) this.#show(raw);
        break;
      }
      case "remove":
        if (this.#shown.remove(news.removed.id)) this.emit("remove", news.removed);
        break;
      case "conflict":
        this.emit("conflict", { winner: toDelivery(news.winner), loser: toDelivery(news.loser) });
        break;
      case "ready":
        this.#ready(news.ready);
    }
  };

  #ready(ready: Ready): void {
    this.#shown.ready();
    this.#known = ready;
    const come = this.#awaited;
    // A peer that was started again has come as far as the one before.
    if (!come) return;
    this.#awaited = undefined;
    this.emit("ready", ready);
    come();
  }

  #show(raw: Raw): void {
    const { cost } = raw;
    const delivery = toDelivery<T>(raw);
    // A peer that was started again looks back for what was published meanwhile.
    if (!this.#awaited && raw.createdAt >= this.#began) delivery.backlog = false;
    const event = delivery.backlog ? "backlog" : "data";
    if (delivery.backlog) this.#page?.push(delivery);
    this.emit(event, delivery);
    if (delivery.replaces !== undefined) this.emit("update", delivery as Delivery<T> & { replaces: string });
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

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.emit("error", fromCore(error));
    this.close();
  }
}

/** What is wanted of the time before a subscription. */
export type Backlog =
  | boolean
  /** The newest, up to 1000; more by {@link Subscription.next}. */
  | { last: number }
  /** The old name of `last`. */
  | { limit?: number }
  /** All since then: a Date, milliseconds since 1970, or a time ago like `"30min"` or `"1d"`. */
  | { since: Date | number | string };

export interface SubscribeOptions {
  /** Also what was published before and is still held: by neighbours for five minutes, or as long as they run if it is
   *  their own and has a key; by archives for good. `true` and `{ last }` bring the newest, the oldest of them first:
   *  1000, or as many as that says. `{ since }` brings all since then, the oldest first. The event `ready` tells when
   *  it has come; nothing is missed between that and what comes live, and nothing comes twice. Default false. */
  backlog?: Backlog;
  /** With a key of its own, to which others can seal what matches; no other reads that, and when the
   *  subscription has ended the key is gone. The network is told of the query and the key. What is
   *  open comes too: see {@link Delivery.privacy}. Default false; at most 32 of a peer. */
  private?: boolean;
  /** No other peer is told what is wanted. In a large network, where a peer tells its neighbours what to send it, they
   *  hear that it wants everything: **it gets all documents of the network**, and chooses here. Not with `private` or
   *  `backlog`, which tell others the query, as `find` and `live` do too. That the peer wants everything is no secret,
   *  nor what it does then. Default false. */
  discreet?: boolean;
  /** Closes the subscription. */
  signal?: AbortSignal;
}

/** @internal */
export function checkSubscribeOptions(value: unknown): { wanted: SubscribeQuery; signal: AbortSignal | undefined } {
  const known = ["backlog", "private", "discreet", "signal"] as const;
  const { backlog: looksBack = false, private: isPrivate = false, discreet = false, signal } = checkOptions<SubscribeOptions>(value, known);
  const backlog = checkBacklog(looksBack);
  boolean(isPrivate, "options.private");
  boolean(discreet, "options.discreet");
  checkSignal(signal, "options.signal");
  if (discreet && isPrivate) throw indiscreet("`private`, which announces the query to the whole network");
  if (discreet && backlog) throw indiscreet("`backlog`, for which other peers are asked with the query");
  return { wanted: { private: isPrivate, ...(discreet && { discreet }), ...(backlog && { backlog }) }, signal };
}

function checkBacklog(backlog: unknown): Before | undefined {
  if (typeof backlog === "boolean") return backlog ? { last: PAGE } : undefined;
  const name = "options.backlog";
  if (typeof backlog !== "object" || backlog === null) throw wrongType("options", name, "true, false or an object like { last: 100 }", backlog);
  const given = checkOptions<{ last?: number; limit?: number; since?: unknown }>(backlog, ["last", "limit", "since"], name);
  const [one = "last", other] = Object.keys(given) as (keyof typeof given)[];
  if (other !== undefined) throw new TaiiNetError("options", `${name} is \`${one}\` or \`${other}\`, not both`, `${name}.${other}`);
  if (one === "since") return { since: time(given.since, `${name}.since`) };
  return { last: integer(given[one] ?? PAGE, `${name}.${one}`, 1, PAGE) };
}
