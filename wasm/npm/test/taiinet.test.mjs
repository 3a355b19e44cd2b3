// The class TaiiNet on a core that the test plays.

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";
import { cores, instances } from "./core.mjs";

const { TaiiNet, TaiiNetError } = await load("index.ts");
const OPTIONS = { network: "n", signallers: ["ws://127.0.0.1:1"], identity: "ephemeral" };

async function start(options) {
  const taiinet = new TaiiNet({ ...OPTIONS, ...options });
  await taiinet.ready;
  return { taiinet, core: cores.at(-1) };
}

async function eventually(condition) {
  for (const until = Date.now() + 5000; !(await condition()); await new Promise((next) => setTimeout(next, 5))) {
    if (Date.now() > until) assert.fail(`never: ${condition}`);
  }
}

test("a slow reader slows the neighbours down, and gets everything in order", async () => {
  const { taiinet, core } = await start();
  const subscription = taiinet.subscribe({});
  const reader = subscription[Symbol.asyncIterator]();
  const first = reader.next();
  await eventually(() => core.subscriptions.size === 1);
  for (let n = 0; n < 1100; n += 1) core.deliver(`id-${n}`, `{"n":${n}}`);
  assert.equal(core.isBehind, true);
  assert.equal((await first).value.data.n, 0);
  for (let n = 1; n < 1100; n += 1) {
    assert.equal((await reader.next()).value.data.n, n);
    if (n === 1000) assert.equal(core.isBehind, false);
  }
  const end = reader.next();
  subscription.close();
  assert.equal((await end).done, true);
  assert.equal(core.subscriptions.size, 0);
  await taiinet.close();
});

test("what waits for a slow reader counts for the memory that it holds, not for its number", async () => {
  const { taiinet, core } = await start();
  const subscription = taiinet.subscribe({});
  const reader = subscription[Symbol.asyncIterator]();
  await eventually(() => core.subscriptions.size === 1);
  // Each as small as can be on the wire, and large in memory.
  for (let n = 0; n < 3; n += 1) core.deliver(`dear-${n}`, "{}", true, "open", 1_500_000);
  assert.equal(core.isBehind, true);
  assert.equal((await reader.next()).value.id, "dear-0");
  assert.equal(core.isBehind, true);
  await reader.next();
  assert.equal(core.isBehind, false);
  await taiinet.close();
});

test("a reader has what comes from when it is made, not from its first next()", async () => {
  const { taiinet, core } = await start();
  const subscription = taiinet.subscribe({});
  subscription.on("data", () => {}); // Nothing is kept for those that come later.
  await eventually(() => core.subscriptions.size === 1);
  core.deliver("before", "{}");
  const reader = subscription[Symbol.asyncIterator]();
  core.deliver("first", "{}");
  assert.equal((await reader.next()).value.id, "first");
  // One that waits when it is ended, or was never read, is no reader any more.
  const waiting = reader.next();
  await reader.return();
  assert.deepEqual([await waiting, await reader.next()], Array(2).fill({ done: true, value: undefined }));
  await subscription[Symbol.asyncIterator]().return();
  for (let n = 0; n < 2000; n += 1) core.deliver(`id-${n}`, "{}");
  assert.equal(core.isBehind, false);
  await taiinet.close();
});

test("what comes before there is a listener is kept for the first reader, the newest of it, at no neighbour's cost", async () => {
  const { taiinet, core } = await start();
  const subscription = taiinet.subscribe({});
  await eventually(() => core.subscriptions.size === 1);
  for (let n = 0; n < 1500; n += 1) core.deliver(`id-${n}`, "{}");
  assert.equal(core.isBehind, false);
  const got = [];
  for await (const { id } of subscription) {
    got.push(id);
    if (id === "id-1499") break;
  }
  assert.deepEqual([got.length, got[0]], [1024, "id-476"]);
  // Large ones by their size.
  const other = taiinet.subscribe({});
  await eventually(() => core.subscriptions.size === 2);
  for (let n = 0; n < 100; n += 1) core.deliver(`large-${n}`, `{"text":"${"x".repeat(200 * 1024)}"}`);
  const reader = other[Symbol.asyncIterator]();
  assert.equal((await reader.next()).value.id, "large-80");
  await taiinet.close();
});

