// Live result sets as a page has them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";
import { cores } from "./core.mjs";
import { KEY_FILE, eventually } from "./tabs.mjs";

const { TaiiNet } = await load("index.ts");

async function start() {
  const taiinet = new TaiiNet({ network: "n", signallers: ["ws://127.0.0.1:1"], identity: "ephemeral" });
  await taiinet.ready;
  return { taiinet, core: cores.at(-1) };
}

const ready = { type: "state", phase: "ready", complete: true, more: false };
const numbers = ({ documents }) => documents.map(({ data }) => data.n).join();

/** What a set has shown, the last first. */
function look(live) {
  const seen = [];
  const end = live.subscribe((snapshot) => seen.unshift(snapshot));
  return { seen, end, shows: (what) => eventually(`it shows ${what}`, () => numbers(seen[0]) === what) };
}

test("a live set begins with its first listener, follows the core, and ends a while after the last has left", async () => {
  const { taiinet, core } = await start();
  const live = taiinet.live({ type: "tweet" }, { sort: { likes: -1, author: "asc" }, limit: 3 });
  assert.equal(core.lives.size, 0, "nobody listens");
  assert.deepEqual(live.getSnapshot(), { documents: [], state: "loading", complete: false, more: false, error: undefined });
  const { seen, end, shows } = look(live);
  assert.equal(seen.length, 1, "told at once");
  await eventually("begun", () => core.lives.size === 1);
  const [[number, wish]] = core.lives;
  assert.deepEqual(wish, { query: { type: "tweet" }, private: false, live: { sort: [["likes", "desc"], ["author", "asc"]], limit: 3 } });

  core.change(number, { type: "insert", index: 0 }, 1);
  core.change(number, { type: "insert", index: 1 }, 2);
  core.change(number, { type: "insert", index: 0 }, 3);
  core.change(number, ready);
  await shows("3,1,2");
  assert.equal(seen.length, 2, "what came together is told together");
  assert.equal(seen[0].state, "ready");
  assert.equal(seen[0].complete, true);
  assert.equal(live.getSnapshot(), seen[0], "the same until it changes");
  const [three, one] = seen[0].documents;

  core.change(number, { type: "update", from: 2, to: 0 }, 4, { replaces: "id-2" });
  await shows("4,3,1");
  assert.equal(seen[0].documents[0].replaces, "id-2");
  assert.equal(seen[0].documents[1], three, "what stays is the same object");
  assert.equal(numbers(seen[1]), "3,1,2", "what was shown has not changed");
  core.change(number, { type: "remove", index: 1 });
  await shows("4,1");
  assert.equal(seen[0].documents[1], one);

  end();
  assert.equal(core.lives.size, 1, "one that comes back at once finds it");
  const again = look(taiinet.live({ type: "tweet" }, { sort: [["likes", -1], ["author", 1]], limit: 3 }));
  assert.equal(numbers(again.seen[0]), "4,1");
  again.end();
  await eventually("ended", () => core.lives.size === 0);
  assert.equal(numbers(live.getSnapshot()), "", "nothing is known any more");
  await taiinet.close();
});

test("equal queries share one set, others do not", async () => {
  const { taiinet, core } = await start();
  const [one, two, other, sorted] = [taiinet.live({ a: 1 }), taiinet.live({ a: 1 }, { limit: 100 }), taiinet.live({ a: 2 }), taiinet.live({ a: 1 }, { sort: { a: 1 } })].map(look);
  await eventually("begun", () => core.lives.size === 3);
  const [[number]] = core.lives;
  core.change(number, { type: "insert", index: 0 }, 1);
  await two.shows("1");
  assert.equal(one.seen[0], two.seen[0]);
  assert.equal(other.seen[0].documents.length + sorted.seen[0].documents.length, 0);
  one.end();
  one.end();
  core.change(number, { type: "insert", index: 0 }, 2);
  await two.shows("2,1");
  assert.equal(numbers(one.seen[0]), "1");
  await taiinet.close();
});

test("a listener that throws does not keep the others from hearing", async () => {
  const { taiinet, core } = await start();
  const reported = [];
  globalThis.reportError = (error) => reported.push(error.message);
  const live = taiinet.live({});
  live.subscribe(({ documents, state }) => {
    if (documents.length > 0 && state !== "error") throw new Error("oops");
  });
  const { shows } = look(live);
  await eventually("begun", () => core.lives.size === 1);
  core.change([...core.lives.keys()][0], { type: "insert", index: 0 }, 1);
  await shows("1");
  assert.deepEqual(reported, ["oops"]);
  delete globalThis.reportError;
  await taiinet.close();
});

