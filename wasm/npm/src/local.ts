// The peer in this tab.

import type { Core } from "../core/taiinet_wasm.js";
import { withMore, type Audience, type CoreEvent, type CoreOptions, type CoreStatus, type Engine, type DeleteQuery, type Deletion, type Feed, type FindQuery, type Found, type LiveChange, type News, type PublishQuery, type Raw, type Ready, type Removed, type Stamp, type StampQuery, type StateStores, type SubscribeQuery } from "./engine.js";
import { TaiiNetError, closed, fromCore } from "./errors.js";
import { liveIn } from "./page.js";
import { forbidsConnecting } from "./policy.js";
import { discardWasm, type Bindings } from "./wasm.js";

/** What the core looks for at once (taiinet-mesh, limits::FINDS), and what may wait for that. */
const FINDS = 16;
const FINDS_WAITING = 1024;

interface Subscriber {
  query: string;
  options: SubscribeQuery;
  hear: (news: News) => void;
  failed: (error: Error) => void;
  /** What was told last of what was before; undefined while it is looked for. */
  ready?: Ready | undefined;
  /** So many older ones were asked for meanwhile. */
  owed: number;
}

/** A document, of what the core's `delivery` tells (wasm/src/delivery.rs). */
function toRaw(about: string, json: string): Raw {
  const known = JSON.parse(about) as Omit<Raw, "json" | "receivedAt">;
  const { owner, expiresAt, from, key, writers, replaces } = known;
  return { ...known, owner, expiresAt, from, key, writers, replaces, receivedAt: Date.now(), json };
}

export class LocalEngine implements Engine {
  readonly isHere = true;
  readonly #wasm: Bindings;
  readonly #options: CoreOptions;
  readonly #seed: () => Promise<Uint8Array>;
  readonly #audience: Audience;
  readonly #kept: StateStores;
  #core: Core | undefined;
  #lastNumber = 0;
  /** By the core's numbers, which change when the peer is started again. */
  #subscribers = new Map<number, Subscriber>();
  /** All that there are; without a number while the peer is started again. */
  #numbers = new Map<Subscriber, number | undefined>();
  #behind = new Set<Subscriber>();
  #finding = 0;
  /** Searches that wait for their turn, in order. */
  #turns: (() => void)[] = [];
  /** Until the peer runs again, under another key. */
  #restarting: Promise<void> | undefined;
  /** A core that has trapped answers nothing any more: these are told so. */
  #unanswered = new Set<(error: Error) => void>();
  #stopLiving = () => {};
  /** For how long before it there was no peer that should have been. */
  #silentMs = 0;
  #state: "running" | "closed" | TaiiNetError = "running";

  private constructor(wasm: Bindings, options: CoreOptions, seed: () => Promise<Uint8Array>, audience: Audience, kept: StateStores) {
    this.#wasm = wasm;
    this.#kept = kept;
    this.#options = options;
    this.#seed = seed;
    this.#audience = audience;
  }

  /** Starts a peer; `seed` gives a copy of the secret key, which is wiped. For `silentMs` before it there was none,
   *  and should have been: it looks for what was published meanwhile. */
  static async start(wasm: Bindings, options: CoreOptions, seed: () => Promise<Uint8Array>, audience: Audience, kept: StateStores, silentMs = 0): Promise<LocalEngine> {
    const engine = new LocalEngine(wasm, options, seed, audience, kept);
    engine.#silentMs = silentMs;
    await engine.#begin();
    engine.#silentMs = 0;
    return engine;
  }