test("many searches at once wait for their turn, up to a bound; none is refused for the core's", async () => {
  const { taiinet, core } = await start();
  core.links = [{ peer: "tn1a", state: "active" }];
  let open;
  core.gate = new Promise((resolve) => (open = resolve));
  const finds = Array.from({ length: 100 }, () => taiinet.find({}));
  await eventually(() => core.finding === 16);
  const tooMany = Promise.allSettled(Array.from({ length: 1100 }, () => taiinet.find({})));
  open();
  assert.deepEqual((await Promise.all(finds)).map(({ length, complete }) => [length, complete]), Array(100).fill([0, true]));
  assert.equal(core.mostFinds, 16);
  const refused = (await tooMany).filter(({ status }) => status === "rejected").map(({ reason }) => reason.code);
  assert.ok(refused.length > 0 && refused.length < 200 && refused.every((code) => code === "busy"), `${refused.length}`);
  assert.equal((await taiinet.find({})).length, 0);
  await taiinet.close();
});

test("a search waits for a first neighbour and for answers, in all not longer than it may", async () => {
  const { taiinet, core } = await start();
  const began = Date.now();
  await taiinet.find({}, { timeout: 300 });
  assert.ok(Date.now() - began < 2000);
  assert.ok(core.asked.at(-1).timeoutMs < 300, JSON.stringify(core.asked));
  core.links = [{ peer: "tn1a", state: "active" }];
  await taiinet.find({}, { timeout: "20s" });
  assert.ok(core.asked.at(-1).timeoutMs > 15_000);
  await assert.rejects(taiinet.find({}, { timeout: "100d" }), { code: "options", path: "options.timeout" });
  await taiinet.close();
});

test("dates beyond all dates are refused by name", async () => {
  const { taiinet, core } = await start();
  for (const expires of [1e300, 8.64e15, "99999999999d", new Date(NaN), Infinity]) {
    await assert.rejects(taiinet.publish({}, { expires }), { code: "options", path: "options.expires" }, String(expires));
  }
  await taiinet.publish({}, { expires: new Date(8.64e15) });
  assert.equal(core.published.length, 1);
  await taiinet.close();
});

test("a clock that was set back is told of", async () => {
  const { taiinet, core } = await start();
  core.links = [{ peer: "tn1a", state: "active" }];
  globalThis.RTCPeerConnection = class {};
  core.signallers = [{ url: "ws://a", joined: true }];
  core.now = Date.now() + 60_000;
  assert.equal((await taiinet.status()).problem, undefined);
  core.now = Date.now() + 600_000;
  const { state, problem, advice } = await taiinet.status();
  assert.equal(state, "connected");
  assert.match(`${problem} ${advice}`, /clock was set back by 10 minutes.*reload/);
  delete globalThis.RTCPeerConnection;
  await taiinet.close();
});

test("neighbours that come and go are events of subscriptions, too", async () => {
  const { taiinet, core } = await start();
  const heard = [];
  for (const one of [taiinet, taiinet.subscribe({})]) {
    one.on("peer-connected", ({ peer }) => heard.push(`+${peer}`));
    one.on("peer-disconnected", ({ peer, cause }) => heard.push(`-${peer} ${cause}`));
  }
  core.event({ type: "peer-connected", peer: "tn1ada" });
  core.event({ type: "peer-disconnected", peer: "tn1ada", cause: "it left" });
  assert.deepEqual(heard, ["+tn1ada", "+tn1ada", "-tn1ada it left", "-tn1ada it left"]);
  await taiinet.close();
});

test("a reader that stops early is no reader any more", async () => {
  const { taiinet, core } = await start();
  const subscription = taiinet.subscribe({});
  await eventually(() => core.subscriptions.size === 1);
  setTimeout(() => core.deliver("one", "{}"));
  for await (const { id } of subscription) {
    assert.equal(id, "one");
    break;
  }
  for (let n = 0; n < 2000; n += 1) core.deliver(`id-${n}`, "{}");
  assert.equal(core.isBehind, false);
  await taiinet.close();
});

