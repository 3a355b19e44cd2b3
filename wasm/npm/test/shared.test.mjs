// Several tabs, one peer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";
import { cores } from "./core.mjs";
import { Channel, KEY_FILE, channels, crash, enter, eventually, freeze, opened, tab, thaw } from "./tabs.mjs";

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

test("tabs of another network or identity have a peer of their own, whatever their names are", async () => {
  const pairs = [["chat alice", "work"], ["chat", "alice work"], ['chat","alice', "work"], ["chat", 'alice","work'], ["chat alice work", ""]];
  const tabs = [];
  for (const [index, [network, identity]] of pairs.entries()) tabs.push(await tab(`tab ${index}`, { network, identity }));
  assert.equal(cores.length, pairs.length);
  for (const [index, one] of tabs.entries()) {
    await one.publish({ index });
    const written = cores.map(({ published }) => published.map(({ document }) => document));
    assert.deepEqual(written[index], [`{"index":${index}}`]);
  }
});

test("a peer of another network or identity is not followed", async () => {
  const one = await tab("one");
  const stranger = new Channel(channels.get("one").name);
  try {
    for (const of of [undefined, { network: "other", identity: "shared" }, { network: "n", identity: "other" }]) {
      stranger.postMessage({ kind: "leader", leader: "a stranger", of, peerId: "tn1other", options: {} });
    }
    // What comes on the same channel after them has been heard.
    const answered = new Promise((resolve) => (stranger.onmessage = ({ data }) => data.kind === "leader" && resolve(data)));
    stranger.postMessage({ kind: "hello", from: "a stranger" });
    const { of, peerId } = await answered;
    assert.deepEqual(of, { network: "n", identity: "shared" });
    assert.equal(one.identity.peerId, peerId);
    assert.notEqual(one.identity.peerId, "tn1other");
  } finally {
    stranger.close();
  }
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
  assert.deepEqual(cores[1].published[0].options.stamp, cores[0].published[0].options.stamp, "the same document");
  cores[1].published[0].take();
  await publishing;
  cores[1].deliver("a", "{}");
  cores[1].deliver("b", "{}");
  await eventually("the new one is shown", () => got.includes("b"));
  assert.deepEqual(got, ["a", "b"]);
  assert.equal((await two.status()).peerId, (await three.status()).peerId);
});

