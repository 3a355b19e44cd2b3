// One visitor, one peer: reload, several tabs, several profiles, private mode.

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually, pause } from "../harness/eventually.mjs";
import { Mesh, Signaller, connected } from "../harness/processes.mjs";
import { browsers, exactly } from "../harness/suite.mjs";

const { chromium } = browsers();

/** Closing the leading tab may silence the others for so long. */
const HAND_OVER_MS = 15_000;

test("a reload keeps the PeerId; another profile has another", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const native = mesh.subscriber("native");
  const browser = await chromium();
  const page = await browser.peer("page", mesh.options());
  await connected([page, native]);
  const id = await page.id();
  assert.match(id, /^tn1[a-z0-9]{50,}$/);

  await page.reload();
  assert.equal(await page.start(mesh.options()), id);
  await connected([page, native]);
  await page.publish({ after: "reload" });
  await exactly(native, [{ after: "reload" }]);
  const [{ author }] = await native.deliveries();
  assert.equal(author, id);

  const other = await browser.peer("other profile", mesh.options());
  assert.notEqual(await other.id(), id);
  // And so has a peer whose identity has another name, or is not kept at all.
  const context = page.puppet.browserContext();
  const named = await browser.peer("named", mesh.options({ identity: "second" }), { context });
  const ephemeral = await browser.peer("ephemeral", mesh.options({ identity: "ephemeral" }), { context });
  const ids = await Promise.all([page, other, named, ephemeral].map((one) => one.id()));
  assert.equal(new Set(ids).size, 4, ids.join(" "));
});

test("two tabs are one peer: both receive, both publish", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const native = mesh.subscriber("native");
  const author = mesh.publisher("author");
  const browser = await chromium();
  const context = await browser.context();
  const [one, two] = [
    await browser.peer("tab one", mesh.options(), { context }),
    await browser.peer("tab two", mesh.options(), { context }),
  ];
  assert.equal(await two.id(), await one.id());
  await one.subscribe({});
  await two.subscribe({});
  await two.subscribe({ likes: { $gt: 4 } }, "liked");
  await connected([one, native, author]);
  // The two are one peer to all others, and tell the same of themselves.
  assert.deepEqual(await two.neighbours(), await one.neighbours());

  author.publish({ by: "native", likes: 5 });
  await one.publish({ by: "one", likes: 6 });
  await two.publish({ by: "two", likes: 1 });
  const all = [{ by: "native", likes: 5 }, { by: "one", likes: 6 }, { by: "two", likes: 1 }];
  for (const peer of [one, two, native]) await exactly(peer, all);
  await exactly({ name: "tab two, liked", documents: () => two.documents("liked") }, all.slice(0, 2));
  const authors = new Map((await native.deliveries()).map(({ data, author }) => [data.by, author]));
  assert.equal(authors.get("one"), authors.get("two"));
  // Found from either tab, and by the tab that does not lead.
  const found = await two.evaluate(async () => (await inPage.peer.find({ by: "native" }, { limit: 5 })).map((/** @type {any} */ e) => e.data));
  assert.deepEqual(found, [{ by: "native", likes: 5 }]);
});

test("of versions that follow at once the last counts: from either tab, for all that look", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const native = mesh.subscriber("native");
  const browser = await chromium();
  const context = await browser.context();
  const [one, two] = [
    await browser.peer("tab one", mesh.options(), { context }),
    await browser.peer("tab two", mesh.options(), { context }),
  ];
  const other = await browser.peer("other profile", mesh.options());
  await connected([one, native, other]);
  const keys = 15;
  for (const tab of [one, two]) {
    await tab.evaluate(async (name, keys) => {
      const both = (/** @type {number} */ key) => [1, 2].map((version) => inPage.peer.publish({ name, key, version }, { key: `${name} ${key}` }));
      await Promise.all(Array.from({ length: keys }, (_, key) => both(key)).flat());
    }, tab.name, keys);
  }
  // The next visit goes on after this one, also if the clock was set back meanwhile.
  await one.evaluate(() => {
    const name = Object.keys(localStorage).find((name) => name.includes("stamps"));
    const [last] = JSON.parse(localStorage.getItem(name ?? "") ?? "[]");
    inPage.last = last + 1500;
    localStorage.setItem(name ?? "", JSON.stringify([inPage.last]));
  });
  const last = await one.evaluate(() => inPage.last);
  for (const looks of [one, two, other]) {
    const found = await looks.evaluate(async () => (await inPage.peer.find({}, { limit: 100 })).map((/** @type {any} */ e) => e.data.version));
    assert.deepEqual(found, Array(2 * keys).fill(2), looks.name);
  }
  const times = (await native.deliveries()).map(({ created_at }) => created_at);
  assert.equal(new Set(times).size, times.length, "no two bear the same time");
  await two.puppet.close();
  await one.reload();
  await one.start(mesh.options());
  await connected([one, native, other]);
  await one.publish({ after: "reload" });
  await native.eventually("gets it", async () => (await native.deliveries()).some(({ data }) => data.after));
  const after = (await native.deliveries()).find(({ data }) => data.after);
  assert.equal(after?.created_at, last + 1);
});

