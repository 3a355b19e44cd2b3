// Places that cannot lead, and tabs that lead and stand still: the visible tab goes on.

import assert from "node:assert/strict";
import { test } from "node:test";

import { pause } from "../harness/eventually.mjs";
import { Mesh, Signaller, connected } from "../harness/processes.mjs";
import { browsers, exactly } from "../harness/suite.mjs";

const { chromium, firefox } = browsers();

/** A tab that does not answer is taken over from within so long; its links take a little more. */
const TAKE_OVER_MS = 25_000;
/** A frozen page's sockets are closed by the browser, which says so. */
const FROZEN = [/WebSocket is already in CLOSING or CLOSED|WebSocket connection to .* failed/];

/** Makes `inPage.worker`, which tells a worker something and gives what it says. @param {import("../harness/pages.mjs").Page} page @param {"Worker" | "ServiceWorker"} kind */
function makeWorker(page, kind) {
  return page.evaluate(async (kind) => {
    let worker = /** @type {any} */ (undefined);
    if (kind === "Worker") worker = new Worker("/worker.js", { type: "module" });
    else {
      await navigator.serviceWorker.register("/worker.js", { type: "module" });
      worker = (await navigator.serviceWorker.ready).active;
    }
    inPage.worker = (/** @type {any} */ message) =>
      new Promise((done) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = ({ data }) => done(data);
        worker.postMessage(message, [port2]);
      });
  }, kind);
}

for (const [name, browser, kind] of /** @type {const} */ ([
  ["Chromium's worker", chromium, "Worker"],
  ["Chromium's service worker", chromium, "ServiceWorker"],
  ["Firefox's worker", firefox, "Worker"],
])) {
  test(`${name} never leads: it follows the page, and says what it waits for`, async () => {
    const mesh = new Mesh([await Signaller.start()]);
    const native = mesh.subscriber("native");
    const page = await (await browser()).page("page");
    await makeWorker(page, kind);
    const tell = (/** @type {object} */ message = {}) => page.evaluate((message) => inPage.worker(message), message);
    assert.equal((await tell({ start: mesh.options() })).webRtc, "undefined");
    await tell({ publish: { from: "worker" } });
    await page.eventually("the worker says what it waits for", async () => {
      const { state, problem, advice } = (await tell()).statuses.at(-1);
      return state === "connecting" && /no WebRTC/.test(problem) && /open a page/.test(advice);
    });

    // The page comes second, and is not cut off.
    await page.start(mesh.options());
    await page.subscribe({});
    await connected([page, native]);
    await page.eventually("the worker has published", async () => (await tell()).published.length === 1);
    assert.equal((await tell()).peerId, await page.id());
    await page.publish({ from: "page" });
    await exactly(native, [{ from: "worker" }, { from: "page" }]);
    await page.eventually("has its own", async () => (await page.documents()).some(({ from }) => from === "page"));
    await exactly({ name: "the worker", documents: async () => (await tell()).documents }, [{ from: "worker" }, { from: "page" }]);
    await page.eventually("the worker is well", async () => {
      const { state, problem } = (await tell()).statuses.at(-1);
      return state === "connected" && problem === undefined;
    });
  });
}

for (const [way, browser] of /** @type {const} */ ([["frozen", chromium], ["busy", chromium], ["busy", firefox]])) {
  test(`${browser === firefox ? "Firefox" : "Chromium"}: the leading tab is ${way}: the visible one goes on, nothing lost, and nothing twice when it is back`, async (t) => {
    const mesh = new Mesh([await Signaller.start()]);
    const native = mesh.subscriber("native");
    const author = mesh.publisher("author");
    const puppet = await browser();
    const context = await puppet.context();
    const tolerate = FROZEN;
    const leading = await puppet.peer("leading tab", mesh.options(), { context, tolerate });
    const visible = await puppet.peer("visible tab", mesh.options(), { context, tolerate });
    const id = await visible.id();
    for (const tab of [leading, visible]) await tab.subscribe({});
    await connected([leading, native, author]);
    await visible.puppet.bringToFront();
    assert.equal(await leading.evaluate(() => inPage.peer.identity.peerId), id);

    let n = 0;
    let busy = /** @type {Promise<unknown> | undefined} */ (undefined);
    const cdp = way === "frozen" ? await leading.puppet.createCDPSession() : undefined;
    const publishing = setInterval(() => author.publish({ n: n++ }), 100);
    try {
      await visible.eventually("gets documents", async () => (await visible.documents()).length > 5);
      if (cdp) await cdp.send("Page.setWebLifecycleState", { state: "frozen" });
      else {
        busy = leading.evaluate(() => {
          for (const until = Date.now() + 20_000; Date.now() < until; );
        });
      }
      const still = Date.now();
      const numberThen = n;
      await visible.eventually("gets later documents", async () => (await visible.documents()).some((document) => document.n > numberThen + 5), TAKE_OVER_MS);
      t.diagnostic(`documents again ${Date.now() - still} ms after the leading tab stood still`);
      await visible.publish({ n: -1 });
      if (cdp) await cdp.send("Page.setWebLifecycleState", { state: "active" });
      await busy;
      // It follows, and takes part again.
      await leading.publish({ n: -2 });
      await pause(1000);
    } finally {
      clearInterval(publishing);
    }
    await connected([visible, native, author]);
    await leading.publish({ n: -3 });
    const all = [...Array(n).keys(), -1, -2, -3].map((n) => ({ n }));
    for (const peer of [native, visible]) await exactly(peer, all);
    const got = (await leading.documents()).map(({ n }) => n);
    assert.equal(new Set(got).size, got.length, "nothing twice in the tab that was still");
    assert.ok(got.includes(-3) && got.includes(n - 1), "and the latest is there");
    for (const tab of [leading, visible]) assert.equal(await tab.id(), id);
    const authors = new Set((await native.deliveries()).filter(({ data }) => data.n < 0).map(({ author }) => author));
    assert.deepEqual([...authors], [id]);
  });
}
