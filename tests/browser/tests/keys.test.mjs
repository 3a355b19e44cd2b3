// Key files go both ways between a page and `taiinet-keys`.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { Mesh, Signaller, connected, run } from "../harness/processes.mjs";
import { browsers, exactly } from "../harness/suite.mjs";

const { chromium } = browsers();
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
