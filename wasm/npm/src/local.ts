// The peer in this tab.

import type { Core } from "../core/taiinet_wasm.js";
import type { Audience, CoreEvent, CoreStatus, Engine, Feed, FindQuery, Privacy, PublishQuery, Raw, SubscribeQuery } from "./engine.js";
import { TaiiNetError, closed, fromCore } from "./errors.js";
import { liveIn } from "./page.js";
import type { Bindings } from "./wasm.js";

/** What the core is started with. */
export interface CoreOptions {
  network: string;
  signallers: string[];
  targetLinks?: number | undefined;
  maxLinks?: number | undefined;
}

/** Where the blacklist is kept; what is kept is JSON that only the core reads. */
export interface Keep {
  load(): string | undefined;
  save(list: string): void;
}

interface Subscriber {
  query: string;
  options: SubscribeQuery;
  deliver: (raw: Raw) => void;
}

export class LocalEngine implements Engine {
  readonly #wasm: Bindings;
  readonly #options: CoreOptions;
  readonly #seed: () => Promise<Uint8Array>;
  readonly #audience: Audience;
  readonly #keep: Keep;
  #core: Core | undefined;
  #subscribers = new Map<number, Subscriber>();
  /** By feed: the core's number changes when the peer is started anew. */
  #numbers = new Map<Subscriber, number>();
  #behind = new Set<Subscriber>();
  #stopLiving = () => {};
  #state: "running" | "closed" | TaiiNetError = "running";

  private constructor(wasm: Bindings, options: CoreOptions, seed: () => Promise<Uint8Array>, audience: Audience, keep: Keep) {
    this.#wasm = wasm;
    this.#keep = keep;
    this.#options = options;
    this.#seed = seed;
    this.#audience = audience;
  }

  /** Starts a peer; `seed` gives a copy of the secret key, which is wiped. */
  static async start(wasm: Bindings, options: CoreOptions, seed: () => Promise<Uint8Array>, audience: Audience, keep: Keep): Promise<LocalEngine> {
    const engine = new LocalEngine(wasm, options, seed, audience, keep);
    await engine.#begin();
    return engine;
  }

  async #begin(): Promise<void> {
    const seed = await this.#seed();
    try {
      this.#core = new this.#wasm.Core(seed, this.#coreOptions(), {
        delivery: this.#delivery,
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
    this.#audience.started(core.peerId);
  }

  #coreOptions(): string {
    const options = JSON.stringify(this.#options);
    const list = this.#keep.load();
    // As it is: an integer of it may be beyond JavaScript's.
    return list ? `${options.slice(0, -1)},"blacklist":${list}}` : options;
  }

  #delivery = (
    subscriptions: Uint32Array,
    id: string,
    author: string,
    createdAt: number,
    hops: number,
    from: string | undefined,
    key: string | undefined,
    json: string,
    exact: boolean,
    privacy: Privacy,
  ): void => {
    const raw = { id, author, createdAt, receivedAt: Date.now(), hops, from, key, json, exact, privacy };
    for (const number of subscriptions) this.#subscribers.get(number)?.deliver(raw);
  };

  #event = (json: string): void => {
    const event = JSON.parse(json) as CoreEvent;
    if (event.type === "panicked") this.#fail(event.message);
    else {
      if (event.type === "blacklisted") this.#keepBlacklist();
      this.#audience.event(event);
    }
  };

  #keepBlacklist(): void {
    this.#keep.save(this.#try((core) => core.blacklistToKeep()));
  }

  /** A core that has panicked or trapped must not be called again. */
  #fail(reason: unknown): TaiiNetError {
    if (this.#state instanceof TaiiNetError) return this.#state;
    const error = fromCore(reason instanceof Error ? reason : new Error(String(reason)));
    this.#state = error;
    this.#stopLiving();
    this.#audience.failed(error);
    return error;
  }

  /** Calls the core; a trap is the end of it. */
  #try<T>(call: (core: Core) => T): T {
    if (this.#state instanceof TaiiNetError) throw this.#state;
    if (this.#state === "closed" || !this.#core) throw closed();
    try {
      return call(this.#core);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw this.#fail(error);
      throw fromCore(error);
    }
  }

  subscribe(query: string, options: SubscribeQuery, deliver: (raw: Raw) => void): Feed {
    const subscriber = { query, options, deliver };
    this.#add(subscriber);
    return {
      behind: (behind) => {
        if (behind) this.#behind.add(subscriber);
        else this.#behind.delete(subscriber);
        this.#tellBehind();
      },
      close: () => {
        const number = this.#numbers.get(subscriber);
        if (number === undefined) return;
        this.#numbers.delete(subscriber);
        this.#subscribers.delete(number);
        this.#behind.delete(subscriber);
        if (this.#state === "running") this.#try((core) => core.unsubscribe(number));
        this.#tellBehind();
      },
    };
  }

  #add(subscriber: Subscriber): void {
    const number = this.#try((core) => core.subscribe(subscriber.query, JSON.stringify(subscriber.options)));
    this.#subscribers.set(number, subscriber);
    this.#numbers.set(subscriber, number);
  }

  #wasBehind = false;

  #tellBehind(): void {
    const behind = this.#behind.size > 0;
    if (behind === this.#wasBehind || this.#state !== "running") return;
    this.#wasBehind = behind;
    this.#try((core) => core.behind(behind));
  }

  async publish(document: string, options: PublishQuery): Promise<string> {
    return this.#settled(this.#try((core) => core.publish(document, JSON.stringify(options))));
  }

  async find(query: string, options: FindQuery): Promise<Raw[]> {
    const found: Raw[] = [];
    const each = (id: string, author: string, createdAt: number, hops: number, from: string | undefined, key: string | undefined, json: string, exact: boolean, privacy: Privacy) => {
      found.push({ id, author, createdAt, receivedAt: Date.now(), hops, from, key, json, exact, privacy });
    };
    await this.#settled(this.#try((core) => core.find(query, JSON.stringify(options), each)));
    return found;
  }

  async #settled<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } catch (error) {
      throw fromCore(error);
    }
  }

  async status(): Promise<CoreStatus> {
    return JSON.parse(this.#try((core) => core.status())) as CoreStatus;
  }

  async blacklist(peer: string, until: number | undefined): Promise<void> {
    this.#try((core) => core.blacklist(peer, until));
    this.#keepBlacklist();
  }

  async lift(peer: string): Promise<boolean> {
    const lifted = this.#try((core) => core.lift(peer));
    this.#keepBlacklist();
    return lifted;
  }

  async restart(): Promise<void> {
    const before = this.#core;
    this.#stopLiving();
    const subscribers = [...this.#numbers.keys()];
    this.#subscribers.clear();
    this.#numbers.clear();
    this.#wasBehind = false;
    await before?.close();
    await this.#begin();
    before?.free();
    subscribers.forEach((subscriber) => this.#add(subscriber));
    this.#tellBehind();
  }

  async close(): Promise<void> {
    if (this.#state !== "running") return;
    const core = this.#core;
    const ended = this.#try((running) => running.close());
    this.#state = "closed";
    this.#stopLiving();
    await ended;
    core?.free();
  }
}
