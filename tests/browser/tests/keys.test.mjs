// Key files go both ways between a page and `taiinet-keys`.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { Mesh, Signaller, connected, run } from "../harness/processes.mjs";
import { browsers, exactly } from "../harness/suite.mjs";

const { chromium, firefox } = browsers();
const folder = mkdtempSync(join(tmpdir(), "taiinet-keys-"));
after(() => rmSync(folder, { recursive: true }));

const PASSPHRASE = "correct horse – батарея";
const environment = { TAIINET_PASSPHRASE: PASSPHRASE };
/** @param {string} file */
const peerIdOf = async (file) => JSON.parse(await run("taiinet-keys", ["show", file, "--json"], environment)).peer_id;

test("a page's key is read by taiinet-keys, and another page", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const browser = await chromium();
  const page = await browser.peer("page", mesh.options());
  const text = await page.evaluate((passphrase) => inPage.peer.identity.export(passphrase), PASSPHRASE);
  assert.match(text, /^-----BEGIN AGE ENCRYPTED FILE-----\n/);
  const file = join(folder, "from-page.key");
  writeFileSync(file, text, { mode: 0o600 });
  assert.equal(await peerIdOf(file), await page.id());

  const other = await browser.peer("other profile", mesh.options());
  assert.notEqual(await other.id(), await page.id());
  const wrong = await other.thrown(`await peer.identity.import(${JSON.stringify(text)}, "wrong passphrase")`);
  assert.match(wrong?.message ?? "", /passphrase/);
  assert.notEqual(await other.id(), await page.id());
});

for (const [name, browser] of Object.entries({ Chromium: chromium, Firefox: firefox })) {
  test(`${name}: the page goes on while its key is exported and imported`, async (t) => {
    const page = await (await browser()).peer("page", { network: "n", signallers: [] });
    const gaps = await page.evaluate(async (passphrase) => {
      /** @param {() => Promise<any>} act */
      const measured = async (act) => {
        const start = performance.now();
        let [last, longest] = [start, 0];
        const look = () => {
          longest = Math.max(longest, performance.now() - last);
          last = performance.now();
        };
        const timer = setInterval(look, 4);
        const result = await act();
        look();
        clearInterval(timer);
        return { result, longest, whole: performance.now() - start };
      };
      const sealed = await measured(() => inPage.peer.identity.export(passphrase));
      const opened = await measured(() => inPage.peer.identity.import(sealed.result, passphrase));
      return [sealed, opened].map(({ longest, whole }) => ({ longest, whole }));
    }, PASSPHRASE);
    t.diagnostic(JSON.stringify(gaps));
    for (const { longest, whole } of gaps) assert.ok(longest < whole / 4, `it stood still for ${longest} of ${whole} ms`);
  });
}

test("a key of taiinet-keys becomes the page's own, in all its tabs, and stays", async () => {
  const file = join(folder, "native.key");
  await run("taiinet-keys", ["generate", "--out", file], { ...environment, TAIINET_WORK_FACTOR: "12" });
  const id = await peerIdOf(file);
  const mesh = new Mesh([await Signaller.start()]);
  const native = mesh.subscriber("native");
  const browser = await chromium();
  const page = await browser.peer("page", mesh.options());
  const tab = await browser.peer("another tab", mesh.options(), { context: page.puppet.browserContext() });
  await tab.subscribe({});
  const text = readFileSync(file, "utf8");
  await tab.evaluate((text, passphrase) => inPage.peer.identity.import(text, passphrase), text, PASSPHRASE);
  for (const one of [page, tab]) await one.eventually("is who the key says", async () => (await one.id()) === id);
  await connected([page, native]);
  await page.publish({ by: "the imported key" });
  await exactly(native, [{ by: "the imported key" }]);
  await exactly(tab, [{ by: "the imported key" }]);
  assert.equal((await native.deliveries())[0].author, id);

  await page.reload();
  assert.equal(await page.start(mesh.options()), id);
});

test("what is kept in the browser holds no key in clear, and none that a script can read the bytes of", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const page = await (await chromium()).peer("page", mesh.options());
  const kept = await page.evaluate(async () => {
    const open = indexedDB.open("taiinet");
    await new Promise((done) => (open.onsuccess = done));
    const stores = [...open.result.objectStoreNames];
    const records = /** @type {any[]} */ ([]);
    for (const store of stores) {
      const all = open.result.transaction(store).objectStore(store).getAll();
      await new Promise((done) => (all.onsuccess = done));
      records.push(...all.result);
    }
    const [{ wrapping, iv, wrapped }] = records;
    const { key, ...rest } = { key: wrapping, iv, wrapped };
    const seed = new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, wrapped));
    const hex = (/** @type {Uint8Array} */ bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    // All bytes and texts of all that is kept, also beside the database.
    const texts = /** @type {string[]} */ (Object.values({ ...localStorage, ...sessionStorage }));
    const walk = (/** @type {any} */ value) => {
      if (value instanceof ArrayBuffer) texts.push(hex(new Uint8Array(value)));
      else if (ArrayBuffer.isView(value)) texts.push(hex(new Uint8Array(value.buffer)));
      else if (typeof value === "string") texts.push(value);
      else if (typeof value === "object" && value !== null) Object.values(value).forEach(walk);
    };
    records.forEach(walk);
    const forms = [hex(seed), btoa(String.fromCharCode(...seed)), [...seed].join(",")];
    return {
      databases: (await indexedDB.databases()).map(({ name }) => name),
      records: records.length,
      fields: Object.keys(rest),
      seedBytes: seed.length,
      looked: texts.length,
      inClear: texts.filter((text) => forms.some((form) => text.includes(form))),
      isKey: wrapping instanceof CryptoKey,
      extractable: wrapping.extractable,
      exported: await Promise.allSettled([crypto.subtle.exportKey("raw", wrapping), crypto.subtle.exportKey("jwk", wrapping)]).then((all) => all.map(({ status }) => status)),
    };
  });
  assert.deepEqual(kept, {
    databases: ["taiinet"],
    records: 1,
    fields: ["iv", "wrapped"],
    seedBytes: 32,
    looked: 2,
    inClear: [],
    isKey: true,
    extractable: false,
    exported: ["rejected", "rejected"],
  });
});
