// The package in an application of Vite: its development server, which moves the script of a package
// and nothing else, and what it builds. Nothing is configured.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { PACKAGE } from "../harness/places.mjs";
import { Mesh, Signaller, connected } from "../harness/processes.mjs";
import { browsers, exactly } from "../harness/suite.mjs";

const { chromium } = browsers();

/** Those that people have. @type {Record<string, () => Promise<typeof import("vite")>>} */
const VERSIONS = { "Vite 8": () => import("vite"), "Vite 7": () => import("vite-7") };

const HTML = '<!doctype html><html lang="en"><title>Vite</title><link rel="icon" href="data:,"><script type="module" src="/main.js"></script></html>';
const MAIN = `
import { TaiiNet } from "taiinet";
globalThis.inPage = {
  events: [],
  async start(options) {
    const peer = (this.peer = new TaiiNet(options));
    const documents = (this.documents = []);
    peer.subscribe({}).on("data", ({ data }) => documents.push(data));
    await peer.ready;
    return peer.identity.peerId;
  },
};`;

/** An application that has installed the package as it is published. */
function application() {
  const root = mkdtempSync(join(tmpdir(), "taiinet-vite-"));
  const installed = join(root, "node_modules/taiinet");
  mkdirSync(installed, { recursive: true });
  const packed = execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", root], { cwd: dirname(PACKAGE), encoding: "utf8" });
  execFileSync("tar", ["-xzf", join(root, packed.trim()), "-C", installed, "--strip-components=1"]);
  writeFileSync(join(root, "package.json"), JSON.stringify({ private: true, type: "module", dependencies: { taiinet: "0.1.0" } }));
  writeFileSync(join(root, "index.html"), HTML);
  writeFileSync(join(root, "main.js"), MAIN);
  return root;
}

for (const [name, load] of Object.entries(VERSIONS)) {
  for (const built of [false, true]) {
    test(`${name}, ${built ? "built" : "development server"}: the module is found by itself`, async () => {
      const root = application();
      const { build, createServer, preview } = await load();
      /** @type {import("vite").InlineConfig} */
      const config = { root, configFile: false, logLevel: "silent", server: { host: "127.0.0.1", port: 0 }, preview: { host: "127.0.0.1", port: 0 } };
      if (built) await build(config);
      const server = built ? await preview(config) : await (await createServer(config)).listen();
      try {
        const address = /** @type {import("node:net").AddressInfo} */ (server.httpServer?.address());
        const mesh = new Mesh([await Signaller.start()]);
        const native = mesh.subscriber("native");
        // It has no favicon and reconnects its own socket; of ours nothing may fail.
        const page = await (await chromium()).page("page", { url: `http://127.0.0.1:${address.port}/` });
        await page.eventually("has loaded", () => page.evaluate(() => "inPage" in globalThis));
        assert.match(await page.start(mesh.options()), /^tn1/);
        await connected([page, native]);
        await page.publish({ by: name });
        await exactly(native, [{ by: name }]);
        assert.deepEqual(await page.evaluate(() => inPage.documents), [{ by: name }]);
        // Key files are a chunk of their own, which must be found as well.
        const error = await page.evaluate(() => inPage.peer.identity.import("no key file", "passphrase").catch((/** @type {any} */ error) => error.code));
        assert.equal(error, "identity");
        assert.deepEqual(page.console.filter((line) => !/^debug: \[vite\]/.test(line)), []);
      } finally {
        await server.close();
        rmSync(root, { recursive: true, force: true });
      }
    });
  }
}
