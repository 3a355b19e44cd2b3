// Pages and an archive: what was there before, and a list that keeps itself true.

import assert from "node:assert/strict";
import { test } from "node:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Mesh, Signaller } from "../harness/processes.mjs";
import { browsers } from "../harness/suite.mjs";

const { chromium, firefox } = browsers();

/** A mesh whose archive has so many documents, and whose publisher is gone. @param {import("node:test").TestContext} t @param {number} count */
async function remembering(t, count) {
  const store = mkdtempSync(join(tmpdir(), "taiinet-archive-"));
  t.after(() => rmSync(store, { recursive: true, force: true }));
  const mesh = new Mesh([await Signaller.start()]);
  const seed = mesh.run("seed", ["seed", "{}", "--store", store, "--index", "n", "--json"]);
  await seed.eventually("keeps", () => seed.stdout[0]);
  const publisher = mesh.publisher("publisher");
  for (let n = 0; n < count; n += 1) publisher.publish({ n, text: `number ${n}` });
  assert.equal(await publisher.endInput(), 0, publisher.stderr.join("\n"));
  return { mesh, seed };
}

for (const [name, launch] of Object.entries({ Chromium: chromium, Firefox: firefox })) {
  test(`${name}: a list shows what an archive has, in order, and keeps itself true`, async (t) => {
    const { mesh } = await remembering(t, 30);
    const page = await (await launch()).peer("page", mesh.options());
    const live = async () => (await page.evaluate(() => inPage.lives)).top;
    const shows = (/** @type {string} */ numbers) =>
      page.eventually(`shows ${numbers}`, async () => (await live()).documents.map((/** @type {any} */ one) => one.data.n).join() === numbers);
    await page.evaluate(() => inPage.live("top", { n: { $gte: 0 } }, { sort: { n: -1 }, limit: 5 }));
    await shows("29,28,27,26,25");
    await page.eventually("is ready", async () => (await live()).state === "ready");
    assert.equal((await live()).more, true);

    const id = await page.publish({ n: 40 });
    await shows("40,29,28,27,26");
    await page.publish({ n: 27.5 }, { key: "mine" });
    await shows("40,29,28,27.5,27");
    await page.publish({ n: 1 }, { key: "mine" });
    await shows("40,29,28,27,26");
    await page.publish({ n: 50 }, { expires: 1500 });
    await shows("50,40,29,28,27");
    await shows("40,29,28,27,26");
    await page.evaluate((id) => inPage.peer.delete(id), id);
    await shows("29,28,27,26,25");
    // Each change is one step: nothing that was gone is shown again, and nothing flickers.
    const shown = await page.evaluate(() => inPage.shown.top);
    const steps = shown.filter((/** @type {string} */ one, /** @type {number} */ at) => one !== shown[at - 1]);
    assert.deepEqual(steps.slice(steps.indexOf("29,28,27,26,25") + 1), [
      "40,29,28,27,26", "40,29,28,27.5,27", "40,29,28,27,26", "50,40,29,28,27", "40,29,28,27,26", "29,28,27,26,25",
    ]);
  });
}

test("a page that is closed and opened again amid a history gets it whole, and no document twice", async (t) => {
  const count = 3000;
  const { mesh } = await remembering(t, count);
  const browser = await chromium();
  const page = await browser.peer("page", mesh.options());
  const numbers = async () => (await page.documents()).map(({ n }) => n);
  const begin = () => page.subscribe({}, "all", { backlog: { since: 0 } });
  await begin();
  await page.eventually("has some", async () => (await numbers()).length > 100);
  const before = (await numbers()).length;
  await page.reload();
  await page.start(mesh.options());
  await begin();
  const ready = await page.eventually("is ready", () => page.evaluate(() => inPage.subscribers.all.ready));
  assert.deepEqual(ready, { complete: true, more: false, sources: ready.sources });
  t.diagnostic(`${before} of ${count} were there when it was closed`);
  assert.deepEqual((await numbers()).sort((a, b) => a - b), [...Array(count).keys()]);
  // What was published just before the page was closed is told of by neighbours as well, in no order.
  const times = (await page.deliveries()).filter(({ type }) => type === "backlog").map(({ createdAt }) => createdAt);
  assert.ok(times.every((at, n) => n === 0 || times[n - 1] <= at), "the oldest first");
});

test("one list is shared by the tabs of an origin, and goes on in the next when one is closed", async (t) => {
  const { mesh } = await remembering(t, 10);
  const browser = await chromium();
  const context = await browser.context();
  const one = await browser.peer("one", mesh.options(), { context });
  const two = await browser.peer("two", mesh.options(), { context });
  const begin = (/** @type {typeof one} */ page) => page.evaluate(() => inPage.live("top", {}, { sort: { n: -1 }, limit: 3 }));
  const shows = (/** @type {typeof one} */ page, /** @type {string} */ numbers, state = "ready") =>
    page.eventually(`shows ${numbers}, ${state}`, async () => {
      const { top } = await page.evaluate(() => inPage.lives);
      return top.documents.map((/** @type {any} */ one) => one.data.n).join() === numbers && top.state === state;
    });
  await begin(one);
  await begin(two);
  await shows(one, "9,8,7");
  await shows(two, "9,8,7");
  await one.puppet.close();
  await two.publish({ n: 20 });
  await shows(two, "20,9,8");
  const shown = await two.evaluate(() => inPage.shown.top);
  assert.ok(!shown.slice(shown.indexOf("9,8,7")).includes(""), `it was empty in between: ${shown.join(" | ")}`);
});
