// The hooks, in React's own test renderer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { StrictMode, createElement as h } from "react";
import { renderToString } from "react-dom/server";
import { act, create } from "react-test-renderer";
import { load } from "./bundle.mjs";
import { cores } from "./core.mjs";
import { eventually } from "./tabs.mjs";

const { TaiiNet } = await load("index.ts");
const { TaiiNetProvider, usePeers, useQuery, useSubscription } = await load("react.tsx");

setFlagsFromString("--expose_gc");
const gc = runInNewContext("gc");

globalThis.IS_REACT_ACT_ENVIRONMENT = true;
// A frame is whenever the test says so.
let frames = [];
globalThis.requestAnimationFrame = (callback) => frames.push(callback);
globalThis.cancelAnimationFrame = () => {};
const frame = () => act(async () => frames.splice(0).forEach((callback) => callback(0)));

async function render(component, props) {
  const taiinet = new TaiiNet({ network: "n", signallers: ["ws://127.0.0.1:1"], identity: "ephemeral" });
  await taiinet.ready;
  const tree = (next) => h(TaiiNetProvider, { value: taiinet }, h(component, next));
  let rendered;
  await act(async () => (rendered = create(tree(props))));
  return { taiinet, core: cores.at(-1), shown: () => rendered.toJSON() ?? "", update: (next) => act(async () => rendered.update(tree(next))), end: () => act(async () => rendered.unmount()) };
}

const Wall = ({ query, limit, ...options }) => {
  const { documents, error } = useSubscription(query, { limit, ...options });
  return error ? `error: ${error.path}` : documents.map(({ data }) => data.n).join(",");
};

test("useSubscription shows the newest, follows the query, and ends with its component", async () => {
  const { core, shown, update, end } = await render(Wall, { query: { a: 1 }, limit: 2 });
  const deliver = (n) => core.deliver(`id-${n}`, `{"n":${n}}`, true, "open", 100, n);
  assert.equal(core.subscriptions.size, 1);
  [1, 2, 3].forEach(deliver);
  await frame();
  assert.equal(shown(), "3,2");

  // The same query written again is the same subscription; another is another.
  const [first] = core.subscriptions;
  await update({ query: { a: 1 }, limit: 2 });
  assert.deepEqual([...core.subscriptions], [first]);
  await update({ query: { a: 2 }, limit: 2 });
  assert.equal(core.subscriptions.size, 1);
  assert.notDeepEqual([...core.subscriptions], [first]);
  assert.equal(shown(), "");

  // A private one has a key of its own.
  await update({ query: { a: 2 }, limit: 2, private: true });
  assert.equal(core.subscriptions.size, 1);
  assert.deepEqual(core.subscribed.map((options) => options.private), [false, false, true]);

  await update({ query: { a: 2 }, limit: 2, discreet: true });
  assert.equal(core.subscribed.at(-1).discreet, true);

  await update({ query: { a: { $gtt: 1 } }, limit: 2 });
  assert.equal(shown(), "error: a.$gtt");
  // Queries that JSON.stringify could not tell apart.
  await update({ query: { b: undefined }, limit: 2 });
  assert.equal(shown(), "error: b");
  await update({ query: {}, limit: 2 });
  assert.equal(shown(), "");
  for (const [b, next] of [[1n, "1n"], ["1n", 1], [1, "1"]]) {
    await update({ query: { b }, limit: 2 });
    const [before] = core.subscriptions;
    await update({ query: { b: next }, limit: 2 });
    assert.notDeepEqual([...core.subscriptions], [before], `${typeof b} and ${typeof next}`);
  }
  await end();
  assert.equal(core.subscriptions.size, 0);
});

test("useSubscription tells when the backlog has come, and does not begin again for the same limit", async () => {
  const Backlog = ({ last }) => {
    const { documents, ready } = useSubscription({}, { backlog: { last } });
    return `${documents.length} ${JSON.stringify(ready ?? null)}`;
  };
  globalThis.fakeFound = ['{"n":0}', '{"n":1}'];
  const { core, shown, update, end } = await render(Backlog, { last: 1 });
  assert.equal(shown(), '1 {"complete":false,"more":true,"sources":1}');
  await update({ last: 1 });
  assert.equal(core.subscribed.length, 1);
  await update({ last: 2 });
  assert.equal(shown(), '2 {"complete":true,"more":false,"sources":1}');
  assert.equal(core.subscribed.length, 2);
  globalThis.fakeFound = undefined;
  await end();
});

const deliver = (core, n, more) => core.deliver(`id-${n}`, `{"n":${n}}`, true, "open", 100, n, more);

test("useSubscription never shows what matched another query, not even for one render", async () => {
  const renders = [];
  const Spy = ({ query }) => {
    const { documents } = useSubscription(query);
    renders.push([query.a, documents.map(({ data }) => data.n).join()]);
    return "";
  };
  const { core, update, end } = await render(Spy, { query: { a: 1 } });
  deliver(core, 1);
  await frame();
  assert.deepEqual(renders.at(-1), [1, "1"]);
  renders.length = 0;
  await update({ query: { a: 2 } });
  assert.ok(renders.length > 0 && renders.every(([a, shown]) => a === 2 && shown === ""), JSON.stringify(renders));
  // Nor when it asks for the first one again.
  renders.length = 0;
  await update({ query: { a: 1 } });
  assert.ok(renders.every(([, shown]) => shown === ""), JSON.stringify(renders));
  await end();
});

