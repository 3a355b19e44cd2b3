// Live result sets in Vue, Solid and Svelte, each with the real library.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { build } from "esbuild";
import { compile } from "svelte/compiler";
import { pathToFileURL } from "node:url";
import { load } from "./bundle.mjs";
import { cores } from "./core.mjs";
import { eventually } from "./tabs.mjs";

const { TaiiNet } = await load("index.ts");
const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;

async function start() {
  const taiinet = new TaiiNet({ network: "n", signallers: ["ws://127.0.0.1:1"], identity: "ephemeral" });
  await taiinet.ready;
  return { taiinet, core: cores.at(-1) };
}

const text = ({ documents, state, error }) => (error ? `error: ${error.path}` : `${documents.map(({ data }) => data.n).join()} ${state}`);

/** The set of the core whose query has this `a`. */
const setOf = async (core, a) => {
  const find = () => [...core.lives].find(([, { query }]) => query.a === a)?.[0];
  await eventually(`a set of ${a}`, () => find() !== undefined);
  return find();
};

test("Vue: useQuery follows its refs, and ends with its scope", async () => {
  const { effectScope, nextTick, reactive, ref } = await import("vue");
  const { useQuery } = await load("vue.ts");
  const { taiinet, core } = await start();
  const scope = effectScope();
  const a = ref(1);
  const options = reactive({ limit: 5 });
  const shown = scope.run(() => useQuery(taiinet, () => ({ a: a.value }), options));
  assert.equal(text(shown.value), " loading");
  const first = await setOf(core, 1);
  core.change(first, { type: "insert", index: 0 }, 1);
  await eventually("shown", () => text(shown.value) === "1 loading");
  a.value = 2;
  assert.equal(text(shown.value), " loading", "nothing of the other query");
  await nextTick();
  core.change(await setOf(core, 2), { type: "insert", index: 0 }, 2);
  await eventually("shown", () => text(shown.value) === "2 loading");
  options.limit = 0;
  assert.equal(text(shown.value), "error: options.limit");
  options.limit = 5;
  scope.stop();
  await eventually("ended", () => core.lives.size === 0);
  await taiinet.close();
});

test("Solid: createQuery follows its signals, and ends with its owner", async () => {
  // What Node loads by itself is for servers.
  const { createRoot, createSignal } = await import("../node_modules/solid-js/dist/solid.js");
  const { createQuery } = await solid();
  const { taiinet, core } = await start();
  const [a, setA] = createSignal(1);
  const { shown, end } = createRoot((end) => ({ end, shown: createQuery(taiinet, () => (a() ? { a: a() } : undefined), () => ({ sort: { n: 1 } })) }));
  assert.equal(text(shown()), " loading");
  const first = await setOf(core, 1);
  core.change(first, { type: "insert", index: 0 }, 1);
  await eventually("shown", () => text(shown()) === "1 loading");
  setA(2);
  assert.equal(text(shown()), " loading", "nothing of the other query");
  core.change(await setOf(core, 2), { type: "insert", index: 0 }, 2);
  await eventually("shown", () => text(shown()) === "2 loading");
  setA(0);
  await eventually("ended without a query", () => core.lives.size === 0);
  setA(2);
  await setOf(core, 2);
  end();
  await eventually("ended", () => core.lives.size === 0);
  await taiinet.close();
});

/** The adapter with Solid as browsers have it. */
async function solid() {
  const folder = mkdtempSync(join(here, ".bundle-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, "solid.mjs");
  const browsers = { name: "browsers", setup: (build) => build.onResolve({ filter: /^solid-js$/ }, () => ({ path: join(here, "../node_modules/solid-js/dist/solid.js"), external: true })) };
  await build({ entryPoints: [join(here, "../src/solid.ts")], outfile, bundle: true, format: "esm", plugins: [browsers], logLevel: "error" });
  return import(pathToFileURL(outfile).href);
}

test("Svelte: a live set is a store", async () => {
  const { get, derived } = await import("svelte/store");
  const { taiinet, core } = await start();
  const live = taiinet.live({ a: 1 });
  const count = derived(live, ({ documents }) => documents.length);
  const seen = [];
  const end = count.subscribe((count) => seen.push(count));
  core.change(await setOf(core, 1), { type: "insert", index: 0 }, 1);
  await eventually("shown", () => seen.at(-1) === 1);
  assert.equal(text(get(live)), "1 loading");
  end();
  await eventually("ended", () => core.lives.size === 0);
  await taiinet.close();
});

test("Svelte: a component reads it by its $name", async () => {
  const { taiinet, core } = await start();
  const source = `<script>
    let { taiinet } = $props();
    const tweets = taiinet.live({ a: 1 });
  </script>{#each $tweets.documents as tweet (tweet.id)}<p>{tweet.data.n}</p>{/each}<i>{$tweets.state}</i>`;
  const folder = mkdtempSync(join(here, ".bundle-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "List.mjs");
  writeFileSync(file, compile(source, { generate: "server", filename: "List.svelte" }).js.code);
  const { default: List } = await import(pathToFileURL(file).href);
  const { render } = await import("svelte/server");
  const rendered = () => render(List, { props: { taiinet } }).body.replace(/<!--.*?-->/g, "");
  assert.equal(rendered(), "<i>loading</i>");
  const end = taiinet.live({ a: 1 }).subscribe(() => {});
  core.change(await setOf(core, 1), { type: "insert", index: 0 }, 7);
  await eventually("shown", () => rendered() === "<p>7</p><i>loading</i>");
  end();
  await taiinet.close();
});
