// The life of a page: offline and online, hidden and frozen, gone without goodbye.

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually } from "../harness/eventually.mjs";
import { FAR, isPrivate, setNetwork } from "../harness/namespace.mjs";
import { REFUSED_SOCKETS } from "../harness/pages.mjs";
import { Mesh, Signaller, connected } from "../harness/processes.mjs";
import { browsers, exactly } from "../harness/suite.mjs";

const { chromium } = browsers();

/** Promised: after the network's return a page has a neighbour again within so long. */
const RECOVERY_MS = 5_000;
const skip = isPrivate() ? false : "it cuts the network, which needs a private one (unshare)";

test("offline and online: it says what is wrong, and is back within 5 s", { skip }, async (t) => {
  // All others are on another machine.
  const mesh = new Mesh([await Signaller.start({ address: `${FAR}:0`, far: true })], { far: true });
  const natives = [mesh.subscriber("far one"), mesh.subscriber("far two")];
  const tolerate = [REFUSED_SOCKETS, /ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED|ERR_ADDRESS_UNREACHABLE/];
  const page = await (await chromium()).peer("page", mesh.options(), { tolerate });
  await page.subscribe({});
  await connected([page, ...natives]);
  const states = () => page.events("status");
  await page.eventually("says that it is connected", async () => (await states()).at(-1)?.state === "connected");

  try {
    setNetwork(false);
    await page.eventually("says that it is offline, why, and what to do", async () => {
      const last = (await states()).at(-1);
      return last.state === "offline" && last.problem && last.advice;
    });
    await page.eventually("has no neighbour", async () => (await page.neighbours()).size === 0);
    // It publishes nevertheless; the document waits.
    await page.evaluate(() => {
      inPage.waiting = inPage.peer.publish({ written: "offline" });
      inPage.waiting.catch(() => {});
    });
  } finally {
    setNetwork(true);
  }
  const back = Date.now();
  await page.eventually("has a neighbour again", async () => (await page.neighbours()).size > 0, RECOVERY_MS);
  t.diagnostic(`a neighbour again ${Date.now() - back} ms after the network's return`);
  await page.eventually("says that it is connected", async () => (await states()).at(-1)?.state === "connected");
  await page.evaluate(() => inPage.waiting);
  await connected([page, ...natives]);
  for (const native of natives) await exactly(native, [{ written: "offline" }]);
});

test("a signaller that is not there is told of, and taken once it is", async () => {
  const signaller = await Signaller.start();
  const mesh = new Mesh([signaller]);
  const { host } = new URL(signaller.url);
  // Without its key: the one that will be there has another.
  mesh.signallers = [`ws://${host}`];
  await signaller.kill();
  const page = await (await chromium()).peer("page", mesh.options(), { tolerate: [REFUSED_SOCKETS] });
  const last = await page.eventually("tells of its problem", async () =>
    (await page.events("status")).find(({ problem, advice }) => problem && advice),
  );
  assert.equal(last.state, "connecting");
  assert.ok(`${last.problem} ${last.advice}`.includes(host), JSON.stringify(last));

  await Signaller.start({ address: host });
  await connected([page, mesh.subscriber("native")]);
  await page.eventually("says that it is connected", async () => (await page.events("status")).at(-1)?.state === "connected");
  assert.equal((await page.status()).problem, undefined);
});

test("a hidden page keeps its links, and a frozen one is back when it thaws", async (t) => {
  const mesh = new Mesh([await Signaller.start()]);
  const native = mesh.subscriber("native");
  const author = mesh.publisher("author");
  const browser = await chromium();
  const context = await browser.context();
  // A frozen page's sockets are closed by the browser, which says so.
  const tolerate = [/Page entered Back-Forward Cache|WebSocket is already in CLOSING or CLOSED/];
  const page = await browser.peer("page", mesh.options(), { context, tolerate });
  await page.subscribe({});
  await connected([page, native, author]);
  const since = async () => (await page.status()).links.map((/** @type {any} */ link) => `${link.peer} ${link.since}`).sort();
  // Two that offer each other a link at the same moment part with one of the two.
  await page.eventually("its links have settled", async () => {
    const { now, links } = await page.status();
    return links.length === 2 && links.every((/** @type {any} */ link) => link.state === "active" && now - link.since > 1_500);
  });
  const links = await since();

  const front = await browser.page("front", { context });
  await front.puppet.bringToFront();
  const cdp = await page.puppet.createCDPSession();
  await page.eventually("is hidden", () => page.evaluate(() => document.visibilityState === "hidden"));
  // Longer than any silence that a neighbour would bear.
  const hiddenAt = Date.now();
  for (let n = 0; Date.now() - hiddenAt < 8_000; n++) {
    author.publish({ hidden: n });
    await native.eventually("got it", async () => (await native.documents()).some(({ hidden }) => hidden === n));
    await page.eventually("got it", async () => (await page.documents()).some(({ hidden }) => hidden === n));
    await new Promise((done) => setTimeout(done, 1_500));
  }
  assert.deepEqual(await since(), links, "the links are the same");

  await cdp.send("Page.setWebLifecycleState", { state: "frozen" });
  author.publish({ frozen: true });
  await native.eventually("got it", async () => (await native.documents()).some(({ frozen }) => frozen));
  await new Promise((done) => setTimeout(done, 8_000));
  await cdp.send("Page.setWebLifecycleState", { state: "active" });
  await page.puppet.bringToFront();
  const thawed = Date.now();
  await connected([page, native, author]);
  t.diagnostic(`one mesh again ${Date.now() - thawed} ms after the thaw`);
  author.publish({ thawed: true });
  await exactly(page, await native.documents().then((all) => (all.some(({ thawed }) => thawed) ? all : [...all, { thawed: true }])));
});

test("a page that is gone without goodbye is dropped within seconds, and the mesh goes on", async (t) => {
  const mesh = new Mesh([await Signaller.start()]);
  const natives = [mesh.subscriber("one"), mesh.subscriber("two")];
  const author = mesh.publisher("author");
  const page = await (await chromium()).peer("page", mesh.options());
  await connected([page, author, ...natives]);
  await eventually("both are linked to the page", async () => {
    const id = await page.id();
    return (await Promise.all(natives.map((native) => native.neighbours()))).every((ids) => ids.has(id));
  });
  const id = await page.id();

  const cdp = await page.puppet.createCDPSession();
  cdp.send("Page.crash").catch(() => {});
  const gone = Date.now();
  for (const native of natives) {
    await native.eventually("drops the page", async () => !(await native.neighbours()).has(id), 12_000);
  }
  t.diagnostic(`dropped ${Date.now() - gone} ms after the page's renderer was killed`);
  author.publish({ after: true });
  for (const native of natives) await exactly(native, [{ after: true }]);
});
