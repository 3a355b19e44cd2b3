// Browsers and native peers in one mesh.

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually, pause } from "../harness/eventually.mjs";
import { REFUSED_SOCKETS } from "../harness/pages.mjs";
import { Mesh, Signaller, connected, graph, isOne, run } from "../harness/processes.mjs";
import { browsers, exactly } from "../harness/suite.mjs";

const { chromium, firefox } = browsers();

for (const [name, launch] of Object.entries({ Chromium: chromium, Firefox: firefox })) {
  test(`${name}: two pages and three native peers, documents both ways, by query, each once`, async () => {
    const mesh = new Mesh([await Signaller.start()]);
    const browser = await launch();
    const all = mesh.subscriber("native, all");
    const liked = mesh.subscriber("native, liked", { likes: { $gt: 4 } });
    const author = mesh.publisher("native author");
    const one = await browser.peer("page one", mesh.options());
    const two = await browser.peer("page two", mesh.options());
    await one.subscribe({});
    await one.subscribe({ by: "two" }, "by two");
    await two.subscribe({ likes: { $gt: 4 } });
    await connected([all, liked, author, one, two]);
    assert.equal(new Set(await Promise.all([all, liked, author, one, two].map((peer) => peer.id()))).size, 5);

    const numbers = [...Array(10).keys()];
    const by = (/** @type {string} */ who) => numbers.map((likes) => ({ by: who, likes }));
    by("native").forEach((document) => author.publish(document));
    const ids = await Promise.all(by("one").map((document) => one.publish(document)));
    for (const document of by("two")) await two.publish(document);

    const published = ["native", "one", "two"].flatMap(by);
    const popular = published.filter(({ likes }) => likes > 4);
    await exactly(all, published);
    await exactly(one, published);
    await exactly(liked, popular);
    await exactly(two, popular);
    const byTwo = { name: "page one, by two", documents: () => one.documents("by two") };
    await exactly(byTwo, by("two"));

    // What came says whose it is and how it came.
    assert.equal(new Set(ids).size, ids.length);
    const deliveries = await two.deliveries();
    const fromOne = deliveries.filter(({ author }) => author === deliveries.find(({ data }) => data.by === "one").author);
    const idOfOne = await one.id();
    assert.deepEqual([...new Set(fromOne.map(({ author }) => author))], [idOfOne]);
    assert.deepEqual(new Set(fromOne.map(({ id }) => id)), new Set(ids.slice(5)));
    for (const { hops, from, createdAt, receivedAt, data } of deliveries) {
      if (data.by === "two") assert.equal(from ?? null, null);
      else assert.ok(hops >= 1 && from.startsWith("tn1"), `${hops} hops, from ${from}`);
      assert.ok(Math.abs(createdAt - Date.now()) < 120_000 && receivedAt >= createdAt - 1000);
    }
  });
}

test("Chromium, Firefox and a native peer in one mesh: documents all ways", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const native = mesh.subscriber("native");
  const author = mesh.publisher("native author");
  const blink = await (await chromium()).peer("Chromium", mesh.options());
  const gecko = await (await firefox()).peer("Firefox", mesh.options());
  const pages = [blink, gecko];
  for (const page of pages) await page.subscribe({ ok: true });
  await connected([native, author, ...pages]);
  // Every pair of them can be linked, the two browsers too.
  await eventually("each page is linked to all", async () => {
    const counts = await Promise.all(pages.map(async (page) => (await page.neighbours()).size));
    return counts.every((count) => count === 3);
  }, { state: () => Promise.all(pages.map((page) => page.status())) });

  const documents = ["native", "Chromium", "Firefox"].map((by) => ({ by, ok: true }));
  author.publish(documents[0]);
  await blink.publish(documents[1]);
  await gecko.publish(documents[2]);
  await blink.publish({ by: "Chromium", ok: false });
  await exactly(blink, documents);
  await exactly(gecko, documents);
  await exactly(native, [...documents, { by: "Chromium", ok: false }]);
});