test("a set is read by for await, and the reader that is slow gets what is now", async () => {
  const { taiinet, core } = await start();
  const read = [];
  const reading = (async () => {
    for await (const snapshot of taiinet.live({})) {
      read.push(numbers(snapshot));
      if (numbers(snapshot) === "3,2") break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  await eventually("begun", () => core.lives.size === 1);
  const [[number]] = core.lives;
  core.change(number, { type: "insert", index: 0 }, 2);
  core.change(number, { type: "insert", index: 0 }, 3);
  await reading;
  assert.deepEqual(read, ["", "3,2"]);
  await eventually("ended with its reader", () => core.lives.size === 0);
  await taiinet.close();
});

test("one that ends its reading while it waits is not waited for, and no listener hears after its end", async () => {
  const { taiinet, core } = await start();
  const reading = taiinet.live({})[Symbol.asyncIterator]();
  await reading.next();
  const waits = reading.next();
  assert.equal((await reading.return()).done, true);
  assert.equal((await waits).done, true);
  assert.throws(() => taiinet.live({}).subscribe(), /function/);
  let ended;
  const heard = [];
  taiinet.live({ a: 1 }).subscribe(({ documents }) => documents.length > 0 && ended());
  ended = taiinet.live({ a: 1 }).subscribe(({ documents }) => heard.push(documents.length));
  await eventually("begun", () => [...core.lives.values()].some(({ query }) => query.a === 1));
  const [[number]] = [...core.lives].filter(([, { query }]) => query.a === 1);
  core.change(number, { type: "insert", index: 0 }, 1);
  await eventually("told", () => taiinet.live({ a: 1 }).getSnapshot().documents.length === 1);
  assert.deepEqual(heard, [0]);
  await eventually("ended", () => core.lives.size === 1);
  await taiinet.close();
});

test("what expires while nobody tells how a set goes on is shown no more", async () => {
  const { taiinet, core } = await start();
  const { seen, shows } = look(taiinet.live({}));
  await eventually("begun", () => core.lives.size === 1);
  const [[before]] = core.lives;
  core.change(before, { type: "insert", index: 0 }, 1);
  core.change(before, { type: "insert", index: 0 }, 2, { expiresAt: Date.now() + 500 });
  core.change(before, ready);
  await shows("2,1");
  await taiinet.identity.import(KEY_FILE, "not needed");
  await eventually("told", () => seen[0].state === "stale");
  assert.equal(numbers(seen[0]), "2,1");
  await shows("1");
  assert.equal(seen[0].state, "stale");
  await taiinet.close();
});

test("while the peer is started again a set shows what it had, and no document twice", async () => {
  const { taiinet, core } = await start();
  const { seen, shows } = look(taiinet.live({}));
  await eventually("begun", () => core.lives.size === 1);
  const [[before]] = core.lives;
  core.change(before, { type: "insert", index: 0 }, 1);
  core.change(before, { type: "insert", index: 0 }, 2);
  core.change(before, ready);
  await shows("2,1");
  const [two] = seen[0].documents;
  await taiinet.identity.import(KEY_FILE, "not needed");
  const twice = cores.at(-1);
  assert.notEqual(twice, core);
  // And once more, before much is known again.
  twice.change([...twice.lives.keys()][0], { type: "insert", index: 0 }, 1);
  await taiinet.identity.import(KEY_FILE, "not needed");
  const next = cores.at(-1);
  await eventually("told", () => seen[0].state === "stale");
  assert.equal(numbers(seen[0]), "2,1");
  const [[number]] = next.lives;
  next.change(number, { type: "insert", index: 0 }, 2);
  await eventually("told", () => seen[0].state === "stale");
  next.change(number, ready);
  await shows("2");
  assert.equal(seen[0].documents[0], two, "it is the same");
  assert.ok(seen.every((snapshot) => ["", "2,1", "2"].includes(numbers(snapshot))), seen.map(numbers).join(" "));
  await taiinet.close();
});

test("what is wrong with a set is said where it is asked for, or in its state", async () => {
  const { taiinet, core } = await start();
  for (const [query, options, path] of [
    [{ a: { $gtt: 1 } }, {}, "a.$gtt"],
    [{}, { limit: 0 }, "options.limit"],
    [{}, { limit: 10_001 }, "options.limit"],
    [{}, { sort: { a: "up" } }, "options.sort.a"],
    [{}, { srt: {} }, "options.srt"],
    [{}, { private: 1 }, "options.private"],
    [{}, { discreet: true }, "options.discreet"],
  ]) {
    assert.throws(() => taiinet.live(query, options), (error) => error.path === path, path);
  }
  globalThis.fakeRefused = () => true;
  const refused = look(taiinet.live({ a: 1 }));
  await eventually("told", () => refused.seen[0].state === "error");
  assert.match(refused.seen[0].error.message, /too many/);
  globalThis.fakeRefused = undefined;
  refused.end();
  // One that has failed is not kept: whoever asks again gets another.
  const { seen, shows } = look(taiinet.live({ a: 1 }));
  await eventually("begun", () => core.lives.size === 1);
  const [[number]] = core.lives;
  core.change(number, { type: "insert", index: 0 }, 1);
  await shows("1");
  const reading = taiinet.live({ a: 1 })[Symbol.asyncIterator]();
  await reading.next();
  await taiinet.close();
  assert.equal(seen[0].state, "error");
  assert.equal(seen[0].error.code, "closed");
  assert.equal(numbers(seen[0]), "1", "what was shown stays");
  assert.deepEqual(await reading.next(), { done: true, value: undefined });
  assert.throws(() => taiinet.live({}), { code: "closed" });
});
