// What a developer can get wrong: an error that names it, and a peer that is none the worse.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Mesh, Signaller, connected } from "../harness/processes.mjs";
import { browsers, exactly } from "../harness/suite.mjs";

const { chromium } = browsers();

const good = `{ network: "n", signallers: ["ws://127.0.0.1:1"] }`;

/** Code, what the error names, and whether it is a TypeError (of the wrong type, not value). @type {[string, RegExp, boolean][]} */
const OPTIONS = [
  [`new TaiiNet()`, /options/i, true],
  [`new TaiiNet({ signallers: [] })`, /network/, true],
  [`new TaiiNet({ network: 5, signallers: [] })`, /network/, true],
  [`new TaiiNet({ network: "", signallers: ["ws://127.0.0.1:1"] })`, /network/, false],
  [`new TaiiNet({ network: "n", signallers: "ws://127.0.0.1:1" })`, /signallers/, true],
  [`new TaiiNet({ network: "n", signallers: ["ws://127.0.0.1:1", 7] })`, /signallers\[1\]/, true],
  [`new TaiiNet({ network: "n", signallers: ["http://127.0.0.1:1"] })`, /signallers\[0\]/, false],
  [`new TaiiNet({ ...${good}, signalers: [] })`, /signalers/, true],
  [`new TaiiNet({ ...${good}, targetLinks: NaN })`, /targetLinks/, false],
  [`new TaiiNet({ ...${good}, targetLinks: 2.5 })`, /targetLinks/, false],
  [`new TaiiNet({ ...${good}, targetLinks: 5, maxLinks: 2 })`, /(target|max)Links/, false],
  [`new TaiiNet({ ...${good}, shared: "yes" })`, /shared/, true],
  [`new TaiiNet({ ...${good}, identity: 5 })`, /identity/, true],
];

/** Code and what the error names. @type {[string, RegExp][]} */
const CALLS = [
  [`peer.subscribe()`, /query/i],
  [`peer.subscribe("{}")`, /query/i],
  [`peer.subscribe({ $or: [{ likes: { $gtt: 4 } }] })`, /\$or\[0\]\.likes\.\$gtt/],
  [`peer.subscribe({ likes: NaN })`, /likes/],
  [`peer.subscribe({ likes: () => 4 })`, /likes/],
  [`peer.subscribe({}, { backlogg: true })`, /backlogg/],
  [`peer.subscribe({}, { backlog: 1 })`, /backlog/],
  [`peer.subscribe({}, { backlog: { limit: 0 } })`, /options\.backlog\.limit/],
  [`peer.subscribe({ type: "chat", room: undefined })`, /room.*not undefined/],
  [`await peer.find({ $or: [{ a: { $in: [1, undefined] } }] })`, /\$or\[0\]\.a\.\$in\[1\]/],
  [`peer.subscribe({ text: "half \\ud83d" })`, /text has a lone surrogate \(U\+D83D\)/],
  [`await peer.publish({ list: [{ text: "\\udc00" }] })`, /list\[0\]\.text has a lone surrogate \(U\+DC00\)/],
  [`await peer.publish({ a: 1 }, { key: "\\ud800" })`, /options\.key has a lone surrogate/],
  [`peer.subscribe({}).on("dta", () => {})`, /dta/],
  [`peer.subscribe({}).on("data", "no function")`, /listener|handler|function/],
  [`peer.on("statu", () => {})`, /statu/],
  [`await peer.publish()`, /document/i],
  [`await peer.publish("text")`, /document/i],
  [`await peer.publish([1])`, /document/i],
  [`await peer.publish({ likes: NaN })`, /likes/],
  [`await peer.publish({ a: [1, { b: Infinity }] })`, /a\[1\]\.b/],
  [`await peer.publish({ deep: { call: () => 4 } })`, /deep\.call/],
  [`await peer.publish({ symbol: Symbol("s") })`, /symbol/],
  [`const loop = { name: "x" }; loop.self = loop; await peer.publish(loop)`, /self|cycle|circular/i],
  [`await peer.publish({ big: 2n ** 70n })`, /big|1180591620717411303424/],
  [`await peer.publish({ text: "x".repeat(300 * 1024) })`, /262144|256|bytes/],
  [`await peer.publish({ a: 1 }, { expires: "soon" })`, /expires/],
  [`await peer.publish({ a: 1 }, { expires: -5 })`, /expires/],
  [`await peer.publish({ a: 1 }, { key: 7 })`, /key/],
  [`await peer.publish({ a: 1 }, { keys: "k" })`, /keys/],
  [`peer.subscribe({}, { private: "yes" })`, /private/],
  [`await peer.publish({ a: 1 }, { to: undefined })`, /options\.to/],
  [`await peer.publish({ a: 1 }, { to: "tn1nobody" })`, /options\.to.*tn1nobody/],
  [`await peer.publish({ a: 1 }, { to: ["tn1nobody"] })`, /options\.to\[0\].*tn1nobody/],
  [`await peer.publish({ a: 1 }, { public: ["a"] })`, /options\.public/],
  [`await peer.publish({ a: 1 }, { to: "subscribers", waitMs: "2s" })`, /waitMs/],
  [`await peer.publish({ a: 1 }, { to: "subscribers", waitMs: 0 })`, /subscribed privately/],
  [`await peer.find({ likes: { $gtt: 4 } })`, /likes\.\$gtt/],
  [`await peer.publish({ a: [1, , 2] })`, /a\[1\]/],
  [`await peer.publish({ a: 1 }, { expires: 1e300 })`, /options\.expires/],
  [`await peer.find({}, { timeout: "100d" })`, /options\.timeout/],
  [`await new TaiiNet({ network: "n", signallers: ["ws://a", "ws://b#badkey"], identity: "ephemeral" }).ready`, /options\.signallers\[1\].*badkey|options\.signallers\[1\].*ws:\/\/b/],
  [`await peer.find({}, { limit: 0 })`, /limit/],
  [`await peer.find({}, { limit: "9" })`, /limit/],
  [`await peer.identity.export(5)`, /passphrase/],
  [`await peer.identity.import("no key file", "passphrase")`, /key|file|age/i],
];

