// Native and browser builds compute the same, byte for byte: keys, signatures, documents, frames,
// sealing, queries, and a whole simulated mesh (wasm/src/vectors.rs).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { ROOT } from "../harness/places.mjs";
import { browsers } from "../harness/suite.mjs";

const { chromium, firefox } = browsers();
const native = readFileSync(join(ROOT, "wasm/vectors.json"), "utf8");

for (const [name, launch] of Object.entries({ Chromium: chromium, Firefox: firefox })) {
  test(`${name} computes the vectors that the native build computes`, async () => {
    const page = await (await launch()).page("page");
    const text = await page.evaluate(async () => {
      // @ts-expect-error found by the page's server, not by the checker
      const module = await import("/vectors/taiinet_wasm.js");
      await module.default({ module_or_path: "/vectors/taiinet_wasm_bg.wasm" });
      return module.vectors();
    });
    assert.equal(text, native);
  });
}
