// Several tabs, one peer: each tab is a copy of the module of its own; locks are the test's.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { load } from "./bundle.mjs";
import { cores } from "./core.mjs";

/** Web Locks, of which a tab's can be taken from it as when it crashes. */
class Locks {
  #held = new Map();
  #queues = new Map();

  /** As `navigator.locks` of one tab. */
  of(tab) {
    return { request: (name, options, run) => this.#request(tab, name, options, run) };
  }

  #request(tab, name, { signal }, run) {
    return new Promise((resolve, reject) => {
      const turn = { tab, start: () => { this.#held.set(name, { tab, release: () => this.#next(name) }); Promise.resolve(run()).then((value) => { if (this.#held.get(name)?.tab === tab) this.#next(name); resolve(value); }, reject); } };
      const queue = this.#queues.get(name) ?? [];
      this.#queues.set(name, queue);
      signal?.addEventListener("abort", () => { const at = queue.indexOf(turn); if (at >= 0) { queue.splice(at, 1); reject(new DOMException("", "AbortError")); } });
      if (this.#held.has(name)) queue.push(turn);
      else turn.start();
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

let locks = new Locks();
const Channel = globalThis.BroadcastChannel;
const channels = new Map();
const opened = [];
let current;

/** In which tab what follows runs: `navigator` and `BroadcastChannel` are of the tab. */
function enter(tab) {
  current = tab;
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { locks: locks.of(tab), onLine: true } });
}

globalThis.BroadcastChannel = class extends Channel {
  constructor(name) {
    super(name);
    channels.set(current, this);
  }
};

async function tab(name) {
  enter(name);
  const { TaiiNet } = await load("index.ts");
  enter(name);
  const taiinet = new TaiiNet({ network: "n", signallers: ["ws://127.0.0.1:1"], identity: "shared", shared: true });
  opened.push(taiinet);
  await taiinet.ready;
  return taiinet;
}

/** A tab that ends without a word. */
function crash(name) {
  channels.get(name).onmessage = null;
  channels.get(name).close();
  channels.get(name).postMessage = () => {};
  locks.crash(name);
}

afterEach(async () => {
  globalThis.fakeHold = false;
  await Promise.all(opened.splice(0).map((taiinet) => taiinet.close().catch(() => {})));
  channels.forEach((channel) => channel.close());
  channels.clear();
  cores.length = 0;
  locks = new Locks();
});

async function eventually(what, condition) {
  for (const until = Date.now() + 5000; !(await condition()); await new Promise((next) => setTimeout(next, 5))) {
    if (Date.now() > until) assert.fail(`never: ${what}`);
  }
}

test("two tabs share one peer: both receive, both publish", async () => {
  const one = await tab("one");
  const two = await tab("two");
  assert.equal(cores.length, 1);
  assert.equal(one.identity.peerId, two.identity.peerId);
  const [core] = cores;
  const got = [[], []];
  [one, two].forEach((taiinet, index) => taiinet.subscribe({}).on("data", ({ data }) => got[index].push(data.n)));
  await eventually("both subscribed", () => core.subscriptions.size === 2);
  core.deliver("a", '{"n":1}');
  await eventually("both got it", () => got[0].length === 1 && got[1].length === 1);
  assert.match(await two.publish({ from: "two" }), /^id-/);
  assert.deepEqual(core.published.map(({ document }) => document), ['{"from":"two"}']);
  assert.equal((await two.status()).peerId, one.identity.peerId);
});

test("faults of a call go back to the tab that made it", async () => {
  await tab("one");
  const two = await tab("two");
  globalThis.fakeHold = true;
  const publishing = two.publish({ a: 1 });
  await eventually("it is at the core", () => cores[0].published.length === 1);
  cores[0].published[0].reject(JSON.stringify({ code: "lost", message: "nobody took it" }));
  await assert.rejects(publishing, { code: "lost", message: "nobody took it" });
});

test("when the peer's tab crashes the next takes over: nothing is shown twice, nothing forgotten", async () => {
  await tab("one");
  const two = await tab("two");
  const three = await tab("three");
  const got = [];
  three.subscribe({}).on("data", ({ id }) => got.push(id));
  await eventually("subscribed", () => cores[0].subscriptions.size === 1);
  cores[0].deliver("a", "{}");
  await eventually("delivered", () => got.length === 1);
  globalThis.fakeHold = true;
  const publishing = three.publish({ mine: true });
  await eventually("it is at the core", () => cores[0].published.length === 1);

  crash("one");
  await eventually("another tab has the peer", () => cores.length === 2);
  await eventually("the subscription is there again", () => cores[1].subscriptions.size === 1);
  await eventually("what was not taken is published again", () => cores[1].published.length === 1);
  cores[1].published[0].take();
  await publishing;
  cores[1].deliver("a", "{}");
  cores[1].deliver("b", "{}");
  await eventually("the new one is shown", () => got.includes("b"));
  assert.deepEqual(got, ["a", "b"]);
  assert.equal((await two.status()).peerId, (await three.status()).peerId);
});

test("a private subscription stays one in the next tab; a sealed document has no stamp to be known by", async () => {
  await tab("one");
  await tab("two");
  const three = await tab("three");
  three.subscribe({}, { private: true });
  await eventually("subscribed", () => cores[0].subscriptions.size === 1);
  globalThis.fakeHold = true;
  const publishing = Promise.all([three.publish({}, { to: "subscribers" }), three.publish({})]);
  await eventually("both are at the core", () => cores[0].published.length === 2);
  crash("one");
  await eventually("both are published again", () => cores[1]?.published.length === 2);
  await eventually("the subscription is there again", () => cores[1].subscriptions.size === 1);
  for (const { subscribed, published } of cores) {
    assert.deepEqual(subscribed, [{ private: true }]);
    assert.deepEqual(published[0].options, { to: "subscribers", public: [], waitMs: 2000 });
    assert.ok(published[1].options.stamp);
  }
  cores[1].published.forEach(({ take }) => take());
  await publishing;
});

test("the feeds of a tab that is gone end", async () => {
  await tab("one");
  const two = await tab("two");
  // The peer's tab is the one that asks for locks from now on.
  enter("one");
  two.subscribe({});
  await eventually("subscribed", () => cores[0].subscriptions.size === 1);
  crash("two");
  await eventually("its feed has ended", () => cores[0].subscriptions.size === 0);
});

test("a slow reader in another tab slows the neighbours down", async () => {
  await tab("one");
  const two = await tab("two");
  const reader = two.subscribe({})[Symbol.asyncIterator]();
  const first = reader.next();
  await eventually("subscribed", () => cores[0].subscriptions.size === 1);
  for (let n = 0; n < 1100; n += 1) cores[0].deliver(`id-${n}`, "{}");
  await eventually("slowed down", () => cores[0].isBehind);
  await first;
  for (let n = 1; n < 1100; n += 1) await reader.next();
  await eventually("and up again", () => !cores[0].isBehind);
});