test("a discreet subscription stays one in the next tab", async () => {
  await tab("one");
  const two = await tab("two");
  two.subscribe({ a: 1 }, { discreet: true });
  await eventually("subscribed", () => cores[0].subscriptions.size === 1);
  crash("one");
  await eventually("the subscription is there again", () => cores[1]?.subscriptions.size === 1);
  for (const { subscribed } of cores) assert.deepEqual(subscribed, [{ private: false, discreet: true }]);
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

test("a tab whose peer traps leaves it to the next, and no other notices", async () => {
  const one = await tab("one");
  const two = await tab("two");
  const got = [];
  two.subscribe({}).on("data", ({ id }) => got.push(id));
  const errors = [];
  two.on("error", (error) => errors.push(error));
  await eventually("subscribed", () => cores[0].subscriptions.size === 1);
  globalThis.fakeHold = true;
  const [own, others] = [one.publish({ by: "one" }), two.publish({ by: "two" })];
  own.catch(() => {});
  await eventually("both are at the core", () => cores[0].published.length === 2);

  enter("two");
  cores[0].trap = true;
  await assert.rejects(one.status(), { code: "failed" });
  await assert.rejects(own, { code: "failed" });
  await eventually("the other tab has the peer", () => cores.length === 2);
  await eventually("what was not taken is published again", () => cores[1].published.length === 1);
  cores[1].published[0].take();
  await others;
  await eventually("the subscription is there again", () => cores[1].subscriptions.size === 1);
  cores[1].deliver("later", "{}");
  await eventually("delivered", () => got.includes("later"));
  assert.deepEqual(errors, []);
  // A tab that comes later finds a peer that works.
  const three = await tab("three");
  globalThis.fakeHold = false;
  assert.match(await three.publish({}), /^id-/);
  assert.equal(cores.length, 2);
});

test("the peer's tab closes while others publish: they ask the next one", async () => {
  const one = await tab("one");
  const two = await tab("two");
  globalThis.fakeHold = true;
  const publishing = two.publish({ mine: true });
  await eventually("it is at the core", () => cores[0].published.length === 1);
  let left;
  globalThis.fakeGoodbye = new Promise((resolve) => (left = resolve));
  enter("two");
  const closing = one.close();
  // Amid the goodbye, which answers everything at once.
  const later = two.publish({ later: true });
  await new Promise((next) => setTimeout(next, 20));
  left();
  await closing;
  await eventually("both are published by the other tab", () => cores[1]?.published.length === 2);
  cores[1].published.forEach(({ take }) => take());
  await Promise.all([publishing, later]);
});

test("an import while documents wait and subscriptions come and go: nothing of it is lost", async () => {
  const one = await tab("one");
  const two = await tab("two");
  enter("one");
  const got = new Map();
  const listen = (taiinet, name) => {
    const subscription = taiinet.subscribe({});
    subscription.on("data", ({ id }) => got.set(name, id));
    subscription.on("error", (error) => got.set(name, error));
    return subscription;
  };
  listen(one, "one before");
  const closed = listen(two, "two, closed meanwhile");
  await eventually("subscribed", () => cores[0].subscriptions.size === 2);
  globalThis.fakeHold = true;
  const publishing = [one.publish({ n: 0 }), two.publish({ n: 1 })];
  await eventually("both are at the core", () => cores[0].published.length === 2);

  let left;
  globalThis.fakeGoodbye = new Promise((resolve) => (left = resolve));
  const importing = two.identity.import(KEY_FILE, "not needed");
  await eventually("the peer says goodbye", () => cores[0].closed);
  publishing.push(one.publish({ n: 2 }), two.publish({ n: 3 }));
  listen(one, "one meanwhile");
  listen(two, "two meanwhile");
  closed.close();
  // A second import waits for the first: never are there two peers of one key.
  const again = one.identity.import(KEY_FILE, "not needed");
  await new Promise((next) => setTimeout(next, 50));
  assert.equal(cores.length, 1);
  left();
  await Promise.all([importing, again]);
  assert.equal(cores.length, 3);
  assert.deepEqual(cores.map(({ gone }) => gone), [true, true, undefined]);
  const core = cores[2];
  assert.notEqual(core.peerId, cores[0].peerId);
  await eventually("the documents are published", () => core.published.length === 4);
  core.published.forEach(({ take }) => take());
  await Promise.all(publishing);
  await eventually("those that are open are there again", () => core.subscriptions.size === 3);
  core.deliver("new", "{}");
  await eventually("all got it", () => got.size === 3);
  assert.deepEqual([...got].sort(), ["one before", "one meanwhile", "two meanwhile"].map((name) => [name, "new"]));
});

test("a subscription that the peer refuses ends with an error in its tab, and only that", async () => {
  await tab("one");
  const two = await tab("two");
  globalThis.fakeRefused = ({ bad }) => bad;
  const listen = (query) => {
    const subscription = two.subscribe(query);
    const heard = [];
    subscription.on("error", ({ code }) => heard.push(code));
    subscription.on("close", () => heard.push("close"));
    return heard;
  };
  const bad = listen({ bad: true });
  const [good, later] = [listen({ good: true }), listen({ later: true })];
  await eventually("told", () => bad.length === 2);
  assert.deepEqual(bad, ["options", "close"]);
  await eventually("subscribed", () => cores[0].subscriptions.size === 2);
  // The next tab's peer refuses another one, and goes on with the rest.
  globalThis.fakeRefused = ({ later }) => later;
  enter("two");
  crash("one");
  await eventually("told", () => later.length === 2);
  assert.equal(cores[1].subscriptions.size, 1);
  assert.deepEqual(good, []);
  assert.match(await two.publish({}), /^id-/);
});

test("where no identity is kept each tab is a peer of its own, and exports its own key", async () => {
  globalThis.indexedDB = undefined;
  const one = await tab("one");
  const warnings = [];
  enter("two");
  const { TaiiNet } = await load("index.ts");
  enter("two");
  const two = new TaiiNet({ network: "n", signallers: ["ws://127.0.0.1:1"], identity: "shared", shared: true });
  opened.push(two);
  two.on("warning", ({ code }) => warnings.push(code));
  await two.ready;
  assert.deepEqual(warnings, ["identity-not-kept", "not-shared"]);
  assert.equal(cores.length, 2);
  assert.notEqual(one.identity.peerId, two.identity.peerId);
  await two.identity.import(KEY_FILE, "not needed");
  assert.equal(two.identity.peerId, "tn1157x97x177x157");
  const file = await two.identity.export("secret");
  await one.identity.import(file, "secret");
  assert.equal(one.identity.peerId, two.identity.peerId);
});

test("neighbours of a peer that is gone are forgotten: a find waits for one of the next", async () => {
  await tab("one");
  const two = await tab("two");
  const gone = [];
  two.on("peer-disconnected", ({ peer }) => gone.push(peer));
  let met = false;
  two.on("peer-connected", () => (met = true));
  cores[0].event({ type: "peer-connected", peer: "tn1ada" });
  await eventually("told", () => met);
  enter("two");
  crash("one");
  await eventually("another tab has the peer", () => cores.length === 2);
  await eventually("told", () => gone.length === 1);
  assert.deepEqual(gone, ["tn1ada"]);
  let found = false;
  const finding = two.find({}).then(() => (found = true));
  await new Promise((next) => setTimeout(next, 50));
  assert.equal(found, false, "there is no neighbour to ask yet");
  cores[1].event({ type: "peer-connected", peer: "tn1bob" });
  await finding;
});

test("a tab is told when the peer runs with another tab's options", async () => {
  await tab("one");
  enter("two");
  const { TaiiNet } = await load("index.ts");
  enter("two");
  const two = new TaiiNet({ network: "n", signallers: ["ws://127.0.0.1:2"], identity: "shared", maxLinks: 3 });
  opened.push(two);
  const warnings = [];
  two.on("warning", (warning) => warnings.push(warning));
  await two.ready;
  assert.equal(warnings.length, 1);
  assert.equal(warnings[0].code, "options-of-another-tab");
  assert.match(warnings[0].message, /options\.signallers, options\.maxLinks/);
  // The same options are no news.
  const three = await tab("three");
  three.on("warning", (warning) => warnings.push(warning));
  assert.equal(warnings.length, 1);
});

test("a tab that stands still is taken over from; it follows when it goes on, and nothing comes twice", async () => {
  const one = await tab("one");
  const two = await tab("two");
  const got = { one: [], two: [] };
  one.subscribe({}).on("data", ({ id }) => got.one.push(id));
  two.subscribe({}).on("data", ({ id }) => got.two.push(id));
  await eventually("subscribed", () => cores[0].subscriptions.size === 2);
  cores[0].deliver("a", "{}");
  await eventually("delivered", () => got.two.length === 1);
  globalThis.fakeHold = true;
  const publishing = [one.publish({ by: "one" }), two.publish({ by: "two" })];
  await eventually("both are at the core", () => cores[0].published.length === 2);

  freeze("one");
  enter("two");
  await eventually("the other tab has the peer", () => cores.length === 2);
  assert.ok(cores[1].options.silentMs >= 3000 && cores[1].options.silentMs < 20_000, `it looks back: ${cores[1].options.silentMs}`);
  await eventually("its subscription is there again", () => cores[1].subscriptions.size === 1);
  assert.equal(cores[0].closed, false);
  cores[1].deliver("a", "{}");
  cores[1].deliver("b", "{}");
  await eventually("the new one is shown", () => got.two.includes("b"));

  // What the old peer still gets as it goes on, the others have.
  thaw("one");
  cores[0].deliver("b", "{}");
  await eventually("the old peer has left", () => cores[0].closed);
  await eventually("its tab follows", () => cores[1].subscriptions.size === 2);
  cores[1].deliver("b", "{}");
  cores[1].deliver("c", "{}");
  await eventually("both have all", () => got.one.includes("c") && got.two.includes("c"));
  assert.deepEqual(got, { one: ["a", "b", "c"], two: ["a", "b", "c"] });
  await eventually("what waited is asked again", () => cores[1].published.length === 2);
  cores[1].published.forEach(({ take }) => take());
  await Promise.all(publishing);
  assert.equal((await one.status()).peerId, (await two.status()).peerId);
  assert.equal(cores.length, 2);
  // And it leads again when its turn comes.
  enter("one");
  crash("two");
  await eventually("it has the peer again", () => cores.length === 3 && cores[2].subscriptions.size === 1);
});

test("a live list goes by the peer that has taken over, whatever the one before still says", async () => {
  const [one, two] = [await tab("one"), await tab("two")];
  const shown = { one: [], two: [] };
  const numbers = ({ documents, state }) => `${documents.map(({ data }) => data.n).join()} ${state}`;
  one.live({}).subscribe((snapshot) => shown.one.unshift(numbers(snapshot)));
  two.live({}).subscribe((snapshot) => shown.two.unshift(numbers(snapshot)));
  await eventually("two lists", () => cores[0].lives.size === 2);
  const [before, after] = [[...cores[0].lives.keys()], () => [...cores[1].lives.keys()]];
  const ready = { type: "state", phase: "ready", complete: true, more: false };
  const fill = (core, number, ...all) => {
    all.forEach((n, index) => core.change(number, { type: "insert", index }, n));
    core.change(number, ready);
  };
  for (const number of before) fill(cores[0], number, 5, 1);
  await eventually("shown", () => shown.two[0] === "5,1 ready" && shown.one[0] === "5,1 ready");

  freeze("one");
  enter("two");
  await eventually("the other tab has the peer", () => cores[1]?.lives.size === 1);
  fill(cores[1], after()[0], 5, 2, 1);
  await eventually("shown", () => shown.two[0] === "5,2,1 ready");
  // It does not know yet that it was taken from.
  for (const number of before) cores[0].change(number, { type: "insert", index: 1 }, 5);
  let leave;
  globalThis.fakeGoodbye = new Promise((resolve) => (leave = resolve));
  thaw("one");
  await eventually("its tab follows", () => cores[1].lives.size === 2);
  fill(cores[1], after()[1], 5, 2, 1);
  await eventually("shown", () => shown.one[0] === "5,2,1 ready");
  // Nor is it silent while it leaves.
  for (const number of before) cores[0].change(number, { ...ready, phase: "stale" });
  cores[1].change(after()[1], { type: "insert", index: 0 }, 7);
  await eventually("shown", () => shown.one[0].startsWith("7,5,2,1"));
  assert.equal(shown.one[0], "7,5,2,1 ready");
  leave();
  await eventually("the old peer has left", () => cores[0].closed);
  cores[1].change(after()[0], { type: "insert", index: 0 }, 6);
  await eventually("shown", () => shown.two[0] === "6,5,2,1 ready");
  const since = shown.two.slice(0, shown.two.lastIndexOf("5,2,1 ready") + 1);
  assert.deepEqual(since, ["6,5,2,1 ready", "5,2,1 ready"], "nothing of the other peer's in between");
});

test("of several tabs one takes over, and the others follow it", async () => {
  await tab("one");
  const others = [await tab("two"), await tab("three"), await tab("four")];
  freeze("one");
  enter("two");
  await eventually("another has the peer", () => cores.length >= 2);
  await eventually("all follow it", async () => {
    const asked = await Promise.all(others.map((one) => Promise.race([one.status(), new Promise((done) => setTimeout(done, 500))])));
    return asked.every((status) => status?.now === 0);
  });
  await new Promise((next) => setTimeout(next, 3000));
  assert.equal(cores.length, 2, "nobody takes it from the one that has it");
});

test("where there is no WebRTC, as in a worker, a tab never leads, and says why nothing goes on", async () => {
  delete globalThis.RTCPeerConnection;
  enter("worker");
  const { TaiiNet } = await load("index.ts");
  const worker = new TaiiNet({ network: "n", signallers: ["ws://127.0.0.1:1"], identity: "shared", shared: true });
  opened.push(worker);
  const statuses = [];
  worker.on("status", (status) => statuses.push(status));
  const publishing = worker.publish({ from: "worker" });
  await eventually("says what is wrong", () => statuses.at(-1)?.problem);
  assert.match(statuses.at(-1).problem, /no WebRTC here/);
  assert.match(statuses.at(-1).advice, /open a page/);
  assert.equal(cores.length, 0);

  globalThis.RTCPeerConnection = class {};
  const page = await tab("page");
  delete globalThis.RTCPeerConnection;
  await publishing;
  assert.deepEqual(cores[0].published.map(({ document }) => document), ['{"from":"worker"}']);
  assert.equal(worker.identity.peerId, page.identity.peerId);
  await eventually("says that it is well", () => !statuses.at(-1).problem?.includes("WebRTC"));
  crash("page");
  await eventually("says so again", () => statuses.at(-1).problem?.includes("no WebRTC here"));
  assert.equal(cores.length, 1);
});

test("a database that never answers: the peer works with a key for the page, and says so", async () => {
  globalThis.indexedDB = { open: () => ({}) };
  enter("one");
  const { TaiiNet } = await load("index.ts");
  const taiinet = new TaiiNet({ network: "n", signallers: ["ws://127.0.0.1:1"] });
  opened.push(taiinet);
  const warnings = [];
  taiinet.on("warning", (warning) => warnings.push(warning));
  await taiinet.ready;
  assert.deepEqual(warnings.map(({ code }) => code), ["identity-not-kept", "not-shared"]);
  assert.match(warnings[0].message, /IndexedDB has not answered within 4 s/);
  assert.match(await taiinet.publish({}), /^id-/);
});

test("the tab that takes over amid a history begins it again: all comes, nothing twice, and pages go on", async () => {
  await tab("one");
  const two = await tab("two");
  globalThis.fakeFound = Array.from({ length: 6 }, (_, n) => `{"n":${n}}`);
  const subscription = two.subscribe({}, { backlog: { last: 2 } });
  const heard = [];
  for (const name of ["data", "backlog"]) subscription.on(name, ({ data, replaces }) => heard.push(replaces ? [data.n, replaces] : data.n));
  subscription.on("remove", ({ id, reason }) => heard.push([id, reason]));
  subscription.on("ready", ({ complete, more }) => heard.push({ complete, more }));
  await subscription.next(1);
  assert.deepEqual(heard.splice(0), [4, 5, { complete: false, more: true }, 3, { complete: false, more: true }]);
  cores[0].version("k1", Date.now());
  cores[0].version("k2", Date.now(), { replaces: "k1" });
  await eventually("shown", () => heard.length === 2);
  assert.deepEqual(heard.splice(0), ["k1", ["k2", "k1"]]);

  // The peer's tab ends before it has answered.
  cores[0].gate = new Promise(() => {});
  const page = subscription.next(2);
  enter("two");
  crash("one");
  await eventually("it is begun again", () => cores[1]?.subscribed.length === 1);
  assert.deepEqual(cores[1].subscribed, [{ private: false, backlog: { last: 5 } }]);
  assert.deepEqual((await page).map(({ data }) => data.n), [1, 2]);
  const last = await subscription.next();
  assert.deepEqual([last.map(({ data }) => data.n), last.complete, last.more], [[0], true, false]);
  assert.deepEqual(heard.splice(0), [1, 2, { complete: false, more: true }, 0, { complete: true, more: false }]);

  // It is told once that something is gone, and no older version is shown, though the new peer does not know.
  cores[1].version("k1", Date.now() - 10);
  cores[1].version("k3", Date.now() + 10);
  cores[1].remove("found-4", "deleted");
  cores[1].remove("found-4", "deleted");
  await eventually("told", () => heard.length === 2);
  assert.deepEqual(heard, [["k3", "k2"], ["found-4", "deleted"]]);
  const elsewhere = await tab("three");
  const pages = elsewhere.subscribe({}, { backlog: { last: 1 } });
  assert.deepEqual((await pages.next(2)).map(({ data }) => data.n), [3, 4], "from any tab");
});

test("a deletion that was not taken is published again by the next tab, as the same document", async () => {
  await tab("one");
  await tab("two");
  const three = await tab("three");
  globalThis.fakeHold = true;
  const deleting = three.delete({ key: "k", of: "tn1a" });
  await eventually("it is at the core", () => cores[0].deleted.length === 1);
  crash("one");
  await eventually("it is at the next", () => cores[1]?.deleted.length === 1);
  assert.deepEqual(cores[0].stamped, [{ key: "k", of: "tn1a", deletes: true }], "later than the versions of others");
  assert.deepEqual(cores[1].deleted[0].what, { key: "k", of: "tn1a" });
  assert.ok(cores[0].deleted[0].options.stamp);
  assert.deepEqual(cores[1].deleted[0].options, cores[0].deleted[0].options);
  cores[1].deleted[0].take();
  await deleting;
});