test("useSubscription shows one version under a key, and nothing that is gone", async () => {
  const { core, shown, end } = await render(Wall, { query: {}, limit: 10 });
  deliver(core, 1);
  deliver(core, 2);
  await frame();
  assert.equal(shown(), "2,1");
  deliver(core, 3, { replaces: "id-1" });
  deliver(core, 4, { replaces: "id-3" });
  await frame();
  assert.equal(shown(), "4,2");
  core.remove("id-2", "deleted");
  await frame();
  assert.equal(shown(), "4");
  core.remove("id-4", "expired");
  await frame();
  assert.equal(shown(), "");
  await end();
});

test("in a hidden page, which has no frames, useSubscription keeps no more than it would show", async () => {
  const { core, shown, end } = await render(Wall, { query: {}, limit: 3 });
  const kept = [];
  const registry = new FinalizationRegistry(() => kept.pop());
  await act(async () => {
    const parse = JSON.parse;
    // All contents that the page gets.
    JSON.parse = (text, ...more) => {
      const value = parse(text, ...more);
      if (value?.n !== undefined) {
        kept.push(1);
        registry.register(value);
      }
      return value;
    };
    try {
      for (let n = 0; n < 500; n += 1) deliver(core, n);
    } finally {
      JSON.parse = parse;
    }
  });
  assert.equal(frames.length, 1, "one frame is asked for");
  assert.equal(shown(), "");
  for (let turn = 0; turn < 50 && kept.length > 10; turn += 1) {
    await new Promise((next) => setImmediate(next));
    gc();
  }
  assert.ok(kept.length <= 10, `it holds ${kept.length} documents`);
  await frame();
  assert.equal(shown(), "499,498,497");
  await end();
});

const List = ({ query, ...options }) => {
  const { documents, state, complete, error } = useQuery(query, options);
  return error ? `error: ${error.path}` : `${documents.map(({ data }) => data.n).join(",")} ${state}${complete ? ", all" : ""}`;
};

test("useQuery shows a live set, follows the query without showing what matched another, and ends with its component", async () => {
  const { core, shown, update, end } = await render(List, { query: { a: 1 }, sort: { n: 1 }, limit: 2 });
  assert.equal(shown(), " loading");
  const [[first, wish]] = core.lives;
  assert.deepEqual(wish, { query: { a: 1 }, private: false, live: { sort: [["n", "asc"]], limit: 2 } });
  core.change(first, { type: "insert", index: 0 }, 2);
  core.change(first, { type: "insert", index: 0 }, 1);
  core.change(first, { type: "state", phase: "ready", complete: true, more: false });
  assert.equal(shown(), " loading", "not before the next frame");
  await frame();
  assert.equal(shown(), "1,2 ready, all");

  // The same query written again is the same set; another is another.
  await update({ query: { a: 1 }, sort: { n: 1 }, limit: 2 });
  assert.equal(core.lives.size, 1);
  await update({ query: { a: 2 }, sort: { n: 1 }, limit: 2 });
  assert.equal(shown(), " loading");
  // It comes back before it has ended, and shows at once what it had.
  await update({ query: { a: 1 }, sort: { n: 1 }, limit: 2 });
  assert.equal(shown(), "1,2 ready, all");
  assert.equal(core.subscribed.filter(({ live }) => live).length, 2);
  await update({ query: { a: { $gtt: 1 } } });
  assert.equal(shown(), "error: a.$gtt");
  await update({ query: { a: 1 }, limit: 0 });
  assert.equal(shown(), "error: options.limit");
  await update({ query: undefined });
  assert.equal(shown(), " loading");
  await end();
  await eventually("all have ended", () => core.lives.size === 0);
});

test("components with equal queries share one set, under React's StrictMode too", async () => {
  const Two = () => h(StrictMode, null, h(List, { query: { a: 1 } }), "; ", h(List, { query: { a: 1 } }));
  const { core, shown, end } = await render(Two, {});
  assert.equal(core.subscribed.length, 1);
  const [[number]] = core.lives;
  core.change(number, { type: "insert", index: 0 }, 1);
  await frame();
  assert.equal(shown().join(""), "1 loading; 1 loading");
  await end();
});

test("a page that a server renders shows nothing yet, and asks for nothing", async () => {
  const taiinet = new TaiiNet({ network: "n", signallers: ["ws://127.0.0.1:1"], identity: "ephemeral" });
  await taiinet.ready;
  const onServer = await load("react.tsx");
  const Shown = () => onServer.useQuery({}).state;
  assert.equal(renderToString(h(onServer.TaiiNetProvider, { value: taiinet }, h(Shown))), "loading");
  assert.equal(cores.at(-1).subscribed.length, 0);
  await taiinet.close();
});

test("usePeers follows the neighbours", async () => {
  const Peers = () => usePeers().map(({ peer }) => peer).join(",");
  const { core, shown, end } = await render(Peers, {});
  assert.equal(shown(), "");
  core.links = [{ peer: "tn1ada", state: "active" }, { peer: "tn1bob", state: "dialling" }];
  await act(async () => core.event({ type: "peer-connected", peer: "tn1ada" }));
  assert.equal(shown(), "tn1ada");
  core.links = [];
  await act(async () => core.event({ type: "peer-disconnected", peer: "tn1ada", cause: "it left" }));
  assert.equal(shown(), "");
  await end();
});
