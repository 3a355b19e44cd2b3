// The blacklist, and where it is kept from visit to visit.

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./bundle.mjs";
import { cores } from "./core.mjs";

const store = new Map();
globalThis.localStorage = { getItem: (name) => store.get(name) ?? null, setItem: (name, text) => store.set(name, text) };
const { stateStore } = await load("blacklist.ts");
const { TaiiNet } = await load("index.ts");
const OPTIONS = { network: "n", signallers: ["ws://127.0.0.1:1"], identity: "ephemeral" };

async function start() {
  const taiinet = new TaiiNet(OPTIONS);
  await taiinet.ready;
  return { taiinet, core: cores.at(-1) };
}

test("a peer is added for a while or for ever, listed and unblocked", async () => {
  const { taiinet } = await start();
  await taiinet.blacklist.add("tn1x");
  await taiinet.blacklist.add("tn1y", { for: "1h" });
  const [x, y] = await taiinet.blacklist.list();
  assert.deepEqual(x, { peer: "tn1x", times: 0 });
  assert.ok(Math.abs(y.until - Date.now() - 3_600_000) < 10_000);
  assert.equal(await taiinet.blacklist.unblock("tn1x"), true);
  assert.equal(await taiinet.blacklist.unblock("tn1x"), false);
  assert.equal((await taiinet.blacklist.list()).length, 1);
  await taiinet.close();
});

test("what is wrong is named", async () => {
  const { taiinet } = await start();
  const wrong = async (act, path) => assert.rejects(act, (error) => error.path === path || assert.fail(`${error.path}: ${error}`));
  await wrong(() => taiinet.blacklist.add("me"), "peer");
  await wrong(() => taiinet.blacklist.add(7), "peer");
  await wrong(() => taiinet.blacklist.add("tn1x", { for: "soon" }), "options.for");
  await wrong(() => taiinet.blacklist.add("tn1x", { fro: 1 }), "options.fro");
  await taiinet.close();
});

test("a peer that misbehaved is told of", async () => {
  const { taiinet, core } = await start();
  const told = new Promise((resolve) => taiinet.on("blacklisted", resolve));
  core.event({ type: "blacklisted", peer: "tn1bad", until: 7, misbehaviour: "InvalidSignature", text: "passed on …", times: 1 });
  assert.deepEqual(await told, { peer: "tn1bad", until: 7, misbehaviour: "InvalidSignature", text: "passed on …", times: 1 });
  await taiinet.close();
});

test("the list is kept beside an identity, and one that is damaged is no obstacle", () => {
  const keep = stateStore("me", "blacklist");
  assert.equal(keep.load(), undefined);
  keep.save('[{"peer":"tn1x","times":0}]');
  assert.equal(stateStore("me", "blacklist").load(), '[{"peer":"tn1x","times":0}]');
  assert.equal(stateStore("you", "blacklist").load(), undefined);
  keep.save("[{");
  assert.equal(keep.load(), undefined);
  const nowhere = stateStore(undefined, "blacklist");
  nowhere.save("[]");
  assert.equal(nowhere.load(), undefined);
});

test("signallers that others told of are kept, and known the next time", async () => {
  const options = { ...OPTIONS, identity: "kept", shared: false };
  const first = new TaiiNet(options);
  await first.ready;
  const core = cores.at(-1);
  core.cached = ["wss://two.example#tn1two"];
  core.event({ type: "signaller-learned", url: "wss://two.example", signaller: "tn1two" });
  await first.close();
  const second = new TaiiNet(options);
  await second.ready;
  assert.deepEqual(cores.at(-1).options.signallerCache, ["wss://two.example#tn1two"]);
  assert.deepEqual(cores.at(-1).options.blacklist, []);
  await second.close();
});
