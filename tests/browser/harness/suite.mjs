// What every test file has: browsers that start when first asked for, and an end for everything.

import assert from "node:assert/strict";
import { after, afterEach } from "node:test";

import { eventually, pause } from "./eventually.mjs";
import { Browser } from "./pages.mjs";
import { killAll } from "./processes.mjs";

/** Longer than a copy takes over another way through a mesh on one machine. */
const SETTLING_MS = 300;

/**
 * Browsers of this test file. Pages are closed after each test, and programs killed unless they are
 * to be kept for the whole file.
 */
export function browsers({ keep = false } = {}) {
  /** @type {Map<string, Promise<Browser>>} */
  const launched = new Map();
  const get = (/** @type {"chromium" | "firefox"} */ name) => {
    if (!launched.has(name)) launched.set(name, Browser.launch(name));
    return /** @type {Promise<Browser>} */ (launched.get(name));
  };
  afterEach(async () => {
    const all = await Promise.allSettled([...launched.values()].map(async (one) => (await one).closePages()));
    if (!keep) await killAll();
    const failed = all.find((one) => one.status === "rejected");
    if (failed) throw failed.reason;
  });
  after(async () => {
    await killAll();
    await Promise.allSettled([...launched.values()].map(async (one) => (await one).close()));
  });
  return { chromium: () => get("chromium"), firefox: () => get("firefox") };
}

/**
 * Checks that documents arrived, each exactly once and no others.
 * @param {{ name: string, documents(): Promise<any[]> }} peer
 * @param {any[]} expected
 */
export async function exactly(peer, expected) {
  const sorted = (/** @type {any[]} */ all) => all.map((one) => JSON.stringify(one, Object.keys(one).sort())).sort().join("\n");
  const here = async () => (await peer.documents()).length >= expected.length;
  await eventually(`${peer.name} got ${expected.length} documents`, here, { state: () => peer.documents() });
  assert.equal(sorted(await peer.documents()), sorted(expected), peer.name);
  // One too many would come a little later, by another neighbour.
  await pause(SETTLING_MS);
  assert.equal(sorted(await peer.documents()), sorted(expected), `${peer.name}, a moment later`);
}
