// Several tabs: each is a copy of the module of its own; locks are the test's.

import assert from "node:assert/strict";
import { afterEach } from "node:test";
import { load } from "./bundle.mjs";
import { cores } from "./core.mjs";
import { indexedDB, kept } from "./indexeddb.mjs";

globalThis.indexedDB = indexedDB;

/** Web Locks, of which a tab's can be taken from it as when it crashes. */
class Locks {
  #held = new Map();
  #queues = new Map();

  /** As `navigator.locks` of one tab. */
  of(tab) {
    return { request: (name, options, run) => this.#request(tab, name, options, run) };
  }

  #request(tab, name, { signal, steal, ifAvailable }, run) {
    return new Promise((resolve, reject) => {
      const abort = () => reject(new DOMException("", "AbortError"));
      const start = () => {
        const held = { tab, abort, release: () => this.#held.get(name) === held && this.#next(name) };
        this.#held.set(name, held);
        Promise.resolve(run({ name })).then((value) => (held.release(), resolve(value)), reject);
      };
      const turn = { tab, start };
      const queue = this.#queues.get(name) ?? [];
      this.#queues.set(name, queue);
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", () => { const at = queue.indexOf(turn); if (at >= 0) { queue.splice(at, 1); abort(); } });
      const holder = this.#held.get(name);
      if (holder && steal) {
        // A tab that stands still hears of it when it goes on.
        if (channels.get(holder.tab)?.still) channels.get(holder.tab).later.push(holder.abort);
        else holder.abort();
        start();
      } else if (holder && ifAvailable) resolve(run(null));
      else if (holder) queue.push(turn);
      else start();
    });
  }

  #next(name) {
    this.#held.delete(name);
    this.#queues.get(name)?.shift()?.start();
  }

  /** The tab is gone, with all its locks. */
  crash(tab) {
    for (const queue of this.#queues.values()) queue.splice(0, queue.length, ...queue.filter((turn) => turn.tab !== tab));
    for (const [name, held] of [...this.#held]) if (held.tab === tab) held.release();
  }
}

/** A private key without a passphrase (RFC 8032, 7.1, test 1). */
export const KEY_FILE = `-----BEGIN PRIVATE KEY-----
${Buffer.from("302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex").toString("base64")}
-----END PRIVATE KEY-----`;

let locks = new Locks();
export const Channel = globalThis.BroadcastChannel;
export const channels = new Map();
/** Closed when a test is over. */
export const opened = [];
let current;

/** In which tab what follows runs: `navigator` and `BroadcastChannel` are of the tab. */
export function enter(tab) {
  current = tab;
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { locks: locks.of(tab), onLine: true } });
}

function inside(tab, act) {
  const before = current;
  enter(tab);
  act();
  enter(before);
}

globalThis.BroadcastChannel = class extends Channel {
  #tab = current;
  still = false;
  /** What waits while the tab stands still. */
  later = [];

  constructor(name) {
    super(name);
    channels.set(current, this);
  }

  set onmessage(hear) {
    super.onmessage = hear && ((event) => (this.still ? this.later.push(() => hear(event)) : inside(this.#tab, () => hear(event))));
  }
};
globalThis.RTCPeerConnection = class {};

/** A tab stands still: it hears nothing, and does not know it. */
export function freeze(name) {
  channels.get(name).still = true;
}

export function thaw(name) {
  const channel = channels.get(name);
  channel.still = false;
  enter(name);
  for (const act of channel.later.splice(0)) act();
}

export async function tab(name, { network = "n", identity = "shared" } = {}) {
  enter(name);
  const { TaiiNet } = await load("index.ts");
  enter(name);
  const taiinet = new TaiiNet({ network, signallers: ["ws://127.0.0.1:1"], identity, shared: true });
  opened.push(taiinet);
  await taiinet.ready;
  return taiinet;
}

/** A tab that ends without a word. */
export function crash(name) {
  channels.get(name).onmessage = null;
  channels.get(name).close();
  channels.get(name).postMessage = () => {};
  locks.crash(name);
}

afterEach(async () => {
  globalThis.fakeHold = false;
  globalThis.fakeGoodbye = undefined;
  globalThis.fakeRefused = undefined;
  globalThis.fakeFound = undefined;
  globalThis.RTCPeerConnection = class {};
  globalThis.indexedDB = indexedDB;
  kept.clear();
  await Promise.all(opened.splice(0).map((taiinet) => taiinet.close().catch(() => {})));
  channels.forEach((channel) => channel.close());
  channels.clear();
  cores.length = 0;
  locks = new Locks();
});

export async function eventually(what, condition) {
  for (const until = Date.now() + 10_000; !(await condition()); await new Promise((next) => setTimeout(next, 5))) {
    if (Date.now() > until) assert.fail(`never: ${what}`);
  }
}