for (const way of ["closed", "crashed"]) {
  test(`the leading tab is ${way}: the other takes over, nothing lost, nothing twice`, async (t) => {
    const mesh = new Mesh([await Signaller.start()]);
    const native = mesh.subscriber("native");
    const author = mesh.publisher("author");
    const browser = await chromium();
    const context = await browser.context();
    const leading = await browser.peer("leading tab", mesh.options(), { context });
    const other = await browser.peer("other tab", mesh.options(), { context });
    const id = await other.id();
    await other.subscribe({});
    await connected([leading, native, author]);

    // Documents come all the while.
    let n = 0;
    const publishing = setInterval(() => author.publish({ n: n++ }), 50);
    try {
      await other.eventually("gets documents", async () => (await other.documents()).length > 10);
      await other.subscribe({}, "history", { backlog: true });
      await other.eventually("looks back", async () => (await other.documents("history")).length > 10);
      if (way === "closed") await leading.puppet.close();
      else leading.puppet.createCDPSession().then((cdp) => cdp.send("Page.crash")).catch(() => {});
      const gone = Date.now();
      const numberThen = n;
      await other.eventually(
        "gets later documents",
        async () => (await other.documents()).some((document) => document.n > numberThen + 5),
        HAND_OVER_MS,
      );
      t.diagnostic(`documents again ${Date.now() - gone} ms after the leading tab was ${way}`);
      await other.publish({ n: -1 });
      await pause(500);
    } finally {
      clearInterval(publishing);
    }
    assert.equal(await other.id(), id);
    await connected([other, native, author]);
    const all = [...Array(n).keys(), -1].map((n) => ({ n }));
    await exactly(native, all);
    await exactly(other, all);
    await exactly({ name: "other tab, with what was before", documents: () => other.documents("history") }, all);
  });
}

test("the leading tab is closed amid publishing by another: each document goes out once", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const native = mesh.subscriber("native");
  const browser = await chromium();
  const context = await browser.context();
  const leading = await browser.peer("leading tab", mesh.options(), { context });
  const other = await browser.peer("other tab", mesh.options(), { context });
  await connected([leading, native]);
  const count = 300;
  await other.evaluate((count) => {
    const all = Array.from({ length: count }, (_, n) => inPage.peer.publish({ n }));
    inPage.published = Promise.all(all);
  }, count);
  await native.eventually("gets the first", async () => (await native.documents()).length > 0);
  await leading.puppet.close();
  const ids = await other.evaluate(() => inPage.published);
  assert.equal(new Set(ids).size, count);
  await exactly(native, [...Array(count).keys()].map((n) => ({ n })));
});

test("the leading tab is closed while another's document waits, without a neighbour: it goes out later", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const browser = await chromium();
  const context = await browser.context();
  const leading = await browser.peer("leading tab", mesh.options(), { context });
  const other = await browser.peer("other tab", mesh.options(), { context });
  await other.evaluate(() => {
    inPage.waiting = inPage.peer.publish({ waits: true });
    inPage.waiting.catch(() => {});
  });
  await other.status(); // The document is at the leading tab's peer by now: calls keep their order.
  await leading.puppet.close({ runBeforeUnload: true });
  await other.eventually("has the peer", async () => (await other.status()).peerId);
  const native = mesh.subscriber("native");
  await other.evaluate(() => inPage.waiting);
  await exactly(native, [{ waits: true }]);
});

