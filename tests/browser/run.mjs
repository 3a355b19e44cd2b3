// Runs the tests in real browsers: `node tests/browser/run.mjs [FILE [TEST]]`.
//
// FILE chooses test files by a part of their name, TEST the tests in them. Where the machine allows it all runs in a private network
// (`harness/namespace.mjs`); TAIINET_BROWSER=host keeps it from that. TAIINET_BROWSER=skip leaves the
// tests out on a machine without browsers.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build, unshareArgs } from "./harness/namespace.mjs";
import { ARTEFACTS, missing, newer } from "./harness/places.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
/** Programs that measure, each run by itself. */
const BENCHES = ["bench.mjs", "swarm.mjs"];
/** For everything, and for one file of tests. */
const DEADLINE_MS = 15 * 60_000;
const FILE_DEADLINE_MS = 4 * 60_000;

process.exitCode = await main(process.argv.slice(2));

/** @param {string[]} args */
async function main(args) {
  if (process.env.TAIINET_INSIDE === "1") return await inside(args);
  if (process.env.TAIINET_BROWSER === "skip") {
    console.log("browser tests: left out, by TAIINET_BROWSER=skip");
    return 0;
  }
  if (!existsSync(join(HERE, "node_modules/puppeteer-core"))) {
    console.log("$ npm ci");
    const installed = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: HERE, stdio: "inherit" });
    if (installed.status !== 0) return 1;
  }
  const faults = BENCHES.includes(args[0]) ? [] : missing();
  if (faults.length > 0) {
    console.error(faults.join("\n"));
    console.error("or TAIINET_BROWSER=skip to go without the browser tests");
    return 1;
  }
  const stale = process.env.TAIINET_PACKAGE === undefined && newer();
  if (stale) console.error(`the package is older than ${stale}: what is tested is the old one (cargo xtask wasm)`);
  const unshare = process.env.TAIINET_BROWSER === "host" ? undefined : unshareArgs();
  console.log(unshare ? "in a private network" : "on this machine's own network: what needs a private one is skipped");
  const command = [...(unshare ? ["unshare", ...unshare] : []), process.execPath, fileURLToPath(import.meta.url), ...args];
  const env = { ...process.env, TAIINET_INSIDE: "1", TAIINET_PRIVATE: unshare ? "1" : "" };
  return await status(spawn(command[0], command.slice(1), { stdio: "inherit", env }), DEADLINE_MS);
}

/** The tests, with the network as it is to be. @param {string[]} args */
async function inside(args) {
  const far = process.env.TAIINET_PRIVATE ? await build() : undefined;
  const env = { ...process.env, ...(far && { TAIINET_FAR: String(far.pid) }) };
  const files = BENCHES.includes(args[0])
    ? args
    : ["--test", "--test-concurrency=1", "--test-reporter=spec", `--test-timeout=${FILE_DEADLINE_MS}`, ...tests(args)];
  mkdirSync(ARTEFACTS, { recursive: true });
  // A group of its own, so that browsers and peers end with it however it ends.
  const child = spawn(process.execPath, files, { stdio: "inherit", env, cwd: HERE, detached: true });
  const code = await status(child, DEADLINE_MS - 10_000);
  far?.kill("SIGKILL");
  return code;
}

/** The arguments that choose tests. @param {string[]} args */
function tests([file = "", name]) {
  const all = readdirSync(join(HERE, "tests")).filter((name) => name.endsWith(".test.mjs")).sort();
  const chosen = all.filter((name) => name.includes(file));
  if (chosen.length === 0) {
    console.error(`no test file has "${file}" in its name; there are ${all.join(", ")}`);
    process.exit(2);
  }
  const files = chosen.map((name) => join(HERE, "tests", name));
  return name ? [`--test-name-pattern=${name}`, ...files] : files;
}

/**
 * The exit code of a child, which is killed at the deadline with its group.
 * @param {import("node:child_process").ChildProcess} child
 * @param {number} deadline
 */
function status(child, deadline) {
  const stop = () => {
    try {
      process.kill(-(child.pid ?? 0), "SIGKILL");
    } catch {
      child.kill("SIGKILL"); // It leads no group.
    }
  };
  const timer = setTimeout(() => {
    console.error(`not done within ${deadline / 60_000} minutes`);
    stop();
  }, deadline);
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, stop);
  return new Promise((done) => {
    child.on("error", (error) => (console.error(`${child.spawnfile}: ${error.message}`), done(1)));
    child.on("close", (code) => (clearTimeout(timer), done(code ?? 1)));
  });
}