test("a listener that throws does not keep the others from hearing", async () => {
  const { taiinet, core } = await start();
  const reported = [];
  globalThis.reportError = (error) => reported.push(error.message);
  const heard = [];
  const subscription = taiinet.subscribe({});
  subscription.on("data", () => { throw new Error("mine"); });
  const off = subscription.on("data", ({ data }) => heard.push(data.n));
  await eventually(() => core.subscriptions.size === 1);
  core.deliver("a", '{"n":1}');
  off();
  core.deliver("b", '{"n":2}');
  assert.deepEqual([heard, reported], [[1], ["mine", "mine"]]);
  await taiinet.close();
});

test("a query that is wrong says where, and nothing else ends", async () => {
  const { taiinet, core } = await start();
  taiinet.subscribe({});
  await eventually(() => core.subscriptions.size === 1);
  assert.throws(() => taiinet.subscribe({ a: { $gtt: 1 } }), { code: "query", path: "a.$gtt" });
  await assert.rejects(taiinet.find({ a: { $gtt: 1 } }), { code: "query" });
  assert.equal(core.subscriptions.size, 1);
  await taiinet.close();
});

test("a private subscription asks for a key, and sends to subscribers unless told otherwise", async () => {
  const { taiinet, core } = await start();
  const subscription = taiinet.subscribe({}, { private: true });
  taiinet.subscribe({});
  const shown = [];
  subscription.on("data", ({ id, privacy }) => shown.push([id, privacy]));
  await eventually(() => core.subscriptions.size === 2);
  assert.deepEqual(core.subscribed, [{ private: true }, { private: false }]);
  for (const privacy of ["open", "sealed", "forward-secret"]) core.deliver(privacy, "{}", true, privacy);
  assert.deepEqual(shown, [["open", "open"], ["sealed", "sealed"], ["forward-secret", "forward-secret"]]);

  await subscription.send({});
  await subscription.send({}, { to: ["tn1a"], key: "k" });
  await taiinet.publish({}, { to: "subscribers", public: ["type"], waitMs: 0 });
  await taiinet.publish({});
  assert.deepEqual(core.published.map(({ options }) => options), [
    { to: "subscribers", public: [], waitMs: 2000 },
    { to: { peers: ["tn1a"] }, key: "k", public: [], waitMs: 2000 },
    { to: "subscribers", public: ["type"], waitMs: 0 },
    {},
  ]);
  await assert.rejects(subscription.send({}, { to: undefined }), { code: "options", path: "options.to" });
  await assert.rejects(subscription.send({}, { pubic: ["type"] }), /did you mean `public`/);
  await taiinet.close();
});

test("a discreet subscription is passed on as one, and refused with what tells others its query", async () => {
  const { taiinet, core } = await start();
  taiinet.subscribe({ a: 1 }, { discreet: true });
  await eventually(() => core.subscriptions.size === 1);
  assert.deepEqual(core.subscribed, [{ private: false, discreet: true }]);
  for (const [options, message] of [
    [{ discreet: "yes" }, /true or false, not "yes"/],
    [{ discreet: null }, /true or false, not null/],
    [{ discreet: true, private: true }, /`private`, which announces the query/],
    [{ discreet: true, backlog: true }, /`backlog`, for which other peers are asked/],
  ]) {
    assert.throws(() => taiinet.subscribe({}, options), (error) => error instanceof TaiiNetError && error.code === "options" && error.path === "options.discreet" && message.test(error.message), message);
  }
  taiinet.subscribe({}, { discreet: false, private: true });
  await eventually(() => core.subscriptions.size === 2);
  assert.deepEqual(core.subscribed[1], { private: true });
  await taiinet.close();
});

