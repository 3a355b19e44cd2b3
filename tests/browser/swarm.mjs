// A mesh of as many native peers as wanted and of three pages, each a process of its own, over real WebRTC; and the
// same mesh in the simulator, which says who wants and publishes what: crates/sim/scenarios/swarm.toml.
//
//   cargo build --profile dist -p taiinet-cli -p taiinet-signaller -p taiinet-sim --bins
//   TAIINET_BIN_DIR=target/dist node tests/browser/run.mjs swarm.mjs [--quick] [--peers=N]
//
// It fails if a document is not delivered to one that wants it, is delivered twice, or to one that does not want it.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { compared } from "./harness/comparison.mjs";
import { eventually, pause } from "./harness/eventually.mjs";
import { isPrivate } from "./harness/namespace.mjs";
import { Browser, Page } from "./harness/pages.mjs";
import { ROOT } from "./harness/places.mjs";
import { Mesh, NativePeer, Signaller, connected, killAll, run } from "./harness/processes.mjs";
import { PROCESSORS, availableMib, busy, family, grown, loopback, memory, work } from "./harness/usage.mjs";

const QUICK = process.argv.includes("--quick");
const NATIVE = Number(process.argv.find((arg) => arg.startsWith("--peers="))?.slice("--peers=".length) ?? (QUICK ? 20 : 50));
const PAGES = 3;
/** As the scenario says. */
const PUBLISHERS = 4;
/** Where there is room for fewer, there is no mesh to speak of. */
const FEWEST = PUBLISHERS + 4;
const SCENARIO = join(ROOT, "crates/sim/scenarios/swarm.toml");

/** A browser with three pages, and what others on the machine may need meanwhile. */
const RESERVED_MIB = 1_500;
/** A peer with all its links takes so much of what one with few takes, at most. */
const GROWTH = 3;
/** Starting a hundred processes takes a while, where others work as well. */
const JOINING_MS = 180_000;
/** One that is delivered twice, or should not have been, has its chance to show, as in `taiinet-demo`. */
const QUIET_MS = 1_500;

/** @typedef {{ at_ms: number, by: number, wanted_by: number[], content: string }} Planned */
/** @typedef {{ queries: string[][], begin_ms: number, end_ms: number, publishers: number[], documents: Planned[] }} Plan */
/** @typedef {{ peer: NativePeer | Page, started: number, joined?: number }} Member */
/** @typedef {{ number: number, delay: number, hops: number }} Delivery */

/** @param {string} text */
const say = (text) => console.error(text);

/** What the simulator tells of so many peers. @param {number} peers @param {"--plan" | "--json"} what @param {string} [scenario] */
const simulator = async (peers, what, scenario = SCENARIO) =>
  JSON.parse(await run("taiinet-sim", [scenario, what, "--peers", String(peers), ...(QUICK ? ["--short"] : [])]));

/**
 * The same with links of which nine of ten take no longer than this, or a few milliseconds more or less; of these runs
 * the first in which documents spread as in the real mesh: with peers hardly fewer than a network needs for routes,
 * chance decides.
 * @param {number} peers @param {number} p90_ms @param {number} routed the share of real peers that send by routes
 */
