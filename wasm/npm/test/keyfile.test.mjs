// Key files are made and opened without the page standing still meanwhile.

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";

const { seal, unseal } = await load("keyfile.ts");

/** The longest time in which no timer came while something was done, and how long that took. */
async function longestGap(act) {
  const start = performance.now();
  let last = start;
  let longest = 0;
  const look = () => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  };
  const timer = setInterval(look, 1);
  try {
    const result = await act();
    look();
    return { result, longest, whole: performance.now() - start };
  } finally {
    clearInterval(timer);
  }
}

test("a key survives the way there and back, and timers come all the while", async () => {
  const seed = new Uint8Array(32).map((_, at) => at);
  const sealed = await longestGap(() => seal(seed, "a passphrase"));
  const opened = await longestGap(() => unseal(sealed.result, "a passphrase"));
  assert.deepEqual(opened.result, seed);
  for (const { longest, whole } of [sealed, opened]) assert.ok(longest < whole / 4, `${longest} of ${whole} ms`);
  await assert.rejects(unseal(sealed.result, "another"), { code: "identity", message: /passphrase may be wrong/ });
});