test("without any signaller: links page to page, Chromium to Firefox and to native are made through the mesh", async () => {
  const signaller = await Signaller.start();
  const mesh = new Mesh([signaller]);
  const native = mesh.subscriber("native");
  const tolerate = [REFUSED_SOCKETS];
  const before = () => {
    const scope = /** @type {any} */ (globalThis);
    scope.connections = [];
    scope.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(/** @type {any[]} */ ...args) {
        super(...args);
        scope.connections.push(this);
      }
    };
  };
  const blink = await (await chromium()).peer("Chromium", mesh.options(), { before, tolerate });
  const other = await (await chromium()).peer("another Chromium page", mesh.options(), { tolerate });
  const gecko = await (await firefox()).peer("Firefox", mesh.options(), { tolerate });
  const others = new Map(await Promise.all([native, other, gecko].map(async (peer) => /** @type {const} */ ([await peer.id(), peer.name]))));
  /** Since when it has which links. @returns {Promise<Map<string, number>>} */
  const links = async (page = blink) => {
    const { links } = await page.status();
    return new Map(links.filter((/** @type {any} */ link) => link.state === "active").map((/** @type {any} */ link) => [link.peer, link.since]));
  };
  await connected([native, blink, other, gecko]);
  // Also the others with each other: nothing else leads to one that loses its link, once the signaller is gone.
  for (const page of [blink, other, gecko]) {
    await page.eventually("is linked to all", async () => (await links(page)).size === others.size);
  }
  await signaller.kill();
  for (const page of [blink, other, gecko]) {
    await page.eventually("knows that the signaller is gone", async () => !(await page.status()).signallers[0].joined);
  }

  // One link is left each time, by turns: the others must be remade over it.
  const remade = new Set();
  for (const kept of [0, 1]) {
    const was = await links();
    await blink.evaluate((kept) => {
      const open = globalThis.connections.filter((/** @type {any} */ one) => one.connectionState === "connected");
      open.forEach((/** @type {any} */ one, /** @type {number} */ index) => index !== kept && one.close());
    }, kept);
    await blink.eventually("has two links again", async () => {
      const now = await links();
      return now.size === others.size && [...now].filter(([peer, since]) => since !== was.get(peer)).length >= others.size - 1;
    });
    for (const [peer, since] of await links()) if (since !== was.get(peer)) remade.add(others.get(peer));
  }
  assert.deepEqual([...remade].sort(), [...others.values()].sort());
  assert.ok(!(await blink.status()).signallers[0].joined);
  for (const page of [other, gecko]) await page.subscribe({});
  await connected([native, blink, other, gecko]);
  await blink.publish({ by: "mesh" });
  for (const peer of [native, other, gecko]) await exactly(peer, [{ by: "mesh" }]);
});

test("every signaller killed, and then a neighbour: new links come through the mesh alone", async () => {
  const signallers = [await Signaller.start(), await Signaller.start()];
  const mesh = new Mesh(signallers);
  // Few links, so that no peer is linked to all; fewest for the page.
  const natives = [..."abcdef"].map((name) => mesh.subscriber(name, {}, ["--links", "3,5"]));
  const browser = await chromium();
  const tolerate = [REFUSED_SOCKETS];
  const page = await browser.peer("page", mesh.options({ targetLinks: 2, maxLinks: 2 }), { tolerate });
  const other = await browser.peer("other page", mesh.options({ targetLinks: 3, maxLinks: 5 }), { tolerate });
  const all = [...natives, page, other];
  await page.subscribe({});
  await other.subscribe({});
  const id = await page.id();
  const ids = new Map(await Promise.all(natives.map(async (peer) => /** @type {const} */ ([await peer.id(), peer]))));
  /** A native neighbour of the page, without which the others would still be one mesh. */
  const dispensable = async () => {
    const links = await graph(all);
    const near = links.get(id) ?? new Set();
    return near.size === 2 && isOne(links) && [...near].find((one) => ids.has(one) && isOne(links, one));
  };
  await page.eventually("has the links it wants", dispensable);

  await Promise.all(signallers.map((signaller) => signaller.kill()));
  await page.eventually("knows that the signallers are gone", async () =>
    (await page.status()).signallers.every((/** @type {any} */ signaller) => !signaller.joined),
  );
  // It hears of others from its neighbours.
  await page.eventually("knows candidates", async () => (await page.status()).candidates > 0);

  const victim = await page.eventually("has a neighbour to lose", dispensable);
  const before = await page.neighbours();
  await ids.get(victim)?.kill();
  const won = await page.eventually("has a new neighbour without any signaller", async () =>
    [...(await page.neighbours())].find((id) => !before.has(id)),
  );
  assert.notEqual(won, victim);

  const living = [...ids.values()].filter((peer) => peer !== ids.get(victim));
  await connected([...living, page, other]);
  await page.publish({ from: "page" });
  await other.publish({ from: "other page" });
  const both = [{ from: "page" }, { from: "other page" }];
  for (const peer of [...living, page, other]) await exactly(peer, both);
});

