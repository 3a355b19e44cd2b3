// One peer for all tabs of an origin.
//
// The tab that leads (election.ts) runs the peer; the others speak to it over a BroadcastChannel. When another
// takes over it tells the others, and each says again what it wants. Each tab holds a lock of its own as
// well, by which the peer's tab learns of its end.

import { withMore, type Audience, type CoreEvent, type CoreOptions, type CoreStatus, type Engine, type DeleteQuery, type Deletion, type Feed, type FindQuery, type Found, type News, type PublishQuery, type Stamp, type StampQuery, type SubscribeQuery } from "./engine.js";
import { Election, type Reign } from "./election.js";
import { TaiiNetError, closed, fromPlain, toPlain, type PlainError } from "./errors.js";
import { keyOf } from "./key.js";

/** Changes with the messages: tabs of different versions of the package have a peer each. */
const VERSION = 9;

/** Which peer is shared: the tabs of one network and one identity have one. */
export interface SharedPeer {
  network: string;
  identity: string;
}

/** A name that no other pair has, whatever is in the two. */
export function nameOf({ network, identity }: SharedPeer): string {
  return `taiinet/${VERSION} ${JSON.stringify([network, identity])}`;
}

type Call =
  | { name: "subscribe"; feed: number; query: string; options: SubscribeQuery }
  | { name: "unsubscribe"; feed: number }
  | { name: "behind"; feed: number; behind: boolean }
  | { name: "more"; feed: number; limit: number }
  | { name: "publish"; document: string; options: PublishQuery }
  | { name: "delete"; what: Deletion; options: DeleteQuery }
  | { name: "find"; query: string; options: FindQuery }
  | { name: "status" }
  | { name: "blacklist"; peer: string; until: number | undefined }
  | { name: "unblock"; peer: string }
  | { name: "restart" };

type Message =
  | { kind: "hello"; from: string }
  | { kind: "starting"; term: number }
  | { kind: "leader"; leader: string; term: number; of: SharedPeer; peerId: string; options: CoreOptions }
  | { kind: "event"; leader: string; event: CoreEvent }
  | { kind: "refused"; to: string; feed: number; error: PlainError }
  | { kind: "call"; to: string; from: string; id: number; call: Call }
  | { kind: "stamped"; to: string; id: number; stamp: Stamp }
  | { kind: "answer"; to: string; id: number; value?: unknown; error?: PlainError }
  | { kind: "news"; to: string; leader: string; feed: number; news: News };

interface Waiting {
  call: Call;
  resolve: (value: never) => void;
  reject: (error: Error) => void;
}

interface Subscriber {
  query: string;
  options: SubscribeQuery;
  hear: (news: News) => void;
  failed: (error: Error) => void;
  behind: boolean;
  /** The feed of the engine in this tab, while it runs here. */
  feed?: Feed;
}

/** An engine that runs in this tab. */
export interface StampingEngine extends Engine {
  /** For a document with this key, if any: later than all that this engine has published, and than the versions that
   *  it replaces. */
  stamp(of: StampQuery): Promise<Stamp>;
}

/** Whether this place has what sharing needs. */
export function canShare(): boolean {
  return typeof navigator !== "undefined" && "locks" in navigator && typeof BroadcastChannel !== "undefined";
}

export class SharedEngine implements Engine {
  readonly #name: string;
  readonly #of: SharedPeer;
  readonly #start: (audience: Audience, silentMs: number) => Promise<StampingEngine>;
  readonly #audience: Audience;
  readonly #channel: BroadcastChannel;
  readonly #tab = crypto.randomUUID();
  /** Ends all locks. */
  readonly #end = new AbortController();
  #election: Election | undefined;
  #leader: string | undefined;
  /** Rises with each tab that leads: one that was taken from while it stood still, and goes on, is not believed. */
  #term = 0;
  #peerId = "";
  /** Of the tab that leads. */
  #options: CoreOptions | undefined;
  /** The engine, while it runs in this tab. */
  #engine: StampingEngine | undefined;
  /** What other tabs subscribed to here. */
  #guests = new Map<string, Map<number, Feed>>();
  #subscribers = new Map<number, Subscriber>();
  #waiting = new Map<number, Waiting>();
  #next = 0;
  #failed: TaiiNetError | undefined;

  /** `start` makes the engine, if it falls to this tab; it cares for what was published since no tab was heard to
   *  run the peer. */
  constructor(of: SharedPeer, start: (audience: Audience, silentMs: number) => Promise<StampingEngine>, audience: Audience) {
    this.#of = of;
    this.#name = nameOf(of);
    this.#start = start;
    this.#audience = audience;
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#receive(data as Message);
    void this.#live();
  }

