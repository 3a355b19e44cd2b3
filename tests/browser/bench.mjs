// Verified documents a second from a native peer into a page, against the bare data channel with the
// same messages into the same page, and against the same core natively; the page's memory; and a history out of a
// native archive into a page, against bare verification there.
//
//   cargo build --profile dist -p taiinet-cli -p taiinet-signaller -p taiinet-tests --bins
//   TAIINET_BIN_DIR=target/dist node tests/browser/run.mjs bench.mjs [--native DOCUMENTS_A_SECOND]
//
// Without --native it runs `cargo bench -p taiinet --bench documents -- --quick`.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Browser } from "./harness/pages.mjs";
import { ROOT, program } from "./harness/places.mjs";
import { Mesh, Process, Signaller, connected, killAll } from "./harness/processes.mjs";

const DOCUMENTS = 10_000;
const ROUNDS = 5;
/** Documents of a history. */
const HISTORY = 100_000;
/** As in the native benchmark: about 1 KiB with what surrounds it. */
const TEXT = "x".repeat(984);

/** Keeps hold of the memory of every WebAssembly instance. */
function rememberMemories() {
  const memories = /** @type {WebAssembly.Memory[]} */ ([]);
  Object.assign(globalThis, { memories });
  const functions = /** @type {any} */ (WebAssembly);
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const original = functions[name];
    functions[name] = async (/** @type {unknown[]} */ ...args) => {
      const result = await original.apply(WebAssembly, args);
      const { memory } = (result.instance ?? result).exports ?? {};
      if (memory) memories.push(memory);
      return result;
    };
  }
}

/** @param {Browser} browser @returns {Promise<number[]>} documents a second, one for each round */
async function intoPeer(browser) {
  const mesh = new Mesh([await Signaller.start()], { args: ["--bind", "127.0.0.1:0"] });
  const page = await browser.page("page", { before: rememberMemories });
  const memory = async () => {
    await page.evaluate(() => /** @type {any} */ (globalThis).gc());
    const { JSHeapUsedSize = 0 } = await page.puppet.metrics();
    const wasm = await page.evaluate(() => memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0));
    return `JS heap ${(JSHeapUsedSize / 1e6).toFixed(1)} MB, WebAssembly ${(wasm / 1e6).toFixed(1)} MB`;
  };
  await page.start(mesh.options());
  // It may write as fast as the page reads.
  const author = mesh.publisher("author", ["--author-quota", "1000000,1000000"]);
  await connected([page, author]);
  console.log(`memory of the page before the first document: ${await memory()}`);
  await page.evaluate((expected) => {
    const rounds = { count: 0, first: 0, rates: /** @type {number[]} */ ([]) };
    Object.assign(globalThis, { rounds });
    inPage.peer.subscribe({}).on("data", () => {
      rounds.count += 1;
      if (rounds.count === 1) rounds.first = performance.now();
      if (rounds.count < expected) return;
      rounds.rates.push((expected / (performance.now() - rounds.first)) * 1000);
      rounds.count = 0;
    });
  }, DOCUMENTS);
  for (let round = 1; round <= ROUNDS; round++) {
    for (let n = 0; n < DOCUMENTS; n++) author.publish({ round, n, text: TEXT });
    await page.eventually("got all", async () => (await page.evaluate(() => rounds.rates.length)) === round, 120_000);
    if (round === 1) console.log(`memory of the page after ${DOCUMENTS} documents of 1 KiB:  ${await memory()}`);
  }
  console.log(`memory of the page after ${DOCUMENTS * ROUNDS} documents of 1 KiB:  ${await memory()}`);
  const rates = await page.evaluate(() => rounds.rates);
  await killAll();
  return rates;
}

/** The same messages, and no reader. @param {Browser} browser */
async function intoChannel(browser) {
  const page = await browser.page("bare page");
  const rates = [];
  for (let round = 0; round < ROUNDS; round++) {
    const bare = new Process("bare", program("bare"), [String(DOCUMENTS), String(TEXT.length)]);
    const said = (/** @type {string} */ name) => bare.stdout.map((line) => JSON.parse(line)[name]).filter((one) => one !== undefined);
    const offer = await bare.eventually("offers", () => said("description")[0]);
    const answer = await page.evaluate(async (offer) => {
      const connection = new RTCPeerConnection();
      const channel = connection.createDataChannel("taiinet", { negotiated: true, id: 0 });
      channel.binaryType = "arraybuffer";
      const bareChannel = { count: 0, first: 0, last: 0, connection };
      Object.assign(globalThis, { bareChannel });
      channel.onmessage = () => {
        bareChannel.last = performance.now();
        bareChannel.first ||= bareChannel.last;
        bareChannel.count += 1;
      };
      await connection.setRemoteDescription({ type: "offer", sdp: offer });
      await connection.setLocalDescription(await connection.createAnswer());
      return connection.localDescription?.sdp;
    }, offer);
    bare.write(JSON.stringify({ description: answer }));
    const candidates = () => said("candidate");
    let given = 0;
    const messages = await bare.eventually("has a channel", async () => {
      for (; given < candidates().length; given++) {
        await page.evaluate((candidate) => bareChannel.connection.addIceCandidate({ candidate, sdpMLineIndex: 0 }), candidates()[given]);
      }
      return said("ready")[0];
    });
    bare.write(JSON.stringify("go"));
    await bare.eventually("all messages arrive", () => page.evaluate((messages) => bareChannel.count === messages, messages));
    rates.push((DOCUMENTS / (await page.evaluate(() => bareChannel.last - bareChannel.first))) * 1000);
    await page.evaluate(() => bareChannel.connection.close());
    await bare.kill();
  }
  return rates;
}

