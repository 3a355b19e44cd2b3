// What a page's Content-Security-Policy forbids is said to be that, with what to add.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Mesh, Signaller, connected } from "../harness/processes.mjs";
import { browsers, exactly } from "../harness/suite.mjs";

const { chromium, firefox } = browsers();

const FORBIDDEN = [/Content.Security.Policy|CSP|blocked by|WebAssembly|NetworkError|Failed to fetch/i];

for (const [name, get] of Object.entries({ Chromium: chromium, Firefox: firefox })) {
  /** A page under this policy, with a peer that is not waited for. @param {string} policy @param {object} options */
  const started = async (policy, options) => {
    const browser = await get();
    const url = `${browser.server.url}?policy=${encodeURIComponent(policy)}`;
    const page = await browser.page("page", { url, tolerate: FORBIDDEN });
    await page.eventually("has loaded", () => page.evaluate(() => "inPage" in globalThis));
    await page.evaluate((options) => {
      inPage.start(options).catch((/** @type {any} */ error) => (inPage.failure = { code: error.code, message: error.message }));
    }, options);
    return page;
  };
  /** @param {import("../harness/pages.mjs").Page} page @param {RegExp} problem */
  const told = (page, problem) =>
    page.eventually("tells of its problem", async () => (await page.events("status")).find((status) => problem.test(status.problem)));

  test(`${name}: a policy without wasm-unsafe-eval`, async () => {
    const page = await started("script-src 'self'", { network: "n", signallers: [] });
    const { state, problem, advice } = await told(page, /WebAssembly/);
    assert.deepEqual([state, problem, advice], ["failed", "this page's Content-Security-Policy forbids WebAssembly", "add 'wasm-unsafe-eval' to its directive script-src"]);
    const failure = await page.evaluate(() => inPage.failure);
    assert.deepEqual(failure, { code: "failed", message: `${problem}; ${advice}` });
  });

  test(`${name}: a policy that forbids to load the module`, async () => {
    const page = await started("script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'", { network: "n", signallers: [] });
    const { state, problem, advice } = await told(page, /taiinet\.wasm/);
    const { origin } = new URL(page.blank);
    assert.deepEqual([state, advice], ["failed", `add ${origin} to its directive connect-src`]);
    assert.match(problem, /Content-Security-Policy forbids to load/);
  });

  test(`${name}: a policy that forbids the signaller, and one that allows all that is needed`, async () => {
    const mesh = new Mesh([await Signaller.start()]);
    const native = mesh.subscriber("native");
    const page = await started("script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'", mesh.options());
    const { state, problem, advice } = await told(page, /Content-Security-Policy/);
    const { host } = new URL(mesh.signallers[0]);
    assert.equal(state, "connecting");
    assert.ok(problem.includes(`ws://${host}`), problem);
    assert.equal(advice, `add ws://${host} to its directive connect-src`);

    const allowed = await started(`default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws://${host}`, mesh.options({ identity: "ephemeral" }));
    await allowed.eventually("runs", () => allowed.evaluate(() => inPage.peer.identity.peerId));
    await connected([allowed, native]);
    await allowed.publish({ under: "a policy" });
    await exactly(native, [{ under: "a policy" }]);
    assert.equal((await allowed.status()).problem, undefined);
  });
}