test("the leading tab's module traps: another tab takes over, and the page itself can start afresh", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const native = mesh.subscriber("native");
  const browser = await chromium();
  const context = await browser.context();
  const before = () => {
    const scope = /** @type {any} */ (globalThis);
    scope.memories = [];
    for (const name of /** @type {const} */ (["instantiate", "instantiateStreaming"])) {
      const original = /** @type {any} */ (WebAssembly[name]);
      /** @type {any} */ (WebAssembly)[name] = async (/** @type {any[]} */ ...args) => {
        const made = await original(...args);
        scope.memories.push((made.instance ?? made).exports.memory);
        return made;
      };
    }
  };
  const tolerate = [/RuntimeError|panicked/];
  const leading = await browser.peer("leading tab", mesh.options(), { context, before, tolerate });
  const other = await browser.peer("other tab", mesh.options(), { context });
  const id = await leading.id();
  await other.subscribe({});
  await connected([leading, native]);

  // Nothing in the module's memory is what it was.
  await leading.evaluate(() => memories.forEach((memory) => new Uint8Array(memory.buffer).fill(0xff)));
  const error = await leading.thrown(`await peer.status()`);
  assert.equal(error?.code, "failed", JSON.stringify(error));
  assert.equal((await leading.events("status")).at(-1).state, "failed");
  await connected([other, native]);
  assert.equal(await other.id(), id);
  await other.publish({ after: "the trap" });
  await exactly(native, [{ after: "the trap" }]);

  // In the same page a new one works, as one more tab and, when the other has gone, as the peer.
  assert.equal(await leading.start(mesh.options()), id);
  await leading.publish({ again: 1 });
  await exactly(other, [{ after: "the trap" }, { again: 1 }]);
  await other.puppet.close();
  await leading.publish({ again: 2 });
  await exactly(native, [{ after: "the trap" }, { again: 1 }, { again: 2 }]);
});

test("the tab that leads is the only one that others see, also among five", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const native = mesh.subscriber("native");
  const browser = await chromium();
  const context = await browser.context();
  const tabs = await Promise.all([1, 2, 3, 4, 5].map((n) => browser.peer(`tab ${n}`, mesh.options(), { context })));
  await eventually("all are connected", async () => {
    const neighbours = await Promise.all(tabs.map((tab) => tab.neighbours()));
    return neighbours.every((ids) => ids.size === 1);
  });
  const ids = new Set(await Promise.all(tabs.map((tab) => tab.id())));
  assert.equal(ids.size, 1);
  await native.eventually("has one neighbour", async () => (await native.neighbours()).size === 1);
  assert.deepEqual(await native.neighbours(), ids);
  await Promise.all(tabs.map((tab) => tab.subscribe({})));
  const documents = tabs.map((tab) => ({ from: tab.name }));
  await Promise.all(tabs.map((tab, n) => tab.publish(documents[n])));
  for (const peer of [native, ...tabs]) await exactly(peer, documents);
});

test("private mode without IndexedDB works, with a warning", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const native = mesh.subscriber("native");
  const before = () => Object.defineProperty(globalThis, "indexedDB", { value: undefined });
  const page = await (await chromium()).page("page", { before });
  await page.start(mesh.options());
  await connected([page, native]);
  const [warning] = await page.eventually("warns", async () => {
    const warnings = await page.events("warning");
    return warnings.length > 0 && warnings;
  });
  assert.match(warning.message ?? JSON.stringify(warning), /not kept|reload|IndexedDB/i);
  // Another tab has another key, and so is another peer.
  const tab = await (await chromium()).page("tab", { before, context: page.puppet.browserContext() });
  assert.notEqual(await tab.start(mesh.options()), await page.id());
  await page.publish({ from: "private" });
  await exactly(native, [{ from: "private" }]);
});

test("an IndexedDB that never answers does not keep the peer from starting", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const native = mesh.subscriber("native");
  const before = () => {
    IDBFactory.prototype.open = () => /** @type {any} */ (new EventTarget());
  };
  const page = await (await chromium()).page("page", { before });
  await page.start(mesh.options());
  const [warning] = await page.events("warning");
  assert.equal(warning.code, "identity-not-kept");
  assert.match(warning.message, /IndexedDB has not answered/);
  await connected([page, native]);
  await page.publish({ from: "a page that keeps nothing" });
  await exactly(native, [{ from: "a page that keeps nothing" }]);
});