test("the readers of a document are checked, and never taken for everyone", async () => {
  const { taiinet, core } = await start();
  for (const [options, path, message] of [
    [{ to: undefined }, "options.to", /"subscribers" or a list of peer ids, not undefined/],
    [{ to: null }, "options.to", /not null/],
    [{ to: "tn1a" }, "options.to", /not "tn1a"/],
    [{ to: [] }, "options.to", /at least one/],
    [{ to: ["tn1a", 7] }, "options.to[1]", /a string, not 7/],
    [{ to: Array(1001).fill("tn1a") }, "options.to", /at most 1000 peers, not 1001/],
    [{ public: ["type"] }, "options.public", /options\.to/],
    [{ waitMs: 5 }, "options.waitMs", /options\.to/],
    [{ to: "subscribers", public: "type" }, "options.public", /a list/],
    [{ to: "subscribers", public: [5] }, "options.public[0]", /a string/],
    [{ to: "subscribers", waitMs: -1 }, "options.waitMs", /from 0 to 300000/],
    [{ to: "subscribers", waitMs: "2s" }, "options.waitMs", /a number/],
  ]) {
    await assert.rejects(taiinet.publish({}, options), (error) => error instanceof TaiiNetError && error.code === "options" && error.path === path && message.test(error.message), path);
  }
  assert.throws(() => taiinet.subscribe({}, { private: "yes" }), { path: "options.private" });
  assert.deepEqual(core.published, []);
  await taiinet.close();
});

test("a key is shared, and another's is written under; what is said twice or without a key is refused", async () => {
  const { taiinet, core } = await start();
  await taiinet.publish({}, { key: "list", writers: "anyone" });
  await taiinet.publish({}, { key: "list", writers: ["tn1a", "tn1b"] });
  await taiinet.publish({}, { key: "list", of: "tn1a", to: "subscribers", waitMs: 0 });
  await taiinet.delete({ key: "list", of: "tn1a" });
  assert.deepEqual(core.published.map(({ options }) => options), [
    { key: "list", writers: "anyone" },
    { key: "list", writers: { peers: ["tn1a", "tn1b"] } },
    { key: "list", of: "tn1a", to: "subscribers", public: [], waitMs: 0 },
  ]);
  assert.deepEqual(core.deleted.map(({ what }) => what), [{ key: "list", of: "tn1a" }]);

  for (const [options, path, message] of [
    [{ writers: "anyone" }, "options.writers", /options\.key/],
    [{ of: "tn1a" }, "options.of", /options\.key/],
    [{ key: 5, of: "tn1a" }, "options.key", /a string/],
    [{ key: "k", of: 5 }, "options.of", /a string/],
    [{ key: "k", of: "tn1a", writers: "anyone" }, "options.writers", /beside options\.of/],
    [{ key: "k", writers: "everyone" }, "options.writers", /"anyone" or a list of peer ids, not "everyone"/],
    [{ key: "k", writers: null }, "options.writers", /not null/],
    [{ key: "k", writers: [] }, "options.writers", /at least one/],
    [{ key: "k", writers: ["tn1a", 7] }, "options.writers[1]", /a string, not 7/],
    [{ key: "k", writers: Array(65).fill("tn1a") }, "options.writers", /at most 64 peers, not 65/],
  ]) {
    await assert.rejects(taiinet.publish({}, options), (error) => error instanceof TaiiNetError && error.code === "options" && error.path === path && message.test(error.message), path);
  }
  await assert.rejects(taiinet.delete({ of: "tn1a" }), { code: "argument", path: "what.of" });
  await assert.rejects(taiinet.delete({ key: "k", of: 5 }), { code: "argument", path: "what.of" });
  await assert.rejects(taiinet.delete({ key: "k", writers: "anyone" }), { path: "what.writers" });
  assert.equal(core.published.length, 3);
  await taiinet.close();
});

test("a version tells whose it is, and who else writes", async () => {
  const { taiinet, core } = await start();
  const told = [];
  taiinet.subscribe({}).on("data", ({ owner, writers }) => told.push([owner, writers]));
  await eventually(() => core.subscriptions.size === 1);
  core.version("one", 1, { writers: ["tn1a"] });
  core.version("two", 2, { author: "tn1a", owner: "tn1author" });
  assert.deepEqual(told, [["tn1author", ["tn1a"]], ["tn1author", undefined]]);
  await taiinet.close();
});

