// Private messages between pages and native peers: which read them, and that no others do.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Mesh, Signaller, connected } from "../harness/processes.mjs";
import { browsers, exactly } from "../harness/suite.mjs";

const { chromium, firefox } = browsers();

/** What a peer got, each with the `privacy` that it had. @param {{ deliveries(): Promise<any[]> }} peer */
const readers = async (peer) =>
  Object.fromEntries((await peer.deliveries()).map(({ data, privacy }) => [data.text, privacy ?? "open"]));

for (const [name, launch] of Object.entries({ Chromium: chromium, Firefox: firefox })) {
  test(`${name}: a page and a native peer write to each other's private subscriptions, a third reads nothing`, async () => {
    const mesh = new Mesh([await Signaller.start()]);
    const reader = mesh.subscriber("native reader", { type: "to native", amount: { $gt: 5 } }, ["--private"]);
    const stranger = mesh.subscriber("stranger");
    const author = mesh.publisher("native author", ["--private", "--public", "type"]);
    const page = await (await launch()).peer("page", mesh.options());
    await page.subscribe({ type: "to page", amount: { $gt: 5 } }, "all", { private: true });
    await connected([reader, stranger, author, page]);

    const toPage = { type: "to page", amount: 7, text: "native to page" };
    const toNative = { type: "to native", amount: 7, text: "page to native" };
    author.publish(toPage);
    const id = await page.publish(toNative, { to: "subscribers", public: ["type"], waitMs: 20_000 });
    // What is open comes to private subscriptions as well, and is told apart.
    const open = { type: "to page", amount: 8, text: "open" };
    await page.publish(open);

    await exactly(page, [toPage, open]);
    await exactly(reader, [toNative]);
    await exactly(stranger, [open]);
    assert.deepEqual(await readers(page), { "native to page": "forward-secret", open: "open" });
    assert.deepEqual(await readers(reader), { "page to native": "forward-secret" });
    assert.deepEqual(await readers(stranger), { open: "open" });
    const [delivery] = await reader.deliveries();
    assert.deepEqual([delivery.id, delivery.author], [id, await page.id()]);
    // By what is in clear it is found, too, and read by no other.
    const found = (/** @type {string} */ type) =>
      page.evaluate(async (type) => (await inPage.peer.find({ type })).map((/** @type {any} */ e) => [e.data.text, e.privacy]), type);
    assert.deepEqual(new Map(await found("to page")), new Map([["native to page", "forward-secret"], ["open", "open"]]));
    assert.deepEqual(await found("to native"), []);
    assert.equal(await author.endInput(), 0, author.stderr.join("\n"));
  });
}

test("a peer that is named reads it by its identity key: pages and native peers", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const browser = await chromium();
  const native = mesh.subscriber("native");
  const [one, two] = [await browser.peer("page one", mesh.options()), await browser.peer("page two", mesh.options())];
  for (const page of [one, two]) await page.subscribe({});
  const author = mesh.publisher("native author", ["--to", await one.id()]);
  await connected([native, author, one, two]);

  author.publish({ text: "native to one" });
  await one.publish({ text: "one to native" }, { to: [await native.id()], waitMs: 0 });
  await one.publish({ text: "one to two", big: 1 }, { to: [await two.id()] });
  await two.publish({ text: "two to both" }, { to: [await one.id(), await native.id()], public: ["text"] });

  await exactly(native, [{ text: "one to native" }, { text: "two to both" }]);
  await exactly(one, [{ text: "native to one" }, { text: "two to both" }]);
  await exactly(two, [{ text: "one to two", big: 1 }]);
  for (const peer of [native, one, two]) {
    assert.deepEqual(new Set(Object.values(await readers(peer))), new Set(["sealed"]), peer.name);
  }
});