async function slowSimulator(peers, p90_ms, routed) {
  const folder = mkdtempSync(join(tmpdir(), "taiinet-swarm-"));
  try {
    const runs = [];
    for (const more of [0, 1, -1, 2, -2, 3, 4, 5]) {
      const [file, up] = [join(folder, "slow.toml"), Math.max(Math.round((p90_ms - 1) / 0.9) + more, 0)];
      writeFileSync(file, readFileSync(SCENARIO, "utf8").replace(/^jitter_ms = .*$/m, `jitter_ms = ${up}`));
      runs.push({ longest_ms: 1 + up, figures: await simulator(peers, "--json", file) });
    }
    const alike = runs.filter(({ figures }) => Math.abs(figures.routed_share - routed) < 0.5);
    return { ...(alike[0] ?? runs[0]), runs: runs.length, alike: alike.length };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a peer says of itself; a native one from now on. @param {Member} member @returns {Promise<any>} */
async function status({ peer }) {
  if (peer instanceof Page) return await peer.status();
  peer.report = undefined;
  return await peer.eventually("reports", () => peer.report);
}

/** @param {Member[]} members */
async function allJoined(members) {
  const links = async (/** @type {Member} */ { peer }) => (peer instanceof Page ? await peer.status() : peer.report)?.links ?? [];
  await eventually("all have a link", async () => {
    for (const member of members.filter((one) => one.joined === undefined)) {
      const since = (await links(member)).filter((/** @type {any} */ link) => link.state === "active").map((/** @type {any} */ link) => link.since);
      if (since.length > 0) member.joined = Math.min(...since) - member.started;
    }
    return members.every((one) => one.joined !== undefined);
  }, { within: JOINING_MS });
  await connected(members.map(({ peer }) => peer), JOINING_MS);
}

/** How many native peers there is memory for, of those that are wanted. @param {Member[]} some that run already */
function carried(some) {
  const [available, each] = [availableMib(), GROWTH * Math.max(...some.map(({ peer }) => memory(pid(peer)).rss))];
  const most = some.length + Math.floor((available - RESERVED_MIB) / each);
  if (most < FEWEST) throw new Error(`${available.toFixed(0)} MiB are available, and a peer may take ${each.toFixed(0)}: too little for a mesh`);
  if (most < NATIVE) say(`${most} native peers, not ${NATIVE}: ${available.toFixed(0)} MiB are available, and one may take ${each.toFixed(0)}`);
  return Math.min(most, NATIVE);
}

/** @param {NativePeer | Page} peer */
const pid = (peer) => /** @type {NativePeer} */ (peer).child.pid ?? 0;

/** Starts all but the publishers, which run; gives all in the plan's order. @param {Plan} plan @param {Mesh} mesh @param {Browser} browser @param {Member[]} publishers */
async function start(plan, mesh, browser, publishers) {
  const members = /** @type {Member[]} */ (Array(plan.queries.length));
  plan.publishers.forEach((number, n) => (members[number] = publishers[n]));
  const due = plan.queries.map((_, number) => plan.documents.filter(({ wanted_by }) => wanted_by.includes(number)).length);
  // Pages are those that get most, so that something can be said of them.
  const others = plan.queries.map((_, number) => number).filter((number) => !members[number]).sort((a, b) => due[a] - due[b]);
  const query = (/** @type {number} */ number) => ({ $or: plan.queries[number].map((query) => JSON.parse(query)) });
  const inPages = await Promise.all(others.splice(-PAGES).map(async (number, n) => /** @type {const} */ ([number, await browser.page(`page ${n + 1}`)])));
  for (const number of others) members[number] = { peer: mesh.subscriber(`peer ${number}`, query(number)), started: Date.now() };
  for (const [number, page] of inPages) {
    members[number] = { peer: page, started: Date.now() };
    await page.start(mesh.options());
    await page.subscribe(query(number));
  }
  return members;
}

/** Publishes documents when the plan says. @param {Member[]} members @param {Planned[]} documents @param {number} from @param {number} to */
async function publish(members, documents, from, to) {
  const begun = Date.now() - from;
  for (const { at_ms, by, content } of documents) {
    await pause(begun + at_ms - Date.now());
    /** @type {NativePeer} */ (members[by].peer).write(content);
  }
  await pause(begun + to - Date.now());
}

/** Waits until all has come that is due. @param {Member[]} members @param {Planned[]} documents @param {number} [within] */
async function arrived(members, documents, within) {
  const left = async () => {
    const open = [];
    for (const [number, { peer }] of members.entries()) {
      const due = documents.filter(({ wanted_by }) => wanted_by.includes(number)).length;
      const came = peer instanceof Page ? await peer.evaluate(() => inPage.subscribers.all.deliveries.length) : peer.stdout.length;
      if (came < due) open.push(`${peer.name} has ${came} of ${due}`);
    }
    return open;
  };
  await eventually("all documents have come", async () => (await left()).length === 0, { state: left, within });
}

/** What a peer has been delivered. @param {Member} member @returns {Promise<Delivery[]>} */
async function deliveries({ peer }) {
  if (peer instanceof Page) {
    return (await peer.deliveries()).map(({ data, createdAt, receivedAt, hops }) => ({ number: data.number, delay: receivedAt - createdAt, hops }));
  }
  return (await peer.deliveries()).map(({ data, created_at, received_at, hops }) => ({ number: data.number, delay: received_at - created_at, hops }));
}

/**
 * Which deliveries of these documents were due, came, and came again, and what of it is wrong.
 * @param {Planned[]} documents with the numbers from `first` on @param {number} first
 * @param {Member[]} members @param {Delivery[][]} got by each
 */
function counted(documents, first, members, got) {
  const count = { due: 0, delivered: 0, doubles: 0, wrong: /** @type {string[]} */ ([]) };
  for (const [number, { peer }] of members.entries()) {
    for (const [n, { wanted_by }] of documents.entries()) {
      const times = got[number].filter((one) => one.number === first + n).length;
      const due = wanted_by.includes(number) ? 1 : 0;
      count.due += due;
      count.delivered += Math.min(times, due);
      count.doubles += Math.max(times - 1, 0);
      if (times !== due) count.wrong.push(`${peer.name} was delivered document ${first + n} ${times} times, not ${due}`);
    }
  }
  return count;
}

/** The delay that so many of a hundred do not exceed, as the simulator counts. @param {number[]} sorted @param {number} hundredths */
const quantile = (sorted, hundredths) => sorted[Math.min(Math.floor((sorted.length * hundredths) / 100), sorted.length - 1)];
/** @param {number[]} numbers */
const sum = (numbers) => numbers.reduce((all, one) => all + one, 0);
/** @param {number[]} numbers */
const mean = (numbers) => sum(numbers) / numbers.length;
/** @param {number[]} numbers */
const ascending = (numbers) => [...numbers].sort((a, b) => a - b);

/** @param {Browser} browser */
async function measure(browser) {
  const mesh = new Mesh([await Signaller.start()], { args: ["--bind", "127.0.0.1:0", "--no-port-mapping"] });
  const publishers = Array.from({ length: PUBLISHERS }, (_, n) => ({ peer: mesh.publisher(`publisher ${n + 1}`), started: Date.now() }));
  await allJoined(publishers);
  const native = carried(publishers);
  const plan = /** @type {Plan} */ (await simulator(native + PAGES, "--plan"));
  say(`starting ${native} native peers and ${PAGES} pages`);
  const members = await start(plan, mesh, browser, publishers);
  await allJoined(members);
  const [warming, measured] = [true, false].map((early) => plan.documents.filter(({ at_ms }) => at_ms < plan.begin_ms === early));
  say(`all are linked; ${warming.length} documents to warm up`);
  await publish(members, warming, warming[0].at_ms, plan.begin_ms);
  await arrived(members, warming);

  say(`${measured.length} documents in ${(plan.end_ms - plan.begin_ms) / 1000} s`);
  const peers = members.filter(({ peer }) => !(peer instanceof Page)).map(({ peer }) => pid(peer));
  const tree = family(browser.puppet.process()?.pid ?? 0);
  const taken = () => ({ at: performance.now(), native: work(peers), browser: work(tree), harness: work([process.pid]), all: busy(), loopback: loopback() });
  const told = async () => await Promise.all(members.map(status));
  const before = { status: await told(), taken: taken() };
  await publish(members, measured, plan.begin_ms, plan.end_ms);
  const after = taken();
  let late = "";
  await arrived(members, plan.documents).catch((error) => (late = error.message));
  await pause(QUIET_MS);
  const last = await told();
  const memories = peers.map(memory);

  const got = await Promise.all(members.map(deliveries));
  const first = warming.length;
  const { wrong, ...count } = counted(measured, first, members, got);
  wrong.push(...counted(warming, 0, members, got).wrong);
  if (late) wrong.unshift(late);
  const isPage = members.map(({ peer }) => peer instanceof Page);
  const delays = (/** @type {boolean[]} */ among) =>
    ascending(got.flatMap((all, n) => (among.includes(isPage[n]) ? all.filter((one) => one.number >= first).map((one) => one.delay) : [])));
  const [all, inPages, inNative] = [delays([true, false]), delays([true]), delays([false])];
  const ofLinks = ascending(got.flat().filter((one) => one.number >= first).map((one) => one.delay / Math.max(one.hops, 1)));
  const farthest = measured.map((_, n) => Math.max(0, ...got.flat().filter((one) => one.number === first + n).map((one) => one.hops)));
  const counter = (/** @type {string} */ name) => sum(last.map((one, n) => one.counters[name] - before.status[n].counters[name]));
  const joined = (/** @type {boolean} */ page) => ascending(members.filter((_, n) => isPage[n] === page).map((one) => one.joined ?? NaN));
  const [ofNative, ofPages] = [joined(false), joined(true)];
  return {
    wrong,
    figures: {
      ...count,
      native, pages: PAGES, processors: PROCESSORS,
      seconds: (after.at - before.taken.at) / 1000,
      routed_share: mean(last.map((one) => (one.spreading === "routes" ? 1 : 0))),
      published: counter("published"),
      p50_ms: quantile(all, 50), p99_ms: quantile(all, 99), slowest_ms: all[all.length - 1],
      native_p99_ms: quantile(inNative, 99), native_slowest_ms: inNative[inNative.length - 1],
      pages_p50_ms: quantile(inPages, 50), pages_p99_ms: quantile(inPages, 99),
      last_hop: mean(farthest), link_p90_ms: quantile(ofLinks, 90),
      links_mean: mean(last.map((one) => one.links.filter((/** @type {any} */ link) => link.state === "active").length)),
      copies: counter("duplicates") / counter("received"),
      unwanted_per_wanted: (counter("received") - counter("wanted")) / counter("wanted"),
      joined_p50_ms: quantile(ofNative, 50), joined_last_ms: ofNative[ofNative.length - 1], pages_joined_last_ms: ofPages[ofPages.length - 1],
      rss_mib: mean(memories.map(({ rss }) => rss)), pss_mib: mean(memories.map(({ pss }) => pss)),
      browser_pss_mib: sum(tree.map((pid) => memory(pid).pss)),
      // On a network that is not private others' bytes would be in it.
      loopback: isPrivate() ? grown(before.taken.loopback, after.loopback) : undefined,
      work: grown(before.taken.native, after.native),
      browser_work: grown(before.taken.browser, after.browser),
      harness_work: grown(before.taken.harness, after.harness),
      all_work: grown(before.taken.all, after.all),
    },
  };
}

if (!Number.isInteger(NATIVE) || NATIVE < FEWEST) {
  say(`--peers wants a whole number from ${FEWEST} on`);
  process.exit(2);
}
let browser;
try {
  browser = await Browser.launch();
  const { wrong, figures } = await measure(browser);
  await browser.closePages();
  await killAll(); // The simulator is to have the machine.
  const peers = figures.native + figures.pages;
  const [simulated, slow] = [await simulator(peers, "--json"), await slowSimulator(peers, figures.link_p90_ms, figures.routed_share)];
  for (const line of compared(figures, simulated, slow)) console.log(line);
  wrong.slice(0, 20).forEach((fault) => console.log(`FAILED: ${fault}`));
  if (wrong.length > 0) process.exitCode = 1;
} finally {
  await killAll();
  await browser?.close();
}