  get isHere(): boolean {
    return this.#engine !== undefined;
  }

  async #live(): Promise<void> {
    const over = new Promise<void>((resolve) => this.#end.signal.addEventListener("abort", () => resolve()));
    await new Promise<void>((held) => {
      navigator.locks.request(this.#lockOf(this.#tab), { signal: this.#end.signal }, () => (held(), over)).catch(() => held());
    });
    if (this.#end.signal.aborted) return;
    const ask = () => this.#post({ kind: "hello", from: this.#tab });
    ask();
    this.#election = new Election(this.#name, {
      lead: (reign) => this.#lead(reign),
      abdicate: () => this.#abdicate(),
      ask,
      leaderless: () => this.#leaderless(),
      hasOthers: () => this.#guests.size > 0,
    });
  }

  #lockOf(tab: string): string {
    return `${this.#name} ${tab}`;
  }

  /** The peer runs here until the reign is over. */
  async #lead(reign: Reign): Promise<void> {
    const engine = await this.#begin(reign);
    if (!engine) return;
    if (reign.isOver || this.#end.signal.aborted) return engine.close();
    this.#engine = engine;
    for (const [number, subscriber] of this.#subscribers) {
      try {
        this.#open(engine, subscriber);
      } catch (error) {
        this.#refused(number, toPlain(error));
      }
    }
    if (this.#end.signal.aborted) return;
    this.#tellLeader();
    // What the tab before has not answered is asked again, here.
    for (const [id, { call }] of this.#waiting) this.#answer(id, call);
    await reign.over;
  }

  async #begin(reign: Reign): Promise<StampingEngine | undefined> {
    // Also later than that of any tab that this one has not heard.
    this.#term = Math.max(this.#term + 1, Date.now());
    const unlessOver = (act: () => void) => reign.isOver || act();
    try {
      const audience: Audience = {
        started: (peerId, options) =>
          unlessOver(() => {
            this.#peerId = peerId;
            this.#options = options;
            if (this.#engine) this.#tellLeader();
          }),
        event: (event) =>
          unlessOver(() => {
            this.#post({ kind: "event", leader: this.#tab, event });
            this.#audience.event(event);
          }),
        failed: (error) => unlessOver(() => this.#fail(error)),
      };
      return await this.#start(audience, reign.silentMs);
    } catch (error) {
      unlessOver(() => this.#fail(error));
      return undefined;
    }
  }

  #tellLeader(): void {
    this.#leader = this.#tab;
    this.#announce();
    this.#audience.started(this.#peerId, this.#options as CoreOptions);
  }

  #announce(): void {
    const options = this.#options as CoreOptions;
    this.#post({ kind: "leader", leader: this.#tab, term: this.#term, of: this.#of, peerId: this.#peerId, options });
  }

  /** Another tab leads while this one lives on. Nothing is waited for: that one runs the peer already, or this one
   *  is about to stand still. */
  #abdicate(): void {
    const engine = this.#engine;
    this.#engine = undefined;
    this.#leader = undefined;
    this.#guests.clear();
    for (const subscriber of this.#subscribers.values()) delete subscriber.feed;
    engine?.close().catch(() => {});
    this.#post({ kind: "hello", from: this.#tab });
  }

  #leaderless(): void {
    this.#leader = undefined;
    this.#audience.leaderless?.();
  }

  /** The peer cannot go on in this tab. It leaves the peer to the next, whose module is its own. */
  #fail(error: unknown): void {
    if (this.#end.signal.aborted) return;
    const plain = toPlain(error);
    this.#failed = fromPlain(plain);
    this.#engine = undefined;
    this.#stop();
    for (const id of [...this.#waiting.keys()]) this.#settle(id, undefined, plain);
    this.#audience.failed(this.#failed);
  }

  #post(message: Message): void {
    if (!this.#end.signal.aborted) this.#channel.postMessage(message);
  }

  #receive(message: Message): void {
    if (this.#end.signal.aborted) return;
    switch (message.kind) {
      case "hello":
        if (this.#engine) {
          this.#guestsOf(message.from);
          this.#announce();
        } else if (this.#election?.leads) this.#post({ kind: "starting", term: this.#term });
        return;
      case "starting":
        if (message.term >= this.#term) this.#election?.heard();
        return;
      case "leader":
        // Another network's or identity's would publish what is ours there, under its key.
        if (message.of?.network !== this.#of.network || message.of.identity !== this.#of.identity) return;
        // One that does not know yet that another has taken over.
        if (message.term < this.#term) return this.#engine ? this.#announce() : undefined;
        this.#term = message.term;
        if (message.leader !== this.#tab) this.#election?.stepDown();
        this.#election?.heard();
        return this.#follow(message.leader, message.peerId, message.options);
      case "event":
        if (message.leader === this.#leader) this.#audience.event(message.event);
        return;
      case "refused":
        if (message.to === this.#tab) this.#refused(message.feed, message.error);
        return;
      case "call":
        if (message.to === this.#tab) void this.#host(message.from, message.id, message.call);
        return;
      case "stamped":
        if (message.to === this.#tab) this.#stamped(message.id, message.stamp);
        return;
      case "answer":
        if (message.to === this.#tab) this.#settle(message.id, message.value, message.error);
        return;
      case "news":
        // Of one that was taken from while it stood still it would be about another core's list.
        if (message.to === this.#tab && message.leader === this.#leader) this.#subscribers.get(message.feed)?.hear(message.news);
    }
  }

  // ---- In a tab that is not the peer's ----

  #follow(leader: string, peerId: string, options: CoreOptions): void {
    if (leader === this.#tab) return;
    const news = leader !== this.#leader;
    this.#leader = leader;
    if (news) {
      for (const [feed, { query, options, behind }] of this.#subscribers) {
        this.#tell({ name: "subscribe", feed, query, options });
        if (behind) this.#tell({ name: "behind", feed, behind });
      }
      for (const [id, { call }] of this.#waiting) this.#post({ kind: "call", to: leader, from: this.#tab, id, call });
    }
    if (news || peerId !== this.#peerId) {
      this.#peerId = peerId;
      this.#audience.started(peerId, options);
    }
  }

  /** A call without an answer. */
  #tell(call: Call): void {
    if (this.#leader && this.#leader !== this.#tab) this.#post({ kind: "call", to: this.#leader, from: this.#tab, id: 0, call });
  }

  #ask<T>(call: Call): Promise<T> {
    if (this.#failed) return Promise.reject(this.#failed);
    if (this.#end.signal.aborted) return Promise.reject(closed());
    return new Promise<T>((resolve, reject) => {
      this.#next += 1;
      const id = this.#next;
      this.#waiting.set(id, { call, resolve: resolve as (value: never) => void, reject });
      if (this.#engine) this.#answer(id, call);
      else if (this.#leader) this.#post({ kind: "call", to: this.#leader, from: this.#tab, id, call });
    });
  }

  /** Asks the engine of this tab. One that this tab has lost meanwhile has answered nothing: the next tab is asked. */
  #answer(id: number, call: Call): void {
    const engine = this.#engine;
    this.#serve(call, id).then(
      (value) => this.#settle(id, value),
      (error: unknown) => {
        const plain = toPlain(error);
        if (plain.code !== "closed" || this.#engine === engine) this.#settle(id, undefined, plain);
      },
    );
  }

  #stamped(id: number, stamp: Stamp): void {
    const call = this.#waiting.get(id)?.call;
    if (call?.name === "publish" || call?.name === "delete") call.options.stamp = stamp;
  }

  #settle(id: number, value: unknown, error?: PlainError): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    if (error) waiting.reject(fromPlain(error));
    else waiting.resolve(value as never);
  }

  #refused(feed: number, error: PlainError): void {
    const subscriber = this.#subscribers.get(feed);
    if (this.#subscribers.delete(feed)) subscriber?.failed(fromPlain(error));
  }

  // ---- In the peer's tab ----

  /** Another tab asks. */
  async #host(from: string, id: number, call: Call): Promise<void> {
    if (!this.#engine) return;
    const guests = this.#guestsOf(from);
    try {
      const value = await this.#serve(call, id, from, guests);
      if (id) this.#post({ kind: "answer", to: from, id, value });
    } catch (fault) {
      const error = toPlain(fault);
      // A peer that goes away has answered nothing: what waits asks the next tab's.
      if (error.code === "closed") return;
      if (id) this.#post({ kind: "answer", to: from, id, error });
      else if (call.name === "subscribe") this.#post({ kind: "refused", to: from, feed: call.feed, error });
    }
  }

  /** The feeds of another tab; they end with it. */
  #guestsOf(tab: string): Map<number, Feed> {
    const known = this.#guests.get(tab);
    if (known) return known;
    const feeds = new Map<number, Feed>();
    this.#guests.set(tab, feeds);
    const gone = () => {
      this.#guests.delete(tab);
      for (const feed of feeds.values()) feed.close();
    };
    navigator.locks.request(this.#lockOf(tab), { signal: this.#end.signal }, gone).catch(() => {});
    return feeds;
  }

  async #serve(call: Call, id: number, from?: string, guests?: Map<number, Feed>): Promise<unknown> {
    const engine = this.#engine;
    if (!engine) throw closed();
    switch (call.name) {
      case "subscribe":
        if (from && guests && !guests.has(call.feed)) {
          const { feed } = call;
          const hear = (news: News) => this.#post({ kind: "news", to: from, leader: this.#tab, feed, news });
          const failed = (error: Error) => {
            guests.delete(feed);
            this.#post({ kind: "refused", to: from, feed, error: toPlain(error) });
          };
          guests.set(feed, engine.subscribe(call.query, call.options, hear, failed));
        }
        return undefined;
      case "unsubscribe":
        guests?.get(call.feed)?.close();
        guests?.delete(call.feed);
        return undefined;
      case "behind":
        return guests?.get(call.feed)?.behind(call.behind);
      case "more":
        return guests?.get(call.feed)?.more(call.limit);
      case "publish":
        // Sealed again, with keys of its own, it is another document: should a tab take over just then, it
        // may come twice. All else is stamped by the tab that leads, for one after the other; the tab that
        // takes over is asked with the same stamp, and publishes the same document.
        if (!call.options.to) await this.#stamp(engine, call.options, keyOf(call.options), id, from);
        return engine.publish(call.document, call.options);
      case "delete":
        await this.#stamp(engine, call.options, { ...("key" in call.what && keyOf(call.what)), deletes: true }, id, from);
        return engine.delete(call.what, call.options);
      case "find":
        return engine.find(call.query, call.options);
      case "status":
        return engine.status();
      case "blacklist":
        return engine.blacklist(call.peer, call.until);
      case "unblock":
        return engine.unblock(call.peer);
      case "restart":
        return engine.restart();
    }
  }

  async #stamp(engine: StampingEngine, options: { stamp?: Stamp }, key: StampQuery, id: number, from?: string): Promise<void> {
    if (options.stamp) return;
    options.stamp = await engine.stamp(key);
    if (from) this.#post({ kind: "stamped", to: from, id, stamp: options.stamp });
  }

  #open(engine: Engine, subscriber: Subscriber): void {
    const { query, options, hear, failed } = subscriber;
    subscriber.feed = engine.subscribe(query, options, hear, failed);
    if (subscriber.behind) subscriber.feed.behind(true);
  }

  // ---- Engine ----

  subscribe(query: string, options: SubscribeQuery, hear: (news: News) => void, failed: (error: Error) => void): Feed {
    if (this.#failed) throw this.#failed;
    if (this.#end.signal.aborted) throw closed();
    this.#next += 1;
    const number = this.#next;
    const subscriber: Subscriber = { query, options, hear, failed, behind: false };
    if (this.#engine) this.#open(this.#engine, subscriber);
    this.#subscribers.set(number, subscriber);
    this.#tell({ name: "subscribe", feed: number, query, options });
    return {
      behind: (behind) => {
        subscriber.behind = behind;
        if (subscriber.feed) subscriber.feed.behind(behind);
        else this.#tell({ name: "behind", feed: number, behind });
      },
      more: (limit) => {
        withMore(subscriber, limit);
        if (subscriber.feed) subscriber.feed.more(limit);
        else this.#tell({ name: "more", feed: number, limit });
      },
      close: () => {
        if (!this.#subscribers.delete(number)) return;
        if (subscriber.feed) subscriber.feed.close();
        else this.#tell({ name: "unsubscribe", feed: number });
      },
    };
  }

  publish(document: string, options: PublishQuery): Promise<string> {
    return this.#ask({ name: "publish", document, options: { ...options } });
  }

  delete(what: Deletion, options: DeleteQuery): Promise<string> {
    return this.#ask({ name: "delete", what, options: { ...options } });
  }

  find(query: string, options: FindQuery): Promise<Found> {
    return this.#ask({ name: "find", query, options });
  }

  status(): Promise<CoreStatus> {
    return this.#ask({ name: "status" });
  }

  blacklist(peer: string, until: number | undefined): Promise<void> {
    return this.#ask({ name: "blacklist", peer, until });
  }

  unblock(peer: string): Promise<boolean> {
    return this.#ask({ name: "unblock", peer });
  }

  restart(): Promise<void> {
    return this.#ask({ name: "restart" });
  }

  /** Leaves the peer to the other tabs; the last one ends it. */
  async close(): Promise<void> {
    if (this.#end.signal.aborted) return;
    const engine = this.#engine;
    this.#engine = undefined;
    const plain = toPlain(closed());
    for (const id of [...this.#waiting.keys()]) this.#settle(id, undefined, plain);
    // The lock is free for the next tab only when the peer has left: two of one name would meet.
    await engine?.close();
    this.#stop();
  }

  #stop(): void {
    this.#end.abort();
    this.#election?.end();
    this.#channel.close();
  }
}