test("send() on a private subscription is read by those that have it; once it has ended there is no recipient", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const browser = await chromium();
  const stranger = mesh.subscriber("stranger");
  const [one, two] = [await browser.peer("page one", mesh.options()), await browser.peer("page two", mesh.options())];
  for (const page of [one, two]) await page.subscribe({ room: 1 }, "all", { private: true });
  await connected([stranger, one, two]);
  const known = async (/** @type {number} */ count) => (await one.status()).private === count;
  await one.eventually("has heard of both subscriptions", () => known(2));
  await one.evaluate(() => inPage.subscribers.all.subscription.send({ room: 1, text: "to all" }));
  for (const page of [one, two]) {
    await exactly(page, [{ room: 1, text: "to all" }]);
    assert.deepEqual(await readers(page), { "to all": "forward-secret" });
  }

  for (const page of [one, two]) await page.evaluate(() => inPage.subscribers.all.subscription.close());
  await one.eventually("has heard that both have ended", () => known(0));
  const error = await one.thrown(`await peer.publish({ room: 1 }, { to: "subscribers", waitMs: 0 })`);
  assert.equal(error?.code, "recipients", JSON.stringify(error));
  await one.publish({ open: true });
  await exactly(stranger, [{ open: true }]);
});

test("no recipient: said at once, or when the wait is over, and nothing goes out", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const stranger = mesh.subscriber("stranger");
  const page = await (await chromium()).peer("page", mesh.options());
  await connected([stranger, page]);
  for (const waitMs of [0, 300]) {
    const started = Date.now();
    const error = await page.thrown(`await peer.publish({ a: 1 }, { to: "subscribers", waitMs: ${waitMs} })`);
    assert.equal(error?.code, "recipients", JSON.stringify(error));
    assert.ok(error.isTaiiNetError && /subscribed privately/.test(error.message), error.message);
    assert.ok(Date.now() - started >= waitMs);
  }
  // A name that is mistyped is told with its place, before anything is sealed.
  const mistyped = await page.thrown(`await peer.publish({ a: 1 }, { to: [peer.identity.peerId, "tn1nobody"] })`);
  assert.deepEqual([mistyped?.code, mistyped?.path], ["options", "options.to[1]"]);
  assert.match(mistyped?.message ?? "", /tn1nobody/);

  // A subscriber that comes in time is waited for; closing ends the wait.
  await page.evaluate(() => void (inPage.late = inPage.peer.publish({ for: "late" }, { to: "subscribers", waitMs: 60_000 })));
  const late = mesh.subscriber("late", { for: "late" }, ["--private"]);
  await page.evaluate(() => inPage.late);
  await exactly(late, [{ for: "late" }]);
  await page.publish({ open: true });
  await exactly(stranger, [{ open: true }]);
  const closing = await page.thrown(`
    const waiting = peer.publish({ a: 1 }, { to: "subscribers", waitMs: 60_000 });
    await Promise.all([waiting, peer.close()]);`);
  assert.equal(closing?.code, "closed", JSON.stringify(closing));
});

test("two tabs share a private subscription's peer; when the leading tab closes there is a new key", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const author = mesh.publisher("author", ["--private", "--public", "n"]);
  const browser = await chromium();
  const context = await browser.context();
  const leading = await browser.peer("leading tab", mesh.options(), { context });
  const other = await browser.peer("other tab", mesh.options(), { context });
  await other.subscribe({ n: { $gte: 0 } }, "all", { private: true });
  await connected([leading, author]);
  author.publish({ n: 0, text: "first" });
  await exactly(other, [{ n: 0, text: "first" }]);

  await leading.puppet.close();
  // What is sealed to the key that has gone with the tab is lost; what is sealed to the new one comes.
  let n = 0;
  await other.eventually("gets what is sealed to its new key", async () => {
    author.publish({ n: ++n, text: "later" });
    return (await other.documents()).some((document) => document.text === "later");
  });
  assert.deepEqual(await readers(other), { first: "forward-secret", later: "forward-secret" });
  // The tab that did not lead publishes privately, too.
  const reader = mesh.subscriber("reader", { by: "other" }, ["--private"]);
  await other.publish({ by: "other" }, { to: "subscribers", waitMs: 60_000 });
  await exactly(reader, [{ by: "other" }]);
});
