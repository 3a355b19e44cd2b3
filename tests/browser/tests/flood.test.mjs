// Many documents into a page that is slow at first.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { ARTEFACTS } from "../harness/places.mjs";
import { Mesh, Signaller, connected } from "../harness/processes.mjs";
import { browsers } from "../harness/suite.mjs";

const { chromium } = browsers();

const COUNT = 5_000;
/** A page that holds no documents may keep so much after any number of them. */
const MOST_HEAP_MB = 48;
const TEXT = "a document of a few hundred bytes, as they are ".repeat(8);

test("5,000 documents into a page that reads slowly: none lost, none twice; and its memory", async (t) => {
  const mesh = new Mesh([await Signaller.start()]);
  const author = mesh.publisher("author");
  const page = await (await chromium()).peer("page", mesh.options());
  await page.evaluate(() => inPage.read("all", {}, 10));
  await connected([author, page]);
  const publish = (/** @type {number} */ from) => {
    for (let n = from; n < from + COUNT; n++) author.publish({ n, text: TEXT });
  };
  const reader = () =>
    page.evaluate(() => {
      const { count, seen, again } = inPage.readers.all;
      return { count, distinct: seen.size, again, least: Math.min(...seen), most: Math.max(...seen) };
    });
  const sent = () => author.report.links[0]?.documents_sent;
  const memory = async () => {
    await page.evaluate(() => /** @type {any} */ (globalThis).gc());
    const { JSHeapUsedSize = 0 } = await page.puppet.metrics();
    return JSHeapUsedSize / 1e6;
  };
  const before = await memory();

  // The page reads ten and then nothing: the author comes to a stand before all are out.
  publish(0);
  await page.eventually("read ten", async () => (await reader()).count === 10);
  let last = { sent: -1, at: 0 };
  await author.eventually("stands still", () => {
    if (sent() !== last.sent) last = { sent: sent(), at: Date.now() };
    return Date.now() - last.at > 1500;
  });
  t.diagnostic(`${last.sent} of ${COUNT} documents were sent to a page that had read 10`);
  assert.ok(last.sent < COUNT / 2, `${last.sent} documents were sent to a page that does not read`);
  assert.equal((await reader()).count, 10);

  await page.evaluate(() => inPage.readers.all.allow());
  await page.eventually("got all", async () => (await reader()).count >= COUNT);
  assert.deepEqual(await reader(), { count: COUNT, distinct: COUNT, again: 0, least: 0, most: COUNT - 1 });

  publish(COUNT);
  await page.eventually("got all of the second time", async () => (await reader()).count >= 2 * COUNT);
  assert.equal((await reader()).again, 0);
  const after = await memory();
  const usage = { documents: 2 * COUNT, heapMbBefore: before, heapMbAfter: after };
  writeFileSync(join(ARTEFACTS, "memory.json"), JSON.stringify(usage, null, 2));
  t.diagnostic(`JS heap: ${before.toFixed(1)} MB before, ${after.toFixed(1)} MB after ${2 * COUNT} documents`);
  assert.ok(after < MOST_HEAP_MB, `${after} MB`);
});