test("options that are wrong throw at once, and name the field", async () => {
  const page = await (await chromium()).page("page");
  for (const [code, names, isTypeError] of OPTIONS) {
    const error = await page.thrown(code);
    assert.ok(error, `nothing thrown: ${code}`);
    assert.match(error.message, names, code);
    assert.equal(error.isTaiiNetError || error.isTypeError, true, `${code}: ${error.name}`);
    if (isTypeError) assert.equal(error.isTypeError || error.code === "options", true, `${code}: ${JSON.stringify(error)}`);
  }
});

test("calls that are wrong say where, and the peer goes on", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const native = mesh.subscriber("native");
  const page = await (await chromium()).peer("page", mesh.options());
  await page.subscribe({});
  await connected([page, native]);
  const wrong = [];
  for (const [code, names] of CALLS) {
    const error = await page.thrown(code);
    const typed = error && (error.isTaiiNetError || error.isTypeError);
    if (!typed || !names.test(error.message)) wrong.push(`${code}\n    ${JSON.stringify(error)}`);
    // Nothing of it has hurt the peer.
    assert.equal((await page.status()).peerId, await page.id());
  }
  assert.deepEqual(wrong, [], "errors that do not say what is wrong");

  // The path of a query's fault is a field of its error, so that a form can show it.
  const fault = await page.thrown(`peer.subscribe({ $or: [{ likes: { $gtt: 4 } }] })`);
  assert.deepEqual([fault.code, fault.path], ["query", "$or[0].likes.$gtt"]);

  // What JSON cannot hold arrives as it was.
  await page.evaluate(() => inPage.peer.publish({ bytes: new Uint8Array([0, 255]), big: 2n ** 60n, $bytes: "name" }));
  await page.eventually("got it", async () => (await page.documents()).length === 1);
  assert.deepEqual(await page.documents(), [{ bytes: { bytes: [0, 255] }, big: { bigint: String(2n ** 60n) }, $bytes: "name" }]);
  const text = native.stdout[0];
  assert.ok(text.includes(String(2n ** 60n)) && text.includes('"$bytes":"AP8="'), text);

  await page.publish({ fine: true });
  await native.eventually("got it", async () => (await native.documents()).at(-1)?.fine === true);
  assert.deepEqual((await native.documents()).length, 2, "nothing wrong was published");
});

