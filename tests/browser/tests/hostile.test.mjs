// A hostile native peer with a real link to a page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { program } from "../harness/places.mjs";
import { Mesh, Process, Signaller, connected } from "../harness/processes.mjs";
import { browsers, exactly } from "../harness/suite.mjs";

const { chromium } = browsers();

/** What it is told to send, and the offence that a page must see in it. */
const FORGERIES = [
  ["signature", "InvalidSignature"],
  ["body", "InvalidSignature"],
  ["network", "WrongNetwork"],
  ["future", "LongOver"],
  ["malformed", "MalformedDocument"],
  ["bytes", "Undecodable"],
];

/** A hostile peer with a link to the page.
 *  @param {import("../harness/pages.mjs").Page} page @param {Mesh} mesh @param {Signaller} signaller */
async function linkedTo(page, mesh, signaller) {
  const hostile = new Process("hostile", program("hostile"), [signaller.url, mesh.network, await page.id()]);
  const heard = () => hostile.stdout.map((line) => JSON.parse(line));
  await hostile.eventually("is linked to the page", () => heard().some(({ event }) => event === "linked"));
  return { hostile, heard };
}

test("nothing forged is shown or passed on, each is counted, and honest documents flow on", async () => {
  const signaller = await Signaller.start();
  const mesh = new Mesh([signaller]);
  const page = await (await chromium()).peer("page", mesh.options());
  await page.subscribe({});
  const honest = mesh.subscriber("honest");
  await connected([page, honest]);
  const { hostile, heard } = await linkedTo(page, mesh, signaller);

  // Its link carries documents: what follows is refused for what it is.
  const told = (/** @type {string} */ word) => hostile.write(word);
  told("valid");
  await page.eventually("got its valid document", async () => (await page.deliveries()).length === 1);

  const rejected = async () => Object.values((await page.status()).counters.rejected).reduce((sum, count) => sum + count, 0);
  for (const [index, [word, offence]] of FORGERIES.entries()) {
    told(word);
    await page.eventually(`refused: ${word}`, async () => (await rejected()) === index + 1);
    const { counters } = await page.status();
    assert.ok(offence in counters.rejected, `${word}: ${JSON.stringify(counters.rejected)}`);
  }
  assert.equal((await page.events("rejected")).length, FORGERIES.length, "each is told");
  // It cannot be understood any more.
  await hostile.eventually("lost its link", () => heard().some(({ event }) => event === "closed"));

  await page.publish({ honest: 1 });
  const [valid] = (await page.deliveries()).map(({ data }) => data);
  assert.equal(valid.word, "valid");
  await exactly(page, [valid, { honest: 1 }]);
  // The honest peer is linked to the page alone: what it has, it has from there.
  await exactly(honest, [valid, { honest: 1 }]);
  assert.deepEqual([...(await honest.neighbours())], [await page.id()]);
  assert.deepEqual(honest.report.counters.rejected, {});
});

test("a message larger than any may be is an offence that costs the link, and nothing of it is kept", async () => {
  const signaller = await Signaller.start();
  const mesh = new Mesh([signaller]);
  const page = await (await chromium()).peer("page", mesh.options());
  const { hostile, heard } = await linkedTo(page, mesh, signaller);
  hostile.write("oversize");
  await page.eventually("refused it", async () => "Oversize" in (await page.status()).counters.rejected);
  await hostile.eventually("lost its link", () => heard().some(({ event }) => event === "closed"));
});

test("a flood has its sender blacklisted, the page is told, and honest documents flow on", async () => {
  const signaller = await Signaller.start();
  const mesh = new Mesh([signaller]);
  const page = await (await chromium()).peer("page", mesh.options());
  await page.subscribe({});
  const honest = mesh.subscriber("honest");
  await connected([page, honest]);
  const { hostile, heard } = await linkedTo(page, mesh, signaller);
  const { peer } = heard().find(({ event }) => event === "started");
  hostile.write("signatures 500");
  await hostile.eventually("lost its link", () => heard().some(({ event }) => event === "closed"));
  await page.eventually("was told", async () => (await page.events("blacklisted")).length === 1);
  const [listed] = await page.events("blacklisted");
  assert.deepEqual([listed.peer, listed.misbehaviour, listed.times], [peer, "InvalidSignature", 1]);
  assert.deepEqual((await page.status()).blacklist.map((one) => one.peer), [peer]);

  await page.publish({ honest: 1 });
  await exactly(page, [{ honest: 1 }]);
  await exactly(honest, [{ honest: 1 }]);
});
