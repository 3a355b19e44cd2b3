// Live result sets: the documents that match a query, in an order, the first so many of them, kept true by the core.

import { boolean, integer, listener, options as checkOptions } from "./arguments.js";
import { toDelivery, type Delivery } from "./delivery.js";
import type { Feed, LiveChange, LiveWish, News } from "./engine.js";
import { fromCore, indiscreet, type TaiiNetError } from "./errors.js";
import { report } from "./events.js";
import { sorting, type Sort } from "./find.js";
import type { Query } from "./query.js";
import type { TaiiNet } from "./taiinet.js";
import type { Fields } from "./values.js";

/**
 * How far a live result set is: nobody has answered yet what there was before (`"loading"`; what comes meanwhile is in
 * it); it is as the neighbours know it (`"ready"`); there is no neighbour now, or what was missed is still looked for
 * (`"stale"`); or it cannot be had, or not any more (`"error"`).
 */
export type LiveState = "loading" | "ready" | "stale" | "error";

/** A live result set at a moment. It never changes: when the set does, there is another one. */
export interface LiveSnapshot<T = Fields> {
  /** In order. A document that stays is the same object from snapshot to snapshot. */
  readonly documents: readonly Delivery<T>[];
  readonly state: LiveState;
  /** Whether all that match were found, as far as those that were asked know, and none of them has left out anything:
   *  what is not in `documents` comes behind them. */
  readonly complete: boolean;
  /** Whether there may be more that match, beyond the limit. */
  readonly more: boolean;
  /** Why it cannot be had, in the state `"error"`. */
  readonly error: Error | undefined;
}

export interface LiveOptions<T extends object = Fields> {
  /** In which order, as for `find`; default the newest first. */
  sort?: Sort<T>;
  /** How many of the documents, from the first one: 1 to 10,000. Default 100. */
  limit?: number;
  /** Subscribed to with a key of its own, to which others can seal; default false. */
  private?: boolean;
}

const LOADING = { state: "loading", complete: false, more: false } as const;
/** What is known of a set that nobody looks at. */
const UNKNOWN: LiveSnapshot<never> = Object.freeze({ ...LOADING, documents: Object.freeze([]), error: undefined });

/** After its last reader has left, a set is kept so long: one that comes back finds it. */
const LINGER_MS = 1000;
/** A page that is hidden has no frames: changes are told after so long then, or when the browser lets timers run. */
const FRAME_MS = 100;
/** `setTimeout` knows no longer ones. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const LIMIT = 10_000;

/**
 * The documents that match a query, kept true while somebody listens. Equal queries with equal options share their work.
 * It is a store as Svelte has them, and what `useSyncExternalStore` of React asks for.
 */
export class LiveQuery<T extends object = Fields> implements AsyncIterable<LiveSnapshot<T>> {
  readonly #sets: LiveSets;
  readonly #query: string;
  readonly #wish: Wish;

  /** @internal */
  constructor(sets: LiveSets, query: string, wish: Wish) {
    this.#sets = sets;
    this.#query = query;
    this.#wish = wish;
  }

  /** Calls `listener` with what is known, at once, and again whenever that has changed, once a frame at most; until the
   *  function that comes back is called. The set begins with its first listener, and ends a second after its last. */
  readonly subscribe = (listener: (snapshot: LiveSnapshot<T>) => void): (() => void) => {
    return this.#sets.join(this.#query, this.#wish, listener as (snapshot: LiveSnapshot<never>) => void);
  };

  /** What is known now; nothing while nobody listens. */
  readonly getSnapshot = (): LiveSnapshot<T> => this.#sets.get(this.#query, this.#wish);

  /** What a page shows that is rendered on a server: nothing yet. */
  readonly getServerSnapshot = (): LiveSnapshot<T> => UNKNOWN;

