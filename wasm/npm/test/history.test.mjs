// What was before a subscription, and what becomes of what it has shown, on a core that the test plays.

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";
import { cores } from "./core.mjs";
import { KEY_FILE, eventually } from "./tabs.mjs";

const { TaiiNet, TaiiNetError } = await load("index.ts");
const documents = (count) => Array.from({ length: count }, (_, n) => `{"n":${n}}`);

async function start() {
  const taiinet = new TaiiNet({ network: "n", signallers: ["ws://127.0.0.1:1"], identity: "ephemeral" });
  await taiinet.ready;
  return { taiinet, core: cores.at(-1) };
}

/** All that a subscription tells, as texts. */
function listen(subscription) {
  const heard = [];
  for (const name of ["data", "backlog"]) subscription.on(name, ({ data, replaces }) => heard.push(`${name} ${data.n}${replaces ? ` for ${replaces}` : ""}`));
  subscription.on("update", ({ id, replaces }) => heard.push(`update ${id} for ${replaces}`));
  subscription.on("remove", ({ id, key, reason }) => heard.push(`remove ${id} ${key ?? "-"} ${reason}`));
  subscription.on("conflict", ({ winner, loser }) => heard.push(`conflict ${winner.id} ${loser.id}`));
  subscription.on("ready", ({ complete, more, sources }) => heard.push(`ready ${complete} ${more} ${sources}`));
  return heard;
}

test("a backlog is what was asked for, the oldest first, and it is said when it has come and whether that is all", async () => {
  const { taiinet, core } = await start();
  core.found = documents(3);
  const shown = async (backlog) => {
    const subscription = taiinet.subscribe({}, { backlog });
    const heard = listen(subscription);
    await eventually("ready", () => heard.at(-1)?.startsWith("ready"));
    subscription.close();
    return heard.join(", ");
  };
  const all = "backlog 0, backlog 1, backlog 2, ready true false 1";
  assert.equal(await shown(true), all);
  assert.equal(await shown({ limit: 3 }), all);
  assert.equal(await shown({ last: 2 }), "backlog 1, backlog 2, ready false true 1");
  assert.equal(await shown({ since: new Date(1) }), "backlog 1, backlog 2, ready true false 1");
  core.complete = false;
  assert.equal(await shown({}), "backlog 0, backlog 1, backlog 2, ready false false 1", "neighbours have left out some");
  const before = Date.now() - 3_600_000;
  await shown({ since: "1h" });
  const asked = core.subscribed.map(({ backlog }) => backlog);
  assert.ok(asked.at(-1).since >= before && asked.at(-1).since <= before + 60_000);
  assert.deepEqual(asked.slice(0, -1), [{ last: 1000 }, { last: 3 }, { last: 2 }, { since: 1 }, { last: 1000 }]);
  for (const [backlog, path] of [
    [5, "options.backlog"],
    [null, "options.backlog"],
    [{ limit: 0 }, "options.backlog.limit"],
    [{ last: 1001 }, "options.backlog.last"],
    [{ last: 1, since: 1 }, "options.backlog.since"],
    [{ since: "yesterday" }, "options.backlog.since"],
    [{ since: new Date(NaN) }, "options.backlog.since"],
    [{ since: -1 }, "options.backlog.since"],
    [{ limti: 1 }, "options.backlog.limti"],
  ]) {
    assert.throws(() => taiinet.subscribe({}, { backlog }), { code: "options", path });
  }
  await taiinet.close();
});

test("older documents come page by page, as far as there are any", async () => {
  const { taiinet, core } = await start();
  core.found = documents(7);
  let open;
  core.gate = new Promise((resolve) => (open = resolve));
  const subscription = taiinet.subscribe({}, { backlog: { last: 2 } });
  const heard = listen(subscription);
  // Asked at once, they come one after the other.
  const pages = [subscription.next(3), subscription.next(), subscription.next()];
  open();
  const [first, second, third] = await Promise.all(pages);
  assert.deepEqual(first.map(({ data }) => data.n), [2, 3, 4]);
  assert.deepEqual([first.complete, first.more, first.sources], [false, true, 1]);
  assert.deepEqual([second.map(({ data }) => data.n), second.complete, second.more], [[0, 1], true, false]);
  assert.deepEqual([third.length, third.complete, third.more], [0, true, false]);
  assert.equal(heard.join(", "), "backlog 5, backlog 6, ready false true 1, backlog 2, backlog 3, backlog 4, ready false true 1, backlog 0, backlog 1, ready true false 1");
  await assert.rejects(subscription.next(0), { code: "argument" });
  await assert.rejects(subscription.next(1001), { code: "argument" });
  await assert.rejects(taiinet.subscribe({}).next(), /subscribe with \{ backlog: true \}/);
  await assert.rejects(taiinet.subscribe({}, { backlog: { since: 0 } }).next(), TaiiNetError);
  // One that is closed brings no more, and nobody waits for ever.
  core.gate = undefined;
  const closed = taiinet.subscribe({}, { backlog: { last: 1 } });
  assert.equal((await closed.next(1)).more, true);
  core.gate = new Promise(() => {});
  const waiting = [closed.next(), closed.next()];
  closed.close();
  for (const page of [...waiting, closed.next()]) {
    const { length, complete, more } = await page;
    assert.deepEqual([length, complete, more], [0, false, false]);
  }
  await taiinet.close();
});