test("what was published before comes as backlog, up to the limit, and it is said whether that is all", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const author = mesh.publisher("author");
  const holder = mesh.subscriber("holder");
  await connected([author, holder]);
  for (let n = 0; n < 5; n++) {
    author.publish({ n });
    // So no two are of the same millisecond.
    await holder.eventually(`got ${n}`, async () => (await holder.documents()).length > n);
  }
  await exactly(holder, [...Array(5).keys()].map((n) => ({ n })));
  await pause(2_500); // What is younger counts as published since.
  const page = await (await chromium()).peer("page", mesh.options());
  const ready = (/** @type {string} */ name) => page.eventually(`${name} is ready`, () => page.evaluate((name) => inPage.subscribers[name].ready, name));
  const shown = async (/** @type {string} */ name) => (await page.deliveries(name)).map(({ type, data }) => `${type} ${data.n}`);
  await page.subscribe({}, "all", { backlog: true });
  await page.subscribe({}, "few", { backlog: { limit: 3 } });
  const { sources, ...all } = await ready("all");
  assert.deepEqual(all, { complete: true, more: false });
  assert.ok(sources >= 1 && sources <= 2, `${sources}`);
  assert.equal((await ready("few")).more, true);
  assert.deepEqual(await shown("all"), [0, 1, 2, 3, 4].map((n) => `backlog ${n}`));
  assert.deepEqual(await shown("few"), [2, 3, 4].map((n) => `backlog ${n}`));

  const older = await page.evaluate(async () => {
    const page = await inPage.subscribers.few.subscription.next(5);
    return { n: page.map((/** @type {any} */ one) => one.data.n), complete: page.complete, more: page.more };
  });
  assert.deepEqual(older, { n: [0, 1], complete: true, more: false });
  // In any order, page by page.
  const pages = await page.evaluate(async () => {
    const found = [];
    for (let after; ; ) {
      const page = await inPage.peer.find({}, { sort: { n: 1 }, limit: 2, after });
      found.push(page.map((/** @type {any} */ one) => one.data.n));
      after = page.cursor;
      if (!after) return { found, complete: page.complete };
    }
  });
  assert.deepEqual(pages.found.flat(), [0, 1, 2, 3, 4]);
  assert.equal(pages.complete, true);

  // The same in the shell.
  const where = ["--network", mesh.network, ...mesh.signallers.flatMap((url) => ["--signaller", url])];
  const printed = await run("taiinet", ["subscribe", "{}", "--backlog=3", "--json", "--timeout", "10", ...where]);
  const lines = printed.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((line) => (line.ready ? line.ready.more : [line.backlog, line.data.n])), [[true, 2], [true, 3], [true, 4], true]);
});

test("what is replaced, deleted or expired is told to pages that show it, and found no more", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const browser = await chromium();
  const [author, reader] = [await browser.peer("author", mesh.options()), await browser.peer("reader", mesh.options())];
  await connected([author, reader]);
  await reader.subscribe({ likes: { $gt: 4 } });
  const publish = (/** @type {any} */ document, /** @type {any} */ options) => author.evaluate((document, options) => inPage.peer.publish(document, options), document, options);
  const changes = () => reader.evaluate(() => inPage.subscribers.all.changes.map((/** @type {any} */ one) => [one.type, one.replaces ?? one.id, one.reason ?? null]));
  const first = await publish({ likes: 5 }, { key: "k" });
  const second = await publish({ likes: 6 }, { key: "k" });
  await publish({ likes: 1 }, { key: "k" });
  const third = await publish({ likes: 7 }, {});
  const fourth = await publish({ likes: 8 }, { expires: "3s" });
  const fifth = await publish({ likes: 9 }, { key: "other" });
  await reader.eventually("shows them", async () => (await reader.documents()).length === 5);
  await author.evaluate((id) => inPage.peer.delete(id), third);
  await author.evaluate(() => inPage.peer.delete({ key: "other" }));
  await reader.eventually("hears of all", async () => (await changes()).length === 5);
  assert.deepEqual((await changes()).sort(), [["remove", fifth, "deleted"], ["remove", fourth, "expired"], ["remove", second, "replaced"], ["remove", third, "deleted"], ["update", first, null]].sort());
  const found = await reader.evaluate(async () => (await inPage.peer.find({})).map((/** @type {any} */ one) => one.data.likes));
  assert.deepEqual(found, [1]);
});