test("a trap in the module is told, once, and later calls say so", async () => {
  const { taiinet, core } = await start();
  const errors = [];
  taiinet.on("error", (error) => errors.push(error));
  const states = [];
  taiinet.on("status", ({ state }) => states.push(state));
  core.trap = true;
  await assert.rejects(taiinet.status(), { code: "failed" });
  await assert.rejects(taiinet.publish({}), { code: "failed" });
  assert.throws(() => taiinet.subscribe({}), { code: "failed" });
  await eventually(() => states.at(-1) === "failed");
  assert.equal(errors.length, 1);
  assert.ok(errors[0] instanceof TaiiNetError);
});

test("after a trap a new peer has a module of its own, and what waited is told", async () => {
  const { taiinet, core } = await start();
  globalThis.fakeHold = true;
  const publishing = taiinet.publish({});
  publishing.catch(() => {});
  await eventually(() => core.published.length === 1);
  globalThis.fakeHold = false;
  core.trap = true;
  await assert.rejects(taiinet.status(), { code: "failed" });
  await assert.rejects(publishing, { code: "failed" });

  const modules = instances.length;
  const { taiinet: next, core: fresh } = await start();
  assert.equal(instances.length, modules + 1);
  assert.ok(fresh instanceof instances.at(-1).Core && !(fresh instanceof instances.at(-2).Core));
  await next.publish({});
  // And one without a trap does not.
  await start();
  assert.equal(instances.length, modules + 1);
  await next.close();
});

test("arguments of the wrong type are TypeErrors that name the field", () => {
  for (const [options, path] of [
    [{ ...OPTIONS, network: 5 }, "options.network"],
    [{ ...OPTIONS, signallers: ["ws://a", 7] }, "options.signallers[1]"],
    [{ ...OPTIONS, signalers: [] }, "options.signalers"],
    [{ ...OPTIONS, shared: 1 }, "options.shared"],
    [{ ...OPTIONS, introduceByInterest: "yes" }, "options.introduceByInterest"],
  ]) {
    assert.throws(() => new TaiiNet(options), (error) => error instanceof TypeError && error instanceof TaiiNetError && error.path === path, path);
  }
  assert.throws(() => new TaiiNet({ ...OPTIONS, signalers: [] }), /did you mean `signallers`/);
  assert.throws(() => new TaiiNet({ ...OPTIONS, targetLinks: 5, maxLinks: 2 }), /targetLinks/);
  assert.throws(() => new TaiiNet({ ...OPTIONS, signallerRelay: "sometimes" }), /signallerRelay must be "last-resort" or "never" or "only"/);
  assert.throws(() => new TaiiNet({ ...OPTIONS, signallers: ["http://a"] }), /ws:\/\/ or wss:\/\//);
  assert.throws(() => new TaiiNet({ ...OPTIONS, signallers: ["ws://a, http://b"] }), { path: "options.signallers[0]" });
  assert.throws(() => new TaiiNet({ ...OPTIONS, signallers: [" \n"] }), { path: "options.signallers[0]" });
});

test("addresses of signallers are read as an environment's variable holds them", async () => {
  const { taiinet, core } = await start({ signallers: ["ws://a,\n WSS://b.example:1 \n", " ws://c#tn1 "] });
  assert.deepEqual(core.options.signallers, ["ws://a", "wss://b.example:1", "ws://c#tn1"]);
  await taiinet.close();
});

test("after close() everything says so", async () => {
  const { taiinet, core } = await start();
  const subscription = taiinet.subscribe({});
  const ended = new Promise((resolve) => subscription.on("close", resolve));
  await taiinet.close();
  await taiinet.close();
  await ended;
  assert.equal(core.closed, true);
  await assert.rejects(taiinet.publish({}), { code: "closed" });
  assert.throws(() => taiinet.subscribe({}), { code: "closed" });
});