/**
 * A history out of an archive into a page, and bare verification there. @param {Browser} browser
 * @returns {Promise<{ histories: number[], verifications: number[] }>} documents a second
 */
async function history(browser) {
  const folder = mkdtempSync(join(tmpdir(), "taiinet-bench-"));
  try {
    const [key, file, store] = ["author.key", "documents.ndjson", "archive"].map((name) => join(folder, name));
    const lines = Array.from({ length: HISTORY }, (_, n) => JSON.stringify({
      type: "tweet", n, likes: (n * 7919) % 1000, text: "a mesh of peers that carries documents to everyone ".repeat(2 + (n % 3)),
    }));
    writeFileSync(file, `${lines.join("\n")}\n`);
    const mesh = new Mesh([await Signaller.start()], { args: ["--bind", "127.0.0.1:0", "--author-quota", "1000000,1000000"] });
    await succeeds(new Process("key", program("taiinet-keys"), ["generate", "--no-passphrase", "--out", key]));
    await succeeds(mesh.run("import", ["import", file, "--store", store, "--identity", key]));
    const seed = mesh.run("seed", ["seed", "{}", "--store", store, "--json"]);
    await seed.eventually("keeps", () => seed.stdout[0]);
    const page = await browser.page("reader of a history");
    const verifications = [];
    for (let round = 0; round < ROUNDS; round++) {
      verifications.push(await page.evaluate(async (count) => {
        const module = await import("/vectors/taiinet_wasm.js");
        await module.default({ module_or_path: "/vectors/taiinet_wasm_bg.wasm" });
        const begun = performance.now();
        module.verify(count);
        return (count / (performance.now() - begun)) * 1000;
      }, DOCUMENTS));
    }
    await page.start(mesh.options());
    await page.eventually("has a neighbour", async () => (await page.neighbours()).size === 1);
    const histories = [];
    for (let round = 0; round < ROUNDS; round++) {
      histories.push(await page.evaluate(async (expected) => {
        const begun = performance.now();
        const subscription = inPage.peer.subscribe({ type: "tweet" }, { backlog: { since: 0 } });
        let count = 0;
        subscription.on("backlog", () => void (count += 1));
        const ready = await new Promise((done) => subscription.on("ready", done));
        if (count !== expected || !ready.complete) throw new Error(`${count} documents, complete: ${ready.complete}`);
        subscription.close();
        return (expected / (performance.now() - begun)) * 1000;
      }, HISTORY));
    }
    await killAll();
    return { histories, verifications };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {Process} program */
async function succeeds(program) {
  const code = await program.ended;
  if (code !== 0) throw new Error(`${program.name} ended with ${code}: ${program.stderr.join("\n")}`);
}

/** The same core natively. */
function native() {
  const given = process.argv.indexOf("--native");
  if (given > 0) return Number(process.argv[given + 1]);
  const args = ["bench", "--locked", "--offline", "-p", "taiinet", "--bench", "documents", "--", "--quick"];
  const output = execFileSync("cargo", args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  console.log(output.trimEnd());
  return Number(/delivered over a link\s+(\d+)/.exec(output)?.[1]);
}

/** @param {number[]} rates */
const median = (rates) => [...rates].sort((a, b) => a - b)[rates.length >> 1];

const browser = await Browser.launch();
const peer = await intoPeer(browser);
const channel = await intoChannel(browser);
const { histories, verifications } = await history(browser);
await browser.close();
const rows = [
  ["verified documents into a page", median(peer)],
  ["the same messages over a bare data channel into a page", median(channel)],
  ["verified documents into a native peer (same core)", native()],
];
console.log(`\ndocuments of 1 KiB, median of ${ROUNDS} rounds of ${DOCUMENTS}`);
for (const [name, rate] of rows) {
  const ratio = median(peer) / Number(rate);
  console.log(`${String(name).padEnd(56)} ${Number(rate).toFixed(0).padStart(8)} /s   ${ratio.toFixed(2).padStart(5)}`);
}
const [found, verified] = [median(histories), median(verifications)];
console.log(`\na history of ${HISTORY} documents, median of ${ROUNDS} rounds`);
console.log(`${"verified documents of an archive into a page".padEnd(56)} ${found.toFixed(0).padStart(8)} /s`);
console.log(`${"bare verification there".padEnd(56)} ${verified.toFixed(0).padStart(8)} /s   ${(found / verified).toFixed(2).padStart(5)}`);
await killAll();