  /** What is known, and again whenever that has changed. A reader that is slow misses what was in between. It ends when
   *  the peer is closed, and throws what else went wrong. */
  [Symbol.asyncIterator](): AsyncIterableIterator<LiveSnapshot<T>> {
    // Not a generator: that would not end while it waits.
    let news: LiveSnapshot<T> | undefined;
    let wake = () => {};
    let isOver = false;
    const leave = this.subscribe((snapshot) => {
      news = snapshot;
      wake();
    });
    const end = () => {
      isOver = true;
      leave();
      wake();
    };
    const iterator: AsyncIterableIterator<LiveSnapshot<T>> = {
      next: async () => {
        while (!news && !isOver) await new Promise<void>((resolve) => (wake = resolve));
        const value = news;
        news = undefined;
        if (isOver || !value) return { done: true, value: undefined };
        if (!value.error) return { done: false, value };
        end();
        if ((value.error as Partial<TaiiNetError>).code === "closed") return { done: true, value: undefined };
        throw value.error;
      },
      return: async () => {
        end();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }
}

/** What adapters need of a {@link LiveQuery}. @internal */
export type LiveSource<T extends object> = Pick<LiveQuery<T>, "subscribe" | "getSnapshot" | "getServerSnapshot">;

/** The set; or one that tells why there is none, where a component could do nothing else with that. @internal */
export function liveSource<T extends object>(taiinet: TaiiNet, query: Query<T> | undefined, options: LiveOptions<T> | undefined): LiveSource<T> {
  let shown: LiveSnapshot<T> = UNKNOWN;
  try {
    if (query !== undefined) return taiinet.live<T>(query, options);
  } catch (error) {
    shown = { ...UNKNOWN, state: "error", error: error as Error };
  }
  const get = () => shown;
  const subscribe = (listener: (snapshot: LiveSnapshot<T>) => void) => {
    listener(shown);
    return () => {};
  };
  return { subscribe, getSnapshot: get, getServerSnapshot: get };
}

/** @internal */
export type Wish = Required<LiveWish> & { private: boolean };

/** @internal */
export function checkLiveOptions(value: unknown): Wish {
  const { sort = [], limit = 100, private: isPrivate = false, discreet } = checkOptions<LiveOptions & { discreet?: unknown }>(value, ["sort", "limit", "private", "discreet"]);
  if (discreet !== undefined) throw indiscreet("a live list, for which other peers are asked with the query");
  return { sort: sorting(sort), limit: integer(limit, "options.limit", 1, LIMIT), private: boolean(isPrivate, "options.private") };
}

type Listener = (snapshot: LiveSnapshot<never>) => void;
type Open = (query: string, wish: Wish, hear: (news: News) => void, failed: (error: unknown) => void) => Promise<Feed>;

/** The live result sets of a peer, by what is wanted. @internal */
export class LiveSets {
  readonly #open: Open;
  #sets = new Map<string, LiveSet>();

  constructor(open: Open) {
    this.#open = open;
  }

  get(query: string, wish: Wish): LiveSnapshot<never> {
    return this.#sets.get(nameOf(query, wish))?.shown ?? UNKNOWN;
  }

  join(query: string, wish: Wish, listen: Listener): () => void {
    listener(listen);
    const name = nameOf(query, wish);
    let set = this.#sets.get(name);
    if (!set) {
      set = new LiveSet(() => this.#sets.delete(name));
      this.#sets.set(name, set);
      set.begin((hear, failed) => this.#open(query, wish, hear, failed));
    }
    return set.join(listen);
  }

  /** No tab runs the peer. */
  stale(): void {
    for (const set of this.#sets.values()) set.stale();
  }

  /** One does again, perhaps the same. */
  resume(): void {
    for (const set of this.#sets.values()) set.resume();
  }

  /** The peer is closed, or cannot go on. */
  end(error: Error): void {
    for (const set of [...this.#sets.values()]) set.fail(error);
  }
}

function nameOf(query: string, wish: Wish): string {
  return `${JSON.stringify(wish)} ${query}`;
}

class LiveSet {
  /** As the listeners know it. */
  shown: LiveSnapshot<never> = UNKNOWN;
  readonly #forget: () => void;
  #listeners = new Set<Listener>();
  #feed: Feed | undefined;
  #isOver = false;
  #linger: ReturnType<typeof setTimeout> | undefined;
  /** As it is. */
  #documents: Delivery<never>[] = [];
  /** Whether there are others than those that the listeners know. */
  #hasNews = false;
  #state: Pick<LiveSnapshot, "state" | "complete" | "more"> = LOADING;
  /** What was known before the peer was started again, or in another tab: shown until as much is known again. */
  #before: Map<string, Delivery<never>> | undefined;
  #telling: (() => void) | undefined;
  #expiry: ReturnType<typeof setTimeout> | undefined;

  constructor(forget: () => void) {
    this.#forget = forget;
  }

  begin(open: (hear: (news: News) => void, failed: (error: unknown) => void) => Promise<Feed>): void {
    const failed = (error: unknown) => this.fail(fromCore(error));
    const hear = (news: News) => {
      if (news.type !== "live" || this.#isOver) return;
      this.#change(news.change);
      this.#telling ??= atNextFrame(this.#tell);
    };
    open(hear, failed).then((feed) => {
      if (this.#isOver) feed.close();
      else this.#feed = feed;
    }, failed);
  }

  join(listener: Listener): () => void {
    // One of its own, also of a function that listens twice.
    const one: Listener = (snapshot) => listener(snapshot);
    clearTimeout(this.#linger);
    this.#listeners.add(one);
    tell(one, this.shown);
    return () => {
      if (!this.#listeners.delete(one) || this.#listeners.size > 0) return;
      if (this.#isOver) this.#forget();
      else this.#linger = setTimeout(() => this.#end(), LINGER_MS);
    };
  }

  /** Nobody tells how it goes on. */
  stale(): void {
    if (!this.#isOver && this.shown.state === "ready") this.#show({ ...this.shown, state: "stale", complete: false });
  }

  /** Somebody does again; another than before begins it anew. */
  resume(): void {
    if (!this.#isOver) this.#telling ??= atNextFrame(this.#tell);
  }

  /** Whoever listens is told, and it goes with the last of them. */
  fail(error: Error): void {
    if (this.#isOver) return;
    this.#end();
    this.#show({ ...this.shown, state: "error", error });
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#linger);
    clearTimeout(this.#expiry);
    this.#telling?.();
    this.#feed?.close();
    if (this.#listeners.size === 0) this.#forget();
  }

  #change(change: LiveChange): void {
    const [documents, shown] = [this.#documents, this.shown.documents];
    this.#hasNews ||= change.type !== "state" && change.type !== "begin";
    switch (change.type) {
      case "begin":
        this.#before = shown.length > 0 ? new Map(shown.map((one) => [one.id, one])) : undefined;
        this.#hasNews = shown.length > 0;
        this.#documents = [];
        this.#state = LOADING;
        break;
      case "insert":
        documents.splice(change.index, 0, this.#before?.get(change.raw.id) ?? toDelivery(change.raw));
        break;
      case "update":
        documents.splice(change.from, 1);
        documents.splice(change.to, 0, toDelivery(change.raw));
        break;
      case "remove":
        documents.splice(change.index, 1);
        break;
      case "state":
        this.#state = { state: change.phase, complete: change.complete, more: change.more };
    }
  }

  #tell = (): void => {
    this.#telling = undefined;
    if (this.#before && this.#state.state !== "ready" && this.#documents.length < this.#before.size) {
      this.#show({ ...this.shown, documents: this.#unexpired(), state: "stale", complete: false });
      return;
    }
    this.#before = undefined;
    this.#show({ ...this.#state, documents: this.#hasNews ? [...this.#documents] : this.shown.documents, error: undefined });
    this.#hasNews = false;
  };

  /** Of what was shown before, what has not expired meanwhile; no core looks after that. */
  #unexpired(): readonly Delivery<never>[] {
    const { documents } = this.shown;
    const ends = documents.flatMap(({ expiresAt }) => expiresAt ?? []);
    const next = Math.min(...ends);
    const now = Date.now();
    clearTimeout(this.#expiry);
    if (next !== Infinity) this.#expiry = setTimeout(() => this.#before && !this.#isOver && this.#tell(), Math.max(0, Math.min(next - now, LONGEST_TIMER_MS)) + 1);
    return next > now ? documents : documents.filter(({ expiresAt = Infinity }) => expiresAt > now);
  }

  #show(snapshot: LiveSnapshot<never>): void {
    const { documents, state, complete, more, error } = this.shown;
    const isNews = documents !== snapshot.documents || state !== snapshot.state || complete !== snapshot.complete || more !== snapshot.more || error !== snapshot.error;
    if (!isNews) return;
    this.shown = snapshot;
    for (const one of [...this.#listeners]) if (this.#listeners.has(one)) tell(one, snapshot);
  }
}

/** One that throws keeps none of the others from hearing. */
function tell(listener: Listener, snapshot: LiveSnapshot<never>): void {
  try {
    listener(snapshot);
  } catch (error) {
    report(error);
  }
}

/** Calls once, at the next frame, or soon; unless the function that comes back is called before. */
function atNextFrame(call: () => void): () => void {
  const hasFrames = typeof requestAnimationFrame === "function";
  const end = () => {
    clearTimeout(timer);
    if (frame !== undefined) cancelAnimationFrame(frame);
  };
  const now = () => {
    end();
    call();
  };
  const timer = setTimeout(now, hasFrames ? FRAME_MS : 0);
  const frame = hasFrames ? requestAnimationFrame(now) : undefined;
  return end;
}