  async #begin(): Promise<void> {
    const seed = await this.#seed();
    try {
      if (this.#state !== "running") throw closed();
      this.#core = new this.#wasm.Core(seed, this.#coreOptions(), {
        delivery: this.#delivery,
        removed: this.#removed,
        conflict: this.#conflict,
        live: this.#live,
        ready: this.#ready,
        event: this.#event,
      });
    } catch (error) {
      throw fromCore(error);
    } finally {
      seed.fill(0);
    }
    const core = this.#core;
    this.#stopLiving = liveIn({
      doze: (dozing) => this.#try(() => core.doze(dozing)),
      wake: () => this.#try(() => core.wake()),
      leave: () => void this.close(),
    });
    this.#audience.started(core.peerId, this.#options);
  }

  #coreOptions(): string {
    // The lists as they are: an integer of them may be beyond JavaScript's.
    const lists = [`"blacklist":${this.#kept.blacklist.load() ?? "[]"}`, `"signallerCache":${this.#kept.signallers.load() ?? "[]"}`, `"stamps":${this.#kept.stamps.load() ?? "[]"}`];
    return `${JSON.stringify({ ...this.#options, silentMs: this.#silentMs }).slice(0, -1)},${lists.join()}}`;
  }

  #delivery = (subscriptions: Uint32Array, about: string, json: string): void => {
    this.#tell(subscriptions, { type: "document", raw: toRaw(about, json) });
  };

  #removed = (subscriptions: Uint32Array, what: string): void => {
    const { key, ...removed } = JSON.parse(what) as Removed & { key: string | null };
    this.#tell(subscriptions, { type: "remove", removed: { ...removed, key: key ?? undefined } });
  };

  #conflict = (subscriptions: Uint32Array, ...[winner, winnersJson, loser, losersJson]: [string, string, string, string]): void => {
    this.#tell(subscriptions, { type: "conflict", winner: toRaw(winner, winnersJson), loser: toRaw(loser, losersJson) });
  };

  #live = (subscriptions: Uint32Array, what: string, ...[about, json]: [string, string]): void => {
    const raw = about === "" ? {} : { raw: toRaw(about, json) };
    this.#tell(subscriptions, { type: "live", change: { ...(JSON.parse(what) as LiveChange), ...raw } as LiveChange });
  };

  #ready = (subscription: number, what: string): void => {
    const subscriber = this.#subscribers.get(subscription);
    if (!subscriber) return;
    const ready = JSON.parse(what) as Ready;
    const { owed } = subscriber;
    subscriber.owed = 0;
    if (owed > 0 && ready.more && this.#try((core) => core.more(subscription, owed))) return;
    subscriber.ready = ready;
    subscriber.hear({ type: "ready", ready });
  };

  #tell(subscriptions: Uint32Array, news: News): void {
    for (const number of subscriptions) this.#subscribers.get(number)?.hear(news);
  }

  #event = (json: string): void => {
    const event = JSON.parse(json) as CoreEvent;
    if (event.type === "panicked") this.#fail(event.message);
    else {
      if (event.type === "blacklisted") this.#keepBlacklist();
      if (event.type === "signaller-learned") this.#kept.signallers.save(this.#try((core) => core.signallerCache()));
      this.#audience.event(event);
    }
  };

  #keepBlacklist(): void {
    this.#kept.blacklist.save(this.#try((core) => core.blacklistToKeep()));
  }

  /** A core that has panicked or trapped must not be called again. */
  #fail(reason: unknown): TaiiNetError {
    if (this.#state instanceof TaiiNetError) return this.#state;
    const error = fromCore(reason instanceof Error ? reason : new Error(String(reason)));
    this.#state = error;
    this.#stopLiving();
    discardWasm(this.#wasm);
    this.#audience.failed(error);
    for (const reject of this.#unanswered) reject(error);
    this.#unanswered.clear();
    return error;
  }

  /** Calls the core; a trap is the end of it. */
  #try<T>(call: (core: Core) => T): T {
    if (this.#state instanceof TaiiNetError) throw this.#state;
    if (this.#state === "closed" || !this.#core) throw closed();
    try {
      return call(this.#core);
    } catch (error) {
      // Its own faults are texts. All else (a RuntimeError; a RangeError, of a stack that is full) has
      // left it in the middle of something.
      if (typeof error !== "string") throw this.#fail(error);
      throw fromCore(error);
    }
  }

  subscribe(query: string, options: SubscribeQuery, hear: (news: News) => void, failed: (error: Error) => void): Feed {
    const subscriber: Subscriber = { query, options, hear, failed, owed: 0 };
    if (this.#restarting) this.#numbers.set(subscriber, undefined);
    else this.#add(subscriber);
    return {
      behind: (behind) => {
        if (behind) this.#behind.add(subscriber);
        else this.#behind.delete(subscriber);
        this.#hold(subscriber);
        this.#tellBehind();
      },
      more: (limit) => this.#more(subscriber, limit),
      close: () => {
        const number = this.#numbers.get(subscriber);
        if (!this.#numbers.delete(subscriber)) return;
        this.#behind.delete(subscriber);
        if (number !== undefined) {
          this.#subscribers.delete(number);
          if (this.#state === "running") this.#try((core) => core.unsubscribe(number));
        }
        this.#tellBehind();
      },
    };
  }

  #add(subscriber: Subscriber): void {
    const { query, options } = subscriber;
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    subscriber.ready = undefined;
    subscriber.owed = 0;
    // The core may tell of it at once.
    this.#subscribers.set(number, subscriber);
    this.#numbers.set(subscriber, number);
    if (options.live) subscriber.hear({ type: "live", change: { type: "begin" } });
    try {
      this.#try((core) => core.subscribe(number, query, JSON.stringify(options)));
    } catch (error) {
      this.#subscribers.delete(number);
      this.#numbers.delete(subscriber);
      throw error;
    }
    if (this.#behind.has(subscriber)) this.#hold(subscriber);
  }

  /** What was before waits for a reader that is behind. */
  #hold(subscriber: Subscriber): void {
    const number = this.#numbers.get(subscriber);
    if (number !== undefined && this.#state === "running") this.#try((core) => core.hold(number, this.#behind.has(subscriber)));
  }

  #more(subscriber: Subscriber, limit: number): void {
    withMore(subscriber, limit);
    const number = this.#numbers.get(subscriber);
    // Of a peer that is started again all is wanted at once.
    if (number === undefined || this.#state !== "running") return;
    const { ready } = subscriber;
    if (!ready) subscriber.owed += limit;
    else if (this.#try((core) => core.more(number, limit))) subscriber.ready = undefined;
    else subscriber.hear({ type: "ready", ready });
  }

  #wasBehind = false;

  #tellBehind(): void {
    const behind = this.#behind.size > 0;
    if (behind === this.#wasBehind || this.#state !== "running" || this.#restarting) return;
    this.#wasBehind = behind;
    this.#try((core) => core.behind(behind));
  }

  publish(document: string, options: PublishQuery): Promise<string> {
    return this.#ask((core) => {
      const taken = core.publish(document, JSON.stringify(options));
      this.#keepStamp();
      return taken;
    });
  }

  delete(what: Deletion, options: DeleteQuery): Promise<string> {
    return this.#ask((core) => {
      const taken = core.delete(JSON.stringify(what), JSON.stringify(options));
      this.#keepStamp();
      return taken;
    });
  }

  /** A stamp for a document with this key, if any, for {@link PublishQuery}. */
  stamp(of: StampQuery): Promise<Stamp> {
    return this.#ask((core) => {
      const stamp = JSON.parse(core.stamp(JSON.stringify(of))) as Stamp;
      this.#keepStamp();
      return Promise.resolve(stamp);
    });
  }

  #keepsStamp = false;

  /** Once for all documents that are published now. */
  #keepStamp(): void {
    if (this.#keepsStamp) return;
    this.#keepsStamp = true;
    queueMicrotask(() => {
      this.#keepsStamp = false;
      if (this.#state !== "running" || !this.#core) return;
      // Another tab, of another network perhaps, may be further.
      const [kept = 0] = JSON.parse(this.#kept.stamps.load() ?? "[]") as number[];
      const [own = 0] = JSON.parse(this.#core.stampsToKeep()) as number[];
      if (own > kept || kept > Date.now() + 60_000) this.#kept.stamps.save(JSON.stringify([own]));
    });
  }

  async find(query: string, options: FindQuery): Promise<Found> {
    let documents: Raw[] = [];
    const each = (about: string, json: string) => void documents.push(toRaw(about, json));
    await this.#turn();
    try {
      const ended = await this.#ask((core) => {
        documents = [];
        return core.find(query, JSON.stringify(options), each) as Promise<string>;
      });
      const { complete, cursor } = JSON.parse(ended) as { complete: boolean; cursor: string | null };
      return { documents, complete, ...(cursor !== null && { cursor }) };
    } finally {
      this.#finding -= 1;
      this.#turns.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    if (this.#turns.length >= FINDS_WAITING) {
      throw new TaiiNetError("busy", `${FINDS_WAITING} searches wait already; await earlier ones first`);
    }
    if (this.#finding >= FINDS) await new Promise<void>((turn) => this.#turns.push(turn));
    this.#finding += 1;
  }

  async status(): Promise<CoreStatus> {
    const status = await this.#ask((core) => Promise.resolve(JSON.parse(core.status()) as CoreStatus));
    for (const signaller of status.signallers) if (!signaller.joined && forbidsConnecting(signaller.url)) signaller.forbidden = true;
    return status;
  }

  async blacklist(peer: string, until: number | undefined): Promise<void> {
    await this.#ask((core) => Promise.resolve(core.blacklist(peer, until)));
    this.#keepBlacklist();
  }

  async unblock(peer: string): Promise<boolean> {
    const wasBlocked = await this.#ask((core) => Promise.resolve(core.unblock(peer)));
    this.#keepBlacklist();
    return wasBlocked;
  }

  /** Asks the core; what it has not answered when it is started again is asked once more. */
  async #ask<T>(call: (core: Core) => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#restarting) await this.#restarting.catch(() => {});
      const asked = this.#core;
      try {
        return await this.#answer(this.#try(call));
      } catch (error) {
        const fault = fromCore(error);
        const again = this.#restarting !== undefined || this.#core !== asked;
        if (fault.code !== "closed" || this.#state !== "running" || !again) throw fault;
      }
    }
  }

  #answer<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#unanswered.add(reject);
      promise.finally(() => this.#unanswered.delete(reject)).then(resolve, reject);
    });
  }

  /** One after the other: two at once would be two peers of one key. */
  restart(): Promise<void> {
    const before = this.#restarting ?? Promise.resolve();
    const restarting = before.catch(() => {}).then(() => this.#again());
    const done = () => {
      if (this.#restarting === restarting) this.#restarting = undefined;
    };
    this.#restarting = restarting;
    restarting.then(done, done);
    return restarting;
  }

  async #again(): Promise<void> {
    const before = this.#try((core) => core);
    this.#stopLiving();
    this.#subscribers.clear();
    for (const subscriber of this.#numbers.keys()) this.#numbers.set(subscriber, undefined);
    this.#wasBehind = false;
    await this.#answer(this.#try((core) => core.close()));
    try {
      await this.#begin();
    } catch (error) {
      throw this.#state === "closed" ? closed() : this.#fail(error);
    }
    before.free();
    for (const subscriber of this.#numbers.keys()) {
      try {
        this.#add(subscriber);
      } catch (error) {
        this.#numbers.delete(subscriber);
        subscriber.failed(fromCore(error));
      }
    }
    this.#wasBehind = this.#behind.size > 0;
    if (this.#wasBehind) this.#try((core) => core.behind(true));
  }

  async close(): Promise<void> {
    if (this.#state !== "running") return;
    const core = this.#core;
    // Another engine may have taken over already, and tells them how it goes on.
    this.#subscribers.clear();
    const ended = this.#try((running) => running.close());
    this.#state = "closed";
    this.#stopLiving();
    await ended;
    core?.free();
  }
}