test("a reader that is behind holds what was before, of its own subscription alone", async () => {
  const { taiinet, core } = await start();
  const other = taiinet.subscribe({});
  other.on("data", () => {});
  await eventually("subscribed", () => core.subscriptions.size === 1);
  core.found = documents(1100);
  const reader = taiinet.subscribe({}, { backlog: { since: 0 } })[Symbol.asyncIterator]();
  await eventually("behind", () => core.isBehind);
  assert.deepEqual([...core.held], [[...core.subscriptions][1]]);
  for (let n = 0; n < 1000; n += 1) {
    const { value } = await reader.next();
    assert.deepEqual([value.data.n, value.backlog], [n, true]);
  }
  assert.deepEqual([core.isBehind, core.held.size], [false, 0]);
  await taiinet.close();
});

test("what replaces a document is an update, what is gone is told, and so are two versions of one moment", async () => {
  const { taiinet, core } = await start();
  const subscription = taiinet.subscribe({});
  const heard = listen(subscription);
  const deliveries = [];
  subscription.on("data", (delivery) => deliveries.push(delivery));
  await eventually("subscribed", () => core.subscriptions.size === 1);
  core.version("a", 1, { expiresAt: 5, owner: "tn1owner" });
  core.version("b", 2, { replaces: "a", owner: "tn1owner" });
  core.conflict("c", "d");
  core.remove("b", "deleted", "k");
  core.deliver("e", '{"n":"e"}');
  core.remove("e", "expired");
  assert.deepEqual(heard, ["data a", "data b for a", "update b for a", "conflict c d", "remove b k deleted", "data e", "remove e - expired"]);
  assert.deepEqual(deliveries.map(({ expiresAt, owner, replaces, backlog }) => [expiresAt, owner, replaces, backlog]), [
    [5, "tn1owner", undefined, false],
    [undefined, "tn1owner", "a", false],
    [undefined, "tn1author", undefined, false],
  ]);
  await taiinet.close();
});

test("a peer that is started again begins the history again: nothing is shown or removed twice, and pages go on", async () => {
  const { taiinet, core } = await start();
  core.found = globalThis.fakeFound = documents(6);
  const subscription = taiinet.subscribe({}, { backlog: { last: 2 } });
  const heard = listen(subscription);
  await subscription.next(2);
  core.version("k1", Date.now());
  core.version("k2", Date.now() + 1, { replaces: "k1" });
  core.remove("found-2", "deleted");
  heard.length = 0;

  await taiinet.identity.import(KEY_FILE, "not needed");
  const next = cores.at(-1);
  assert.notEqual(next, core);
  assert.deepEqual(next.subscribed, [{ private: false, backlog: { last: 4 } }]);
  await eventually("looked for again", () => next.subscriptions.size === 1);
  // It does not know what was shown: of what it brings only the news are.
  next.version("k1", Date.now());
  next.version("k2", Date.now());
  next.version("k3", Date.now() + 5, { backlog: true });
  next.version("k0", 3, { backlog: true });
  next.remove("found-2", "deleted");
  next.remove("found-3", "expired");
  const page = await subscription.next();
  assert.deepEqual(page.map(({ data }) => data.n), [0, 1]);
  assert.deepEqual(heard, ["data k3 for k2", "update k3 for k2", "remove found-3 - expired", "backlog 0", "backlog 1", "ready true false 1"]);
  await taiinet.close();
});

test("what was shown is known for as long as it may come again, however much there was", async () => {
  const { Shown } = await load("shown.ts");
  const raw = (n, more) => ({ id: `id-${n}`, createdAt: n, key: undefined, author: "tn1a", backlog: true, ...more });
  const count = 40_000;
  // All since a time, the oldest first.
  const since = new Shown(0);
  for (let n = 0; n < count; n += 1) assert.ok(since.take(raw(n)), `${n}`);
  assert.ok(!Array.from({ length: count }, (_, n) => since.take(raw(n))).some(Boolean));
  assert.ok(since.take(raw(count)));
  // Page by page, each the oldest first.
  const pages = new Shown();
  for (let from = count - 1000; from >= 0; from -= 1000) {
    for (let n = from; n < from + 1000; n += 1) assert.ok(pages.take(raw(n)), `${n}`);
    pages.ready();
  }
  assert.ok(!Array.from({ length: count }, (_, n) => pages.take(raw(n))).some(Boolean));
  // What comes live is no history.
  assert.ok(pages.take(raw(5, { id: "late", backlog: false })));
  // An older version is not shown after a newer one, by whomever it is found.
  assert.equal(pages.take(raw(count + 2, { key: "k" })).replaces, undefined);
  assert.equal(pages.take(raw(count + 1, { key: "k" })), undefined);
  assert.equal(pages.take(raw(count + 3, { key: "k" })).replaces, `id-${count + 2}`);
  assert.ok(pages.take(raw(count + 1, { id: "another's", key: "k", author: "tn1b" })));
});

