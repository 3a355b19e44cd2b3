// The hooks, in React's own test renderer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createElement as h } from "react";
import { act, create } from "react-test-renderer";
import { load } from "./bundle.mjs";
import { cores } from "./core.mjs";

const { TaiiNet } = await load("index.ts");
const { TaiiNetProvider, usePeers, useSubscription } = await load("react.tsx");

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
  const Backlog = ({ limit }) => {
    const { documents, ready } = useSubscription({}, { backlog: { limit } });
    return `${documents.length} ${JSON.stringify(ready ?? null)}`;
  };
  const { core, shown, update, end } = await render(Backlog, { limit: 1 });
  core.found = ['{"n":0}', '{"n":1}'];
  assert.equal(shown(), "0 null");
  // It gives neighbours a moment to come before it asks them.
  for (const peer of ["tn1ada", "tn1bob", "tn1eve"]) await act(async () => core.event({ type: "peer-connected", peer }));
  await act(() => new Promise((next) => setTimeout(next, 1100)));
  await frame();
  assert.equal(shown(), '1 {"complete":false}');
  await update({ limit: 1 });
  await update({ limit: 2 });
  await frame();
  assert.equal(shown(), '2 {"complete":true}');
  assert.equal(core.asked.length, 2);
  await end();
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