test("two thousand values at random: every error is typed, and the peer goes on", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const native = mesh.subscriber("native");
  const page = await (await chromium()).peer("page", mesh.options());
  await connected([page, native]);
  const seed = Math.floor(Math.random() * 2 ** 31);
  const result = await page.evaluate(async (seed) => {
    const random = (/** @type {number} */ below) => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      return (seed >> 8) % below;
    };
    const names = [
      ..."$or $and $nor $not $gt $in $regex $options $elemMatch $size $mod $type $bytes $$bytes".split(" "),
      ..."a likes a.b a..b __proto__ constructor".split(" "),
      ...["", "\ud800", "\u0000"],
    ];
    const leaves = [
      ...[0, -0, 1.5, -1, 2 ** 53, 1e308, NaN, Infinity, 10n, 2n ** 64n, true, null, undefined],
      ...["", "x", "\ud800", "(", "(a*)*$", "i", "AP8=", Symbol("s"), () => 1, new Date(), new Date(NaN), /x/],
      ...[new Map([[1, 2]]), new Uint8Array([1]), new Float64Array(2), new ArrayBuffer(3), new Proxy({}, {})],
    ];
    /** @param {number} depth @returns {any} */
    const value = (depth) => {
      const kind = random(depth > 60 ? 1 : 4);
      if (kind <= 1 && depth > 0) return leaves[random(leaves.length)];
      const members = Array.from({ length: random(4) }, () => value(depth + 1));
      if (kind === 2) return members;
      return Object.fromEntries(members.map((one) => [names[random(names.length)], one]));
    };
    const untyped = /** @type {string[]} */ ([]);
    let wrong = 0;
    const failed = (/** @type {unknown} */ error) => {
      wrong += 1;
      if (!(error instanceof inPage.taiinet.TaiiNetError)) untyped.push(String(/** @type {any} */ (error)?.stack ?? error));
    };
    const all = [];
    for (let n = 0; n < 1000; n++) {
      try {
        inPage.peer.subscribe(value(0)).close();
      } catch (error) {
        failed(error);
      }
      all.push(inPage.peer.publish(value(0)).catch(failed));
    }
    await Promise.all(all);
    return { untyped, wrong };
  }, seed);
  assert.deepEqual(result.untyped, [], `seed ${seed}`);
  assert.ok(result.wrong > 100 && result.wrong < 2000, `${result.wrong} of 2000 were wrong; seed ${seed}`);
  await page.publish({ fine: true });
  await native.eventually("got it", async () => (await native.documents()).at(-1)?.fine === true);
});

test("after close() everything says so, and nothing hangs", async () => {
  const mesh = new Mesh([await Signaller.start()]);
  const native = mesh.subscriber("native");
  const page = await (await chromium()).peer("page", mesh.options());
  await page.subscribe({});
  await connected([page, native]);
  const id = await page.id();
  await page.evaluate(() => inPage.peer.close());
  await native.eventually("hears the goodbye", async () => !(await native.neighbours()).has(id), 4_000);
  await page.eventually("its subscription closes", () => page.evaluate(() => inPage.subscribers.all.closed));
  for (const code of [`await peer.publish({ a: 1 })`, `peer.subscribe({})`, `await peer.find({})`]) {
    const error = await page.thrown(code);
    assert.equal(error?.code, "closed", `${code}: ${JSON.stringify(error)}`);
  }
  await page.evaluate(() => inPage.peer.close());
  assert.equal((await page.events("status")).at(-1).state, "closed");
});