test("find asks for an order, a place and a time, and says whether that was all and how to go on", async () => {
  const { taiinet, core } = await start();
  core.links = [{ peer: "tn1a", state: "active" }];
  core.found = documents(2);
  core.cursor = "ab";
  core.complete = false;
  const found = await taiinet.find({}, { sort: { likes: -1, "author.name": "asc" }, since: new Date(5), until: 10, after: "00", limit: 2 });
  assert.deepEqual(found.map(({ data, replaces }) => [data.n, replaces]), [[0, undefined], [1, undefined]]);
  assert.deepEqual([found.complete, found.cursor], [false, "ab"]);
  const { timeoutMs, ...asked } = core.asked.at(-1);
  assert.deepEqual(asked, { limit: 2, sort: [["likes", "desc"], ["author.name", "asc"]], since: 5, until: 10, after: "00" });
  core.complete = true;
  core.cursor = undefined;
  const rest = await taiinet.find({}, { sort: [["b", "asc"], ["a", -1]], after: undefined });
  assert.deepEqual([rest.complete, "cursor" in rest], [true, false]);
  assert.deepEqual(core.asked.at(-1).sort, [["b", "asc"], ["a", "desc"]]);
  for (const [options, path] of [
    [{ sort: "likes" }, "options.sort"],
    [{ sort: { likes: 2 } }, "options.sort.likes"],
    [{ sort: ["likes"] }, "options.sort[0]"],
    [{ sort: [["likes", "down"]] }, "options.sort[0][1]"],
    [{ sort: [[5, 1]] }, "options.sort[0][0]"],
    [{ since: "soon" }, "options.since"],
    [{ until: {} }, "options.until"],
    [{ after: 5 }, "options.after"],
    [{ sorted: {} }, "options.sorted"],
  ]) {
    await assert.rejects(taiinet.find({}, options), { code: "options", path });
  }
  await taiinet.close();
});

test("documents are deleted by their ids, many in several deletions, or by their key", async () => {
  const { taiinet, core } = await start();
  const id = (n) => n.toString(16).padStart(64, "0");
  await taiinet.delete(id(1));
  await taiinet.delete({ key: "k" });
  await taiinet.delete([...Array.from({ length: 300 }, (_, n) => id(n)), id(7)]);
  const what = core.deleted.map(({ what }) => what.key ?? what.ids.length);
  assert.deepEqual(what, [1, "k", 256, 44]);
  assert.deepEqual(core.deleted[0].what, { ids: [id(1)] });
  for (const [wrong, path] of [["id-1", "the id"], [[id(1), "x"], "ids[1]"], [[], "ids"], [5, "what to delete"], [{ key: 5 }, "what.key"], [{ id: id(1) }, "what.id"], [null, "what to delete"]]) {
    await assert.rejects(taiinet.delete(wrong), (error) => error instanceof TaiiNetError && error.path === path, path);
  }
  assert.equal(core.deleted.length, 4);
  await taiinet.close();
  await assert.rejects(taiinet.delete(id(1)), { code: "closed" });
});

test("whoever does not want to wait any longer says so by a signal", async () => {
  const { taiinet } = await start();
  globalThis.fakeHold = true;
  const stop = new AbortController();
  const { signal } = stop;
  const waiting = [taiinet.publish({}, { signal }), taiinet.delete({ key: "k" }, { signal })];
  stop.abort(new Error("enough"));
  for (const one of waiting) await assert.rejects(one, /enough/);
  await assert.rejects(taiinet.publish({}, { signal }), /enough/);
  await assert.rejects(taiinet.publish({}, { signal: 5 }), { code: "options", path: "options.signal" });
  globalThis.fakeHold = false;
  await taiinet.publish({}, { signal: new AbortController().signal });
  await taiinet.close();
});

test("a document is published when a neighbour has it, or when the network has", async () => {
  const { taiinet, core } = await start();
  globalThis.fakeHold = true;
  let told = false;
  const publishing = taiinet.publish({ n: 1 }, { until: "network" }).then(() => (told = true));
  const refused = taiinet.publish({ n: 2 }, { until: "network", key: "k" });
  await eventually("both are at the core", () => core.published.length === 2);
  assert.deepEqual(core.published.map(({ options: { until } }) => until), ["network", "network"]);
  assert.equal(told, false);
  core.published[0].take();
  await publishing;
  core.published[1].reject(JSON.stringify({ code: "unconfirmed", message: "a neighbour took the document" }));
  await assert.rejects(refused, (error) => error instanceof TaiiNetError && error.code === "unconfirmed");
  globalThis.fakeHold = false;
  for (const until of [undefined, "neighbour"]) await taiinet.publish({}, { until });
  assert.deepEqual(core.published.slice(2).map(({ options }) => "until" in options), [false, false]);
  for (const until of ["everyone", 1, null]) {
    const isClear = (error) => error instanceof TypeError && error instanceof TaiiNetError && error.path === "options.until" && /must be "neighbour" or "network", not/.test(error.message);
    await assert.rejects(taiinet.publish({}, { until }), isClear);
  }
  await taiinet.close();
});
